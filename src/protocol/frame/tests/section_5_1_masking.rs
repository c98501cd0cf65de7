use super::*;

#[test]
fn a_client_masks_and_a_server_does_not() {
    for first in [
        FIN | TEXT,
        FIN | BINARY,
        BINARY,
        FIN | PING,
        FIN | PONG,
        FIN | CLOSE,
    ] {
        let (masked, plain) = (
            frame(Role::Client, first, b"\x03\xe8"),
            frame(Role::Server, first, b"\x03\xe8"),
        );
        rejects(Role::Client, &RULES, &plain, Violation::Unmasked);
        rejects(Role::Server, &RULES, &masked, Violation::Masked);
        for (role, bytes) in [(Role::Client, masked), (Role::Server, plain)] {
            assert!(matches!(
                outcome(role, &RULES, &bytes).end,
                End::Open { .. }
            ));
        }
    }
}

#[test]
fn an_empty_frame_of_a_client_is_masked_too() {
    rejects(Role::Client, &RULES, &[FIN | TEXT, 0], Violation::Unmasked);
    accepts(
        Role::Client,
        &RULES,
        &frame(Role::Client, FIN | TEXT, b""),
        &[message("")],
    );
}

#[test]
fn section_5_3_every_frame_has_its_own_key_and_payload_goes_through_untouched() {
    let mut bytes = vec![TEXT, 0x83, 1, 2, 3, 4];
    bytes.extend([b'a' ^ 1, b'b' ^ 2, b'c' ^ 3]);
    bytes.extend([FIN, 0x82, 9, 8, 7, 6, b'd' ^ 9, b'e' ^ 8]);
    let outcome = outcome(Role::Client, &UTF8, &bytes);
    assert_eq!(outcome.heard, [message("abcde")]);
    assert_eq!(outcome.passed, bytes);
}

#[test]
fn control_payloads_are_told_unmasked() {
    for role in ROLES {
        let bytes = frame(role, FIN | PING, b"Hello");
        let ping = Heard::Control(ControlKind::Ping, b"Hello".to_vec());
        accepts(role, &RULES, &bytes, &[ping]);
    }
}

use super::*;

const KINDS: [(u8, ControlKind); 3] = [
    (CLOSE, ControlKind::Close),
    (PING, ControlKind::Ping),
    (PONG, ControlKind::Pong),
];

#[test]
fn every_length_up_to_125_is_told_whole() {
    for role in ROLES {
        for (opcode, kind) in KINDS {
            for len in [0, 1, 2, 124, 125] {
                let payload: Vec<u8> = (0..len).collect();
                let bytes = frame(role, FIN | opcode, &payload);
                let outcome = outcome(role, &RULES, &bytes);
                assert_eq!(outcome.heard, [Heard::Control(kind, payload)]);
                assert_eq!(
                    outcome.passed, b"",
                    "control frames are never passed on as data"
                );
            }
        }
    }
}

#[test]
fn longer_ones_are_refused_by_their_first_two_bytes() {
    for role in ROLES {
        for (opcode, _) in KINDS {
            for len in [126, 0x10000] {
                let bytes = header(role, FIN | opcode, len);
                rejects(role, &RULES, &bytes[..2], Violation::ControlTooLong);
            }
        }
    }
}

#[test]
fn they_are_not_fragmented() {
    for role in ROLES {
        for (opcode, _) in KINDS {
            rejects(
                role,
                &RULES,
                &frame(role, opcode, b""),
                Violation::FragmentedControl,
            );
        }
    }
}

#[test]
fn the_longest_one_less_a_byte_is_the_most_that_is_held() {
    let bytes = frame(Role::Client, FIN | PING, &[0; 125]);
    let end = End::Open {
        boundary: Boundary::Message,
        held: MAX_HELD,
    };
    assert_eq!(
        read(Role::Client, &RULES, [&bytes[..bytes.len() - 1]]).end,
        end
    );
}

#[test]
fn limits_for_messages_do_not_hold_for_them() {
    let rules = Rules {
        max_frame: 1,
        max_message: 1,
        ..RULES
    };
    for role in ROLES {
        let ping = Heard::Control(ControlKind::Ping, b"long".to_vec());
        accepts(role, &rules, &frame(role, FIN | PING, b"long"), &[ping]);
    }
}

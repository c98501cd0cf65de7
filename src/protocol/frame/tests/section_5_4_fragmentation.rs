use super::*;

#[test]
fn a_message_in_fragments_ends_with_fin() {
    for role in ROLES {
        for opcode in [TEXT, BINARY] {
            let bytes = [
                frame(role, opcode, b"ab"),
                frame(role, CONTINUE, b""),
                frame(role, CONTINUE, b"c"),
                frame(role, FIN | CONTINUE, b"d"),
            ]
            .concat();
            accepts(role, &RULES, &bytes, &[message("abcd")]);
        }
    }
}

#[test]
fn the_last_fragment_may_be_empty() {
    for role in ROLES {
        let bytes = [frame(role, TEXT, b""), frame(role, FIN, b"")].concat();
        accepts(role, &UTF8, &bytes, &[message("")]);
    }
}

#[test]
fn a_continuation_continues_something() {
    for role in ROLES {
        for first in [CONTINUE, FIN | CONTINUE] {
            let alone = frame(role, first, b"x");
            rejects(role, &RULES, &alone, Violation::UnexpectedContinuation);
            let after_whole = [frame(role, FIN | TEXT, b"a"), alone.clone()].concat();
            rejects(
                role,
                &RULES,
                &after_whole,
                Violation::UnexpectedContinuation,
            );
            let after_last = [frame(role, TEXT, b"a"), frame(role, FIN, b"b"), alone].concat();
            rejects(role, &RULES, &after_last, Violation::UnexpectedContinuation);
        }
    }
}

#[test]
fn messages_are_not_interleaved() {
    for role in ROLES {
        for second in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
            let bytes = [frame(role, BINARY, b"a"), frame(role, second, b"b")].concat();
            rejects(role, &RULES, &bytes, Violation::ExpectedContinuation);
        }
    }
}

#[test]
fn control_frames_come_between_fragments_and_change_nothing() {
    for role in ROLES {
        let ping = Heard::Control(ControlKind::Ping, b"?".to_vec());
        let pong = Heard::Control(ControlKind::Pong, b"!".to_vec());
        let bytes = [
            frame(role, TEXT, "κ".as_bytes().split_at(1).0),
            frame(role, FIN | PING, b"?"),
            frame(role, FIN | PONG, b"!"),
            frame(role, FIN, "κ".as_bytes().split_at(1).1),
        ]
        .concat();
        accepts(role, &UTF8, &bytes, &[ping, pong, message("κ")]);
    }
}

#[test]
fn boundaries_tell_what_may_be_injected() {
    for role in ROLES {
        let mut reader = FrameReader::new(role);
        assert_eq!(reader.boundary(), Boundary::Message);
        let first = frame(role, TEXT, b"ab");
        reader.next(&first[..first.len() - 1], &RULES).unwrap();
        assert_eq!(reader.boundary(), Boundary::None);
        reader.next(&first[first.len() - 1..], &RULES).unwrap();
        assert_eq!(reader.boundary(), Boundary::Frame);
        reader.next(&frame(role, FIN | PING, b""), &RULES).unwrap();
        assert_eq!(reader.boundary(), Boundary::Frame);
        reader.next(&frame(role, CONTINUE, b""), &RULES).unwrap();
        assert_eq!(reader.boundary(), Boundary::Frame);
        reader.next(&frame(role, FIN, b""), &RULES).unwrap();
        assert_eq!(reader.boundary(), Boundary::Message);
    }
}

//! `limits.max_frame` and `limits.max_message`.

use super::*;

const SMALL: Rules = Rules {
    max_frame: 10,
    max_message: 25,
    ..RULES
};

#[test]
fn a_frame_of_exactly_max_frame_passes_and_one_more_byte_does_not() {
    for role in ROLES {
        let ten = [7; 10];
        accepts(
            role,
            &SMALL,
            &frame(role, FIN | BINARY, &ten),
            &[message(ten)],
        );
        let eleven = header(role, FIN | BINARY, 11);
        rejects(role, &SMALL, &eleven, Violation::FrameTooBig(11));
    }
}

#[test]
fn fragments_add_up_to_max_message() {
    for role in ROLES {
        let (ten, five, six) = ([7; 10], [7; 5], [7; 6]);
        let begun = [frame(role, BINARY, &ten), frame(role, CONTINUE, &ten)].concat();
        let whole = [begun.clone(), frame(role, FIN, &five)].concat();
        accepts(role, &SMALL, &whole, &[message([7; 25])]);
        // The sum begins anew with each message.
        let twice = whole.repeat(2);
        accepts(role, &SMALL, &twice, &[message([7; 25]), message([7; 25])]);
        let over = [begun, frame(role, FIN, &six)].concat();
        rejects(role, &SMALL, &over, Violation::MessageTooBig(26));
    }
}

#[test]
fn empty_fragments_are_free() {
    for role in ROLES {
        let mut bytes = frame(role, BINARY, &[7; 10]);
        for _ in 0..50 {
            bytes.extend(frame(role, CONTINUE, b""));
        }
        bytes.extend(frame(role, FIN, b""));
        accepts(role, &SMALL, &bytes, &[message([7; 10])]);
    }
}

#[test]
fn sums_beyond_64_bits_are_too_big() {
    let rules = Rules {
        max_message: u64::MAX - 1,
        ..RULES
    };
    for role in ROLES {
        let mut reader = FrameReader::new(role);
        // Two messages' worth of frames of the largest size, without their payload.
        for first in [BINARY, CONTINUE] {
            let step = reader.next(&header(role, first, i64::MAX as u64), &rules);
            assert!(
                matches!(step, Ok(Step::Data { payload: 0, .. })),
                "{step:?}"
            );
            reader.remaining = 0;
        }
        let next = reader.next(&header(role, FIN, i64::MAX as u64), &rules);
        assert_eq!(next, Err(Violation::MessageTooBig(u64::MAX)));
    }
}

#[test]
fn a_limit_that_shrinks_holds_from_the_next_frame_on() {
    for role in ROLES {
        let mut reader = FrameReader::new(role);
        let bytes = frame(role, BINARY, &[7; 20]);
        let (head, tail) = bytes.split_at(bytes.len() - 5);
        reader.next(head, &RULES).unwrap();
        reader.next(tail, &SMALL).unwrap();
        let next = reader.next(&frame(role, FIN, &[7; 6]), &SMALL);
        assert_eq!(next, Err(Violation::MessageTooBig(26)));
    }
}

#[test]
fn the_code_for_the_sender_is_1009() {
    assert_eq!(Violation::FrameTooBig(11).close_code(), 1009);
    assert_eq!(Violation::MessageTooBig(26).close_code(), 1009);
    assert_eq!(Violation::TextNotUtf8.close_code(), 1007);
    assert_eq!(Violation::ReservedBit.close_code(), 1002);
}

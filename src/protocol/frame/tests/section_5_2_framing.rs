use super::*;

const DEFLATE: Rules = Rules {
    deflate: true,
    ..RULES
};

#[test]
fn reserved_bits_are_0_without_an_extension() {
    for role in ROLES {
        for first in [FIN | TEXT, FIN | BINARY, FIN | PING, FIN | CLOSE] {
            for rsv in [0x10, 0x20, 0x40, 0x70] {
                let bytes = frame(role, first | rsv, b"");
                rejects(role, &RULES, &bytes, Violation::ReservedBit);
            }
        }
    }
}

/// RFC 7692 section 6: RSV1 on the first frame of a message only, and never on a control frame.
#[test]
fn compression_gives_rsv1_a_meaning_where_a_message_begins() {
    for role in ROLES {
        for opcode in [TEXT, BINARY] {
            let bytes = frame(role, FIN | 0x40 | opcode, b"x");
            accepts(role, &DEFLATE, &bytes, &[message("x")]);
            for rsv in [0x20, 0x10] {
                let bytes = frame(role, FIN | 0x40 | rsv | opcode, b"x");
                rejects(role, &DEFLATE, &bytes, Violation::ReservedBit);
            }
        }
        let second = [
            frame(role, TEXT | 0x40, b"x"),
            frame(role, FIN | 0x40, b"y"),
        ]
        .concat();
        rejects(role, &DEFLATE, &second, Violation::ReservedBit);
        for control in [PING, PONG, CLOSE] {
            let bytes = frame(role, FIN | 0x40 | control, b"");
            rejects(role, &DEFLATE, &bytes, Violation::ReservedBit);
        }
    }
}

#[test]
fn reserved_opcodes_are_unknown() {
    for role in ROLES {
        for opcode in (3..=7).chain(11..=15) {
            for fin in [0, FIN] {
                let bytes = frame(role, fin | opcode, b"");
                rejects(role, &RULES, &bytes, Violation::UnknownOpcode(opcode));
            }
        }
    }
}

#[test]
fn lengths_at_the_edges_of_their_forms() {
    for role in ROLES {
        for len in [0, 1, 125, 126, 127, 255, 256, 0xffff, 0x10000, 0x10001] {
            let payload = vec![7; len];
            let bytes = frame(role, FIN | BINARY, &payload);
            // Cut around the header only: the large ones have too many places.
            for cut in 0..=bytes.len().min(20) {
                let (head, tail) = bytes.split_at(cut);
                let outcome = read(role, &RULES, [head, tail]);
                assert_eq!(outcome.heard, [message(&payload)], "{len} cut at {cut}");
                assert_eq!(outcome.passed, bytes);
            }
        }
    }
}

/// "The minimal number of bytes MUST be used to encode the length".
#[test]
fn lengths_in_a_longer_form_than_needed_are_refused() {
    let masked = |role| u8::from(role == Role::Client) << 7;
    for role in ROLES {
        for len in [0_u16, 1, 125] {
            let mut bytes = vec![FIN | BINARY, masked(role) | 126];
            bytes.extend(len.to_be_bytes());
            bytes.extend([0; 4 + 125]);
            rejects(role, &RULES, &bytes, Violation::LengthNotMinimal);
        }
        for len in [0_u64, 125, 126, 0xffff] {
            let mut bytes = vec![FIN | BINARY, masked(role) | 127];
            bytes.extend(len.to_be_bytes());
            bytes.extend([0; 4]);
            rejects(role, &RULES, &bytes, Violation::LengthNotMinimal);
        }
    }
}

/// "The most significant bit MUST be 0".
#[test]
fn lengths_have_63_bits() {
    for role in ROLES {
        for len in [1 << 63, u64::MAX] {
            let bytes = header(role, FIN | BINARY, len);
            rejects(role, &RULES, &bytes, Violation::LengthTooLarge);
        }
        let longest = header(role, FIN | BINARY, i64::MAX as u64);
        let outcome = outcome(role, &RULES, &[&longest[..], b"abc"].concat());
        let end = End::Open {
            boundary: Boundary::None,
            held: 0,
        };
        assert_eq!(outcome.end, end);
        assert_eq!(outcome.passed.len(), longest.len() + 3);
    }
}

#[test]
fn only_an_incomplete_header_is_held() {
    for role in ROLES {
        let header = header(role, FIN | BINARY, 1 << 20);
        for cut in 0..header.len() {
            let end = End::Open {
                boundary: Boundary::Message,
                held: cut,
            };
            assert_eq!(read(role, &RULES, [&header[..cut]]).end, end);
        }
        let end = End::Open {
            boundary: Boundary::None,
            held: 0,
        };
        assert_eq!(read(role, &RULES, [&header[..]]).end, end);
    }
}

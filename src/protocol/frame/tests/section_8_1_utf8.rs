use super::*;

/// Cut anywhere, also in the middle of characters.
fn in_fragments(role: Role, opcode: u8, text: &[u8], lens: usize) -> Vec<u8> {
    let mut bytes = frame(role, opcode, b"");
    for piece in text.chunks(lens) {
        bytes.extend(frame(role, CONTINUE, piece));
        bytes.extend(frame(role, FIN | PING, b"\xff"));
    }
    bytes.extend(frame(role, FIN | CONTINUE, b""));
    bytes
}

fn messages(outcome: Outcome) -> Vec<Heard> {
    let mut heard = outcome.heard;
    heard.retain(|heard| matches!(heard, Heard::Message(_)));
    heard
}

#[test]
fn text_of_every_length_of_character() {
    let text = "aé€🎉κόσμε";
    for role in ROLES {
        accepts(
            role,
            &UTF8,
            &frame(role, FIN | TEXT, text.as_bytes()),
            &[message(text)],
        );
        for lens in 1..5 {
            let bytes = in_fragments(role, TEXT, text.as_bytes(), lens);
            assert_eq!(
                messages(outcome(role, &UTF8, &bytes)),
                [message(text)],
                "{lens}"
            );
        }
    }
}

#[test]
fn what_is_not_utf8_is_refused_in_one_frame_and_in_many() {
    let bad: [&[u8]; 6] = [
        b"ab\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"cut \xe2\x82",
        b"\x80",
    ];
    for role in ROLES {
        for text in bad {
            let whole = frame(role, FIN | TEXT, text);
            rejects(role, &UTF8, &whole, Violation::TextNotUtf8);
            for lens in 1..4 {
                let bytes = in_fragments(role, TEXT, text, lens);
                rejects(role, &UTF8, &bytes, Violation::TextNotUtf8);
            }
            accepts(role, &RULES, &whole, &[message(text)]);
        }
    }
}

#[test]
fn a_bad_byte_is_told_before_its_frame_is_whole() {
    for role in ROLES {
        let mut bytes = header(role, FIN | TEXT, 100);
        let mut payload = *b"\xf4\x90";
        if role == Role::Client {
            apply_mask(&mut payload, KEY, 0);
        }
        bytes.extend(payload);
        rejects(role, &UTF8, &bytes, Violation::TextNotUtf8);
    }
}

#[test]
fn binary_and_compressed_messages_are_not_checked() {
    let deflate = Rules {
        deflate: true,
        ..UTF8
    };
    for role in ROLES {
        let bytes = in_fragments(role, BINARY, b"\xff\xfe", 1);
        assert_eq!(
            messages(outcome(role, &UTF8, &bytes)),
            [message(b"\xff\xfe")]
        );
        let bytes = in_fragments(role, TEXT | 0x40, b"\xff\xfe", 1);
        assert_eq!(
            messages(outcome(role, &deflate, &bytes)),
            [message(b"\xff\xfe")]
        );
        let plain = frame(role, FIN | TEXT, b"\xff");
        rejects(role, &deflate, &plain, Violation::TextNotUtf8);
    }
}

#[test]
fn a_message_is_judged_by_itself() {
    for role in ROLES {
        let bytes = [
            frame(role, FIN | BINARY, b"\xe2\x82"),
            frame(role, FIN | TEXT, b"ok"),
            frame(role, FIN | TEXT, "€".as_bytes()),
        ]
        .concat();
        let heard = [message(b"\xe2\x82"), message("ok"), message("€")];
        accepts(role, &UTF8, &bytes, &heard);
    }
}

#[test]
fn switching_the_rule_on_waits_for_the_next_message() {
    for role in ROLES {
        let mut reader = FrameReader::new(role);
        // The second half of a character, whose first half was not looked at.
        let (head, tail) = "€".as_bytes().split_at(1);
        reader.next(&frame(role, TEXT, head), &RULES).unwrap();
        reader.next(&frame(role, FIN, tail), &UTF8).unwrap();
        let next = reader.next(&frame(role, FIN | TEXT, tail), &UTF8);
        assert_eq!(next, Err(Violation::TextNotUtf8));
    }
}

/// Longer than the buffer in which payload is unmasked, and no multiple of the key.
#[test]
fn long_texts_are_unmasked_in_step() {
    for role in ROLES {
        for len in [1023, 1024, 1025, 4099] {
            let text = "€".repeat(len);
            let bytes = frame(role, FIN | TEXT, text.as_bytes());
            for cut in [0, 5, 1021, 1024, 1031, 2050, 3000] {
                let (head, tail) = bytes.split_at(cut.min(bytes.len()));
                assert_eq!(read(role, &UTF8, [head, tail]).heard, [message(&text)]);
            }
            let mut bad = text.into_bytes();
            *bad.last_mut().unwrap() = b'a';
            let bytes = frame(role, FIN | TEXT, &bad);
            let end = End::Violation(Violation::TextNotUtf8);
            assert_eq!(read(role, &UTF8, bytes.chunks(1000)).end, end);
        }
    }
}

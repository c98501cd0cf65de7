use super::*;

#[test]
fn section_5_5_1_payload_is_empty_or_code_and_reason() {
    assert_eq!(Close::parse(b""), Ok(Close::default()));
    assert_eq!(Close::parse(&[3]), Err(Violation::ClosePayloadTooShort));
    assert_eq!(Close::parse(b"\x03\xe8bye"), Ok(Close::new(1000, "bye")));
    assert_eq!(
        Close::parse(b"\x03\xe8\xff"),
        Err(Violation::CloseReasonNotUtf8)
    );
}

#[test]
fn section_7_4_2_codes_that_never_go_on_the_wire() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        assert_eq!(
            Close::parse(&code.to_be_bytes()),
            Err(Violation::InvalidCloseCode(code))
        );
    }
    for code in [
        1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
    ] {
        assert!(Close::parse(&code.to_be_bytes()).is_ok(), "{code}");
    }
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    let close = Close::new(1000, &"é".repeat(100));
    assert_eq!(close.reason().len(), 122);
    let mut payload = Vec::new();
    close.write_payload(&mut payload);
    assert_eq!(Close::parse(&payload), Ok(close));
}

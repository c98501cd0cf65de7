use super::*;

#[test]
fn codes_that_may_be_sent() {
    for text in ["1000", "1001", "1014", "3000", "4999"] {
        assert!(code(text).is_ok(), "{text}");
    }
    for (text, why) in [
        ("1006", "never goes"),
        ("1005", "never goes"),
        ("999", "no code"),
        ("70000", "no code"),
        ("x", "no code"),
    ] {
        let message = code(text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn reasons_fit_into_a_control_frame() {
    assert!((REASON.read)(&"x".repeat(123)).is_ok());
    assert!((REASON.read)(&"é".repeat(62)).is_err());
}

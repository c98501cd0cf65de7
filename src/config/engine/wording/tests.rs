use super::*;

#[test]
fn stray_punctuation_is_removed() {
    for (text, kept) in [
        (":8080,", ":8080"),
        ("ws://a;", "ws://a"),
        ("“:8080”", ":8080"),
        ("：8080", ":8080"),
        ("５s", "5s"),
        (":8080\u{3000}", ":8080"),
    ] {
        assert_eq!(without_odd_signs(text).unwrap().0, kept, "{text}");
    }
    assert_eq!(without_odd_signs(":8080"), None);
}

use super::*;

#[test]
fn short_words_have_few_near_matches() {
    assert_eq!(nearest("pin", ["ping", "pong"].into_iter()), Some("ping"));
    assert_eq!(nearest("x", ["off", "on"].into_iter()), None);
    assert_eq!(
        nearest("warning", ["info", "warn"].into_iter()),
        Some("warn")
    );
    assert_eq!(
        nearest(&"x".repeat(65), ["x".repeat(64).as_str()].into_iter()),
        None
    );
}

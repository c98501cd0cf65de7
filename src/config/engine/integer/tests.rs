use super::*;
use crate::config::engine::parsed;

const COUNT: Integer = Integer { min: 1, max: 10 };

fn message(kind: &Integer, text: &str) -> String {
    let value = parsed(text).value;
    kind.read(&value).unwrap_err().remove(0).message
}

#[test]
fn integers_have_bounds() {
    assert_eq!(message(&COUNT, "0"), "0 is not between 1 and 10");
    assert_eq!(message(&COUNT, "11"), "11 is not between 1 and 10");
    assert_eq!(message(&COUNT, "-1"), "-1 is not between 1 and 10");
    assert_eq!(message(&COUNT, "1.5"), "\"1.5\" is not a whole number");
    assert_eq!(
        message(&COUNT, "[1]"),
        "expected a single value, found a list"
    );
}

#[test]
fn other_spellings_of_thousands_name_the_number() {
    for (text, help) in [
        ("10k", "mean 10000?"),
        ("10_000", "mean 10000?"),
        ("'10,000'", "mean 10000?"),
        ("1e4", "mean 10000?"),
        ("many", "not a whole number"),
    ] {
        let message = message(&COUNT, text);
        assert!(message.ends_with(help), "{text}: {message}");
    }
}

use super::super::parse::parsed;
use super::*;

fn env(name: &str) -> Option<String> {
    match name {
        "HOST" => Some("10.0.0.1".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn expanded(text: &str) -> String {
    expand_text(text, &env).unwrap()
}

#[test]
fn variables_and_defaults() {
    assert_eq!(expanded("ws://${HOST}:${PORT:-9501}"), "ws://10.0.0.1:9501");
    assert_eq!(expanded("${HOST:-x}${EMPTY:-y}${EMPTY}z"), "10.0.0.1yz");
    assert_eq!(expanded("${NONE:-}"), "");
}

#[test]
fn templates_and_escapes_stay() {
    for text in [
        "${unix_ms}",
        "${json.ID}",
        "$HOST",
        "${Mixed}",
        "${ABc}",
        "${",
        "${}",
        "$",
        "${1}",
    ] {
        assert_eq!(expanded(text), text);
    }
    assert_eq!(expanded("a$${HOST}b"), "a${HOST}b");
}

#[test]
fn what_cannot_be_expanded_says_why() {
    for (text, why) in [
        ("${NONE}", "not set"),
        ("${HOST", "not a reference"),
        ("${HOST:80}", "${HOST:-value}"),
        ("${HOST:-80", "not a reference"),
        ("${NONE:-${HOST}}", "cannot refer"),
    ] {
        let Unexpanded::Because(message) = expand_text(text, &env).unwrap_err() else {
            panic!("{text} is not long");
        };
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn values_are_expanded_and_keys_are_not() {
    let mut tree = parsed("'${HOST}': ['${HOST}', 5, {a: '${NONE}'}]");
    let mut found = Vec::new();
    expand(&mut tree, &env, &mut found);
    assert_eq!(tree.value.to_json()["${HOST}"][0], "10.0.0.1");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path.to_string(), "\"${HOST}\"[2].a");
}

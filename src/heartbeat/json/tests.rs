use super::*;
use serde_json::json;

fn path(steps: &[&str]) -> Vec<Box<str>> {
    steps.iter().map(|step| (*step).into()).collect()
}

#[test]
fn order_space_escapes_and_other_keys_do_not_matter() {
    let pattern = Pattern::from(&json!({"type": "ping"}));
    for message in [
        r#"{"type":"ping"}"#,
        " {\n\t\"timestamp\" : 1, \"type\" : \"ping\" } ",
        r#"{"t\u0079pe":"p\u0069ng","nested":{"type":"pong"},"list":[1,{"type":"x"}]}"#,
    ] {
        assert!(contains(message.as_bytes(), &pattern), "{message}");
    }
    for message in [
        "",
        "ping",
        "null",
        "[]",
        r#"{"type":"pong"}"#,
        r#"{"type":["ping"]}"#,
        r#"{"Type":"ping"}"#,
        r#"{"a":{"type":"ping"}}"#,
        r#"{"type":"ping"} x"#,
        r#"{"type":"ping""#,
        r#"{"type":"pong","type":"ping"}"#,
    ] {
        assert!(!contains(message.as_bytes(), &pattern), "{message}");
    }
}

#[test]
fn a_key_that_comes_twice_does_not_stand_for_one_that_is_missing() {
    let pattern = Pattern::List(vec![Pattern::from(&json!({"type": "ping", "id": 1}))]);
    assert!(contains(br#"[{"id":1,"type":"ping"}]"#, &pattern));
    for message in [
        r#"[{"type":"ping","type":"ping"}]"#,
        r#"[{"id":1,"id":1}]"#,
        r#"[{"id":1,"type":"ping","id":1}]"#,
    ] {
        assert!(!contains(message.as_bytes(), &pattern), "{message}");
    }
}

#[test]
fn lists_match_item_by_item_and_numbers_by_value() {
    let pattern = Pattern::from(&json!([null, 1.0, "phoenix", {"a": true}]));
    assert!(contains(
        br#"[null,1,"phoenix",{"a":true,"b":2}]"#,
        &pattern
    ));
    assert!(!contains(br#"[null,1,"phoenix",{"a":true},5]"#, &pattern));
    assert!(!contains(br#"[null,1,"phoenix"]"#, &pattern));
    assert!(contains(b"[-3]", &Pattern::from(&json!([-3]))));
    assert!(contains(b"[-3.0e0]", &Pattern::from(&json!([-3]))));
    let id = Pattern::from(&json!(9_007_199_254_740_993_u64));
    assert!(contains(b"9007199254740993", &id));
    for rounded in ["9007199254740992", "9007199254740992.0"] {
        assert!(!contains(rounded.as_bytes(), &id), "{rounded}");
    }
    let float = Pattern::from(&json!(9_007_199_254_740_992.0));
    assert!(contains(b"9007199254740992", &float));
    assert!(!contains(b"9007199254740993", &float));
}

#[test]
fn any_takes_everything_but_nothing() {
    let pattern = Pattern::List(vec![
        Pattern::Any,
        Pattern::Object(vec![("a".into(), Pattern::Any)]),
    ]);
    for message in [
        r#"[1,{"a":null}]"#,
        r#"[[1,2],{"a":{"b":[1]}}]"#,
        r#"["x",{"b":1,"a":"y"}]"#,
    ] {
        assert!(contains(message.as_bytes(), &pattern), "{message}");
    }
    assert!(!contains(br#"[1,{"b":1}]"#, &pattern));
    assert!(!contains(b"[1]", &pattern));
}

#[test]
fn what_is_looked_up_is_the_raw_text() {
    let message = br#"{"id": 1.50, "a": [ {"b": "x\u0041"}, [ ] ], "n": null}"#;
    assert_eq!(look_up(message, &path(&["id"])), Some("1.50"));
    assert_eq!(
        look_up(message, &path(&["a", "0", "b"])),
        Some(r#""x\u0041""#)
    );
    assert_eq!(look_up(message, &path(&["a", "1"])), Some("[ ]"));
    assert_eq!(look_up(message, &path(&["n"])), Some("null"));
    assert_eq!(look_up(message, &path(&["n", "x"])), None);
    assert_eq!(look_up(message, &path(&["a", "2"])), None);
    assert_eq!(look_up(message, &path(&["missing"])), None);
    assert_eq!(look_up(b"not json", &path(&["id"])), None);
}

#[test]
fn a_compact_value_is_the_same_in_one_line() {
    for (value, expected) in [
        ("1.50", "1.50"),
        ("{ \"a b\" :\n[ 1 ,\t2\r\n] }", "{\"a b\":[1,2]}"),
        (r#" "a \" [{ \\" "#, r#""a \" [{ \\""#),
        (r#"["\\" , "]"]"#, r#"["\\","]"]"#),
    ] {
        assert_eq!(compact(value, 2).as_deref(), Some(expected));
    }
    assert_eq!(compact("[[],{},[ ]]", 2).as_deref(), Some("[[],{},[]]"));
    assert_eq!(compact("[[],[[1]]]", 2), None);
}

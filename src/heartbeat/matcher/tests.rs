use super::*;
use serde_json::json;

#[test]
fn the_kind_of_message_matters() {
    let json = Matcher::Json(Pattern::from(&json!({"type": "ping"})));
    assert!(json.matches(MessageKind::Text, br#" {"type":"ping"}"#));
    assert!(!json.matches(MessageKind::Binary, br#"{"type":"ping"}"#));
    let text = Matcher::Text("ping".into());
    assert!(text.matches(MessageKind::Text, b"ping"));
    assert!(!text.matches(MessageKind::Text, b"ping "));
    assert!(!text.matches(MessageKind::Binary, b"ping"));
    let binary = Matcher::Binary(Box::new([0xc0, 0]));
    assert!(binary.matches(MessageKind::Binary, &[0xc0, 0]));
    assert!(!binary.matches(MessageKind::Text, &[0xc0, 0]));
    assert!(Matcher::Bytes(Box::new(*b"\n")).matches(MessageKind::Binary, b"\n"));
}

#[test]
fn a_record_is_one_record() {
    let record = Matcher::JsonRecord(Pattern::from(&json!({"type": 6})));
    assert!(record.matches(MessageKind::Text, b"{\"type\":6}\x1e"));
    assert!(!record.matches(MessageKind::Text, b"{\"type\":6}"));
    assert!(!record.matches(MessageKind::Text, b"{\"type\":6}\x1e{\"type\":1}\x1e"));
}

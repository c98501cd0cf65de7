use super::*;
use crate::config::engine::parsed;

fn read<K: ValueType>(kind: &K, text: &str) -> Result<K::Out, String> {
    let value = parsed(text).value;
    kind.read(&value)
        .map_err(|errors| errors[0].message.clone())
}

#[test]
fn json_is_what_yaml_says() {
    let text =
        "{type: ping, n: 1.5, big: 18446744073709551615, list: [null, true, {a: '1'}], '7': x}";
    assert_eq!(
        read(&JsonPattern, text),
        Ok(json!({
            "type": "ping", "n": 1.5, "big": u64::MAX, "list": [null, true, {"a": "1"}], "7": "x"
        }))
    );
    for (text, help) in [
        ("ping", "is a `text`"),
        ("7", "is a `text`"),
        ("{a: .nan}", "JSON has no number .nan"),
        ("{[a]: 1}", "is a text"),
        ("{7: x}", "write 7 in quotes"),
        ("{1e5: x}", "in quotes"),
    ] {
        let message = read(&JsonPattern, text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn errors_in_json_have_their_path() {
    let value = parsed("[{a: .inf}, {b: [1, .nan]}]").value;
    let errors = JsonPattern.read(&value).unwrap_err();
    let at = |steps: &[Step]| steps.to_vec();
    let (a, b) = (Step::Key("a".into()), Step::Key("b".into()));
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].below, at(&[Step::Index(0), a]));
    assert_eq!(errors[1].below, at(&[Step::Index(1), b, Step::Index(1)]));
}

#[test]
fn an_object_has_at_most_64_fields() {
    let object = |count: usize| {
        let fields: Vec<String> = (0..count).map(|field| format!("f{field}: 1")).collect();
        format!("{{{}}}", fields.join(", "))
    };
    assert!(read(&JsonPattern, &object(64)).is_ok());
    let message = read(&JsonPattern, &object(65)).unwrap_err();
    assert_eq!(message, "compares 65 fields; at most 64 fit");
}

#[test]
fn hex_digits_come_in_pairs() {
    for (text, bytes) in [
        ("c000", &[0xc0, 0][..]),
        ("'C0 00'", &[0xc0, 0]),
        ("'0 1 02'", &[1, 2]),
        ("''", &[]),
        ("'0291'", &[2, 0x91]),
    ] {
        assert_eq!(read(&Hex, text).as_deref(), Ok(bytes), "{text}");
    }
    assert_eq!(Hex.show(&vec![0xc0, 0]), json!("c0 00"));
    for (text, help) in [
        ("1234", "in quotes"),
        ("0x0291", "in quotes"),
        ("1e10", "in quotes"),
        ("c0g0", "\"g\" is no hex digit"),
        ("c0:00", "\":\" is no hex digit"),
        ("c00", "3 hex digits"),
        ("[c0]", "found a list"),
    ] {
        let message = read(&Hex, text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn text_is_taken_to_the_letter() {
    assert_eq!(read(&MESSAGE, "'2'").as_deref(), Ok("2"));
    assert_eq!(read(&MESSAGE, "yes").as_deref(), Ok("yes"));
    for (text, help) in [("2", "a number"), ("1e3", "a number"), ("True", "true or")] {
        let message = read(&MESSAGE, text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn replies_and_captured_fields_are_checked() {
    assert!(read(&REPLY, "'{\"at\":${unix_ms}}'").is_ok());
    assert!(read(&FIELD, "a.0.b").is_ok());
    for (text, help) in [
        ("'ab${unix_s'", "at character 3 is not closed; write `$$${`"),
        ("'${unix}'", "unknown variable ${unix}; there are ${unix_s}"),
    ] {
        let message = read(&REPLY, text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    for text in ["''", ".a", "a.", "a..b"] {
        assert!(read(&FIELD, text).is_err(), "{text}");
    }
}

use super::super::integer::Integer;
use super::super::parse::parsed;
use super::*;

fn yaml(text: &str) -> Value {
    parsed(text).value
}

fn message<K: ValueType<Out: std::fmt::Debug>>(kind: &K, text: &str) -> String {
    kind.read(&yaml(text)).unwrap_err().remove(0).message
}

const COLOUR: Choice<u8> = Choice(&[("red", 1), ("green", 2)]);
const COUNT: Integer = Integer { min: 1, max: 10 };

#[test]
fn numbers_and_switches_may_come_as_strings() {
    assert_eq!(COUNT.read(&yaml("'7'")), Ok(7));
    assert_eq!(COUNT.read(&yaml("0x0a")), Ok(10));
    for on in ["on", "yes", "true", "'true'"] {
        assert_eq!(Switch.read(&yaml(on)), Ok(true), "{on}");
    }
    for off in ["off", "no", "false"] {
        assert_eq!(Switch.read(&yaml(off)), Ok(false), "{off}");
        assert_eq!(OrOff(COUNT).read(&yaml(off)).is_ok(), off != "no", "{off}");
    }
}

#[test]
fn text_that_yaml_takes_for_something_else_is_refused() {
    for (text, taken_for) in [
        ("2", "a number"),
        ("1e5", "a number"),
        ("-1", "a number"),
        ("0x1F", "a number"),
        ("0o17", "a number"),
        ("0b11", "a number"),
        ("1.0", "a number"),
        ("1.", "a number"),
        (".inf", "a number"),
        ("-.INF", "a number"),
        (".nan", "a number"),
        ("+99999999999999999999", "a number"),
        ("0xFFFFFFFFFFFFFFFFFFFF", "a number"),
        ("999999999999999999999999999999999999999999999", "a number"),
        ("true", "true or false"),
        ("False", "true or false"),
    ] {
        let expected = format!("YAML takes this for {taken_for}; write it in quotes");
        let value = yaml(text);
        let errors = TEXT.read(&value).unwrap_err();
        assert_eq!(errors[0].message, expected, "{text}");
        assert_eq!(TEXT.read(&yaml(&format!("'{text}'"))).as_deref(), Ok(text));
    }
    for text in [
        "yes",
        "on",
        "No",
        "1_000",
        "0177",
        "2026-11-28",
        "12:30",
        "1e",
        "1.2.3",
    ] {
        assert_eq!(
            TEXT.read(&yaml(text)).as_deref(),
            Ok(text),
            "it is text in YAML 1.2"
        );
    }
}

#[test]
fn an_integer_gets_the_advice_of_its_key() {
    let even: Scalar<()> = Scalar {
        read: |_| Err("write an even one".to_owned()),
        show: |()| json!(null),
        schema: || json!({}),
    };
    assert_eq!(message(&even, "5"), "write an even one");
    assert_eq!(
        message(&even, "5.0"),
        "YAML takes this for a number; write it in quotes"
    );
}

#[test]
fn other_words_for_a_switch_name_the_right_one() {
    for (text, help) in [
        ("On", "mean on?"),
        ("enabled", "mean on?"),
        ("0", "mean off?"),
    ] {
        let message = message(&Switch, text);
        assert!(message.ends_with(help), "{text}: {message}");
    }
    assert_eq!(
        message(&Switch, "maybe"),
        "\"maybe\" is neither `on` nor `off`"
    );
}

#[test]
fn nothing_is_not_off() {
    assert_eq!(
        message(&OrOff(COUNT), "0"),
        "`0` does not turn it off; write `off`"
    );
    assert_eq!(
        message(&OrOff(COUNT), "0s"),
        "`0s` does not turn it off; write `off`"
    );
    assert_eq!(
        message(&OrOff(COUNT), "10s"),
        "\"10s\" is not a whole number"
    );
}

#[test]
fn a_wrong_word_names_the_right_ones() {
    assert_eq!(COLOUR.read(&yaml("green")), Ok(2));
    assert_eq!(
        message(&COLOUR, "Gren"),
        "\"Gren\" is none of `red`, `green`; did you mean green?"
    );
    assert_eq!(
        message(&COLOUR, "blue"),
        "\"blue\" is none of `red`, `green`"
    );
}

#[test]
fn every_bad_item_of_a_list_is_reported() {
    let list = List {
        item: COUNT,
        is_required: true,
    };
    assert_eq!(list.read(&yaml("[1, 2]")), Ok(vec![1, 2]));
    assert_eq!(list.read(&yaml("3")), Ok(vec![3]));
    let errors = list.read(&yaml("[0, 1, 1, x]")).unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| error.below.clone()).collect();
    assert_eq!(
        places,
        [[Step::Index(0)], [Step::Index(2)], [Step::Index(3)]]
    );
    assert_eq!(message(&list, "[]"), "the list needs at least one item");
    let message = message(&list, "[~]");
    assert!(
        message.starts_with("there is an item without a value"),
        "{message}"
    );
}

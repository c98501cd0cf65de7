//! What a key may hold: reading it, showing it, and describing it to an editor.

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::keypath::{Step, key_text, quoted};
use super::nearest::nearest;
pub(super) use super::number::Whole;

/// One kind of value.
pub(super) trait Kind {
    /// What it is read into.
    type Out: Clone;

    /// Reads a value that is not null.
    fn read(&self, value: &Value) -> Result<Self::Out, Vec<Fault>>;

    /// The value as one would write it.
    fn show(&self, value: &Self::Out) -> Json;

    /// A JSON Schema that takes everything that `read` takes, written the usual ways.
    fn schema(&self) -> Json;
}

/// What is wrong with a value, and where below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) below: Vec<Step>,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn here(message: impl Into<String>) -> Vec<Fault> {
        vec![Fault {
            below: Vec::new(),
            message: message.into(),
        }]
    }

    pub(super) fn under(mut self, step: Step) -> Fault {
        self.below.insert(0, step);
        self
    }
}

/// A scalar's text, for values that are not text themselves: a number or a boolean may as well come in quotes.
pub(super) fn scalar(value: &Value) -> Result<String, Vec<Fault>> {
    match value {
        Value::Mapping(_) => Err(Fault::here(
            "expected a single value, found a block of keys",
        )),
        Value::Sequence(_) => Err(Fault::here("expected a single value, found a list")),
        Value::Null => Err(Fault::here(
            "there is an item without a value; remove it, or write `null` or `~` in quotes if it is a text",
        )),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Tagged(_) => {
            Ok(key_text(value))
        }
    }
}

/// Refuses a scalar whose spelling YAML has thrown away.
pub(super) fn is_text(value: &Value) -> Result<(), Vec<Fault>> {
    let taken_for = match value {
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        _ => return Ok(()),
    };
    let message = format!("YAML takes this for {taken_for}; write it in quotes");
    Err(Fault::here(message))
}

/// A schema that also takes a string with a variable in it.
pub(super) fn or_variable(schema: Json) -> Json {
    json!({"anyOf": [schema, {"type": "string", "pattern": r"\$\{[A-Z_][A-Z0-9_]*(:-[^}]*)?\}"}]})
}

/// A kind that is written as one piece of text.
///
/// What YAML takes for a number, a boolean or nothing has lost its spelling (`1e5` is 100000.0 by now), so that it
/// would not be the text that stands in the file: it is refused.
pub(super) struct Word<T> {
    pub(super) read: fn(&str) -> Result<T, String>,
    pub(super) show: fn(&T) -> Json,
    pub(super) schema: fn() -> Json,
}

impl<T: Clone> Kind for Word<T> {
    type Out = T;

    fn read(&self, value: &Value) -> Result<T, Vec<Fault>> {
        if value.is_mapping() {
            return Err(Fault::here(
                "expected a text, found a block of keys; a text that begins with `{`, or has `: ` in it, is written in quotes",
            ));
        }
        let text = scalar(value)?;
        let Err(not_text) = is_text(value) else {
            return (self.read)(&text).map_err(Fault::here);
        };
        // An integer's text is mostly as it stands in the file: `listen: 8080` has better advice than quotes.
        let is_integer = value.is_u64() || value.is_i64();
        Err(match (self.read)(&text) {
            Err(advice) if is_integer => Fault::here(advice),
            _ => not_text,
        })
    }

    fn show(&self, value: &T) -> Json {
        (self.show)(value)
    }

    fn schema(&self) -> Json {
        or_variable((self.schema)())
    }
}

/// Another kind, or `off`.
pub(super) struct OrOff<K>(pub(super) K);

impl<K: Kind> Kind for OrOff<K> {
    type Out = Option<K::Out>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<Fault>> {
        if is_off(value) {
            return Ok(None);
        }
        self.0
            .read(value)
            .map(Some)
            .map_err(|faults| match scalar(value) {
                Ok(text) if is_nothing(&text) => {
                    Fault::here(format!("`{text}` does not turn it off; write `off`"))
                }
                _ => faults,
            })
    }

    fn show(&self, value: &Self::Out) -> Json {
        value
            .as_ref()
            .map_or_else(|| json!("off"), |value| self.0.show(value))
    }

    fn schema(&self) -> Json {
        json!({"anyOf": [{"enum": ["off", "false", false]}, self.0.schema()]})
    }
}

/// `off`, or the `false` that YAML 1.1 tools turn it into.
pub(super) fn is_off(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || matches!(value.as_str(), Some("off" | "false"))
}

/// `0`, `0s`, `0ms`: what other programs take for `off`.
fn is_nothing(text: &str) -> bool {
    text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == "0"
}

/// One of a few words.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Clone + PartialEq> Kind for Choice<T> {
    type Out = T;

    fn read(&self, value: &Value) -> Result<T, Vec<Fault>> {
        let text = scalar(value)?;
        let words = self.0.iter().map(|(word, _)| *word);
        match self.0.iter().find(|(word, _)| *word == text) {
            Some((_, chosen)) => Ok(chosen.clone()),
            None => Err(Fault::here(not_one_of(&text, words))),
        }
    }

    fn show(&self, value: &T) -> Json {
        let known = self.0.iter().find(|(_, choice)| choice == value);
        known.map_or(Json::Null, |(word, _)| json!(word))
    }

    fn schema(&self) -> Json {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        or_variable(json!({"enum": words}))
    }
}

/// The complaint about a word that is none of `words`.
pub(super) fn not_one_of(text: &str, words: impl Iterator<Item = &'static str> + Clone) -> String {
    let all: Vec<String> = words.clone().map(|word| format!("`{word}`")).collect();
    let message = format!("{} is none of {}", quoted(text), all.join(", "));
    let alias = super::wording::alias(text).filter(|ours| words.clone().any(|word| word == *ours));
    match alias.or_else(|| nearest(&text.to_lowercase(), words)) {
        Some(word) => format!("{message}; did you mean {word}?"),
        None => message,
    }
}

/// `on` or `off`.
pub(super) struct Switch;

impl Kind for Switch {
    type Out = bool;

    fn read(&self, value: &Value) -> Result<bool, Vec<Fault>> {
        let text = scalar(value)?;
        match text.as_str() {
            "on" | "true" | "yes" => return Ok(true),
            "off" | "false" | "no" => return Ok(false),
            _ => {}
        }
        let meant = match text.to_lowercase().as_str() {
            "on" | "true" | "yes" | "y" | "1" | "enable" | "enabled" => "; did you mean on?",
            "off" | "false" | "no" | "n" | "0" | "disable" | "disabled" | "none" => {
                "; did you mean off?"
            }
            _ => "",
        };
        let message = format!("{} is neither `on` nor `off`{meant}", quoted(&text));
        Err(Fault::here(message))
    }

    fn show(&self, value: &bool) -> Json {
        json!(if *value { "on" } else { "off" })
    }

    fn schema(&self) -> Json {
        or_variable(json!({"enum": ["on", "off", true, false, "yes", "no", "true", "false"]}))
    }
}

/// Any text.
pub(super) const TEXT: Word<String> = Word {
    read: |text| Ok(text.to_owned()),
    show: |value| json!(value),
    schema: || json!({"type": "string"}),
};

/// A list of another kind; a single item may stand without brackets.
pub(super) struct List<K> {
    pub(super) item: K,
    /// Whether the list needs an item.
    pub(super) needs_one: bool,
}

impl<K: Kind<Out: PartialEq>> Kind for List<K> {
    type Out = Vec<K::Out>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<Fault>> {
        let Some(items) = value.as_sequence() else {
            return self.item.read(value).map(|item| vec![item]);
        };
        let mut list: Self::Out = Vec::new();
        let mut faults = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let under = |fault: Fault| fault.under(Step::Index(index));
            match self.item.read(item) {
                Ok(item) if list.contains(&item) => {
                    faults.extend(Fault::here("is in the list already").into_iter().map(under));
                }
                Ok(item) => list.push(item),
                Err(below) => faults.extend(below.into_iter().map(under)),
            }
        }
        if self.needs_one && items.is_empty() {
            faults.extend(Fault::here("the list needs at least one item"));
        }
        if faults.is_empty() {
            Ok(list)
        } else {
            Err(faults)
        }
    }

    fn show(&self, value: &Self::Out) -> Json {
        value.iter().map(|item| self.item.show(item)).collect()
    }

    fn schema(&self) -> Json {
        let item = self.item.schema();
        let list = json!({
            "type": "array",
            "items": item.clone(),
            "uniqueItems": true,
            "minItems": u8::from(self.needs_one),
        });
        json!({"anyOf": [item, list]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    fn message<K: Kind<Out: std::fmt::Debug>>(kind: &K, text: &str) -> String {
        kind.read(&yaml(text)).unwrap_err().remove(0).message
    }

    const COLOUR: Choice<u8> = Choice(&[("red", 1), ("green", 2)]);
    const COUNT: Whole = Whole { least: 1, most: 10 };

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
            let value = super::super::tree::parse(text, &mut Vec::new()).unwrap();
            let faults = TEXT.read(&value).unwrap_err();
            assert_eq!(faults[0].message, expected, "{text}");
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
        let even: Word<()> = Word {
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
    fn every_bad_item_of_a_list_is_told() {
        let list = List {
            item: COUNT,
            needs_one: true,
        };
        assert_eq!(list.read(&yaml("[1, 2]")), Ok(vec![1, 2]));
        assert_eq!(list.read(&yaml("3")), Ok(vec![3]));
        let faults = list.read(&yaml("[0, 1, 1, x]")).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| fault.below.clone()).collect();
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
}

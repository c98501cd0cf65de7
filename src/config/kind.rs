//! What a key may hold: reading it, showing it, and describing it to an editor.

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::keypath::{Step, key_text, quoted};
use super::nearest::nearest;

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

/// A scalar's text: numbers and booleans may come quoted, and text may come looking like a number.
pub(super) fn scalar(value: &Value) -> Result<String, Vec<Fault>> {
    match value {
        Value::Mapping(_) => Err(Fault::here(
            "expected a single value, found a block of keys",
        )),
        Value::Sequence(_) => Err(Fault::here("expected a single value, found a list")),
        Value::Null => Err(Fault::here("there is an item without a value")),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Tagged(_) => {
            Ok(key_text(value))
        }
    }
}

/// A schema that also takes a string with a variable in it.
pub(super) fn or_variable(schema: Json) -> Json {
    json!({"anyOf": [schema, {"type": "string", "pattern": r"\$\{[A-Z_][A-Z0-9_]*(:-[^}]*)?\}"}]})
}

/// A kind that is written as one piece of text.
pub(super) struct Word<T> {
    pub(super) read: fn(&str) -> Result<T, String>,
    pub(super) show: fn(&T) -> Json,
    pub(super) schema: fn() -> Json,
}

impl<T: Clone> Kind for Word<T> {
    type Out = T;

    fn read(&self, value: &Value) -> Result<T, Vec<Fault>> {
        (self.read)(&scalar(value)?).map_err(Fault::here)
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
        json!({"anyOf": [{"enum": ["off", false]}, self.0.schema()]})
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
    match nearest(&text.to_lowercase(), words) {
        Some(word) => format!("{message}; did you mean {word}?"),
        None => message,
    }
}

/// `on` or `off`.
pub(super) const SWITCH: Word<bool> = Word {
    read: |text| match text {
        "on" | "true" | "yes" => Ok(true),
        "off" | "false" | "no" => Ok(false),
        _ => Err(format!("{} is neither `on` nor `off`", quoted(text))),
    },
    show: |value| json!(if *value { "on" } else { "off" }),
    schema: || json!({"enum": ["on", "off", true, false]}),
};

/// A whole number.
pub(super) struct Whole {
    pub(super) least: u32,
    pub(super) most: u32,
}

impl Kind for Whole {
    type Out = u32;

    fn read(&self, value: &Value) -> Result<u32, Vec<Fault>> {
        let text = scalar(value)?;
        let Whole { least, most } = *self;
        match text.parse::<i128>() {
            Ok(number) => u32::try_from(number)
                .ok()
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| Fault::here(format!("{number} is not between {least} and {most}"))),
            Err(_) => Err(Fault::here(format!(
                "{} is not a whole number",
                quoted(&text)
            ))),
        }
    }

    fn show(&self, value: &u32) -> Json {
        json!(value)
    }

    fn schema(&self) -> Json {
        or_variable(json!({"type": "integer", "minimum": self.least, "maximum": self.most}))
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
            assert_eq!(SWITCH.read(&yaml(on)), Ok(true), "{on}");
        }
        for off in ["off", "no", "false"] {
            assert_eq!(SWITCH.read(&yaml(off)), Ok(false), "{off}");
            assert_eq!(OrOff(COUNT).read(&yaml(off)).is_ok(), off != "no", "{off}");
        }
    }

    #[test]
    fn bounds_hold() {
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
        assert_eq!(message(&list, "[~]"), "there is an item without a value");
    }
}

//! The types of values: each reads a value, shows it as one would write it, and describes it to an editor.

use serde_json::{Value as Json, json};

use super::nearest::nearest;
use super::path::{Step, quoted};
use super::tree::Value;

/// A type of values.
pub(crate) trait ValueType {
    /// What it is read into.
    type Out: Clone;

    /// Reads a value that is not null.
    fn read(&self, value: &Value) -> Result<Self::Out, Vec<ValueError>>;

    /// The value as one would write it.
    fn show(&self, value: &Self::Out) -> Json;

    /// A JSON Schema that takes everything that `read` takes, written the usual ways.
    fn schema(&self) -> Json;
}

/// What is wrong with a value, and where below it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueError {
    pub(crate) below: Vec<Step>,
    pub(crate) message: String,
}

impl ValueError {
    pub(crate) fn here(message: impl Into<String>) -> Vec<ValueError> {
        vec![ValueError {
            below: Vec::new(),
            message: message.into(),
        }]
    }

    pub(crate) fn under(mut self, step: Step) -> ValueError {
        self.below.insert(0, step);
        self
    }
}

/// A scalar's text, for values that are not text themselves: a number or a boolean may as well come in quotes.
pub(crate) fn scalar(value: &Value) -> Result<String, Vec<ValueError>> {
    match value {
        Value::Map(_) => Err(ValueError::here(
            "expected a single value, found a block of keys",
        )),
        Value::List(_) => Err(ValueError::here("expected a single value, found a list")),
        Value::Null => Err(ValueError::here(
            "there is an item without a value; remove it, or write `null` or `~` in quotes if it is a text",
        )),
        Value::Text(_) | Value::Number(_) | Value::Bool(_) => Ok(value.spelling()),
    }
}

/// Refuses a scalar whose spelling YAML has thrown away.
pub(crate) fn is_text(value: &Value) -> Result<(), Vec<ValueError>> {
    let taken_for = match value {
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        _ => return Ok(()),
    };
    let message = format!("YAML takes this for {taken_for}; write it in quotes");
    Err(ValueError::here(message))
}

/// A schema that also takes a string with a variable in it.
pub(crate) fn or_variable(schema: Json) -> Json {
    json!({"anyOf": [schema, {"type": "string", "pattern": r"\$\{[A-Z_][A-Z0-9_]*(:-[^}]*)?\}"}]})
}

/// A type that is written as one piece of text.
///
/// What YAML takes for a number, a boolean or nothing has lost its spelling (`1e5` is 100000.0 by now), so that it
/// would not be the text that stands in the file: it is refused.
pub(crate) struct Scalar<T> {
    pub(crate) read: fn(&str) -> Result<T, String>,
    pub(crate) show: fn(&T) -> Json,
    pub(crate) schema: fn() -> Json,
}

impl<T: Clone> ValueType for Scalar<T> {
    type Out = T;

    fn read(&self, value: &Value) -> Result<T, Vec<ValueError>> {
        if value.as_map().is_some() {
            return Err(ValueError::here(
                "expected a text, found a block of keys; a text that begins with `{`, or has `: ` in it, is written in quotes",
            ));
        }
        let text = scalar(value)?;
        let Err(not_text) = is_text(value) else {
            return (self.read)(&text).map_err(ValueError::here);
        };
        // An integer's text is mostly as it stands in the file: `listen: 8080` has better advice than quotes.
        let is_integer = matches!(value, Value::Number(number) if !number.is_f64());
        Err(match (self.read)(&text) {
            Err(advice) if is_integer => ValueError::here(advice),
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

/// Another type, or `off`.
pub(crate) struct OrOff<K>(pub(crate) K);

impl<K: ValueType> ValueType for OrOff<K> {
    type Out = Option<K::Out>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<ValueError>> {
        if is_off(value) {
            return Ok(None);
        }
        self.0
            .read(value)
            .map(Some)
            .map_err(|errors| match scalar(value) {
                Ok(text) if is_nothing(&text) => {
                    ValueError::here(format!("`{text}` does not turn it off; write `off`"))
                }
                _ => errors,
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
pub(crate) fn is_off(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || matches!(value.as_text(), Some("off" | "false"))
}

/// `0`, `0s`, `0ms`: what other programs take for `off`.
fn is_nothing(text: &str) -> bool {
    text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == "0"
}

/// One of a few words.
pub(crate) struct Choice<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Clone + PartialEq> ValueType for Choice<T> {
    type Out = T;

    fn read(&self, value: &Value) -> Result<T, Vec<ValueError>> {
        let text = scalar(value)?;
        let words = self.0.iter().map(|(word, _)| *word);
        match self.0.iter().find(|(word, _)| *word == text) {
            Some((_, chosen)) => Ok(chosen.clone()),
            None => Err(ValueError::here(not_one_of(&text, words))),
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

/// The error about a word that is none of `words`.
pub(crate) fn not_one_of(text: &str, words: impl Iterator<Item = &'static str> + Clone) -> String {
    let all: Vec<String> = words.clone().map(|word| format!("`{word}`")).collect();
    let message = format!("{} is none of {}", quoted(text), all.join(", "));
    let alias = alias(text).filter(|ours| words.clone().any(|word| word == *ours));
    match alias.or_else(|| nearest(&text.to_lowercase(), words)) {
        Some(word) => format!("{message}; did you mean {word}?"),
        None => message,
    }
}

/// The word here for a word of other programs.
fn alias(word: &str) -> Option<&'static str> {
    const ALIASES: [(&str, &str); 24] = [
        ("socketio", "engine.io"),
        ("socket.io", "engine.io"),
        ("socket-io", "engine.io"),
        ("socket_io", "engine.io"),
        ("engineio", "engine.io"),
        ("engine-io", "engine.io"),
        ("eio", "engine.io"),
        ("graphql", "graphql-ws"),
        ("apollo", "graphql-ws"),
        ("graphql-transport-ws", "graphql-ws"),
        ("laravel", "pusher"),
        ("reverb", "pusher"),
        ("soketi", "pusher"),
        ("centrifuge", "centrifugo"),
        ("action_cable", "actioncable"),
        ("rails", "actioncable"),
        ("plain", "text"),
        ("warning", "warn"),
        ("fatal", "error"),
        ("verbose", "debug"),
        ("data", "message"),
        ("any", "frame"),
        ("pass", "passthrough"),
        ("none", "off"),
    ];
    let lower = word.to_lowercase();
    let known = ALIASES.iter().find(|(other, _)| *other == lower);
    known.map(|(_, ours)| *ours)
}

/// `on` or `off`.
pub(crate) struct Switch;

impl ValueType for Switch {
    type Out = bool;

    fn read(&self, value: &Value) -> Result<bool, Vec<ValueError>> {
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
        Err(ValueError::here(message))
    }

    fn show(&self, value: &bool) -> Json {
        json!(if *value { "on" } else { "off" })
    }

    fn schema(&self) -> Json {
        or_variable(json!({"enum": ["on", "off", true, false, "yes", "no", "true", "false"]}))
    }
}

/// Any text.
pub(crate) const TEXT: Scalar<String> = Scalar {
    read: |text| Ok(text.to_owned()),
    show: |value| json!(value),
    schema: || json!({"type": "string"}),
};

/// A list of another type; a single item may stand without brackets.
pub(crate) struct List<K> {
    pub(crate) item: K,
    /// Whether the list needs an item.
    pub(crate) is_required: bool,
}

impl<K: ValueType<Out: PartialEq>> ValueType for List<K> {
    type Out = Vec<K::Out>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<ValueError>> {
        let Some(items) = value.as_list() else {
            return self.item.read(value).map(|item| vec![item]);
        };
        let mut list: Self::Out = Vec::new();
        let mut errors = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let under = |error: ValueError| error.under(Step::Index(index));
            match self.item.read(&item.value) {
                Ok(item) if list.contains(&item) => {
                    errors.extend(
                        ValueError::here("is in the list already")
                            .into_iter()
                            .map(under),
                    );
                }
                Ok(item) => list.push(item),
                Err(below) => errors.extend(below.into_iter().map(under)),
            }
        }
        if self.is_required && items.is_empty() {
            errors.extend(ValueError::here("the list needs at least one item"));
        }
        if errors.is_empty() {
            Ok(list)
        } else {
            Err(errors)
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
            "minItems": u8::from(self.is_required),
        });
        json!({"anyOf": [item, list]})
    }
}

#[cfg(test)]
mod tests;

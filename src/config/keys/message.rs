//! Messages of the application in the file: what is recognised, and what is answered.

use serde_json::{Map, Value as Json, json};

use super::super::engine::{
    Block, Scalar, Step, TEXT, Value, ValueError, ValueType, is_text, or_variable, plain, quoted,
    scalar,
};
use crate::heartbeat::json::Pattern;
use crate::heartbeat::{Matcher, Template, TemplateError};

/// The most fields of one object that are compared: a key that comes twice is noticed among these.
const MAX_FIELDS: usize = 64;

/// The block `match` or `expect`, exactly one of whose keys says what is recognised; it may be left out unless it
/// `is_required`.
pub(crate) fn matcher(b: &mut impl Block, is_required: bool) -> Option<Matcher> {
    let json = b.optional(
        "json",
        None,
        &JsonPattern,
        "A text message that is JSON and has these fields with these values, and maybe others; lists item by item.",
    );
    let text = b.optional(
        "text",
        None,
        &MESSAGE,
        "A text message that is exactly this.",
    );
    let binary = b.optional(
        "binary",
        None,
        &Hex,
        "A binary message that is exactly these bytes, in hex: `c0 00`.",
    );
    let written = ["json", "text", "binary"];
    let mut written = written.into_iter().filter(|name| b.is_written(name));
    match (written.next(), written.next()) {
        (Some(_), Some(second)) => {
            b.error(
                second,
                "a message is recognised in one way: keep one of `json`, `text` and `binary`",
            );
        }
        (None, _) if is_required => {
            b.error("json", "needs one of `json`, `text` and `binary`");
        }
        _ => {}
    }
    json.map(|json| Matcher::Json(Pattern::from(&json)))
        .or_else(|| text.map(|text| Matcher::Text(text.into())))
        .or_else(|| binary.map(|bytes| Matcher::Binary(bytes.into())))
}

/// An object or a list, as JSON.
struct JsonPattern;

impl ValueType for JsonPattern {
    type Out = Json;

    fn read(&self, value: &Value) -> Result<Json, Vec<ValueError>> {
        match value {
            Value::Map(_) | Value::List(_) => json_of(value),
            _ => Err(ValueError::here(
                "expected the fields of an object, such as {type: ping}, or a list; a message that is a plain word is a `text`",
            )),
        }
    }

    fn show(&self, value: &Json) -> Json {
        value.clone()
    }

    fn schema(&self) -> Json {
        json!({"type": ["object", "array"]})
    }
}

fn json_of(value: &Value) -> Result<Json, Vec<ValueError>> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Text(text) => Json::String(text.clone()),
        Value::Number(number) => serde_json::to_value(number)
            .ok()
            .filter(Json::is_number)
            .ok_or_else(|| ValueError::here(format!("JSON has no number {number}")))?,
        Value::List(items) => {
            let steps = (0..items.len()).map(Step::Index);
            below(steps.zip(items.iter().map(|item| &item.value)))?
                .into_iter()
                .map(|(_, it)| it)
                .collect()
        }
        Value::Map(map) => {
            let entries = &map.0;
            if entries.len() > MAX_FIELDS {
                let count = entries.len();
                let message = format!("compares {count} fields; at most {MAX_FIELDS} fit");
                return Err(ValueError::here(message));
            }
            // Of a number the spelling is lost, as it is of a text's value.
            if let Some(key) = entries.iter().find(|key| !key.is_text) {
                let message = format!(
                    "the name of a JSON field is a text; write {} in quotes",
                    plain(&key.name)
                );
                return Err(ValueError::here(message));
            }
            let steps = entries.iter().map(|key| Step::Key(key.name.clone()));
            let values = entries.iter().map(|key| &key.node.value);
            let fields = below(steps.zip(values))?.into_iter();
            let field = |(step, value)| match step {
                Step::Key(name) => Some((name, value)),
                Step::Index(_) | Step::Each => None,
            };
            Json::Object(fields.filter_map(field).collect::<Map<_, _>>())
        }
    })
}

/// The JSON of each, or everything that is wrong with them.
fn below<'v>(
    parts: impl Iterator<Item = (Step, &'v Value)>,
) -> Result<Vec<(Step, Json)>, Vec<ValueError>> {
    let mut read = Vec::new();
    let mut errors = Vec::new();
    for (step, part) in parts {
        match json_of(part) {
            Ok(json) => read.push((step, json)),
            Err(below) => errors.extend(below.into_iter().map(|it| it.under(step.clone()))),
        }
    }
    if errors.is_empty() {
        Ok(read)
    } else {
        Err(errors)
    }
}

/// A text message.
pub(crate) const MESSAGE: Scalar<String> = TEXT;

/// A binary message, in hex.
pub(crate) struct Hex;

impl ValueType for Hex {
    type Out = Vec<u8>;

    fn read(&self, value: &Value) -> Result<Vec<u8>, Vec<ValueError>> {
        is_text(value)?;
        bytes(&scalar(value)?).map_err(ValueError::here)
    }

    fn show(&self, bytes: &Vec<u8>) -> Json {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        json!(digits.join(" "))
    }

    fn schema(&self) -> Json {
        or_variable(json!({"type": "string", "pattern": "^ *([0-9A-Fa-f] *[0-9A-Fa-f] *)*$"}))
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    if let Some(other) = digits.iter().find(|c| !c.is_ascii_hexdigit()) {
        let other = quoted(&other.to_string());
        return Err(format!(
            "{other} is no hex digit; write each byte as two of 0-9 and a-f, as in 'c000'"
        ));
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        let count = digits.len();
        return Err(format!(
            "{count} hex digits are no whole number of bytes; write two for each"
        ));
    }
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[char; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    Ok(pairs.iter().filter_map(byte).collect())
}

/// `reply`: the text of a template, and what it compiles to.
pub(crate) const REPLY: Scalar<(String, Template)> = Scalar {
    read: |text| match Template::compile(text) {
        Ok(template) => Ok((text.to_owned(), template)),
        // In the file one `$` more is needed than in the template: variables of the environment take one away.
        Err(TemplateError::NotClosed(position)) => Err(format!(
            "`${{` at character {position} is not closed; write `$$${{` for the characters themselves"
        )),
        Err(error) => Err(error.to_string()),
    },
    show: |(text, _)| json!(text),
    schema: || json!({"type": "string"}),
};

/// One item of `capture`: a field of a JSON message, or a path to one.
pub(crate) const FIELD: Scalar<String> = Scalar {
    read: |text| {
        if text.is_empty() || text.split('.').any(str::is_empty) {
            return Err(format!(
                "{} has an empty step; write a field such as version, or a path such as app.version",
                quoted(text)
            ));
        }
        Ok(text.to_owned())
    },
    show: |value| json!(value),
    schema: || json!({"type": "string", "pattern": r"^[^.]+(\.[^.]+)*$"}),
};

#[cfg(test)]
mod tests;

//! Messages of the application in the file: what is recognised, and what is answered.

use serde_json::{Map, Value as Json, json};
use serde_yaml::Value;

use super::keypath::{Step, key_text, plain, quoted};
use super::kind::{Fault, Kind, TEXT, Word, is_text, or_variable, scalar};
use super::section::Section;
use crate::heartbeat::json::Pattern;
use crate::heartbeat::{Matcher, Template, TemplateError};

/// The most fields of one object that are compared: a key that comes twice is noticed among these.
const MAX_FIELDS: usize = 64;

/// The block `match` or `expect`, exactly one of whose keys says what is recognised; it may be left out unless it
/// `is_needed`.
pub(super) fn matcher(s: &mut Section<'_>, is_needed: bool) -> Option<Matcher> {
    let complaints = s.complaints();
    let json = s.optional(
        "json",
        None,
        &JsonPattern,
        "A text message that is JSON and has these fields with these values, and maybe others; lists item by item.",
    );
    let text = s.optional(
        "text",
        None,
        &MESSAGE,
        "A text message that is exactly this.",
    );
    let binary = s.optional(
        "binary",
        None,
        &Hex,
        "A binary message that is exactly these bytes, in hex: `c0 00`.",
    );
    let written = ["json", "text", "binary"];
    let mut written = written.into_iter().filter(|name| s.is_written(name));
    match (written.next(), written.next()) {
        (Some(_), Some(second)) => {
            s.complain(
                second,
                "a message is recognised in one way: keep one of `json`, `text` and `binary`",
            );
        }
        (None, _) if is_needed && s.complaints() == complaints => {
            s.complain("json", "needs one of `json`, `text` and `binary`");
        }
        _ => {}
    }
    json.map(|json| Matcher::Json(Pattern::from(&json)))
        .or_else(|| text.map(|text| Matcher::Text(text.into())))
        .or_else(|| binary.map(|bytes| Matcher::Binary(bytes.into())))
}

/// An object or a list, as JSON.
struct JsonPattern;

impl Kind for JsonPattern {
    type Out = Json;

    fn read(&self, value: &Value) -> Result<Json, Vec<Fault>> {
        match value {
            Value::Mapping(_) | Value::Sequence(_) => json_of(value),
            _ => Err(Fault::here(
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

fn json_of(value: &Value) -> Result<Json, Vec<Fault>> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => serde_json::to_value(number)
            .ok()
            .filter(Json::is_number)
            .ok_or_else(|| Fault::here(format!("JSON has no number {number}")))?,
        Value::Sequence(items) => {
            let steps = (0..items.len()).map(Step::Index);
            below(steps.zip(items))?
                .into_iter()
                .map(|(_, it)| it)
                .collect()
        }
        Value::Mapping(map) => {
            if map.len() > MAX_FIELDS {
                let message = format!("compares {} fields; at most {MAX_FIELDS} fit", map.len());
                return Err(Fault::here(message));
            }
            // Of a number the spelling is lost, as it is of a text's value.
            if let Some(key) = map.keys().find(|key| !key.is_string()) {
                let name = key_text(key);
                let message = format!(
                    "the name of a JSON field is a text; write {} in quotes",
                    plain(&name)
                );
                return Err(Fault::here(message));
            }
            let steps = map.keys().map(|key| Step::Key(key_text(key)));
            let fields = below(steps.zip(map.values()))?.into_iter();
            let field = |(step, value)| match step {
                Step::Key(name) => Some((name, value)),
                Step::Index(_) | Step::Each => None,
            };
            Json::Object(fields.filter_map(field).collect::<Map<_, _>>())
        }
        Value::Tagged(_) => return Err(Fault::here("JSON has no tags")),
    })
}

/// The JSON of each, or everything that is wrong with them.
fn below<'v>(
    parts: impl Iterator<Item = (Step, &'v Value)>,
) -> Result<Vec<(Step, Json)>, Vec<Fault>> {
    let mut read = Vec::new();
    let mut faults = Vec::new();
    for (step, part) in parts {
        match json_of(part) {
            Ok(json) => read.push((step, json)),
            Err(below) => faults.extend(below.into_iter().map(|it| it.under(step.clone()))),
        }
    }
    if faults.is_empty() {
        Ok(read)
    } else {
        Err(faults)
    }
}

/// A text message.
pub(super) const MESSAGE: Word<String> = TEXT;

/// A binary message, in hex.
pub(super) struct Hex;

impl Kind for Hex {
    type Out = Vec<u8>;

    fn read(&self, value: &Value) -> Result<Vec<u8>, Vec<Fault>> {
        is_text(value)?;
        bytes(&scalar(value)?).map_err(Fault::here)
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
pub(super) const REPLY: Word<(String, Template)> = Word {
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
pub(super) const FIELD: Word<String> = Word {
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
mod tests {
    use super::*;

    fn read<K: Kind>(kind: &K, text: &str) -> Result<K::Out, String> {
        let value = serde_yaml::from_str(text).unwrap();
        kind.read(&value)
            .map_err(|faults| faults[0].message.clone())
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
    fn what_is_wrong_in_json_is_told_where_it_is() {
        let value = serde_yaml::from_str("[{a: .inf}, {b: [1, .nan]}]").unwrap();
        let faults = JsonPattern.read(&value).unwrap_err();
        let at = |steps: &[Step]| steps.to_vec();
        let (a, b) = (Step::Key("a".into()), Step::Key("b".into()));
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].below, at(&[Step::Index(0), a]));
        assert_eq!(faults[1].below, at(&[Step::Index(1), b, Step::Index(1)]));
    }

    #[test]
    fn objects_with_more_fields_than_are_compared() {
        let object = |count: usize| {
            let fields: Vec<String> = (0..count).map(|field| format!("f{field}: 1")).collect();
            format!("{{{}}}", fields.join(", "))
        };
        assert!(read(&JsonPattern, &object(64)).is_ok());
        let message = read(&JsonPattern, &object(65)).unwrap_err();
        assert_eq!(message, "compares 65 fields; at most 64 fit");
    }

    #[test]
    fn hex() {
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
    fn replies_and_fields() {
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
}

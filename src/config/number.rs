//! Whole numbers.

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::keypath::quoted;
use super::kind::{Fault, Kind, or_variable, scalar};

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
            Err(_) => {
                let meant = whole_meant(&text);
                let meant =
                    meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                let message = format!("{} is not a whole number{meant}", quoted(&text));
                Err(Fault::here(message))
            }
        }
    }

    fn show(&self, value: &u32) -> Json {
        json!(value)
    }

    fn schema(&self) -> Json {
        or_variable(json!({"anyOf": [
            {"type": "integer", "minimum": self.least, "maximum": self.most},
            {"type": "string", "pattern": r"^\+?[0-9]+$"},
        ]}))
    }
}

/// The number behind `10k`, `10_000`, `10,000` or `1e4`.
fn whole_meant(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    let (digits, thousands) = match lower.strip_suffix('k') {
        Some(digits) => (digits.trim(), 1_000),
        None => (lower.as_str(), 1),
    };
    let plain = digits.replace(['_', ',', ' '], "");
    let number = match plain.parse::<u64>() {
        Ok(number) => number,
        Err(_) => plain.strip_suffix(".0")?.parse().ok()?,
    };
    number.checked_mul(thousands)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: Whole = Whole { least: 1, most: 10 };

    fn message(kind: &Whole, text: &str) -> String {
        let value = serde_yaml::from_str(text).unwrap();
        kind.read(&value).unwrap_err().remove(0).message
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
    fn thousands_written_otherwise_name_the_number() {
        for (text, help) in [
            ("10k", "mean 10000?"),
            ("10_000", "mean 10000?"),
            ("'10,000'", "mean 10000?"),
            ("1e4", "mean 10000?"),
            ("many", "not a whole number"),
        ] {
            let message = message(&COUNT, text);
            assert!(message.ends_with(help), "{text}: {message}");
        }
    }
}

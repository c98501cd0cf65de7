//! Integer numbers.

use serde_json::{Value as Json, json};

use super::path::quoted;
use super::tree::Value;
use super::value_type::{ValueError, ValueType, or_variable, scalar};

/// A whole number.
pub(crate) struct Integer {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl ValueType for Integer {
    type Out = u32;

    fn read(&self, value: &Value) -> Result<u32, Vec<ValueError>> {
        let text = scalar(value)?;
        let Integer { min, max } = *self;
        match text.parse::<i128>() {
            Ok(number) => u32::try_from(number)
                .ok()
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| {
                    ValueError::here(format!("{number} is not between {min} and {max}"))
                }),
            Err(_) => {
                let meant = whole_meant(&text);
                let meant =
                    meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                let message = format!("{} is not a whole number{meant}", quoted(&text));
                Err(ValueError::here(message))
            }
        }
    }

    fn show(&self, value: &u32) -> Json {
        json!(value)
    }

    fn schema(&self) -> Json {
        or_variable(json!({"anyOf": [
            {"type": "integer", "minimum": self.min, "maximum": self.max},
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
mod tests;

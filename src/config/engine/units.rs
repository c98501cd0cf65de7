//! Durations and sizes, with their units.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::path::quoted;
use super::tree::Value;
use super::value_type::{ValueError, ValueType, or_variable, scalar};

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const SIZE_UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A time such as `500ms`, `25s` or `1.5m`, between two bounds.
pub(crate) struct Time {
    min: Duration,
    max: Duration,
}

/// At min a millisecond.
pub(crate) const TIME: Time = Time {
    min: Duration::from_millis(1),
    max: YEAR,
};
/// May be `0s`.
pub(crate) const TIME_OR_NONE: Time = Time {
    min: Duration::ZERO,
    max: YEAR,
};
/// A grid that is neither busy work nor useless.
pub(crate) const GRID: Time = Time {
    min: Duration::from_millis(10),
    max: Duration::from_secs(3_600),
};

impl ValueType for Time {
    type Out = Duration;

    fn read(&self, value: &Value) -> Result<Duration, Vec<ValueError>> {
        let time = parse_duration(&scalar(value)?).map_err(ValueError::here)?;
        let Time { min, max } = *self;
        if time < min || time > max {
            let (min, max) = (show_duration(min), show_duration(max));
            let message = format!("{} is not between {min} and {max}", show_duration(time));
            return Err(ValueError::here(message));
        }
        Ok(time)
    }

    fn show(&self, value: &Duration) -> Json {
        json!(show_duration(*value))
    }

    fn schema(&self) -> Json {
        or_variable(json!({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"}))
    }
}

/// Reads a duration as it is written in the file: `500ms`, `25s`, `2m`.
///
/// # Errors
/// What to write instead.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let meant = || match meant_duration(text) {
        Some(meant) => format!("{} is not a duration; did you mean {meant}?", quoted(text)),
        None => not_a_time(text),
    };
    let (number, unit) = split(text).ok_or_else(meant)?;
    if unit.is_empty() {
        return Err(format!(
            "a duration needs its unit: write {text}s for seconds, or {text}ms"
        ));
    }
    let known = DURATION_UNITS.iter().find(|(name, _)| *name == unit);
    let Some((_, millis)) = known else {
        let meant = match unit.to_ascii_lowercase().trim() {
            "sec" | "secs" | "second" | "seconds" | "s" => "s",
            "min" | "mins" | "minute" | "minutes" | "m" => "m",
            "hr" | "hrs" | "hour" | "hours" | "h" => "h",
            "day" | "days" | "d" => "d",
            "msec" | "millis" | "milliseconds" | "ms" => "ms",
            _ => return Err(meant()),
        };
        return Err(format!(
            "{} is not a duration; did you mean {number}{meant}?",
            quoted(text)
        ));
    };
    scaled(number, *millis * 1_000)
        .map(Duration::from_micros)
        .ok_or_else(|| format!("{} is too long a time", quoted(text)))
}

/// The duration behind `1m30s`, `2h 15m` or `5秒`.
fn meant_duration(text: &str) -> Option<String> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let end = behind
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let millis = match unit.trim().trim_end_matches(',').to_lowercase().as_str() {
            "ms" | "msec" | "millis" | "milliseconds" | "毫秒" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" | "秒" | "秒钟" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分钟" => 60_000,
            "h" | "hr" | "hrs" | "hour" | "hours" | "时" | "小时" => 3_600_000,
            "d" | "day" | "days" | "天" | "日" => 86_400_000,
            "w" | "week" | "weeks" | "周" => 7 * 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(millis)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = behind;
        parts += 1;
        if parts > 5 {
            return None;
        }
    }
    (parts > 0).then(|| show_duration(total))
}

fn not_a_time(text: &str) -> String {
    format!(
        "{} is not a duration; write 500ms, 25s, 2m, 1h or 1d",
        quoted(text)
    )
}

/// As one would write it in the file: whole minutes from two on, else seconds or milliseconds.
#[must_use]
pub fn show_duration(time: Duration) -> String {
    let millis = time.as_millis();
    let units = DURATION_UNITS.iter().rev();
    let mut whole = units.filter(|(_, unit)| {
        let unit = u128::from(*unit);
        millis.is_multiple_of(unit) && (unit != 60_000 || millis >= 2 * unit)
    });
    match whole.next() {
        _ if time.is_zero() => "0s".to_owned(),
        Some((name, unit)) => format!("{}{name}", millis / u128::from(*unit)),
        None => format!("{millis}ms"),
    }
}

impl Time {
    /// The longest.
    pub(crate) const fn max(&self) -> Duration {
        self.max
    }
}

/// A number of bytes such as `64KiB` or `16MiB`; at least 1.
pub(crate) struct Size;

impl ValueType for Size {
    type Out = u64;

    fn read(&self, value: &Value) -> Result<u64, Vec<ValueError>> {
        match parse_size(&scalar(value)?).map_err(ValueError::here)? {
            0 => Err(ValueError::here("a size must be at least 1 byte")),
            size => Ok(size),
        }
    }

    fn show(&self, value: &u64) -> Json {
        json!(show_size(*value))
    }

    fn schema(&self) -> Json {
        or_variable(json!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": r"^([0-9]+|[0-9]+(\.[0-9]+)?(B|KiB|MiB|GiB))$"},
        ]}))
    }
}

/// The same with an upper bound.
pub(crate) struct SizeUpTo(pub(crate) u64);

impl ValueType for SizeUpTo {
    type Out = u64;

    fn read(&self, value: &Value) -> Result<u64, Vec<ValueError>> {
        match Size.read(value)? {
            size if size > self.0 => {
                let (size, max) = (show_size(size), show_size(self.0));
                Err(ValueError::here(format!("{size} is more than {max}")))
            }
            size => Ok(size),
        }
    }

    fn show(&self, value: &u64) -> Json {
        Size.show(value)
    }

    fn schema(&self) -> Json {
        Size.schema()
    }
}

fn parse_size(text: &str) -> Result<u64, String> {
    let hint = || {
        format!(
            "{} is not a size; write 100B, 64KiB, 16MiB or 1GiB",
            quoted(text)
        )
    };
    let (number, unit) = split(text).ok_or_else(hint)?;
    if unit.is_empty() && number.contains('.') {
        return Err(format!(
            "{} is no whole number of bytes; write a unit, such as {number}KiB",
            quoted(text)
        ));
    }
    let known = SIZE_UNITS
        .iter()
        .find(|(name, _)| *name == unit || unit.is_empty());
    let Some((_, bytes)) = known else {
        let meant = match unit.to_ascii_lowercase().trim() {
            "k" | "kb" | "ki" | "kib" => "KiB",
            "m" | "mb" | "mi" | "mib" => "MiB",
            "g" | "gb" | "gi" | "gib" => "GiB",
            "b" | "byte" | "bytes" => "B",
            _ => return Err(hint()),
        };
        return Err(format!(
            "{} is not a size; did you mean {number}{meant}?",
            quoted(text)
        ));
    };
    // More than RFC 6455 can express (section 5.2: 63 bits) is a slip of the pen.
    scaled(number, *bytes)
        .filter(|size| *size <= i64::MAX as u64)
        .ok_or_else(|| format!("{} is too large a size", quoted(text)))
}

/// The largest unit that divides it.
pub(crate) fn show_size(size: u64) -> String {
    let mut units = SIZE_UNITS.iter().rev();
    match units.find(|(_, unit)| size.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", size / unit),
        None => format!("{size}B"),
    }
}

/// `12.5ms` → `12.5` and `ms`.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let mut parts = number.split('.');
    let digits = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    let whole = digits(parts.next());
    let fraction = parts.next().is_none_or(|part| !part.is_empty());
    (whole && fraction && parts.next().is_none()).then_some((number, unit))
}

/// A decimal number times a unit, rounded down; none when it does not fit.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    // Nine digits are finer than a microsecond of a day's share that anybody would notice.
    let fraction = &fraction[..fraction.len().min(9)];
    let share = match fraction {
        "" => 0,
        digits => {
            let scale = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
            u64::try_from(digits.parse::<u128>().ok()? * u128::from(unit) / scale).ok()?
        }
    };
    whole.checked_add(share)
}

#[cfg(test)]
mod tests;

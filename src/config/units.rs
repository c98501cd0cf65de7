//! Durations and sizes, with their units.

use std::time::Duration;

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::keypath::quoted;
use super::kind::{Fault, Kind, or_variable, scalar};
use super::wording::meant_duration;

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
pub(super) struct Time {
    least: Duration,
    most: Duration,
}

/// At least a millisecond.
pub(super) const TIME: Time = Time {
    least: Duration::from_millis(1),
    most: YEAR,
};
/// May be `0s`.
pub(super) const TIME_OR_NONE: Time = Time {
    least: Duration::ZERO,
    most: YEAR,
};
/// A grid that is neither busy work nor useless.
pub(super) const GRID: Time = Time {
    least: Duration::from_millis(10),
    most: Duration::from_secs(3_600),
};

impl Kind for Time {
    type Out = Duration;

    fn read(&self, value: &Value) -> Result<Duration, Vec<Fault>> {
        let time = parse_duration(&scalar(value)?).map_err(Fault::here)?;
        let Time { least, most } = *self;
        if time < least || time > most {
            let (least, most) = (show_duration(least), show_duration(most));
            let message = format!("{} is not between {least} and {most}", show_duration(time));
            return Err(Fault::here(message));
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
    pub(super) const fn most(&self) -> Duration {
        self.most
    }
}

/// A number of bytes such as `64KiB` or `16MiB`; at least 1.
pub(super) struct Size;

impl Kind for Size {
    type Out = u64;

    fn read(&self, value: &Value) -> Result<u64, Vec<Fault>> {
        match parse_size(&scalar(value)?).map_err(Fault::here)? {
            0 => Err(Fault::here("a size must be at least 1 byte")),
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
pub(super) struct SizeUpTo(pub(super) u64);

impl Kind for SizeUpTo {
    type Out = u64;

    fn read(&self, value: &Value) -> Result<u64, Vec<Fault>> {
        match Size.read(value)? {
            size if size > self.0 => {
                let (size, most) = (show_size(size), show_size(self.0));
                Err(Fault::here(format!("{size} is more than {most}")))
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
pub(super) fn show_size(size: u64) -> String {
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
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, millis) in [
            ("500ms", 500),
            ("25s", 25_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn times_that_are_none() {
        for (text, help) in [
            ("60", "write 60s"),
            ("60 s", "did you mean 60s?"),
            ("5min", "did you mean 5m?"),
            ("2H", "did you mean 2h?"),
            ("", "write 500ms"),
            ("s", "write 500ms"),
            ("1.s", "write 500ms"),
            (".5s", "write 500ms"),
            ("1.2.3s", "write 500ms"),
            ("-5s", "write 500ms"),
            ("5 fortnights", "write 500ms"),
            ("99999999999999999999s", "too long"),
            ("9999999999999999d", "too long"),
        ] {
            let message = parse_duration(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
        let zero = TIME.read(&Value::from("0s")).unwrap_err();
        assert_eq!(zero[0].message, "0s is not between 1ms and 365d");
        assert_eq!(TIME_OR_NONE.read(&Value::from("0s")), Ok(Duration::ZERO));
        assert!(TIME.read(&Value::from("366d")).is_err());
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("100B", 100),
            ("100", 100),
            ("64KiB", 65_536),
            ("1.5MiB", 1_572_864),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn sizes_that_are_none() {
        for (text, help) in [
            ("16MB", "did you mean 16MiB?"),
            ("64k", "did you mean 64KiB?"),
            ("64kib", "did you mean 64KiB?"),
            ("1TiB", "write 100B"),
            ("big", "write 100B"),
            ("9999999999GiB", "too large"),
            ("9223372036854775808", "too large"),
        ] {
            let message = parse_size(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
        assert!(Size.read(&Value::from(0)).is_err());
        assert_eq!(SizeUpTo(1024).read(&Value::from("1KiB")), Ok(1024));
        let above = SizeUpTo(1024).read(&Value::from(1025)).unwrap_err();
        assert_eq!(above[0].message, "1025B is more than 1KiB");
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for millis in [
            0, 1, 999, 1_000, 60_000, 90_000, 120_000, 3_600_000, 86_400_000, 86_460_000,
        ] {
            let time = Duration::from_millis(millis);
            assert_eq!(parse_duration(&show_duration(time)), Ok(time));
        }
        assert_eq!(show_duration(Duration::from_secs(60)), "60s");
        assert_eq!(show_duration(Duration::from_secs(300)), "5m");
        for size in [1, 1023, 1024, 65_536, 16 << 20, 1 << 30, (1 << 30) + 1] {
            assert_eq!(parse_size(&show_size(size)), Ok(size));
        }
        assert_eq!(show_size(16 << 20), "16MiB");
    }
}

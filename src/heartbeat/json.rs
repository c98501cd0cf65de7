//! Comparing and looking into JSON as it is read, without building a tree: a message that does not match costs no
//! allocation.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a JSON value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// Any value.
    Any,
    /// This value, which is neither an object nor a list.
    Exactly(Value),
    /// A list of as many items, each matching.
    List(Vec<Pattern>),
    /// An object that has these keys, and maybe others.
    Object(Vec<(Box<str>, Pattern)>),
}

impl From<&Value> for Pattern {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Pattern::List(items.iter().map(Pattern::from).collect()),
            Value::Object(entries) => Pattern::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str().into(), value.into()))
                    .collect(),
            ),
            scalar => Pattern::Exactly(scalar.clone()),
        }
    }
}

impl Pattern {
    fn scalar(&self, is_equal: impl FnOnce(&Value) -> bool) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Exactly(value) => is_equal(value),
            Pattern::List(_) | Pattern::Object(_) => false,
        }
    }
}

/// Whether `message` is JSON that contains `pattern`: of an object the keys that are given, whatever their order and
/// whatever else is there; everything else exactly. Numbers are compared by value, texts after their escapes.
#[must_use]
pub fn contains(message: &[u8], pattern: &Pattern) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(message);
    Contains(pattern)
        .deserialize(&mut reader)
        .is_ok_and(|matches| matches)
        && reader.end().is_ok()
}

/// The raw text of the value at a path of object keys and list positions, as it stands in the message.
#[must_use]
pub fn look_up<'m>(message: &'m [u8], path: &[Box<str>]) -> Option<&'m str> {
    let mut reader = serde_json::Deserializer::from_slice(message);
    At(path).deserialize(&mut reader).ok().flatten()
}

/// The same value without the space between its parts, so that it is one line. None: it is nested deeper than that.
#[must_use]
pub fn compact(value: &str, max_depth: usize) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            ' ' | '\n' | '\r' | '\t' => continue,
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max_depth {
            return None;
        }
        out.push(c);
    }
    Some(out)
}

/// Reads one value and says whether it contains the pattern.
struct Contains<'p>(&'p Pattern);

impl<'de> DeserializeSeed<'de> for Contains<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Contains<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        Ok(self.0.scalar(|pattern| pattern.as_bool() == Some(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        Ok(self.0.scalar(|pattern| is_integer(pattern, value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        Ok(self.0.scalar(|pattern| is_integer(pattern, value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        Ok(self.0.scalar(|pattern| match integer(pattern) {
            Some(integer) => equals(value, integer),
            None => pattern.as_f64() == Some(value),
        }))
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(self.0.scalar(|pattern| pattern.as_str() == Some(value)))
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.0.scalar(Value::is_null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let (patterns, mut matches) = match self.0 {
            Pattern::List(patterns) => (patterns.as_slice(), true),
            other => (&[][..], *other == Pattern::Any),
        };
        let only_these = matches!(self.0, Pattern::List(_));
        for pattern in patterns {
            match items.next_element_seed(Contains(pattern))? {
                Some(item) => matches &= item,
                None => return Ok(false),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            matches &= !only_these;
        }
        Ok(matches)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let (patterns, mut matches) = match self.0 {
            Pattern::Object(patterns) => (patterns.as_slice(), true),
            other => (&[][..], *other == Pattern::Any),
        };
        let (mut found, mut seen) = (0, 0_u64);
        while let Some(Key(key)) = entries.next_key()? {
            match patterns
                .iter()
                .zip(0_u32..)
                .find(|((wanted, _), _)| **wanted == *key)
            {
                Some(((_, pattern), index)) => {
                    let bit = 1_u64.checked_shl(index).unwrap_or_default();
                    matches &= seen & bit == 0;
                    found += 1;
                    seen |= bit;
                    matches &= entries.next_value_seed(Contains(pattern))?;
                }
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        // A key that comes twice is ambiguous: two readers of it may disagree, so it matches nothing.
        Ok(matches && found == patterns.len())
    }
}

fn integer(value: &Value) -> Option<i128> {
    let unsigned = value.as_u64().map(i128::from);
    unsigned.or_else(|| value.as_i64().map(i128::from))
}

fn is_integer(pattern: &Value, value: i128) -> bool {
    match integer(pattern) {
        Some(integer) => integer == value,
        None => pattern.as_f64().is_some_and(|float| equals(float, value)),
    }
}

/// The integer is not rounded: two ids above 2^53 may be one `f64`.
fn equals(float: f64, integer: i128) -> bool {
    float.fract() == 0.0 && float as i128 == integer
}

/// Reads one value and returns what stands at the path in it.
struct At<'p>(&'p [Box<str>]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return <&RawValue>::deserialize(deserializer).map(|raw| Some(raw.get()));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (step, rest) = self
            .0
            .split_first()
            .ok_or_else(|| A::Error::custom("no path"))?;
        let Ok(position) = step.parse::<usize>() else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        };
        for _ in 0..position {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = items.next_element_seed(At(rest))?.flatten();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (step, rest) = self
            .0
            .split_first()
            .ok_or_else(|| A::Error::custom("no path"))?;
        let mut found = None;
        while let Some(Key(key)) = entries.next_key()? {
            if key == **step && found.is_none() {
                found = entries.next_value_seed(At(rest))?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A key that is borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests;

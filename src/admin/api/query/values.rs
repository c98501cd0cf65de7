//! What parameters may be: each type reads its text and describes what it accepts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

use crate::admin::api::types::SortOrder;
use crate::protocol::{MAX_CLOSE_REASON, is_sendable_code};
use crate::session::{Cause, Leg};
use crate::telemetry::EventKind;

/// The longest text that is accepted, in characters.
const MAX_TEXT: usize = 256;
const MAX_LIMIT: u16 = 1000;
const DEFAULT_LIMIT: u16 = 100;

/// Implements `Deserialize` by `$read`, from text to a value or to what is wrong, and `JsonSchema` by `$schema`.
macro_rules! parameter {
    ([$($generic:tt)*] $type:ty, $read:expr, $schema:expr) => {
        impl<'de, $($generic)*> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let read: fn(&str) -> Result<Self, String> = $read;
                read(&text).map_err(D::Error::custom)
            }
        }

        impl<$($generic)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// The most rows that one answer has.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin::api) struct Limit(u16);

parameter!(
    [] Limit,
    |text| match number(text) {
        Some(limit @ 1..=MAX_LIMIT) => Ok(Limit(limit)),
        _ => Err(format!("must be a whole number from 1 to {MAX_LIMIT}")),
    },
    json_schema!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT})
);

impl Limit {
    pub(in crate::admin::api) fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Limit(DEFAULT_LIMIT)
    }
}

/// Any text that is not very long.
#[derive(Clone, Debug)]
pub(in crate::admin::api) struct Text(pub(in crate::admin::api) String);

parameter!(
    [] Text,
    |text| match text.chars().count() {
        0..=MAX_TEXT => Ok(Text(text.to_owned())),
        _ => Err(format!("must have at most {MAX_TEXT} characters")),
    },
    json_schema!({"type": "string", "maxLength": MAX_TEXT})
);

/// The code of a Close frame (RFC 6455 section 7.4).
#[derive(Clone, Copy, Debug)]
pub(in crate::admin::api) struct CloseCode(pub(in crate::admin::api) u16);

parameter!(
    [] CloseCode,
    |text| match number(text) {
        Some(code) if is_sendable_code(code) => Ok(CloseCode(code)),
        _ => Err("must be a code that a Close frame may carry (RFC 6455 section 7.4): 1000-1003, 1007-1014 or 3000-4999"
            .to_owned()),
    },
    json_schema!({"type": "integer", "anyOf": [
        {"minimum": 1000, "maximum": 1003},
        {"minimum": 1007, "maximum": 1014},
        {"minimum": 3000, "maximum": 4999},
    ]})
);

/// The reason of a Close frame.
#[derive(Clone, Debug)]
pub(in crate::admin::api) struct CloseReason(pub(in crate::admin::api) String);

parameter!(
    [] CloseReason,
    |text| match text.len() {
        0..=MAX_CLOSE_REASON => Ok(CloseReason(text.to_owned())),
        len => Err(format!("a close reason has at most {MAX_CLOSE_REASON} bytes; this one has {len}")),
    },
    // A schema counts characters; the bound is on bytes.
    json_schema!({"type": "string", "maxLength": MAX_CLOSE_REASON})
);

/// Values that are written by their names.
pub(in crate::admin::api) trait Named: Copy {
    fn all() -> Vec<Self>;
    fn name(self) -> Cow<'static, str>;
}

impl Named for Cause {
    fn all() -> Vec<Self> {
        Cause::ALL.into()
    }

    fn name(self) -> Cow<'static, str> {
        self.label().into()
    }
}

impl Named for Leg {
    fn all() -> Vec<Self> {
        Leg::BOTH.into()
    }

    fn name(self) -> Cow<'static, str> {
        self.label().into()
    }
}

impl Named for SortOrder {
    fn all() -> Vec<Self> {
        SortOrder::all()
    }

    fn name(self) -> Cow<'static, str> {
        self.to_string().into()
    }
}

/// The events that are streamed.
impl Named for EventKind {
    fn all() -> Vec<Self> {
        EventKind::streamed().collect()
    }

    fn name(self) -> Cow<'static, str> {
        EventKind::name(self).into()
    }
}

/// One value by its name.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin::api) struct OneOf<T>(pub(in crate::admin::api) T);

parameter!(
    [T: Named] OneOf<T>,
    |text| one_of(text).map(OneOf),
    json_schema!({"type": "string", "enum": names::<T>()})
);

/// Some values by their names, with commas between them.
#[derive(Clone, Debug)]
pub(in crate::admin::api) struct List<T>(pub(in crate::admin::api) Vec<T>);

parameter!(
    [T: Named] List<T>,
    |text| text.split(',').map(one_of).collect::<Result<_, _>>().map(List),
    json_schema!({"type": "array", "items": {"type": "string", "enum": names::<T>()}, "minItems": 1})
);

fn names<T: Named>() -> Vec<Cow<'static, str>> {
    T::all().into_iter().map(T::name).collect()
}

fn one_of<T: Named>(name: &str) -> Result<T, String> {
    let found = T::all().into_iter().find(|value| value.name() == name);
    found.ok_or_else(|| format!("must be one of {}", names::<T>().join(", ")))
}

/// Digits only: no sign, no space.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

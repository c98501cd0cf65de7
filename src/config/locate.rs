//! The line and column of a key path.
//!
//! serde_yaml keeps no positions, but every error of a visitor carries the place where it was raised. So the text is
//! read once more along the path, and the reading fails on purpose where the path ends. Only problems pay for it.

use std::fmt;

use serde::de::{DeserializeSeed, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};
use serde_yaml::{Deserializer, Value};

use super::keypath::{KeyPath, Place, Step};

/// Line and column, both from 1, of a place in `text`, whose tree before merging is `raw`.
/// What is not written down is found at the nearest key above it.
pub(super) fn locate(text: &str, raw: &Value, path: &KeyPath, place: Place) -> (usize, usize) {
    if let Place::At(line, column) = place {
        return (line, column);
    }
    let written = written(raw, path);
    let place = if written.found { place } else { Place::Key };
    let seed = Seek {
        steps: &written.steps,
        place,
    };
    let Some(document) = Deserializer::from_str(text).next() else {
        return (1, 1);
    };
    position(seed.deserialize(document)).unwrap_or((1, 1))
}

/// Where a document's content begins.
pub(super) fn root(document: Deserializer<'_>) -> Option<(usize, usize)> {
    position(
        Seek {
            steps: &[],
            place: Place::Value,
        }
        .deserialize(document),
    )
}

fn position(result: Result<(), serde_yaml::Error>) -> Option<(usize, usize)> {
    result.err()?.location().map(|at| (at.line(), at.column()))
}

/// A path through the text as it stands: with the steps through `<<` that merging made invisible.
struct Written {
    steps: Vec<Step>,
    /// Whether the whole path is there, or only its beginning.
    found: bool,
}

fn written(raw: &Value, path: &KeyPath) -> Written {
    let mut steps = Vec::new();
    let mut node = raw;
    for step in path.steps() {
        let Some((way, next)) = descend(node, step) else {
            return Written {
                steps,
                found: false,
            };
        };
        steps.extend(way);
        node = next;
    }
    Written { steps, found: true }
}

fn descend<'v>(node: &'v Value, step: &Step) -> Option<(Vec<Step>, &'v Value)> {
    match (node, step) {
        (Value::Sequence(items), Step::Index(index)) => {
            items.get(*index).map(|item| (vec![step.clone()], item))
        }
        (Value::Mapping(map), Step::Key(name)) => {
            let own = map
                .iter()
                .find(|(key, _)| super::keypath::key_text(key) == *name);
            if let Some((_, value)) = own {
                return Some((vec![step.clone()], value));
            }
            let merge = Step::Key("<<".to_owned());
            let sources = map.get("<<")?;
            let several = sources.as_sequence().map(Vec::as_slice).unwrap_or_default();
            let one = (vec![merge.clone()], sources);
            let each = several.iter().enumerate();
            let each = each.map(|(index, item)| (vec![merge.clone(), Step::Index(index)], item));
            each.chain([one]).find_map(|(mut way, source)| {
                let (rest, value) = descend(source, step)?;
                way.extend(rest);
                Some((way, value))
            })
        }
        _ => None,
    }
}

/// Reads along `steps` and fails at their end; what lies beside them is skipped.
struct Seek<'p> {
    steps: &'p [Step],
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            from.deserialize_any(Stop)
        } else {
            from.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to a key")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.steps.split_first() else {
            return Ok(());
        };
        for _ in 0..*index {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Seek {
            steps: rest,
            place: self.place,
        })?;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(name), rest)) = self.steps.split_first() else {
            return Ok(());
        };
        let mut stop_after = match (rest.is_empty(), self.place) {
            (true, Place::Key | Place::Missing) => Some(0),
            (true, Place::Again(earlier)) => Some(earlier),
            _ => None,
        };
        while let Some(same) = entries.next_key_seed(KeyProbe {
            name,
            stop: stop_after == Some(0),
        })? {
            if same && stop_after.is_none() {
                return entries.next_value_seed(Seek {
                    steps: rest,
                    place: self.place,
                });
            }
            if same {
                stop_after = stop_after.map(|left| left.saturating_sub(1));
            }
            entries.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value.newtype_variant_seed(self)
    }
}

/// Fails at whatever it is given: every method that a visitor does not write refuses its value.
struct Stop;

impl Visitor<'_> for Stop {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of the way")
    }
}

/// Tells whether a key is the one looked for, or fails there if that is where to stop.
struct KeyProbe<'p> {
    name: &'p str,
    stop: bool,
}

impl KeyProbe<'_> {
    fn compare<E: Error>(self, key: &str) -> Result<bool, E> {
        let same = key == self.name;
        if same && self.stop {
            Err(E::custom("here"))
        } else {
            Ok(same)
        }
    }
}

impl<'de> DeserializeSeed<'de> for KeyProbe<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyProbe<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        self.compare(key)
    }

    fn visit_bool<E: Error>(self, key: bool) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        self.compare("null")
    }

    // Other keys have no name to compare; the key above them is told instead.
    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_seq(items).map(|IgnoredAny| false)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_map(entries).map(|IgnoredAny| false)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<bool, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value
            .newtype_variant::<IgnoredAny>()
            .map(|IgnoredAny| false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# comment
base: &base
  spare: 1
a:
  - x: 1
    y: {z: 5, z: 6}
  - <<: *base
    7: seven
  - <<: [{p: 1}, {q: 2}]
";

    fn at(path: &KeyPath, place: Place) -> (usize, usize) {
        let raw = super::super::tree::parse(TEXT, &mut Vec::new()).unwrap();
        locate(TEXT, &raw, path, place)
    }

    #[test]
    fn keys_and_values() {
        let a = KeyPath::of(&["a"]);
        assert_eq!(at(&a, Place::Key), (4, 1));
        assert_eq!(at(&a, Place::Value), (5, 3));
        assert_eq!(at(&a.index(0).key("y").key("z"), Place::Key), (6, 9));
        assert_eq!(at(&a.index(0).key("y").key("z"), Place::Value), (6, 12));
        assert_eq!(at(&a.index(0).key("y").key("z"), Place::Again(1)), (6, 15));
        assert_eq!(at(&a.index(1).key("7"), Place::Key), (8, 5));
        assert_eq!(at(&a, Place::At(9, 9)), (9, 9));
    }

    #[test]
    fn merged_keys_are_where_they_were_written() {
        let a = KeyPath::of(&["a"]);
        assert_eq!(at(&a.index(1).key("spare"), Place::Value), (3, 10));
        assert_eq!(at(&a.index(2).key("q"), Place::Key), (9, 19));
    }

    #[test]
    fn what_is_not_there_is_told_at_the_key_above() {
        let a = KeyPath::of(&["a"]);
        assert_eq!(at(&a.index(0).key("y").key("w"), Place::Value), (6, 5));
        assert_eq!(at(&a.index(9), Place::Value), (4, 1));
        assert_eq!(at(&KeyPath::of(&["nothing"]), Place::Key), (2, 1));
        assert_eq!(at(&KeyPath::default(), Place::Key), (2, 1));
    }
}

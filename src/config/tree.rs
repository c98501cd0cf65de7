//! Text to tree: one YAML document, its merge keys resolved, with every repeated key and tag told at once.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, EnumAccess, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_yaml::{Deserializer, Mapping, Value};

use super::bounds::{self, MAX_DEPTH, MAX_ITEMS, MAX_VALUES, Texts};
use super::keypath::{Found, KeyPath, Place, Step, key_text};
use super::locate;
use super::syntax;

/// The document as it is written: aliases unfolded, merge keys (`<<`) still in place.
///
/// # Errors
/// What keeps the text from being one YAML document; nothing below it can be checked then.
pub(super) fn parse(text: &str, found: &mut Vec<Found>) -> Result<Value, Found> {
    bounds::check(text)?;
    let mut documents = Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return Ok(Value::Null);
    };
    let mut state = State {
        path: KeyPath::default(),
        values: 0,
        texts: Texts::default(),
        too_much: None,
        found,
    };
    let tree = match Node(&mut state).deserialize(first) {
        Ok(tree) => tree,
        Err(error) => {
            let too_much = state.too_much.take();
            return Err(match too_much {
                Some((path, message)) => Found::error(path, position(&error), message),
                None => syntax::explain(text, &error),
            });
        }
    };
    if let Some(second) = documents.next() {
        let at = locate::root(second).unwrap_or((1, 1));
        return Err(syntax::second_document(text, at));
    }
    Ok(tree)
}

/// The tree with every `<<` replaced by what it refers to: a mapping's own keys win, then earlier sources.
pub(super) fn merged(tree: &Value, found: &mut Vec<Found>) -> Value {
    merge(tree, &mut KeyPath::default(), found)
}

struct State<'f> {
    path: KeyPath,
    values: usize,
    texts: Texts,
    /// Which bound ended the reading, and where.
    too_much: Option<(KeyPath, String)>,
    found: &'f mut Vec<Found>,
}

impl State<'_> {
    /// Ends the reading; the error itself only carries the position.
    fn refuse<E: serde::de::Error>(&mut self, message: String) -> E {
        self.too_much = Some((self.path.clone(), message));
        E::custom("too much")
    }
}

/// Reads one value, whatever it is.
struct Node<'s, 'f>(&'s mut State<'f>);

impl Node<'_, '_> {
    fn below<T>(&mut self, step: Step, read: impl FnOnce(Node<'_, '_>) -> T) -> T {
        self.0.path.push(step);
        let value = read(Node(self.0));
        self.0.path.pop();
        value
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.0.values += 1;
        if self.0.values > MAX_VALUES {
            let message = format!("the file has more than {MAX_VALUES} values, aliases unfolded");
            return Err(self.0.refuse(message));
        }
        if self.0.path.steps().len() > MAX_DEPTH {
            return Err(self.0.refuse(bounds::too_deep()));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    // No tree holds such integers. They stay numbers, rounded: as text they would pass for one that is in the file.
    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        match self.0.texts.add(value.len()) {
            Ok(()) => Ok(value.into()),
            Err(message) => Err(self.0.refuse(message)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = self.below(Step::Index(list.len()), |node| {
            items.next_element_seed(node)
        })? {
            list.push(item);
            if list.len() > MAX_ITEMS {
                let message = format!("more than {MAX_ITEMS} items in one list");
                return Err(self.0.refuse(message));
            }
        }
        Ok(Value::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Mapping::new();
        let mut repeated: HashMap<Value, usize> = HashMap::new();
        while let Some(key) = entries.next_key_seed(Node(self.0))? {
            let name = key_text(&key);
            let value = self.below(Step::Key(name.clone()), |node| {
                entries.next_value_seed(node)
            })?;
            if map.contains_key(&key) {
                let path = self.0.path.key(&name);
                let message = "this key is already set above; keep one of them";
                let earlier = repeated.entry(key).or_default();
                *earlier += 1;
                self.0
                    .found
                    .push(Found::error(path, Place::Again(*earlier), message));
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Mapping(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        let message = "YAML tags (`!name`) mean nothing here; write the plain value";
        let path = self.0.path.clone();
        self.0.found.push(Found::error(path, Place::Value, message));
        value.newtype_variant_seed(self)
    }
}

fn merge(tree: &Value, path: &mut KeyPath, found: &mut Vec<Found>) -> Value {
    match tree {
        Value::Sequence(items) => {
            let below = |(index, item)| {
                path.push(Step::Index(index));
                let item = merge(item, path, found);
                path.pop();
                item
            };
            Value::Sequence(items.iter().enumerate().map(below).collect())
        }
        Value::Mapping(map) => Value::Mapping(merge_mapping(map, path, found)),
        plain => plain.clone(),
    }
}

fn merge_mapping(map: &Mapping, path: &mut KeyPath, found: &mut Vec<Found>) -> Mapping {
    let mut result = Mapping::new();
    let mut sources = Vec::new();
    for (key, value) in map {
        path.push(Step::Key(key_text(key)));
        let value = merge(value, path, found);
        path.pop();
        match (key.as_str(), value) {
            (Some("<<"), Value::Mapping(source)) => sources.push(source),
            (Some("<<"), Value::Sequence(list)) if list.iter().all(Value::is_mapping) => {
                sources.extend(list.into_iter().filter_map(|item| match item {
                    Value::Mapping(source) => Some(source),
                    _ => None,
                }));
            }
            (Some("<<"), _) => {
                let message = "`<<` merges a mapping or a list of mappings, such as `<<: *name`";
                found.push(Found::error(path.key("<<"), Place::Value, message));
            }
            (_, value) => {
                result.insert(key.clone(), value);
            }
        }
    }
    for (key, value) in sources.into_iter().flatten() {
        if !result.contains_key(&key) {
            result.insert(key, value);
        }
    }
    result
}

fn position(error: &serde_yaml::Error) -> Place {
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line(), at.column()));
    Place::At(line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Value, Vec<String>) {
        let mut found = Vec::new();
        let raw = parse(text, &mut found).unwrap();
        let tree = merged(&raw, &mut found);
        let told = found
            .iter()
            .map(|f| format!("{} {:?}", f.path, f.place))
            .collect();
        (tree, told)
    }

    fn refused(text: &str) -> (Place, String) {
        let found = parse(text, &mut Vec::new()).unwrap_err();
        (found.place, found.message)
    }

    #[test]
    fn every_repeated_key_is_told_and_the_first_one_counts() {
        let (tree, told) = read("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n");
        assert_eq!(told, ["b.c Again(1)", "a Again(1)", "a Again(2)"]);
        assert_eq!(tree["a"], Value::from(1));
    }

    #[test]
    fn merge_keys_give_way_to_own_keys_and_to_earlier_sources() {
        let text =
            "x: &x {a: 1, b: 1}\ny: &y {<<: *x, a: 2, c: 2}\nz: {<<: [*y, {d: 4, a: 4}], c: 3}\n";
        let (tree, told) = read(text);
        assert!(told.is_empty());
        let z: Value = serde_yaml::from_str("{a: 2, b: 1, c: 3, d: 4}").unwrap();
        assert_eq!(tree["z"], z);
    }

    #[test]
    fn what_cannot_be_merged_and_tags_are_told() {
        assert_eq!(read("a: {<<: 5, b: 1}").1, ["a.<< Value"]);
        let (tree, told) = read("a: !seconds 5\nb: [!x {c: 1}]");
        assert_eq!(told, ["a Value", "b[0] Value"]);
        assert_eq!(tree["b"][0]["c"], Value::from(1));
    }

    #[test]
    fn syntax_errors_say_where() {
        assert_eq!(refused("a: 1\nb: [1,\n").0, Place::At(2, 4));
        let (place, message) = refused("a:\n\tb: 1\n");
        assert!(matches!(place, Place::At(2, _)), "{place:?}");
        assert!(message.contains("tab"), "{message}");
        assert_eq!(refused("a: 1\n---\nb: 2\n").0, Place::At(2, 1));
    }

    #[test]
    fn an_alias_bomb_is_refused_and_not_unfolded() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{before}]\n");
        }
        let (_, message) = refused(&text);
        assert!(
            message.contains("unfold") || message.contains("repetition"),
            "{message}"
        );
    }

    #[test]
    fn an_alias_of_itself_is_refused() {
        refused("a: &a [*a]");
    }
}

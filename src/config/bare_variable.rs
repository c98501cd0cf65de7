//! Variables of the environment that are written the way a shell, Kubernetes or Windows has them.

use std::collections::HashMap;

use serde_yaml::Value;

use super::keypath::{Found, KeyPath, Place, Step, key_text};
use super::problem::Severity;

/// A text in which a variable seems to be meant: `$NAME`, `$(NAME)` or `%NAME%`.
pub(super) struct BareVariable {
    path: KeyPath,
    /// Whether the text is nothing else.
    whole: bool,
}

/// Texts that a shell, Kubernetes or Windows would expand.
pub(super) fn bare_variables(tree: &Value) -> Vec<BareVariable> {
    let mut all = Vec::new();
    find_bare(tree, &mut KeyPath::default(), &mut all);
    all
}

fn find_bare(tree: &Value, path: &mut KeyPath, all: &mut Vec<BareVariable>) {
    match tree {
        Value::String(text) if text.contains(['$', '%']) => {
            let whole = is_reference(text);
            if whole || has_reference(text) {
                let path = path.clone();
                all.push(BareVariable { path, whole });
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                find_bare(item, path, all);
                path.pop();
            }
        }
        Value::Mapping(map) => {
            for (key, value) in map {
                path.push(Step::Key(key_text(key)));
                find_bare(value, path, all);
                path.pop();
            }
        }
        _ => {}
    }
}

fn is_reference(text: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let within = |open: &str, close: &str| {
        let inside = text.strip_prefix(open)?.strip_suffix(close)?;
        Some(name(inside))
    };
    [("$", ""), ("$(", ")"), ("%", "%")]
        .into_iter()
        .any(|(open, close)| within(open, close) == Some(true))
}

/// `$NAME` in capitals somewhere in a text.
fn has_reference(text: &str) -> bool {
    text.split('$').skip(1).any(|behind| {
        let behind = behind.strip_prefix('(').unwrap_or(behind);
        let capitals = behind.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
        behind.len() - capitals.len() > 1
    })
}

/// Says of such a text how a variable is written: where it is an error, beside that; where it is taken as it stands,
/// if it is nothing but the name. The text itself is not told, since it may be a secret after all.
pub(super) fn explain(bare: Vec<BareVariable>, found: &mut Vec<Found>) {
    let in_error: HashMap<KeyPath, usize> = found
        .iter()
        .enumerate()
        .filter(|(_, found)| found.place == Place::Value)
        .map(|(index, found)| (found.path.clone(), index))
        .collect();
    for BareVariable { path, whole } in bare {
        if let Some(found) = in_error.get(&path).and_then(|index| found.get_mut(*index)) {
            if !found.message.contains("${") {
                found.message += "; a variable of the environment is written ${NAME}";
            }
        } else if whole {
            let message =
                "this text is used as it stands; a variable of the environment is written ${NAME}";
            found.push(Found {
                path,
                place: Place::Value,
                severity: Severity::Warning,
                message: message.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_bare_variables_is_noticed() {
        for (text, whole) in [
            ("$TOKEN", Some(true)),
            ("$token_2", Some(true)),
            ("$(TOKEN)", Some(true)),
            ("%TOKEN%", Some(true)),
            ("ws://$HOST:9501", Some(false)),
            ("${unix_ms}", None),
            ("$", None),
            ("$5", None),
            ("a$b", None),
            ("$a b", None),
            ("50%", None),
            ("${TOKEN}", None),
        ] {
            let tree = Value::Sequence(vec![Value::from(text)]);
            let noticed = bare_variables(&tree);
            assert_eq!(noticed.first().map(|it| it.whole), whole, "{text}");
        }
    }
}

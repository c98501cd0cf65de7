//! Variables of the environment that are written the way a shell, Kubernetes or Windows has them.

use std::collections::HashMap;

use super::diagnostic::{Finding, Place, Severity};
use super::path::KeyPath;
use super::tree::Node;

/// A text in which a variable seems to be meant: `$NAME`, `$(NAME)` or `%NAME%`.
pub(crate) struct BareVariable {
    path: KeyPath,
    /// Whether the text is nothing else.
    whole: bool,
}

/// Texts that a shell, Kubernetes or Windows would expand.
pub(crate) fn bare_variables(tree: &mut Node) -> Vec<BareVariable> {
    let mut all = Vec::new();
    tree.for_each_text(&mut |path, text| {
        let whole = is_reference(text);
        if whole || has_reference(text) {
            let path = path.clone();
            all.push(BareVariable { path, whole });
        }
    });
    all
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

/// Adds to the error about such a text how a variable is written. Where the text is no error, a warning says so if the
/// text is nothing but the name. The text itself is not shown, since it may be a secret after all.
pub(crate) fn explain(bare: Vec<BareVariable>, found: &mut Vec<Finding>) {
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
            found.push(Finding {
                severity: Severity::Warning,
                ..Finding::error(path, Place::Value, message)
            });
        }
    }
}

#[cfg(test)]
mod tests;

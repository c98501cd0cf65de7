//! `${NAME}` and `${NAME:-default}` in string values.
//!
//! Only names of capitals, digits and `_` are taken, so that templates such as `${unix_ms}` pass untouched.

use super::bounds::{MAX_TEXT, Texts, too_long};
use super::diagnostic::{Finding, Place};
use super::tree::Node;

/// Looks a variable up; none when it is unset.
pub(crate) type Lookup<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Expands every string value of a tree in place.
pub(crate) fn expand(tree: &mut Node, env: Lookup<'_>, found: &mut Vec<Finding>) {
    let mut expanded = Expanded {
        env,
        texts: Texts::default(),
        is_full: false,
    };
    tree.for_each_text(&mut |path, text| {
        if expanded.is_full || !text.contains("${") {
            return;
        }
        match expanded.expand(text) {
            Ok(expanded) => *text = expanded,
            Err(message) => found.push(Finding::error(path.clone(), Place::Value, message)),
        }
    });
}

/// How variables are expanded, and how much they came to so far.
struct Expanded<'e> {
    env: Lookup<'e>,
    texts: Texts,
    /// Too much: nothing further is expanded.
    is_full: bool,
}

impl Expanded<'_> {
    fn expand(&mut self, text: &str) -> Result<String, String> {
        let expanded = expand_text(text, self.env);
        // Where even one text was too long, others would be read for nothing.
        let counted = match &expanded {
            Ok(expanded) => self.texts.add(expanded.len()),
            Err(Unexpanded::TooLong) => Err(too_long()),
            Err(Unexpanded::Because(_)) => Ok(()),
        };
        self.is_full = counted.is_err();
        counted?;
        expanded.map_err(|error| match error {
            Unexpanded::TooLong => too_long(),
            Unexpanded::Because(message) => message,
        })
    }
}

/// Why a text keeps its variables.
#[derive(Debug)]
enum Unexpanded {
    TooLong,
    Because(String),
}

impl From<String> for Unexpanded {
    fn from(message: String) -> Self {
        Unexpanded::Because(message)
    }
}

fn expand_text(text: &str, env: Lookup<'_>) -> Result<String, Unexpanded> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &reference[2..];
            continue;
        }
        out.push_str(before);
        let name = name(&reference[2..]);
        if name.is_empty() {
            out.push_str("${");
            rest = &reference[2..];
            continue;
        }
        let behind = &reference[2 + name.len()..];
        let (value, behind) = resolve(name, behind, env)?;
        if out.len() + value.len() > MAX_TEXT {
            return Err(Unexpanded::TooLong);
        }
        out.push_str(&value);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The capitals at the beginning, unless the word goes on in other letters.
fn name(text: &str) -> &str {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let (name, behind) = text.split_at(text.find(|c| !capital(c)).unwrap_or(text.len()));
    let mixed = behind.starts_with(|c: char| c.is_alphanumeric() || c == '.');
    if mixed || name.starts_with(|c: char| c.is_ascii_digit()) {
        ""
    } else {
        name
    }
}

/// A variable's value, and the text behind its reference, of which `behind` still has the `}`.
fn resolve<'t>(name: &str, behind: &'t str, env: Lookup<'_>) -> Result<(String, &'t str), String> {
    let set = env(name);
    if let Some(rest) = behind.strip_prefix('}') {
        let hint = "set it, or write a default";
        return match set {
            Some(value) => Ok((value, rest)),
            None => Err(format!(
                "the environment variable {name} is not set; {hint}: ${{{name}:-value}}"
            )),
        };
    }
    let Some((default, rest)) = behind
        .strip_prefix(":-")
        .and_then(|rest| rest.split_once('}'))
    else {
        return Err(format!(
            "`${{{name}` is not a reference to a variable; write ${{{name}}}, ${{{name}:-value}}, or $${{ for the two characters"
        ));
    };
    if default.contains("${") {
        return Err(format!(
            "the default of ${{{name}}} cannot refer to another variable"
        ));
    }
    // As in a shell, `:-` also stands in for a variable that is set to nothing.
    Ok((
        set.filter(|value| !value.is_empty())
            .unwrap_or_else(|| default.to_owned()),
        rest,
    ))
}

#[cfg(test)]
mod tests;

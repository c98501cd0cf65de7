//! Values that are wrong only for punctuation that does not belong to them.

use super::path::{Step, quoted};
use super::source::IsKey;
use super::syntax::{is_odd_space, misspelt};
use super::tree::{Node, Value};
use super::value_type::{ValueError, ValueType};

/// Better messages than the type's own where a text only has something that does not belong to it.
pub(crate) fn improved<T: ValueType>(
    value_type: &T,
    value: &Value,
    mut errors: Vec<ValueError>,
    is_key: IsKey<'_>,
) -> Vec<ValueError> {
    // Each costs another reading of the whole value.
    const MAX_IMPROVED: usize = 20;
    for error in errors.iter_mut().take(MAX_IMPROVED) {
        if let Some(message) = better(value_type, value, error, is_key) {
            error.message = message;
        }
    }
    errors
}

fn better<T: ValueType>(
    value_type: &T,
    value: &Value,
    error: &ValueError,
    is_key: IsKey<'_>,
) -> Option<String> {
    let mut fixed = Node::from(value.clone());
    let steps = &mut error.below.iter();
    let place = steps.try_fold(&mut fixed, |node, step| match (&mut node.value, step) {
        (Value::List(items), Step::Index(index)) => items.get_mut(*index),
        _ => None,
    })?;
    let text = place.value.as_text()?.to_owned();
    if text.starts_with('-')
        && let Some(advice) = misspelt(&text, is_key)
    {
        return Some(advice);
    }
    if text.contains(" - ") {
        return Some(format!(
            "{} is one text; if it is a list, begin each `- ` in the same column",
            quoted(&text)
        ));
    }
    let (kept, why) = without_odd_signs(&text)?;
    place.value = Value::from(kept.as_str());
    let still_wrong = match value_type.read(&fixed.value) {
        Ok(_) => false,
        Err(errors) => errors.iter().any(|other| other.below == error.below),
    };
    (!still_wrong).then(|| format!("{} is wrong: {why}; did you mean {kept}?", quoted(&text)))
}

/// A text without the punctuation that does not belong to it, and why it is wrong.
pub(crate) fn without_odd_signs(text: &str) -> Option<(String, String)> {
    const LONGEST: usize = 1024;
    if text.len() > LONGEST {
        return None;
    }
    let last = text.chars().next_back()?;
    if matches!(last, ',' | ';') {
        let kept = text.trim_end_matches([',', ';']).to_owned();
        return Some((
            kept,
            format!("the `{last}` at its end does not belong there"),
        ));
    }
    let plain = |c: char| match c {
        '：' => ':',
        '，' | '、' => ',',
        '．' | '。' => '.',
        '／' => '/',
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        c => c,
    };
    let quotes = ['“', '”', '„', '‘', '’', '＂', '＇', '「', '」', '"', '\''];
    let kept: String = text
        .trim_matches(|c: char| is_odd_space(c) || quotes.contains(&c))
        .chars()
        .map(plain)
        .collect();
    let odd = text
        .chars()
        .find(|c| plain(*c) != *c || quotes.contains(c) || is_odd_space(*c))?;
    let odd = quoted(&odd.to_string());
    Some((kept, format!("{odd} is not a sign that it may have")))
}

#[cfg(test)]
mod tests;

//! What a person would change where YAML reads something else than was meant, or cannot read at all.

use super::source::lines;

/// Why there is nothing behind the key at this line and column.
pub(super) fn missing_value(text: &str, (line, column): (usize, usize)) -> String {
    let lines = lines(text);
    let behind = lines
        .get(line.saturating_sub(1))
        .and_then(|line| line.from(column).split_once(':'))
        .map_or("", |(_, behind)| behind.trim_start());
    let taken_for = match behind.chars().next() {
        Some('#') => "YAML takes what begins with `#` for a comment",
        Some('&') => "YAML takes what begins with `&` for a name that `*` refers to",
        Some('!') => "YAML takes what begins with `!` for a tag",
        Some('~' | 'n' | 'N') => "YAML takes `~` and `null` for no value",
        _ => return "there is no value; write one, or remove the key".to_owned(),
    };
    format!("there is no value: {taken_for}; write a text in quotes, or remove the key")
}

//! Lines that are no `key: value`, though they were meant to be one.

use super::super::source::{IsKey, Line};

/// One such line.
pub(super) struct Slip {
    /// Where to change it.
    pub(super) column: usize,
    pub(super) message: String,
}

/// What is wrong with a line of a block, as far as its words show.
pub(super) fn slip(line: &Line<'_>, is_key: IsKey<'_>) -> Option<Slip> {
    if let Some(slip) = indentation(line) {
        return Some(slip);
    }
    let entry = line.entry();
    let slip = |at: usize, message: String| {
        Some(Slip {
            column: line.column(at),
            message,
        })
    };
    if entry.rest.starts_with("//") || entry.rest.starts_with("/*") {
        return slip(entry.at, "a comment begins with `#`".to_owned());
    }
    let item = entry.rest.strip_prefix('-').unwrap_or_default();
    if item.starts_with(|c: char| c.is_alphabetic() || matches!(c, ':' | '{' | '"' | '\'')) {
        let message = format!(
            "a space is missing behind the `-`: an item of a list begins with `- `, as in `- {}`",
            word(item)
        );
        return slip(entry.at, message);
    }
    let key = entry.word();
    if key.is_empty() {
        return None;
    }
    let at = entry.at + key.len();
    let behind = &line.text[at..];
    if let Some(colon) = behind.chars().next().filter(|c| is_wide_colon(*c)) {
        return slip(
            at,
            format!("`{colon}` is not the colon of YAML: write `{key}: ` with `:` and a space"),
        );
    }
    if !is_key(key) {
        return None;
    }
    if let Some(value) = behind.strip_prefix(':') {
        return match value.chars().next() {
            Some(c) if is_odd_space(c) => slip(
                at + 1,
                format!("{} behind `{key}:`; write an ordinary space", space_name(c)),
            ),
            Some(c) if !c.is_whitespace() => slip(
                at + 1,
                format!("a space is missing behind `{key}:`; write `{key}: …`"),
            ),
            _ => None,
        };
    }
    let rest = behind.trim_start();
    match rest.chars().next() {
        Some('=') => slip(
            at + behind.len() - rest.len(),
            format!("a key and its value have a `:` between them, and no `=`: write `{key}: …`"),
        ),
        _ if entry.colon.is_none() => slip(
            at,
            format!("a `:` is missing behind `{key}`; write `{key}: …`"),
        ),
        _ => None,
    }
}

/// The same for a key as YAML read it: `idle_time:5s` in `{…}`, say.
pub(crate) fn misspelt(key: &str, is_key: IsKey<'_>) -> Option<String> {
    if key.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let line = Line {
        number: 1,
        text: key,
    };
    slip(&line, is_key).map(|slip| slip.message)
}

/// White space that is no indentation in YAML.
pub(super) fn indentation(line: &Line<'_>) -> Option<Slip> {
    let mut characters = line.text.char_indices();
    let (at, c) = characters.find(|(_, c)| *c != ' ')?;
    let is_content = line.text.chars().any(|c| !c.is_whitespace());
    let message = match c {
        '\t' => "this line is indented with a tab; YAML wants spaces".to_owned(),
        _ if is_odd_space(c) => format!(
            "this line is indented with {}; YAML wants ordinary spaces",
            space_name(c)
        ),
        _ => return None,
    };
    is_content.then(|| Slip {
        column: line.column(at),
        message,
    })
}

/// White space other than that of the keyboard, and what is not seen at all.
pub(crate) fn is_odd_space(c: char) -> bool {
    let unseen = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    unseen || c.is_whitespace() && !c.is_ascii() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn space_name(c: char) -> String {
    let name = match c {
        '\u{a0}' | '\u{202f}' => "a no-break space",
        '\u{3000}' => "a full-width space",
        _ => "a character that is not seen",
    };
    format!("{name} (U+{:04X})", u32::from(c))
}

pub(super) fn is_wide_colon(c: char) -> bool {
    matches!(c, '\u{ff1a}' | '\u{fe55}' | '\u{2236}' | '\u{a789}')
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    match &text[..end.unwrap_or(text.len())] {
        "" => "…",
        word => word,
    }
}

#[cfg(test)]
mod tests;

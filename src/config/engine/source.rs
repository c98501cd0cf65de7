//! A file's text by lines, for advice that needs to see what is written and not what YAML made of it.

/// Whether some block has a key of this name.
pub(crate) type IsKey<'k> = &'k dyn Fn(&str) -> bool;

/// One line, without its line break.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'t> {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) text: &'t str,
}

/// What a line of a block says: `- key: value`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'t> {
    /// The byte at which the key begins, behind the `- ` of list items.
    pub(crate) at: usize,
    /// Everything from there on.
    pub(crate) rest: &'t str,
    /// The byte of the `:` that ends the key; none when no `:` is followed by a space or the line's end.
    pub(crate) colon: Option<usize>,
}

/// The lines as YAML 1.1 counts them (section 5.4), which is how the positions of its errors are meant.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut push = |start: usize, end: usize| {
        lines.push(Line {
            number: lines.len() + 1,
            text: &text[start..end],
        });
    };
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let mut end = at + c.len_utf8();
        match c {
            '\r' => {
                if characters.next_if(|(_, next)| *next == '\n').is_some() {
                    end += 1;
                }
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => {}
            _ => continue,
        }
        push(start, at);
        start = end;
    }
    push(start, text.len());
    lines
}

impl<'t> Line<'t> {
    /// The spaces that it begins with; tabs and other white space are none.
    pub(crate) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Whether nothing stands there, or a comment.
    pub(crate) fn is_blank(&self) -> bool {
        let content = self.text.trim();
        content.is_empty() || content.starts_with('#')
    }

    /// The column, from 1 and in characters, of a byte of the line.
    pub(crate) fn column(&self, at: usize) -> usize {
        1 + self.text[..at].chars().count()
    }

    /// The byte of a column.
    pub(crate) fn byte(&self, column: usize) -> usize {
        let mut bytes = self.text.char_indices().map(|(at, _)| at);
        bytes
            .nth(column.saturating_sub(1))
            .unwrap_or(self.text.len())
    }

    /// What stands from a column on.
    pub(crate) fn from(&self, column: usize) -> &'t str {
        &self.text[self.byte(column)..]
    }

    pub(crate) fn entry(&self) -> Entry<'t> {
        let mut at = self.indent();
        while let Some(rest) = self.text[at..].strip_prefix("- ") {
            at = self.text.len() - rest.trim_start_matches(' ').len();
        }
        let rest = &self.text[at..];
        let key_end = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
            _ => 0,
        };
        let is_colon = |(colon, _): &(usize, &str)| {
            let behind = &rest[colon + 1..];
            behind.is_empty() || behind.starts_with([' ', '\t'])
        };
        let comment = rest.find(" #").unwrap_or(rest.len());
        let colon = rest
            .match_indices(':')
            .filter(|(colon, _)| *colon >= key_end && *colon < comment)
            .find(is_colon);
        Entry {
            at,
            rest,
            colon: colon.map(|(colon, _)| at + colon),
        }
    }
}

impl<'t> Entry<'t> {
    /// The word that it begins with, made of what keys are made of.
    pub(crate) fn word(&self) -> &'t str {
        let in_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let end = self.rest.find(|c| !in_key(c)).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// The byte at which the value begins, and the value with what follows it on the line.
    pub(crate) fn value(&self) -> Option<(usize, &'t str)> {
        let behind = &self.rest[self.colon? + 1 - self.at..];
        let value = behind.trim_start_matches([' ', '\t']);
        Some((self.at + self.rest.len() - value.len(), value))
    }
}

/// The line that a line could belong to.
pub(crate) fn above<'l, 't>(lines: &'l [Line<'t>], line: &Line<'t>) -> Option<&'l Line<'t>> {
    let before = lines.get(..line.number - 1)?;
    before.iter().rev().find(|line| !line.is_blank())
}

#[cfg(test)]
mod tests;

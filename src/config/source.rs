//! A file's text by lines, for advice that needs to see what is written and not what YAML made of it.

/// One line, without its line break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'t str,
}

/// What a line of a block says: `- key: value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'t> {
    /// The byte at which the key begins, behind the `- ` of list items.
    pub(super) at: usize,
    /// Everything from there on.
    pub(super) rest: &'t str,
    /// The byte of the `:` that ends the key; none when no `:` is followed by a space or the line's end.
    pub(super) colon: Option<usize>,
}

/// The lines as YAML 1.1 counts them (section 5.4), which is how the positions of its errors are meant.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
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
    pub(super) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Whether nothing stands there, or a comment.
    pub(super) fn is_blank(&self) -> bool {
        let content = self.text.trim();
        content.is_empty() || content.starts_with('#')
    }

    /// The column, from 1 and in characters, of a byte of the line.
    pub(super) fn column(&self, at: usize) -> usize {
        1 + self.text[..at].chars().count()
    }

    /// The byte of a column.
    pub(super) fn byte(&self, column: usize) -> usize {
        let mut bytes = self.text.char_indices().map(|(at, _)| at);
        bytes
            .nth(column.saturating_sub(1))
            .unwrap_or(self.text.len())
    }

    /// What stands from a column on.
    pub(super) fn from(&self, column: usize) -> &'t str {
        &self.text[self.byte(column)..]
    }

    pub(super) fn entry(&self) -> Entry<'t> {
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
    pub(super) fn word(&self) -> &'t str {
        let in_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let end = self.rest.find(|c| !in_key(c)).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// The byte at which the value begins, and the value with what follows it on the line.
    pub(super) fn value(&self) -> Option<(usize, &'t str)> {
        let behind = &self.rest[self.colon? + 1 - self.at..];
        let value = behind.trim_start_matches([' ', '\t']);
        Some((self.at + self.rest.len() - value.len(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_yaml_breaks_them() {
        let texts = |text| lines(text).iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts("a\r\nb\rc\nd\u{2028}e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(texts("a\n"), ["a", ""]);
    }

    #[test]
    fn an_entry_has_a_key_and_a_value() {
        let read = |text| {
            let line = lines(text)[0];
            let entry = line.entry();
            let value = entry.value().map(|(at, value)| (line.column(at), value));
            (entry.word(), value)
        };
        assert_eq!(read("  - - a: b: c"), ("a", Some((10, "b: c"))));
        assert_eq!(read("'a: b': c"), ("", Some((9, "c"))));
        assert_eq!(read("é_1:"), ("é_1", Some((5, ""))));
        assert_eq!(read("a:b"), ("a", None));
        assert_eq!(read("a # b: c"), ("a", None));
        assert_eq!(read("-a: b"), ("-a", Some((5, "b"))));
    }
}

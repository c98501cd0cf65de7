//! A file's text by lines, for advice that needs to see what is written and not what YAML made of it.

/// One line, without its line break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
}

/// The lines as YAML 1.1 counts them (section 5.4), which is how the positions of its errors are meant.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut push = |start: usize, end: usize| {
        lines.push(Line {
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
}

//! The line and column of a finding.
//!
//! Scalars and keys have theirs. A list or a mapping begins where its first child does, or a little before it, at a `-`,
//! `[` or `{`; an empty one is the next pair of brackets after the last scalar. Only findings look at the text for that.

use super::diagnostic::{Finding, Place};
use super::path::Step;
use super::source::Line;
use super::tree::{Mark, Node, Value};

/// White space that may stand between a bracket and what follows it.
const MAX_SPACE: usize = 256;

/// Where a finding stands. What is not written is placed at the nearest key above it.
pub(crate) fn position(lines: &[Line<'_>], tree: &Node, finding: &Finding) -> Mark {
    if let Some(mark) = finding.mark {
        return mark;
    }
    let (mut node, mut key) = (tree, None);
    for step in finding.path.steps() {
        let Some(next) = node.value.child(step) else {
            return key.unwrap_or_else(|| start(lines, node));
        };
        key = key_mark(node, step);
        node = next;
    }
    match (finding.place, key) {
        (Place::Key | Place::Missing, Some(key)) => key,
        _ => start(lines, node),
    }
}

/// Where the key of a step stands; none for an item of a list.
fn key_mark(node: &Node, step: &Step) -> Option<Mark> {
    let (Value::Map(map), Step::Key(name)) = (&node.value, step) else {
        return None;
    };
    let entry = map.0.iter().find(|entry| entry.name == *name)?;
    Some(entry.mark)
}

/// Where a node begins.
pub(crate) fn start(lines: &[Line<'_>], node: &Node) -> Mark {
    match (&node.value, node.empty_before) {
        (Value::Map(_), Some(skip)) => empty(lines, node.mark, skip, '{'),
        (Value::List(_), Some(skip)) => empty(lines, node.mark, skip, '['),
        (Value::Map(_), None) => opening_before(lines, node.mark, &['{']),
        (Value::List(items), None) => {
            let first = items.first().map_or(node.mark, |it| start(lines, it));
            opening_before(lines, first, &['[', '-'])
        }
        _ => node.mark,
    }
}

/// The bracket or dash before a first child, else the child itself; in either case the anchor or tag before it.
fn opening_before(lines: &[Line<'_>], child: Mark, openings: &[char]) -> Mark {
    let opening = before(lines, child).filter(|(_, c)| openings.contains(c));
    let mark = opening.map_or(child, |(mark, _)| mark);
    property_before(lines, mark).unwrap_or(mark)
}

/// The last character before a mark that is no white space.
fn before(lines: &[Line<'_>], mark: Mark) -> Option<(Mark, char)> {
    let mut left = MAX_SPACE;
    let above = lines.get(..mark.line)?.iter().rev();
    for line in above {
        let end = match line.number == mark.line {
            true => line.byte(mark.column),
            false => line.text.len(),
        };
        let text = &line.text[..end];
        let kept = text.trim_end();
        if let Some(c) = kept.chars().next_back() {
            let column = kept.chars().count();
            return Some((
                Mark {
                    line: line.number,
                    column,
                },
                c,
            ));
        }
        left = left.checked_sub(text.len() + 1)?;
    }
    None
}

/// The `&name` or `!tag` that stands right before a mark.
fn property_before(lines: &[Line<'_>], mark: Mark) -> Option<Mark> {
    let (end, _) = before(lines, mark)?;
    let line = lines.get(end.line - 1)?;
    let text = &line.text[..line.byte(end.column + 1)];
    let word = text.rsplit([' ', '\t', ',', '[', '{']).next()?;
    word.starts_with(['&', '!']).then(|| Mark {
        line: end.line,
        column: line.column(text.len() - word.len()),
    })
}

/// Where an empty list or mapping begins, with others between it and the scalar at `mark`.
fn empty(lines: &[Line<'_>], mark: Mark, mut others: usize, opening: char) -> Mark {
    let below = lines.iter().skip(mark.line.saturating_sub(1));
    for line in below.take(MAX_SPACE) {
        let from = match line.number == mark.line {
            true => line.byte(mark.column),
            false => 0,
        };
        let rest = &line.text[from..];
        for (at, c) in rest.char_indices().filter(|(_, c)| matches!(c, '[' | '{')) {
            let closing = if c == '{' { '}' } else { ']' };
            match rest[at + 1..].trim_start().starts_with(closing) {
                true if others > 0 => others -= 1,
                true if c == opening => {
                    return Mark {
                        line: line.number,
                        column: line.column(from + at),
                    };
                }
                _ => {}
            }
        }
    }
    mark
}

#[cfg(test)]
mod tests;

//! Lines that do not fit together: their indentation, and what a value goes on with.

use super::super::source::{IsKey, Line, above};
use super::advice::Advice;
use super::quoting::in_quotes;
use super::slip::slip;

/// "mapping values are not allowed": a second `: ` on a line, or a line that cannot be below the one above.
pub(super) fn second_value(
    lines: &[Line<'_>],
    line: &Line<'_>,
    column: usize,
    is_key: IsKey<'_>,
) -> Option<Advice> {
    let entry = line.entry();
    let (value_at, value) = entry.value()?;
    if entry.colon.is_some_and(|colon| line.column(colon) < column) {
        let key = entry.word();
        let inner = value.split(':').next().unwrap_or_default();
        let message = if is_key(inner) && is_key(key) {
            format!(
                "`{key}:` and `{inner}:` cannot stand on one line: write `{inner}:` on the next one, indented further"
            )
        } else {
            format!(
                "a text with `: ` in it needs quotes: write {}",
                in_quotes(key, value)
            )
        };
        return Advice::at(line, value_at, message);
    }
    let above = above(lines, line)?;
    if let Some(slip) = slip(above, is_key) {
        return Advice::of(above, slip);
    }
    let indent = above.entry();
    if line.indent() > above.indent() && indent.colon.is_some() {
        let message = format!(
            "this line is indented further than `{}` above it, which has its value already; begin it in the same column, {}",
            indent.word(),
            above.column(indent.at)
        );
        return Advice::at(line, entry.at, message);
    }
    None
}

/// "could not find expected ':'": a line that is neither a key nor part of the text above.
pub(super) fn no_key(line: &Line<'_>, is_key: IsKey<'_>) -> Option<Advice> {
    if let Some(slip) = slip(line, is_key) {
        return Advice::of(line, slip);
    }
    let entry = line.entry();
    let message = if entry.rest.len() > 1024 && entry.colon.is_some() {
        "a key has at most 1024 characters"
    } else {
        "this line is no `key: value`; if it belongs to the text above, indent it further"
    };
    Advice::at(line, entry.at, message.to_owned())
}

/// "did not find expected key": a line that begins in a column in which none of the open blocks began.
pub(super) fn indentation(
    lines: &[Line<'_>],
    line: &Line<'_>,
    is_key: IsKey<'_>,
) -> Option<Advice> {
    if let Some(slip) = slip(line, is_key) {
        return Advice::of(line, slip);
    }
    let above = above(lines, line)?;
    if let Some(slip) = slip(above, is_key) {
        return Advice::of(above, slip);
    }
    let blocks = open_blocks(lines, line);
    let own = line.indent();
    let is_item = line.text[own..].starts_with("- ");
    let others: Vec<String> = blocks
        .iter()
        .filter(|(indent, name)| *indent != own || (*name == "-") != is_item)
        .map(|(indent, name)| match *name {
            "-" => format!("{indent} for an item `- `"),
            name => format!("{indent} as `{name}`"),
        })
        .collect();
    if others.is_empty() {
        return None;
    }
    let spaces = if own == 1 { "space" } else { "spaces" };
    let message = format!(
        "this line is indented by {own} {spaces}, which fits none of the blocks above it; indent it by {}",
        others.join(", or by ")
    );
    Advice::at(line, own, message)
}

/// The columns in which the blocks began that are open above a line, the innermost first, with what begins them.
fn open_blocks<'t>(lines: &[Line<'t>], line: &Line<'t>) -> Vec<(usize, &'t str)> {
    let mut blocks: Vec<(usize, &str)> = Vec::new();
    let mut innermost = usize::MAX;
    for above in lines[..line.number - 1].iter().rev() {
        if above.is_blank() || above.indent() >= innermost && innermost != usize::MAX {
            continue;
        }
        let entry = above.entry();
        if entry.colon.is_some() && entry.at < innermost {
            blocks.push((entry.at, entry.word()));
        }
        if entry.at > above.indent() {
            blocks.push((above.indent(), "-"));
        }
        innermost = above.indent();
        if innermost == 0 {
            break;
        }
    }
    blocks
}

//! Pages of a list that changes while it is read.
//!
//! The order is by a key and, among equals, by the connection's id, so that no two rows share a place. A cursor names
//! the place of the last row that was shown: the next page begins after it, whichever connections came or went. Under a key that
//! never changes (`opened`, `client`) a row that stays is shown once.

use std::fmt::Write as _;

use super::types::{SortKey, SortOrder};

/// A row's place: the key, then the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) key: Key,
    pub(super) conn: Box<str>,
}

/// What a row is sorted by. All keys of one order are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(u64),
    Text(Box<str>),
}

/// The rows of the page after `after`, and the cursor of the next page if there is more.
pub(super) fn page<T>(
    mut rows: Vec<(Place, T)>,
    order: SortOrder,
    after: Option<&Place>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let follows = |place: &Place| match after {
        None => true,
        Some(after) if order.descending => place < after,
        Some(after) => place > after,
    };
    rows.retain(|(place, _)| follows(place));
    rows.sort_unstable_by(|(one, _), (other, _)| match order.descending {
        true => other.cmp(one),
        false => one.cmp(other),
    });
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more);
    let next = next.map(|(place, _)| cursor(order, place));
    (rows.into_iter().map(|(_, row)| row).collect(), next)
}

/// `-opened.n1f.01KAJ…`: the order, the key, the id.
fn cursor(order: SortOrder, place: &Place) -> String {
    let mut text = order.to_string();
    // Writing to a String cannot fail.
    let _ = match &place.key {
        Key::Number(number) => write!(text, ".n{number:x}"),
        Key::Text(key) => {
            text.push_str(".t");
            key.bytes().try_for_each(|byte| write!(text, "{byte:02x}"))
        }
    };
    text.push('.');
    text.push_str(&place.conn);
    text
}

/// The place that a cursor of this order names.
pub(super) fn read_cursor(text: &str, order: SortOrder) -> Option<Place> {
    let (key, conn) = text
        .strip_prefix(&order.to_string())?
        .strip_prefix('.')?
        .split_once('.')?;
    let kind = key.get(..1)?;
    let key = key.get(1..)?;
    let key = match (kind, order.key == SortKey::Client) {
        ("n", false) => Key::Number(u64::from_str_radix(key, 16).ok()?),
        ("t", true) => Key::Text(from_hex(key)?.into()),
        _ => return None,
    };
    let conn = conn.into();
    Some(Place { key, conn })
}

fn from_hex(hex: &str) -> Option<String> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok().filter(|it| it.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    String::from_utf8(pairs.map(byte).collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests;

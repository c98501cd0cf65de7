//! Pages of a list that changes while it is read.
//!
//! The order is by a key and, among equals, by the connection's id, so that no two rows share a place. A cursor names
//! the place of the last row that was shown: the next page begins behind it, whoever came or went. Under a key that
//! never changes (`opened`, `client`) a row that stays is shown once.

use std::fmt::Write as _;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Opened,
    ClientIdle,
    UpstreamIdle,
    Rtt,
    Traffic,
    Client,
}

/// A key, and which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) sort: Sort,
    pub(super) descending: bool,
}

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

impl Sort {
    pub(super) const ALL: [(&'static str, Sort); 6] = [
        ("opened", Sort::Opened),
        ("client_idle", Sort::ClientIdle),
        ("upstream_idle", Sort::UpstreamIdle),
        ("rtt", Sort::Rtt),
        ("traffic", Sort::Traffic),
        ("client", Sort::Client),
    ];

    fn name(self) -> &'static str {
        let mut all = Sort::ALL.iter();
        all.find(|(_, sort)| *sort == self)
            .map_or("opened", |(name, _)| name)
    }
}

impl Order {
    pub(super) const DEFAULT: &'static str = "-opened";

    /// All words for an order.
    pub(super) fn words() -> Vec<String> {
        let words = Sort::ALL.iter();
        let words = words.flat_map(|(name, _)| [(*name).to_owned(), format!("-{name}")]);
        words.collect()
    }

    pub(super) fn read(word: &str) -> Option<Order> {
        let (descending, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word),
        };
        let (_, sort) = Sort::ALL.into_iter().find(|(known, _)| *known == name)?;
        Some(Order { sort, descending })
    }

    fn word(self) -> String {
        let sign = if self.descending { "-" } else { "" };
        format!("{sign}{}", self.sort.name())
    }
}

/// The rows of the page behind `after`, and the cursor of the next page if there is more.
pub(super) fn page<T>(
    mut rows: Vec<(Place, T)>,
    order: Order,
    after: Option<&Place>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let is_behind = |place: &Place| match after {
        None => true,
        Some(after) if order.descending => place < after,
        Some(after) => place > after,
    };
    rows.retain(|(place, _)| is_behind(place));
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
fn cursor(order: Order, place: &Place) -> String {
    let mut text = order.word();
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
pub(super) fn read_cursor(text: &str, order: Order) -> Option<Place> {
    let (key, conn) = text
        .strip_prefix(&order.word())?
        .strip_prefix('.')?
        .split_once('.')?;
    let kind = key.get(..1)?;
    let key = key.get(1..)?;
    let key = match (kind, order.sort == Sort::Client) {
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

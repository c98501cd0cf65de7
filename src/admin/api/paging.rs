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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What happens between two pages.
    #[derive(Clone, Debug)]
    enum Change {
        Comes(u8),
        Goes(u8),
    }

    fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
        let change = prop_oneof![
            any::<u8>().prop_map(Change::Comes),
            any::<u8>().prop_map(Change::Goes),
        ];
        prop::collection::vec(prop::collection::vec(change, 0..6), 40)
    }

    /// Few keys, so that many rows share one.
    fn place(order: Order, conn: u8) -> Place {
        let number = u64::from(conn) % 7;
        Place {
            key: match order.sort {
                Sort::Client => Key::Text(format!("é{number}").into()),
                _ => Key::Number(number),
            },
            conn: format!("{conn:03}").into(),
        }
    }

    fn orders() -> impl Strategy<Value = Order> {
        prop::sample::select(Order::words()).prop_map(|word| Order::read(&word).unwrap())
    }

    proptest! {
        #[test]
        fn who_stays_is_shown_once_and_nobody_twice(
            there in prop::collection::btree_set(any::<u8>(), 0..120),
            changes in changes(),
            order in orders(),
            limit in 1..20_usize,
        ) {
            let mut now = there.clone();
            let mut stayed = there;
            let mut shown: BTreeMap<u8, u32> = BTreeMap::new();
            let mut after: Option<String> = None;
            let mut last = None;
            for between in changes {
                let rows = now.iter().map(|conn| (place(order, *conn), *conn)).collect();
                let from = after.as_ref().map(|cursor| read_cursor(cursor, order).unwrap());
                let (page, next) = page(rows, order, from.as_ref(), limit);
                prop_assert!(page.len() <= limit);
                prop_assert!(next.is_none() || page.len() == limit);
                for conn in page {
                    *shown.entry(conn).or_default() += 1;
                    let here = place(order, conn);
                    if let Some(last) = last.replace(here.clone()) {
                        prop_assert_eq!(here > last, !order.descending);
                    }
                }
                after = next;
                if after.is_none() {
                    break;
                }
                for change in between {
                    match change {
                        Change::Comes(conn) => now.insert(conn),
                        Change::Goes(conn) => {
                            stayed.remove(&conn);
                            now.remove(&conn)
                        }
                    };
                }
            }
            prop_assert!(shown.values().all(|times| *times == 1));
            if after.is_none() {
                prop_assert!(stayed.iter().all(|conn| shown.contains_key(conn)));
            }
        }

        #[test]
        fn any_text_for_a_cursor_is_survived(text in ".{0,40}", order in orders()) {
            let _ = read_cursor(&text, order);
            let _ = read_cursor(&format!("{}.{text}", order.word()), order);
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let opened = Order::read("opened").unwrap();
        let text = cursor(opened, &place(opened, 7));
        assert_eq!(read_cursor(&text, opened), Some(place(opened, 7)));
        for other in ["-opened", "client", "rtt"] {
            assert_eq!(read_cursor(&text, Order::read(other).unwrap()), None);
        }
        assert_eq!(
            read_cursor("client.n1.x", Order::read("client").unwrap()),
            None
        );
        assert_eq!(Order::read("age"), None);
        assert!(Order::words().iter().any(|word| word == Order::DEFAULT));
    }
}

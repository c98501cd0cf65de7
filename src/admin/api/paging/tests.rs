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
fn place(order: SortOrder, conn: u8) -> Place {
    let number = u64::from(conn) % 7;
    Place {
        key: match order.key {
            SortKey::Client => Key::Text(format!("é{number}").into()),
            _ => Key::Number(number),
        },
        conn: format!("{conn:03}").into(),
    }
}

fn orders() -> impl Strategy<Value = SortOrder> {
    prop::sample::select(SortOrder::all())
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
        let _ = read_cursor(&format!("{order}.{text}"), order);
    }
}

#[test]
fn a_cursor_belongs_to_its_order() {
    let opened = "opened".parse::<SortOrder>().unwrap();
    let text = cursor(opened, &place(opened, 7));
    assert_eq!(read_cursor(&text, opened), Some(place(opened, 7)));
    for other in ["-opened", "client", "rtt"] {
        assert_eq!(
            read_cursor(&text, other.parse::<SortOrder>().unwrap()),
            None
        );
    }
    assert_eq!(
        read_cursor("client.n1.x", "client".parse::<SortOrder>().unwrap()),
        None
    );
    assert!("age".parse::<SortOrder>().is_err());
    for order in SortOrder::all() {
        assert_eq!(order.to_string().parse(), Ok(order));
    }
}

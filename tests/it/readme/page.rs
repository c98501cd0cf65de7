//! The admin page explains the reasons in the README's words.

use serde_json::{Map, Value, json};

use super::{READMES, name, table};

#[test]
fn the_page_has_the_words_of_the_readme() {
    let page: Value =
        serde_json::from_str(include_str!("../../../src/admin/page/assets/reasons.json")).unwrap();
    let (_, readme) = READMES[0];
    for (key, rows, means) in [("closed", "reasons", 4), ("handshakes", "handshakes", 3)] {
        let told: Map<String, Value> = table(readme, rows)
            .iter()
            .map(|row| {
                let words =
                    json!({"initiator": row[1], "means": row[means], "then": row[means + 1]});
                (name(&row[0]).to_owned(), words)
            })
            .collect();
        assert_eq!(page[key], Value::Object(told), "reasons.json, {key}");
    }
}

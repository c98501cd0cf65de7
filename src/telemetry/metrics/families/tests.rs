use std::collections::BTreeSet;

use super::*;

#[test]
fn names_keep_to_the_rules_of_both_formats() {
    let mut seen = BTreeSet::new();
    for family in families() {
        let name = family.name;
        assert!(seen.insert(name), "{name} is there twice");
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        let suffixes = ["_total", "_info", "_bucket", "_sum", "_count", "_created"];
        assert!(!suffixes.iter().any(|end| name.ends_with(end)), "{name}");
        assert!(!family.labels.contains(&"le"), "{name}");
        assert!(!family.help.contains(['\\', '"', '\n']), "{name}");
        assert!(family.help.ends_with('.'), "{name}");
    }
}

use super::*;

fn changes(old: &str, new: &str) -> Vec<String> {
    let read = super::super::parse::parsed;
    crate::config::diff(&read(old), &read(new))
        .iter()
        .map(Change::to_string)
        .collect()
}

#[test]
fn leaves_are_compared_one_by_one() {
    let old = "{listen: ':1', limits: {max_frame: 1MiB, max_message: 2MiB}, log: {level: info}}";
    let new = "{listen: ':2', limits: {max_frame: 1MiB, max_message: off}, drain: {spread: 5s}}";
    let told = [
        "listen: :1 -> :2",
        "limits.max_message: 2MiB -> off",
        "log.level: info -> info (default)",
        "drain.spread: 10s (default) -> 5s",
    ];
    assert_eq!(changes(old, new), told);
    assert!(changes(old, old).is_empty());
}

#[test]
fn lists_are_compared_by_position() {
    let told = ["a[1]: y -> z", "a[2].k: (unset) -> 1"];
    assert_eq!(changes("{a: [x, y]}", "{a: [x, z, {k: 1}]}"), told);
}

#[test]
fn a_line_that_becomes_a_block_is_one_change() {
    assert_eq!(
        changes("{upstream: ws://a}", "{upstream: {url: ws://a}}"),
        ["upstream: ws://a -> {url: ws://a}"]
    );
    assert_eq!(changes("{a: []}", "{a: {}}"), ["a: [] -> {}"]);
}

#[test]
fn differences_show_no_secret() {
    assert_eq!(
        changes("{admin: {token: one}}", "{admin: {token: two}}"),
        ["admin.token: *** -> ***"]
    );
    assert_eq!(
        changes("{admin: off}", "{admin: {token: two}}"),
        ["admin: off -> {token: '***'}"]
    );
    assert_eq!(
        changes("{}", "{tls: {key: [a]}}"),
        ["tls.key[0]: (unset) -> ***"]
    );
}

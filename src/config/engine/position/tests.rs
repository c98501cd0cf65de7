use super::super::parse::parse;
use super::super::path::KeyPath;
use super::super::source::lines;
use super::*;

const TEXT: &str = "\
# comment
base: &base
  spare: 1
a:
  - x: 1
    y: {z: 5, z: 6}
  - <<: *base
    7: seven
  - <<: [{p: 1}, {q: 2}]
";

fn at(path: &KeyPath, place: Place) -> (usize, usize) {
    let tree = parse(TEXT, &|_| false, &mut Vec::new()).unwrap();
    let mark = position(
        &lines(TEXT),
        &tree,
        &Finding::error(path.clone(), place, ""),
    );
    (mark.line, mark.column)
}

#[test]
fn keys_and_values_have_positions() {
    let a = KeyPath::of(&["a"]);
    assert_eq!(at(&a, Place::Key), (4, 1));
    assert_eq!(at(&a, Place::Value), (5, 3));
    assert_eq!(at(&a.index(0).key("y").key("z"), Place::Key), (6, 9));
    assert_eq!(at(&a.index(0).key("y").key("z"), Place::Value), (6, 12));
    assert_eq!(at(&a.index(1).key("7"), Place::Key), (8, 5));
}

#[test]
fn merged_keys_keep_their_position() {
    let a = KeyPath::of(&["a"]);
    assert_eq!(at(&a.index(1).key("spare"), Place::Value), (3, 10));
    assert_eq!(at(&a.index(2).key("q"), Place::Key), (9, 19));
}

#[test]
fn what_is_not_written_is_reported_at_the_key_above() {
    let a = KeyPath::of(&["a"]);
    assert_eq!(at(&a.index(0).key("y").key("w"), Place::Value), (6, 5));
    assert_eq!(at(&a.index(9), Place::Value), (4, 1));
    assert_eq!(at(&KeyPath::of(&["nothing"]), Place::Key), (2, 1));
    assert_eq!(at(&KeyPath::default(), Place::Key), (2, 1));
}

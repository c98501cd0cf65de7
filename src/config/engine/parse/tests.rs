use super::*;

fn read(text: &str) -> (Value, Vec<String>) {
    let mut found = Vec::new();
    let tree = parse(text, &|_| false, &mut found).unwrap();
    let told = found
        .iter()
        .map(|f| format!("{} {:?}", f.path, f.mark.map(|at| (at.line, at.column))))
        .collect();
    (tree.value, told)
}

fn refused(text: &str) -> ((usize, usize), String) {
    let found = parse(text, &|_| false, &mut Vec::new()).unwrap_err();
    let at = found.mark.unwrap();
    ((at.line, at.column), found.message)
}

fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    let steps = path.iter().map(|name| match name.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key((*name).to_owned()),
    });
    let mut steps = steps;
    steps
        .try_fold(value, |value, step| Some(&value.child(&step)?.value))
        .unwrap()
}

#[test]
fn every_repeated_key_is_reported_and_the_first_one_counts() {
    let (tree, told) = read("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n");
    assert_eq!(
        told,
        ["b.c Some((2, 11))", "a Some((3, 1))", "a Some((4, 1))"]
    );
    assert_eq!(at(&tree, &["a"]).to_json(), 1);
}

#[test]
fn merge_keys_give_way_to_own_keys_and_to_earlier_sources() {
    let text =
        "x: &x {a: 1, b: 1}\ny: &y {<<: *x, a: 2, c: 2}\nz: {<<: [*y, {d: 4, a: 4}], c: 3}\n";
    let (tree, told) = read(text);
    assert!(told.is_empty());
    assert_eq!(
        at(&tree, &["z"]).to_json(),
        serde_json::json!({"a": 2, "b": 1, "c": 3, "d": 4})
    );
}

#[test]
fn tags_and_bad_merge_keys_are_reported() {
    assert_eq!(read("a: {<<: 5, b: 1}").1, ["a.<< Some((1, 9))"]);
    let (tree, told) = read("a: !seconds 5\nb: [!x {c: 1}]");
    assert_eq!(told, ["a None", "b[0] None"]);
    assert_eq!(at(&tree, &["b", "0", "c"]).to_json(), 1);
}

#[test]
fn syntax_errors_have_a_position() {
    assert_eq!(refused("a: 1\nb: [1,\n").0, (2, 4));
    let (place, message) = refused("a:\n\tb: 1\n");
    assert!(place.0 == 2, "{place:?}");
    assert!(message.contains("tab"), "{message}");
    assert_eq!(refused("a: 1\n---\nb: 2\n").0, (2, 1));
}

#[test]
fn an_alias_bomb_is_refused_and_not_unfolded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{before}]\n");
    }
    let (_, message) = refused(&text);
    assert!(
        message.contains("unfold") || message.contains("repetition"),
        "{message}"
    );
}

#[test]
fn an_alias_of_itself_is_refused() {
    refused("a: &a [*a]");
}

use super::*;

#[test]
fn lines_break_where_yaml_breaks_them() {
    let texts = |text| lines(text).iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(texts("a\r\nb\rc\nd\u{2028}e"), ["a", "b", "c", "d", "e"]);
    assert_eq!(texts("a\n"), ["a", ""]);
}

#[test]
fn an_entry_has_a_key_and_a_value() {
    let read = |text| {
        let line = lines(text)[0];
        let entry = line.entry();
        let value = entry.value().map(|(at, value)| (line.column(at), value));
        (entry.word(), value)
    };
    assert_eq!(read("  - - a: b: c"), ("a", Some((10, "b: c"))));
    assert_eq!(read("'a: b': c"), ("", Some((9, "c"))));
    assert_eq!(read("é_1:"), ("é_1", Some((5, ""))));
    assert_eq!(read("a:b"), ("a", None));
    assert_eq!(read("a # b: c"), ("a", None));
    assert_eq!(read("-a: b"), ("-a", Some((5, "b"))));
}

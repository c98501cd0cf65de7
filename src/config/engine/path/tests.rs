use super::*;

#[test]
fn paths_read_like_the_file() {
    let path = KeyPath::of(&["routes"]).index(2).key("match").key("a b");
    assert_eq!(path.to_string(), "routes[2].match.\"a b\"");
}

#[test]
fn what_is_printed_stays_on_one_line() {
    assert_eq!(plain("a\nb"), "\"a\\nb\"");
    assert_eq!(quoted(&"é".repeat(61)), format!("{:?}…", "é".repeat(60)));
}

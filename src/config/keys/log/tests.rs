use super::*;
use crate::config::engine::parsed;

fn read(text: &str) -> Result<Vec<HeaderName>, String> {
    let value = parsed(text).value;
    let errors = |errors: Vec<ValueError>| errors[0].message.clone();
    Headers.read(&value).map_err(errors)
}

#[test]
fn headers_are_named_in_any_case_and_are_few() {
    let names = [HeaderName::from_static("user-agent"), COOKIE];
    assert_eq!(read("[User-Agent, cookie]").as_deref(), Ok(&names[..]));
    assert_eq!(read("User-Agent").as_deref(), Ok(&names[..1]));
    assert_eq!(read("[]").as_deref(), Ok(&[][..]));
    let many: Vec<String> = (0..17).map(|name| format!("x{name}")).collect();
    for (text, help) in [
        ("[a b]", "\"a b\" is no name"),
        ("['']", "is no name"),
        ("['a:']", "is no name"),
        ("[a, A]", "in the list already"),
        (&format!("[{}]", many.join(", ")), "names 17 headers"),
    ] {
        let message = read(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

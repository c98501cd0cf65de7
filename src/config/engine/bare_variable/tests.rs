use super::super::tree::Value;
use super::*;

#[test]
fn a_variable_without_braces_is_noticed() {
    for (text, whole) in [
        ("$TOKEN", Some(true)),
        ("$token_2", Some(true)),
        ("$(TOKEN)", Some(true)),
        ("%TOKEN%", Some(true)),
        ("ws://$HOST:9501", Some(false)),
        ("${unix_ms}", None),
        ("$", None),
        ("$5", None),
        ("a$b", None),
        ("$a b", None),
        ("50%", None),
        ("${TOKEN}", None),
    ] {
        let mut tree = Node::from(Value::from(text));
        let noticed = bare_variables(&mut tree);
        assert_eq!(noticed.first().map(|it| it.whole), whole, "{text}");
    }
}

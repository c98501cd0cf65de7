use super::*;

fn render(template: &str, message: &str) -> String {
    let context = Context {
        unix_ms: 1_700_000_000_123,
        conn: "01X",
        rtt_ms: Some(18.4),
        message: message.as_bytes(),
    };
    Template::compile(template).unwrap().render(&context)
}

#[test]
fn variables_are_filled_in() {
    let reply = r#"{"type":"pong","id":${json.id},"s":${unix_s},"ms":${unix_ms},"c":"${conn}","rtt":${rtt_ms}}"#;
    assert_eq!(
        render(reply, r#"{"id":"a\"b"}"#),
        r#"{"type":"pong","id":"a\"b","s":1700000000,"ms":1700000000123,"c":"01X","rtt":18.4}"#
    );
    assert_eq!(render("${json.a.b}", r#"{"a":{}}"#), "null");
}

#[test]
fn the_characters_themselves() {
    assert_eq!(
        render("$${unix_s} costs $5 and $$", ""),
        "${unix_s} costs $5 and $$"
    );
    assert_eq!(render("", ""), "");
}

#[test]
fn mistakes_are_told_when_it_is_compiled() {
    assert_eq!(
        Template::compile("ab${unix_s"),
        Err(TemplateError::NotClosed(3))
    );
    assert_eq!(
        Template::compile("${unix}"),
        Err(TemplateError::Unknown("unix".into()))
    );
    assert_eq!(
        Template::compile("${json.a..b}"),
        Err(TemplateError::EmptyStep("json.a..b".into()))
    );
    assert_eq!(
        Template::compile("${json}"),
        Err(TemplateError::Unknown("json".into()))
    );
}

use super::*;

/// Every `$ref` in a document.
fn references<'a>(node: &'a Value, found: &mut Vec<&'a str>) {
    match node {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|below| references(below, found));
        }
        Value::Array(items) => items.iter().for_each(|below| references(below, found)),
        _ => {}
    }
}

#[test]
fn everything_that_is_referred_to_is_there() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
        // A number would tell two types of one name apart, for nobody's benefit.
        assert!(
            !reference.ends_with(|c: char| c.is_ascii_digit()),
            "{reference}"
        );
    }
}

#[test]
fn every_call_is_described_with_its_parameters_and_answers() {
    let document = document();
    for route in &ROUTES {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][route.path][&method];
        assert_eq!(operation["operationId"], route.name);
        let described = operation["parameters"].as_array().unwrap();
        for param in route.params {
            let is_it = |it: &&Value| it["name"] == param.name && it["in"] == "query";
            assert!(described.iter().any(|it| is_it(&it)), "{}", param.name);
        }
        assert!(operation["responses"]["400"].is_object());
        let needs_origin = !operation["responses"]["403"].is_null();
        assert_eq!(needs_origin, method != "get");
    }
}

#[test]
fn the_closing_record_is_described_field_by_field() {
    let document = document();
    let line = &document["components"]["schemas"]["ClosedLine"]["properties"];
    for field in [
        "timestamp",
        "conn",
        "reason",
        "client_close",
        "upstream_rtt_ms",
        "captured",
    ] {
        assert!(line[field]["description"].is_string(), "{field}: {line}");
    }
}

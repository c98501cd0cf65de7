//! The list of calls, and the description made from it.

use serde_json::Value;

use super::*;

fn document() -> Value {
    openapi::document(&operations())
}

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
fn every_schema_that_is_referred_to_is_defined() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
        // schemars numbers types that share a name.
        assert!(
            !reference.ends_with(|c: char| c.is_ascii_digit()),
            "{reference}"
        );
    }
}

#[test]
fn every_call_is_described_with_its_parameters_and_answers() {
    let document = document();
    for operation in operations() {
        let method = operation.method.as_str().to_ascii_lowercase();
        let described = &document["paths"][operation.path][&method];
        assert_eq!(described["operationId"], operation.name);
        assert!(!operation.summary.is_empty());
        let answer = &described["responses"][operation.answer.status.as_str()];
        assert!(
            answer["description"]
                .as_str()
                .is_some_and(|it| !it.is_empty())
        );
        let parameters = described["parameters"].as_array().unwrap();
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{parameter}");
            assert!(parameter["schema"]["type"].is_string(), "{parameter}");
        }
        let has_query = parameters.iter().any(|it| it["in"] == "query");
        assert_eq!(has_query, operation.query.is_some(), "{}", operation.name);
        assert!(described["responses"]["400"].is_object());
        let needs_origin = !described["responses"]["403"].is_null();
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

//! The calls described: an OpenAPI 3.1 document, made from the table that answers and the types that are answered.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::query::{Kind, Param};
use super::routes::{ROUTES, Route, problems};

const SCHEMAS: &str = "/components/schemas";

pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|it| {
        it.definitions_path = SCHEMAS.into();
        it.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in &ROUTES {
        let answer = (route.answer.schema)(&mut schemas);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_ascii_lowercase();
        path[method] = operation(route, &answer.into(), problem.as_value());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Admin API of sidebeat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Who is connected, who was, why they ended; closing and pinging them; the configuration; \
                            draining. Errors are `application/problem+json` (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        // With `admin.token` the token, without it nothing.
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`admin.token` of the configuration."},
            },
        },
    })
}

fn operation(route: &Route, answer: &Value, problem: &Value) -> Value {
    let id = json!({
        "name": "id",
        "in": "path",
        "required": true,
        "description": "The connection's `conn`.",
        "schema": {"type": "string", "pattern": "^[0-9A-Z]{26}$"},
    });
    let id = route.path.contains("{id}").then_some(id);
    let parameters: Vec<Value> = id
        .into_iter()
        .chain(route.params.iter().map(parameter))
        .collect();
    let mut responses = Map::new();
    let well = &route.answer;
    responses.insert(
        well.status.to_string(),
        json!({
            "description": well.doc,
            "content": {well.content_type: {"schema": answer}},
        }),
    );
    for (status, when) in problems(route) {
        let content = json!({"application/problem+json": {"schema": problem}});
        let response = json!({"description": when, "content": content});
        responses.insert(status.to_string(), response);
    }
    json!({
        "operationId": route.name,
        "summary": route.doc,
        "parameters": parameters,
        "responses": responses,
    })
}

fn parameter(param: &Param) -> Value {
    let mut parameter = json!({
        "name": param.name,
        "in": "query",
        "description": param.doc,
        "schema": param.kind.schema(),
    });
    if matches!(param.kind, Kind::Words(_)) {
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    parameter
}

#[cfg(test)]
mod tests {
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
}

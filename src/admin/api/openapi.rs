//! The calls described: an OpenAPI 3.1 document, made from the table that answers and the types that are answered.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::operations::{ROUTES, Route, problems};
use super::query::{Kind, Param};

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
mod tests;

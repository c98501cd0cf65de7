//! The calls described: an OpenAPI 3.1 document, made from the list that routes them and the types that they read and
//! answer.

use hyper::{Method, StatusCode};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::operation::Operation;

const SCHEMAS: &str = "/components/schemas";

pub(super) fn document(operations: &[Operation]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|it| {
        it.definitions_path = SCHEMAS.into();
        it.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<Problem>();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = operation.method.as_str().to_ascii_lowercase();
        path[method] = described(operation, &mut schemas, problem.as_value());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Admin API of sidebeat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Open connections, closed ones and why they ended; closing and pinging them; the \
                            configuration; draining. Errors are `application/problem+json` (RFC 9457).",
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

fn described(operation: &Operation, schemas: &mut SchemaGenerator, problem: &Value) -> Value {
    let answer = &operation.answer;
    let schema = match answer.schema {
        Some(schema) => schema(schemas).into(),
        None if answer.content_type == "application/json" => json!({"type": "object"}),
        None => json!({"type": "string"}),
    };
    let mut responses = Map::new();
    responses.insert(
        answer.status.as_str().to_owned(),
        json!({
            "description": answer.description,
            "content": {answer.content_type: {"schema": schema}},
        }),
    );
    for (status, when) in problems(operation) {
        let content = json!({"application/problem+json": {"schema": problem}});
        let response = json!({"description": when, "content": content});
        responses.insert(status.to_string(), response);
    }
    json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": responses,
    })
}

/// Statuses of errors that a call has, in order.
fn problems(operation: &Operation) -> Vec<(u16, &'static str)> {
    let mut all = vec![
        (400, "A parameter is wrong; `field` names it."),
        (401, "`admin.token` is set, and this is not it."),
        (408, "A body, which no call needs, did not arrive in time."),
        (413, "A body, which no call needs, has more than 64 KiB."),
        (
            421,
            "Without a token, the host must be an address or localhost.",
        ),
    ];
    if operation.method != Method::GET {
        all.push((
            StatusCode::FORBIDDEN.as_u16(),
            "A page of another site asks.",
        ));
    }
    all.extend(&operation.problems);
    all.sort_unstable();
    all
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let id = operation.path.contains("{id}").then(|| {
        json!({
            "name": "id",
            "in": "path",
            "required": true,
            "description": "The connection's `conn`.",
            "schema": {"type": "string", "pattern": "^[0-9A-Z]{26}$"},
        })
    });
    let query = operation.query.map(|query| {
        // Inline and by itself: a parameter's type is used nowhere else.
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        query(&mut settings.into_generator())
    });
    let query = query.map(Value::from);
    let fields = query
        .as_ref()
        .and_then(|query| query["properties"].as_object());
    let fields = fields.into_iter().flatten();
    let fields = fields.map(|(name, schema)| parameter(name, schema));
    id.into_iter().chain(fields).collect()
}

fn parameter(name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let description = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("description"));
    without_null(&mut schema);
    let mut parameter = json!({
        "name": name,
        "in": "query",
        "description": description,
        "schema": schema,
    });
    if parameter["schema"]["type"] == "array" {
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    parameter
}

/// A parameter that may be left out is an `Option`, which JSON would write as null; a query cannot.
fn without_null(schema: &mut Value) {
    if let Some([value, null]) = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        && *null == json!({"type": "null"})
    {
        *schema = value.clone();
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.retain(|value| !value.is_null());
    }
    if let Some(types) = schema.get_mut("type")
        && let Some(kept) = types
            .as_array()
            .and_then(|all| all.iter().find(|it| *it != "null"))
    {
        *types = kept.clone();
    }
}

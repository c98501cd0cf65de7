//! One call of the API: its route and handler, and what its description says.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post};
use hyper::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::super::state::AdminState;

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

pub(super) struct Operation {
    pub(super) method: Method,
    /// As OpenAPI and the router both write it: `{id}` stands for one segment.
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) handler: MethodRouter<Arc<AdminState>>,
    /// A type whose fields are the query's parameters.
    pub(super) query: Option<SchemaOf>,
    pub(super) answer: Answer,
    /// Statuses of errors that only this call has, and when.
    pub(super) problems: Vec<(u16, &'static str)>,
}

/// What is answered on success.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) description: &'static str,
    /// None: the description knows no more than the content type.
    pub(super) schema: Option<SchemaOf>,
}

impl Operation {
    pub(super) fn get<H, T>(path: &'static str, name: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<AdminState>>,
        T: 'static,
    {
        Operation::new(Method::GET, path, name, get(handler))
    }

    pub(super) fn post<H, T>(path: &'static str, name: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<AdminState>>,
        T: 'static,
    {
        Operation::new(Method::POST, path, name, post(handler))
    }

    pub(super) fn delete<H, T>(path: &'static str, name: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<AdminState>>,
        T: 'static,
    {
        Operation::new(Method::DELETE, path, name, delete(handler))
    }

    fn new(
        method: Method,
        path: &'static str,
        name: &'static str,
        handler: MethodRouter<Arc<AdminState>>,
    ) -> Self {
        Operation {
            method,
            path,
            name,
            summary: "",
            handler,
            query: None,
            answer: Answer {
                status: StatusCode::OK,
                content_type: "application/json",
                description: "",
                schema: None,
            },
            problems: Vec::new(),
        }
    }

    pub(super) fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(super) fn query<Q: JsonSchema>(mut self) -> Self {
        self.query = Some(Q::json_schema);
        self
    }

    pub(super) fn answers<A: JsonSchema>(mut self, description: &'static str) -> Self {
        self.answer.description = description;
        self.answer.schema = Some(|schemas| schemas.subschema_for::<A>());
        self
    }

    /// For an answer whose form is described elsewhere.
    pub(super) fn answers_with(
        mut self,
        content_type: &'static str,
        description: &'static str,
    ) -> Self {
        self.answer.content_type = content_type;
        self.answer.description = description;
        self
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.answer.status = status;
        self
    }

    pub(super) fn problem(mut self, status: u16, when: &'static str) -> Self {
        self.problems.push((status, when));
        self
    }
}

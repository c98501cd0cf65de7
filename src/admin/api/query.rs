//! Query parameters: read into a call's own type, which also describes them. Each must be known, given once and valid;
//! anything else is a [`Problem`] that names the parameter.

mod values;

use std::cell::RefCell;
use std::fmt;

use axum::extract::FromRequestParts;
use hyper::http::request::Parts;
use schemars::JsonSchema;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::super::problem::Problem;
pub(super) use values::{CloseCode, CloseReason, Limit, List, OneOf, Text};

/// Extracts the query of a request.
pub(super) struct Query<T>(pub(super) T);

/// The query of a call without parameters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    // serde does not say which entry an error is about; it is the last one that was read.
    let current = RefCell::new(String::new());
    let pairs = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| {
        let name = name.into_owned();
        current.replace(name.clone());
        (name, ParameterValue(value.into_owned()))
    });
    T::deserialize(MapDeserializer::new(pairs))
        .map_err(|QueryError(detail)| Problem::field(&current.borrow(), detail))
}

/// What is wrong with a parameter.
#[derive(Debug)]
struct QueryError(String);

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for QueryError {}

impl de::Error for QueryError {
    fn custom<T: fmt::Display>(detail: T) -> Self {
        QueryError(detail.to_string())
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        QueryError(match known {
            [] => "this call has no parameters".to_owned(),
            known => format!("unknown parameter; there are {}", known.join(", ")),
        })
    }

    fn duplicate_field(_: &'static str) -> Self {
        QueryError("is given more than once".to_owned())
    }
}

/// A parameter's text. A parameter that is there is a value, never null.
struct ParameterValue(String);

impl<'de> IntoDeserializer<'de, QueryError> for ParameterValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for ParameterValue {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

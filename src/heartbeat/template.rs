//! Replies with variables, compiled when the file is loaded.

use std::fmt::Write as _;

use thiserror::Error;

use super::json;

/// A text with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    UnixSeconds,
    UnixMillis,
    Connection,
    RttMillis,
    /// The raw JSON value at a path of the message that is answered.
    Json(Box<[Box<str>]>),
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// `${` without `}`.
    #[error("`${{` at character {0} is not closed; write `$${{` for the characters themselves")]
    NotClosed(usize),
    /// A name that is no variable.
    #[error(
        "unknown variable ${{{0}}}; there are ${{unix_s}}, ${{unix_ms}}, ${{conn}}, ${{rtt_ms}} and ${{json.path.to.field}}"
    )]
    Unknown(String),
    /// `${json.}` or `${json.a..b}`.
    #[error("${{{0}}} has an empty step in its path")]
    EmptyStep(String),
}

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The connection's id.
    pub conn: &'a str,
    /// The last round trip to the client, in milliseconds; none: `null`.
    pub rtt_ms: Option<f64>,
    /// The message that is answered.
    pub message: &'a [u8],
}

impl Template {
    /// Compiles a text; `$${` stands for `${`.
    ///
    /// # Errors
    /// A variable that is not closed or that is none.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = &from[2..];
                continue;
            }
            literal.push_str(before);
            let position = text[..text.len() - from.len()].chars().count() + 1;
            let end = from.find('}').ok_or(TemplateError::NotClosed(position))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal).into()));
            }
            parts.push(variable(&from[2..end])?);
            rest = &from[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        Ok(Template { parts })
    }

    /// The text with its variables filled in; a field that the message does not have is `null`.
    #[must_use]
    pub fn render(&self, context: &Context<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            // Writing to a String cannot fail.
            let _ = match part {
                Part::Text(text) => out.write_str(text),
                Part::UnixSeconds => write!(out, "{}", context.unix_ms / 1000),
                Part::UnixMillis => write!(out, "{}", context.unix_ms),
                Part::Connection => out.write_str(context.conn),
                Part::RttMillis => match context.rtt_ms {
                    Some(rtt) => write!(out, "{rtt}"),
                    None => out.write_str("null"),
                },
                Part::Json(path) => {
                    out.write_str(json::look_up(context.message, path).unwrap_or("null"))
                }
            };
        }
        out
    }
}

fn variable(name: &str) -> Result<Part, TemplateError> {
    Ok(match name {
        "unix_s" => Part::UnixSeconds,
        "unix_ms" => Part::UnixMillis,
        "conn" => Part::Connection,
        "rtt_ms" => Part::RttMillis,
        _ => match name.strip_prefix("json.") {
            Some(path) if path.split('.').any(str::is_empty) => {
                return Err(TemplateError::EmptyStep(name.to_owned()));
            }
            Some(path) => Part::Json(path.split('.').map(Into::into).collect()),
            None => return Err(TemplateError::Unknown(name.to_owned())),
        },
    })
}

#[cfg(test)]
mod tests;

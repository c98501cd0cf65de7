//! Asking the API. Every answer is waited for only so long: nothing else bounds a command in an image without a shell.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, http};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::address::Address;
use crate::admin::Problem;
use crate::net::stream::Stream;

/// The most that is waited for an answer.
pub(in crate::cli) const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is taken, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The largest event.
const MAX_EVENT: usize = 1024 * 1024;

/// A running sidecar.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Remote {
    address: Address,
    token: Option<HeaderValue>,
    /// The file that said where it is.
    file: Option<PathBuf>,
}

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum AskError {
    #[error(
        "nothing listens at {0} (connection refused): is sidebeat running, and is that its `admin.listen`?"
    )]
    Refused(Place),
    #[error("{0} cannot be reached: {1}")]
    Connect(Place, io::Error),
    #[error("no answer from {0} within {1:?}")]
    Late(Place, Duration),
    #[error("the connection to {0} ended without an answer: {1}")]
    Lost(Place, hyper::Error),
    #[error("the request is not valid: {0}")]
    Request(http::Error),
    #[error("{0} answers, but not as sidebeat's admin API does ({1}): is that `admin.listen`?")]
    Foreign(Place, String),
    #[error("{0} wants a token: set SIDEBEAT_TOKEN, or name the file that has it by -c")]
    NoToken(Place),
    #[error("the token is not that of {0}: compare it with `admin.token`")]
    WrongToken(Place),
    #[error("{detail} (HTTP status {})", .status.as_u16())]
    Problem { status: StatusCode, detail: String },
}

/// An address, and where it was found.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Place {
    address: Address,
    file: Option<PathBuf>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.file {
            Some(file) if file.exists() => write!(f, " ({})", file.display()),
            Some(_) => f.write_str(" (the default)"),
            None => Ok(()),
        }
    }
}

impl AskError {
    /// Whether nobody is there at all.
    pub(in crate::cli) fn is_absence(&self) -> bool {
        matches!(
            self,
            AskError::Refused(_) | AskError::Connect(..) | AskError::Lost(..)
        )
    }

    /// The status of an answer that says what is wrong.
    pub(in crate::cli) fn status(&self) -> Option<StatusCode> {
        match self {
            AskError::Problem { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Remote {
    pub(super) fn new(address: Address, token: Option<HeaderValue>, file: Option<PathBuf>) -> Self {
        Remote {
            address,
            token,
            file,
        }
    }

    #[cfg(test)]
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    #[cfg(test)]
    pub(super) fn secret(&self) -> Option<&str> {
        self.token.as_ref().and_then(|token| token.to_str().ok())
    }

    /// Where it is, for people.
    pub(in crate::cli) fn place(&self) -> Place {
        Place {
            address: self.address.clone(),
            file: self.file.clone(),
        }
    }

    pub(in crate::cli) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        self.ask(Method::GET, path, PATIENCE).await
    }

    /// Waits for the answer for at most `patience`.
    pub(in crate::cli) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        patience: Duration,
    ) -> Result<T, AskError> {
        let exchange = async {
            let response = self.send(method, path).await?;
            let (status, bytes) = self.whole(response).await?;
            match status.is_success() {
                true => serde_json::from_slice(&bytes)
                    .map_err(|error| AskError::Foreign(self.place(), error.to_string())),
                false => Err(self.problem(status, &bytes)),
            }
        };
        let late = |_| AskError::Late(self.place(), patience);
        timeout(patience, exchange).await.map_err(late)?
    }

    /// Follows server-sent events.
    pub(in crate::cli) async fn listen(&self, path: &str) -> Result<Events, AskError> {
        let exchange = async {
            let response = self.send(Method::GET, path).await?;
            if response.status() == StatusCode::OK {
                let body = response.into_body();
                let unread = BytesMut::new();
                return Ok(Events { body, unread });
            }
            let (status, bytes) = self.whole(response).await?;
            Err(self.problem(status, &bytes))
        };
        let late = |_| AskError::Late(self.place(), PATIENCE);
        timeout(PATIENCE, exchange).await.map_err(late)?
    }

    /// Each request has a connection of its own: there are few, and none is there to be stale.
    async fn send(&self, method: Method, path: &str) -> Result<Response<Incoming>, AskError> {
        let stream = self.connect().await.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => AskError::Refused(self.place()),
            _ => AskError::Connect(self.place(), error),
        })?;
        let host = match &self.address {
            Address::Tcp { authority, .. } => authority,
            Address::Unix(_) => "localhost",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(AskError::Request)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.no_answer(error))?;
        // It ends with the answer.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await;
        answer.map_err(|error| self.no_answer(error))
    }

    async fn connect(&self) -> io::Result<Stream> {
        match &self.address {
            Address::Unix(path) => Ok(UnixStream::connect(path).await?.into()),
            Address::Tcp { authority, ips } if ips.is_empty() => {
                Ok(TcpStream::connect(authority).await?.into())
            }
            Address::Tcp { ips, .. } => Ok(TcpStream::connect(&**ips).await?.into()),
        }
    }

    fn no_answer(&self, error: hyper::Error) -> AskError {
        match error.is_parse() {
            true => AskError::Foreign(self.place(), error.to_string()),
            false => AskError::Lost(self.place(), error),
        }
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<(StatusCode, Bytes), AskError> {
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE);
        let is_json = content_type.is_some_and(|it| {
            let it = it.as_bytes();
            it.starts_with(b"application/json") || it.starts_with(b"application/problem+json")
        });
        if !is_json {
            let what = format!("HTTP status {}", status.as_u16());
            return Err(AskError::Foreign(self.place(), what));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        let body = body.await.map_err(|error| match error.downcast() {
            Ok(lost) => AskError::Lost(self.place(), *lost),
            Err(too_long) => AskError::Foreign(self.place(), too_long.to_string()),
        })?;
        Ok((status, body.to_bytes()))
    }

    fn problem(&self, status: StatusCode, body: &[u8]) -> AskError {
        match (serde_json::from_slice(body), &self.token) {
            (Ok(Problem { .. }), None) if status == StatusCode::UNAUTHORIZED => {
                AskError::NoToken(self.place())
            }
            (Ok(Problem { .. }), Some(_)) if status == StatusCode::UNAUTHORIZED => {
                AskError::WrongToken(self.place())
            }
            (Ok(Problem { detail, .. }), _) => AskError::Problem { status, detail },
            (Err(error), _) => AskError::Foreign(self.place(), error.to_string()),
        }
    }
}

/// Server-sent events (HTML Living Standard, section 9.2).
pub(in crate::cli) struct Events {
    body: Incoming,
    unread: BytesMut,
}

impl Events {
    /// The `data` of the next event; none: there will be no more. May be dropped and called again.
    pub(in crate::cli) async fn next(&mut self) -> Option<serde_json::Value> {
        loop {
            while let Some(data) = take_event(&mut self.unread) {
                if let Some(data) = data {
                    return Some(data);
                }
            }
            if self.unread.len() > MAX_EVENT {
                return None;
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.unread.extend_from_slice(&data);
            }
        }
    }
}

/// Takes the first event out of `unread`, once it is whole; within: its data, unless it is a comment.
fn take_event(unread: &mut BytesMut) -> Option<Option<serde_json::Value>> {
    let end = unread.windows(2).position(|two| two == b"\n\n")?;
    let event = unread.split_to(end);
    unread.advance(2);
    let event = String::from_utf8_lossy(&event);
    let mut lines = event.lines();
    let data = lines.find_map(|line| line.strip_prefix("data: "));
    Some(data.and_then(|data| serde_json::from_str(data).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_once_they_are_whole() {
        let mut unread =
            BytesMut::from(&b": keep-alive\n\nevent: drained\nid: 7\ndata: {\"connect"[..]);
        assert_eq!(take_event(&mut unread), Some(None));
        assert_eq!(take_event(&mut unread), None);
        unread.extend_from_slice(b"ions\":2}\n");
        assert_eq!(take_event(&mut unread), None);
        unread.extend_from_slice(b"\nevent");
        let data = take_event(&mut unread).unwrap().unwrap();
        assert_eq!(data, serde_json::json!({"connections": 2}));
        assert_eq!(&*unread, b"event");
    }
}

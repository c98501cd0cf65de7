//! Request and answer heads as text.

use std::io::Read;

use super::retry_interrupted;

/// A request that a test makes up.
#[derive(Clone)]
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    after: Vec<u8>,
}

impl Request {
    /// Any request line, no headers.
    pub(crate) fn line(line: &str) -> Request {
        Request {
            line: line.to_owned(),
            headers: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The opening handshake of RFC 6455 section 1.3.
    pub(crate) fn opening(target: &str) -> Request {
        Request::line(&format!("GET {target} HTTP/1.1"))
            .header("Host", "chat.example.com")
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13")
    }

    /// What the answer to [`Request::opening`] must have in Sec-WebSocket-Accept.
    pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    /// The same headers after another request line.
    pub(crate) fn with_line(mut self, line: &str) -> Request {
        self.line = line.to_owned();
        self
    }

    /// One header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// All headers of that name gone.
    pub(crate) fn without(mut self, name: &str) -> Request {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// That header with another value.
    pub(crate) fn with(self, name: &str, value: &str) -> Request {
        self.without(name).header(name, value)
    }

    /// Bytes that follow the head in the same segment.
    pub(crate) fn followed_by(mut self, bytes: &[u8]) -> Request {
        self.after.extend_from_slice(bytes);
        self
    }

    /// As it goes on the wire.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = format!("{}\r\n", self.line);
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.after);
        out
    }
}

/// The head of a request or an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The first line.
    pub(crate) line: String,
    /// In their order.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value; panics if it is there more than once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        let first = values.next();
        assert!(
            values.next().is_none(),
            "{name} more than once in {:?}",
            self.headers
        );
        first
    }

    fn parse(text: &str) -> Head {
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':').expect("a header line has a colon");
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        Head { line, headers }
    }
}

/// Reads up to the end of a head; what came after it stays in `after`. None: the stream ended before.
pub(crate) fn read_head(stream: &mut impl Read, after: &mut Vec<u8>) -> Option<Head> {
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(end) = after.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&after[..end]).into_owned();
            after.drain(..end + 4);
            return Some(Head::parse(&text));
        }
        match retry_interrupted(|| stream.read(&mut buffer)) {
            Ok(0) => return None,
            Ok(len) => after.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("waited in vain for a head after {after:?}: {error}"),
        }
    }
}

/// An answer with its body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// 101, 502, …
    pub(crate) status: u16,
    /// The rest of the head.
    pub(crate) head: Head,
    /// As long as Content-Length says; empty for a 101.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer; what came after it stays in `after`. None: the stream ended before its head.
    pub(crate) fn read(stream: &mut impl Read, after: &mut Vec<u8>) -> Option<Answer> {
        let head = read_head(stream, after)?;
        let status = head
            .line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {:?}", head.line));
        let len: usize = match head.header("content-length") {
            Some(len) if status != 101 => len.parse().expect("a length"),
            _ => 0,
        };
        let mut buffer = [0; 16 * 1024];
        while after.len() < len {
            let read =
                retry_interrupted(|| stream.read(&mut buffer)).expect("the rest of the body");
            assert!(read > 0, "the body ended after {} of {len}", after.len());
            after.extend_from_slice(&buffer[..read]);
        }
        let body = after.drain(..len).collect();
        Some(Answer { status, head, body })
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }
}

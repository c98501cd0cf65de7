//! HTTP/1.1 messages by the letter of RFC 9112, for judging what the sidecar wrote.

/// A head and where its body begins.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// The request line or status line.
    pub(super) start: &'a str,
    lines: Vec<(String, &'a [u8])>,
    pub(super) len: usize,
}

impl<'a> Head<'a> {
    /// None: it is not whole. Panics if it is no head at all.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Head<'a>> {
        let len = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let mut lines = Vec::new();
        let mut rest = &bytes[..len - 2];
        while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
            let line = &rest[..end];
            assert!(
                !line.iter().any(|byte| b"\r\n\0".contains(byte)),
                "RFC 9112 section 2.2"
            );
            lines.push(line);
            rest = &rest[end + 2..];
        }
        let start = std::str::from_utf8(lines[0]).unwrap_or_default();
        let lines = lines[1..].iter().map(|line| {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                panic!("a line without a colon: {line:x?}");
            };
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            assert!(
                !name.is_empty() && name.chars().all(is_name),
                "no name of a header: {name:?}"
            );
            (name, line[colon + 1..].trim_ascii())
        });
        Some(Head {
            start,
            lines: lines.collect(),
            len,
        })
    }

    pub(super) fn all(&self, name: &str) -> Vec<&'a [u8]> {
        let named = self.lines.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| *value).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// The one value of a header; none: it has none, or several.
    pub(super) fn one(&self, name: &str) -> Option<&'a str> {
        match self.all(name)[..] {
            [value] => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    /// Panics unless the end of the body is said in one way (RFC 9112 section 6).
    pub(super) fn assert_framed_once(&self) {
        let (lengths, codings) = (self.all("content-length"), self.all("transfer-encoding"));
        assert!(
            lengths.len() + codings.len() <= 1,
            "RFC 9112 section 6.3: {:?}",
            self.lines
        );
        for length in lengths {
            assert!(
                !length.is_empty() && length.iter().all(u8::is_ascii_digit),
                "{length:x?}"
            );
        }
        for coding in codings {
            assert!(coding.eq_ignore_ascii_case(b"chunked"), "{coding:x?}");
        }
    }

    /// How long a request's head and body are; none: the body is not whole.
    pub(super) fn message_len(&self, bytes: &[u8]) -> Option<usize> {
        if self.has("transfer-encoding") {
            return chunked_len(&bytes[self.len..]).map(|len| self.len + len);
        }
        let length = self
            .one("content-length")
            .map_or(Some(0), |length| length.parse().ok())?;
        let len = self.len.checked_add(length)?;
        (len <= bytes.len()).then_some(len)
    }
}

fn chunked_len(bytes: &[u8]) -> Option<usize> {
    let line = |at: usize| {
        bytes[at..]
            .windows(2)
            .position(|two| two == b"\r\n")
            .map(|end| at + end)
    };
    let mut at = 0;
    loop {
        let end = line(at)?;
        let size = std::str::from_utf8(&bytes[at..end]).unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size, 16) else {
            panic!("no size of a chunk: {size:?}");
        };
        at = end + 2;
        if size == 0 {
            break;
        }
        at = at.checked_add(size)?.checked_add(2)?;
        if at > bytes.len() {
            return None;
        }
        assert_eq!(&bytes[at - 2..at], b"\r\n", "RFC 9112 section 7.1");
    }
    // Trailers.
    loop {
        let end = line(at)?;
        if end == at {
            return Some(end + 2);
        }
        at = end + 2;
    }
}

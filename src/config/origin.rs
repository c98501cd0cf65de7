//! Which origins may open a WebSocket.

use serde_json::json;

use super::keypath::quoted;
use super::kind::Word;
use super::policy::OriginPattern;
use super::route::{host_name, is_host_pattern, is_subdomain};

impl OriginPattern {
    /// Whether a page of this origin (the Origin header, RFC 6454 section 7) may open a WebSocket.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            OriginPattern::Exact(exact) => exact.eq_ignore_ascii_case(origin),
            OriginPattern::Subdomain(suffix) => {
                origin_host(origin).is_some_and(|host| is_subdomain(host, suffix))
            }
            OriginPattern::Host(exact) => {
                origin_host(origin).is_some_and(|host| host.eq_ignore_ascii_case(exact))
            }
        }
    }
}

/// One item of `limits.allowed_origins`.
pub(super) const ORIGIN: Word<OriginPattern> = Word {
    read: origin_pattern,
    show: |value| match value {
        OriginPattern::Exact(origin) => json!(origin),
        OriginPattern::Host(host) => json!(host),
        OriginPattern::Subdomain(suffix) => json!(format!("*{suffix}")),
    },
    schema: || json!({"type": "string", "minLength": 1}),
};

fn origin_pattern(text: &str) -> Result<OriginPattern, String> {
    if text == "*" {
        return Err("`*` alone is what an empty list means: any origin may connect".to_owned());
    }
    if text == "null" {
        return Ok(OriginPattern::Exact(text.to_owned()));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let word = !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if let Some(origin) = text.strip_suffix('/') {
            return Err(format!(
                "an origin has no path, not even `/`: write {}",
                quoted(origin)
            ));
        }
        if word && !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*', ' ']) {
            return Ok(OriginPattern::Exact(text.to_ascii_lowercase()));
        }
    } else if is_host_pattern(text) {
        let text = text.to_ascii_lowercase();
        return Ok(match text.strip_prefix('*') {
            Some(suffix) => OriginPattern::Subdomain(suffix.to_owned()),
            None => OriginPattern::Host(text),
        });
    }
    Err(format!(
        "{} is no origin; write https://chat.example.com, chat.example.com or *.example.com",
        quoted(text)
    ))
}

fn origin_host(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host_name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let allows = |pattern: &str, origin: &str| (ORIGIN.read)(pattern).unwrap().allows(origin);
        assert!(allows("https://a.example.com", "https://A.example.com"));
        assert!(!allows("https://a.example.com", "http://a.example.com"));
        assert!(!allows(
            "https://a.example.com",
            "https://a.example.com:8443"
        ));
        assert!(allows("a.example.com", "http://a.example.com:8443"));
        assert!(!allows("a.example.com", "http://b.example.com"));
        assert!(!allows("a.example.com", "a.example.com"));
        assert!(allows("*.example.com", "https://x.y.example.com:1"));
        assert!(!allows("*.example.com", "https://example.com"));
        assert!(!allows("*.example.com", "https://evil-example.com"));
        assert!(!allows("*.example.com", "null"));
        assert!(allows("null", "null"));
    }

    #[test]
    fn what_is_no_origin() {
        for text in [
            "*",
            "",
            "https://",
            "https://a/",
            "https://a/b",
            "https://*.a",
            "a:80",
            "a b",
            "*.*.a",
            "*a",
        ] {
            assert!((ORIGIN.read)(text).is_err(), "{text}");
        }
    }
}

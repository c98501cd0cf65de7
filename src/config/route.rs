//! Which route a request takes.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::address::is_host;
use super::keypath::quoted;
use super::kind::Word;
use super::policy::{Config, Route, RouteMatch};

impl Config {
    /// The first route that takes a request, else the default one.
    ///
    /// `path` is the request's path without its query, `host` the Host header as received (with or without a port),
    /// `subprotocols` what the client offers, in any order.
    #[must_use]
    pub fn route_for(&self, path: &str, host: &str, subprotocols: &[&str]) -> &Arc<Route> {
        let host = host_name(host);
        let taken = self
            .routes
            .iter()
            .find(|(rule, _)| rule.matches(path, host, subprotocols));
        taken.map_or(&self.default, |(_, route)| route)
    }
}

impl RouteMatch {
    /// Whether every field that is set holds; `host` comes without its port.
    #[must_use]
    pub fn matches(&self, path: &str, host: &str, subprotocols: &[&str]) -> bool {
        self.path.as_ref().is_none_or(|exact| exact == path)
            && self
                .path_prefix
                .as_ref()
                .is_none_or(|prefix| is_under(path, prefix))
            && self
                .host
                .as_ref()
                .is_none_or(|pattern| host_matches(pattern, host))
            && self
                .subprotocol
                .as_ref()
                .is_none_or(|one| subprotocols.contains(&one.as_str()))
    }

    /// Whether nothing is set, so that every request matches.
    pub(super) fn is_empty(&self) -> bool {
        *self == RouteMatch::default()
    }

    /// Whether this takes every request that `later` would take.
    pub(super) fn covers(&self, later: &RouteMatch) -> bool {
        let path = match (&self.path, &later.path) {
            (None, _) => true,
            (Some(mine), theirs) => theirs.as_ref() == Some(mine),
        };
        let prefix = self.path_prefix.as_ref().is_none_or(|mine| {
            let theirs = later.path.as_ref().or(later.path_prefix.as_ref());
            theirs.is_some_and(|theirs| is_under(theirs, mine))
        });
        let host = self.host.as_ref().is_none_or(|mine| {
            let theirs = later.host.as_ref();
            theirs.is_some_and(|theirs| theirs == mine || host_matches(mine, theirs))
        });
        path && prefix
            && host
            && (self.subprotocol.is_none() || self.subprotocol == later.subprotocol)
    }

    /// Whether `path` and `path_prefix` exclude each other.
    pub(super) fn contradicts_itself(&self) -> bool {
        match (&self.path, &self.path_prefix) {
            (Some(path), Some(prefix)) => !is_under(path, prefix),
            _ => false,
        }
    }

    /// The match written short: `chat.example.com/ws`, `/api/*`, `[mqtt]`.
    pub(super) fn short(&self) -> String {
        let mut text = self.host.clone().unwrap_or_default();
        match (&self.path, &self.path_prefix) {
            (Some(path), _) => text.push_str(path),
            (None, Some(prefix)) => {
                text.push_str(prefix.trim_end_matches('/'));
                text.push_str("/*");
            }
            (None, None) => {}
        }
        if let Some(one) = &self.subprotocol {
            // Writing to a String cannot fail.
            let _ = write!(text, "[{one}]");
        }
        text
    }
}

/// `/chat` has `/chat`, `/chat/` and `/chat/1` under it, and not `/chatter`; `/chat/` does not have `/chat`.
fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => is_subdomain(host, suffix),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// Whether `host` ends in `suffix` (which begins with a dot) and has a label before it.
pub(super) fn is_subdomain(host: &str, suffix: &str) -> bool {
    let cut = host.len().checked_sub(suffix.len()).filter(|cut| *cut > 0);
    cut.and_then(|cut| host.get(cut..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// A Host header without its port; an IPv6 address keeps its brackets.
pub(super) fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// `match.path`.
pub(super) const PATH: Word<Option<String>> = Word {
    read: path,
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string", "pattern": "^(/[^?#]*)?$"}),
};

/// `match.host`.
pub(super) const HOST_PATTERN: Word<Option<String>> = Word {
    read: |text| match text {
        "" => Ok(None),
        _ if is_host_pattern(text) => Ok(Some(text.to_ascii_lowercase())),
        _ => Err(format!(
            "{} is no host; write chat.example.com or *.example.com, without scheme or port",
            quoted(text)
        )),
    },
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string", "pattern": r"^(\*\.)?[^*/: ]*$|^\[.*\]$"}),
};

/// `match.subprotocol`.
pub(super) const SUBPROTOCOL: Word<Option<String>> = Word {
    read: |text| match text {
        "" => Ok(None),
        _ if text.bytes().all(is_token_byte) => Ok(Some(text.to_owned())),
        _ => Err(format!(
            "{} is no subprotocol name (RFC 6455 section 4.1: a token)",
            quoted(text)
        )),
    },
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string"}),
};

fn path(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('/') {
        return Err(format!(
            "a path begins with `/`: write {}",
            quoted(&format!("/{text}"))
        ));
    }
    if text.contains('*') {
        return Err(
            "paths have no wildcards; use `path_prefix` for everything below a path".to_owned(),
        );
    }
    if text.contains(['?', '#']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "{} is no path: queries, fragments and spaces are not part of it",
            quoted(text)
        ));
    }
    Ok(Some(text.to_owned()))
}

pub(super) fn is_host_pattern(text: &str) -> bool {
    let bracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(inner) => inner.contains(':') && is_host(inner),
        None => !text.contains(':') && is_host(text.strip_prefix("*.").unwrap_or(text)),
    }
}

/// A byte of a token (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, path_prefix: &str, host: &str, subprotocol: &str) -> RouteMatch {
        let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        RouteMatch {
            path: set(path),
            path_prefix: set(path_prefix),
            host: set(host),
            subprotocol: set(subprotocol),
        }
    }

    #[test]
    fn every_field_that_is_set_must_hold() {
        let all = rule("/chat/ws", "/chat", "*.example.com", "mqtt");
        assert!(all.matches("/chat/ws", "a.example.com", &["json", "mqtt"]));
        assert!(!all.matches("/chat/w", "a.example.com", &["mqtt"]));
        assert!(!all.matches("/chat/ws", "example.com", &["mqtt"]));
        assert!(!all.matches("/chat/ws", "a.example.com", &["json"]));
        assert!(rule("", "", "", "").matches("/", "", &[]));
    }

    #[test]
    fn prefixes_end_at_a_segment() {
        let chat = rule("", "/chat", "", "");
        for (path, taken) in [
            ("/chat", true),
            ("/chat/", true),
            ("/chat/1", true),
            ("/chatter", false),
            ("/", false),
        ] {
            assert_eq!(chat.matches(path, "", &[]), taken, "{path}");
        }
        assert!(!rule("", "/chat/", "", "").matches("/chat", "", &[]));
        assert!(rule("", "/", "", "").matches("/any", "", &[]));
    }

    #[test]
    fn hosts_fold_case_and_wildcards_need_a_label() {
        assert!(rule("", "", "a.b", "").matches("/", "A.B", &[]));
        let wild = rule("", "", "*.example.com", "");
        for (host, taken) in [
            ("x.EXAMPLE.com", true),
            ("x.y.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("xexample.com", false),
        ] {
            assert_eq!(wild.matches("/", host, &[]), taken, "{host}");
        }
    }

    #[test]
    fn ports_are_no_part_of_the_host() {
        for (host, name) in [
            ("a:80", "a"),
            ("a", "a"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host_name(host), name);
        }
    }

    #[test]
    fn what_is_no_match() {
        for text in ["chat", "/a*", "/a?b", "/a b", "/a#b"] {
            assert!((PATH.read)(text).is_err(), "{text}");
        }
        for text in ["a:80", "http://a", "*", "a.*", "[a]"] {
            assert!((HOST_PATTERN.read)(text).is_err(), "{text}");
        }
        assert_eq!((HOST_PATTERN.read)("[::1]"), Ok(Some("[::1]".to_owned())));
        assert!((SUBPROTOCOL.read)("a b").is_err());
    }

    #[test]
    fn what_an_earlier_route_takes() {
        let cases = [
            (rule("/a", "", "", ""), rule("/a", "", "h", ""), true),
            (rule("/a", "", "", ""), rule("", "/a", "", ""), false),
            (rule("", "/a", "", ""), rule("/a/b", "", "", ""), true),
            (rule("", "/a", "", ""), rule("", "/ab", "", ""), false),
            (rule("", "", "*.x", ""), rule("", "", "a.x", ""), true),
            (rule("", "", "*.x", ""), rule("", "", "*.a.x", ""), true),
            (rule("", "", "*.a.x", ""), rule("", "", "*.x", ""), false),
            (rule("", "", "a.x", ""), rule("/a", "", "", ""), false),
            (rule("", "", "", "p"), rule("/a", "", "", "p"), true),
            (rule("", "", "", "p"), rule("/a", "", "", ""), false),
        ];
        for (earlier, later, covered) in cases {
            assert_eq!(earlier.covers(&later), covered, "{earlier:?} {later:?}");
        }
        assert!(rule("/b", "/a", "", "").contradicts_itself());
        assert!(!rule("/a/b", "/a", "", "").contradicts_itself());
    }

    #[test]
    fn short_names() {
        assert_eq!(rule("/chat", "", "", "").short(), "/chat");
        assert_eq!(rule("", "/api/", "", "").short(), "/api/*");
        assert_eq!(
            rule("/ws", "/", "chat.example.com", "mqtt").short(),
            "chat.example.com/ws[mqtt]"
        );
        assert_eq!(rule("", "", "", "mqtt").short(), "[mqtt]");
    }
}

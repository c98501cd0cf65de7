//! Which route a request takes.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::address::is_host;
use super::keypath::quoted;
use super::kind::Word;
use super::model::{Config, Route, RouteMatch};
use super::normal;

/// The longest path that a route may have, in bytes. Of the path of a live connection one byte more is kept, which is
/// enough to find its route again.
pub const MAX_ROUTE_PATH: usize = 1024;

impl Config {
    /// The first route that takes a request, else the default one.
    ///
    /// `path` is the request's path without its query and `host` its Host, both as received; `subprotocols` is what the
    /// client offers, in any order.
    #[must_use]
    pub fn route_for(&self, path: &str, host: &str, subprotocols: &[&str]) -> &Arc<Route> {
        if self.routes.is_empty() {
            return &self.default;
        }
        self.route_for_normal(&normal::path(path.as_bytes()), host, subprotocols)
    }

    /// The same for a path that is in its [normal form](normal::path) already.
    #[must_use]
    pub fn route_for_normal(&self, path: &[u8], host: &str, subprotocols: &[&str]) -> &Arc<Route> {
        let host = normal::host(host);
        let taken = self
            .routes
            .iter()
            .find(|(rule, _)| rule.matches(path, &host, subprotocols));
        taken.map_or(&self.default, |(_, route)| route)
    }

    /// Whether a route depends on this subprotocol being offered.
    #[must_use]
    pub fn routes_by_subprotocol(&self, name: &str) -> bool {
        let mut rules = self.routes.iter().map(|(rule, _)| rule);
        rules.any(|rule| rule.subprotocol.as_deref() == Some(name))
    }
}

impl RouteMatch {
    /// Whether every field that is set holds; `path` and `host` come in their normal forms.
    #[must_use]
    pub fn matches(&self, path: &[u8], host: &str, subprotocols: &[&str]) -> bool {
        self.path
            .as_ref()
            .is_none_or(|exact| exact.as_bytes() == path)
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
            mine == "/" || theirs.is_some_and(|theirs| is_under(theirs.as_bytes(), mine))
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
            (Some(path), Some(prefix)) => !is_under(path.as_bytes(), prefix),
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
fn is_under(path: &[u8], prefix: &str) -> bool {
    path.strip_prefix(prefix.as_bytes())
        .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with(b"/"))
}

fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => is_subdomain(host, suffix),
        None => pattern == host,
    }
}

/// Whether `host` ends in `suffix` (which begins with a dot) and has a label before it.
pub(super) fn is_subdomain(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|label| !label.is_empty())
}

/// `match.path`.
pub(super) const PATH: Word<Option<String>> = Word {
    read: path,
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string", "pattern": r"^(?!.*/\.{0,2}/)(?!.*/\.{1,2}$)(/[^?#*\s]*)?$"}),
};

/// `match.host`.
pub(super) const HOST_PATTERN: Word<Option<String>> = Word {
    read: |text| match text {
        "" => Ok(None),
        _ => host_pattern(text).map(Some),
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

/// The normal form of a path that stands in the file.
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
            "{} is no path: queries, fragments and spaces are not part of it; write %3F, %23 or %20 for a `?`, `#` or space that is",
            quoted(text)
        ));
    }
    let Ok(decoded) = String::from_utf8(normal::decoded(text.as_bytes()).into_owned()) else {
        return Err(format!(
            "{} has an escape that is not UTF-8; browsers send UTF-8, so write the character itself",
            quoted(text)
        ));
    };
    if decoded.chars().any(char::is_control) {
        return Err(format!(
            "{} stands for a control character, which no path has",
            quoted(text)
        ));
    }
    let normal = normal::resolved(decoded.as_bytes());
    if *normal != *decoded.as_bytes() {
        return Err(format!(
            "no request ever has this path: dots and doubled slashes are resolved before paths are compared; write {}",
            quoted(&String::from_utf8_lossy(&normal))
        ));
    }
    if decoded.len() > MAX_ROUTE_PATH {
        return Err(format!(
            "a path of {} bytes is too long to be compared; at most {MAX_ROUTE_PATH} are",
            decoded.len()
        ));
    }
    Ok(Some(decoded))
}

/// The normal form of a host, or of `*.` and a host.
pub(super) fn host_pattern(text: &str) -> Result<String, String> {
    let (star, name) = match text.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    check_ascii(name)?;
    let bracketed = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_right = match bracketed {
        Some(inner) => star.is_empty() && inner.contains(':') && is_host(inner),
        None => !name.contains(':') && is_host(name),
    };
    let without = name.split_once("://").map_or(name, |(_, rest)| rest);
    let without = without.split(['/', '?', '#']).next().unwrap_or_default();
    let normal = normal::host(without);
    if is_right {
        return Ok(format!("{star}{normal}"));
    }
    let suggestion = match is_host(&normal) {
        true => format!("{star}{normal}"),
        false => "chat.example.com or *.example.com".to_owned(),
    };
    Err(format!(
        "{} is no host; write {suggestion}, without scheme or port",
        quoted(text)
    ))
}

/// Names with other letters are sent in their ASCII form (RFC 5890), and compared so.
pub(super) fn check_ascii(host: &str) -> Result<(), String> {
    if host.is_ascii() {
        return Ok(());
    }
    Err(format!(
        "{} is never sent so: browsers send such a name in its ASCII form (punycode); write that, such as xn--bcher-kva.example for b\u{fc}cher.example",
        quoted(host)
    ))
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
        assert!(all.matches(b"/chat/ws", "a.example.com", &["json", "mqtt"]));
        assert!(!all.matches(b"/chat/w", "a.example.com", &["mqtt"]));
        assert!(!all.matches(b"/chat/ws", "example.com", &["mqtt"]));
        assert!(!all.matches(b"/chat/ws", "a.example.com", &["json"]));
        assert!(rule("", "", "", "").matches(b"/", "", &[]));
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
            assert_eq!(chat.matches(path.as_bytes(), "", &[]), taken, "{path}");
        }
        assert!(!rule("", "/chat/", "", "").matches(b"/chat", "", &[]));
        assert!(rule("", "/", "", "").matches(b"/any", "", &[]));
    }

    #[test]
    fn a_wildcard_needs_a_label() {
        let wild = rule("", "", "*.example.com", "");
        for (host, taken) in [
            ("x.example.com", true),
            ("x.y.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("xexample.com", false),
        ] {
            assert_eq!(wild.matches(b"/", host, &[]), taken, "{host}");
        }
    }

    fn name_for<'a>(config: &'a Config, path: &str, host: &str, offered: &[&str]) -> &'a str {
        &config.route_for(path, host, offered).name
    }

    #[test]
    fn requests_and_routes_are_compared_in_their_normal_forms() {
        let text = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\nroutes:\n\
            - match: {path: /private}\n- match: {path: '/聊天'}\n- match: {path: '/caf%C3%A9%20%3F'}\n\
            - match: {path_prefix: /api}\n- match: {host: Chat.Example.COM.}\n- match: {host: '[0::1]'}\n\
            - match: {host: '*.Example.org'}\n";
        let config = crate::config::parse(text, "test", &|_| None)
            .unwrap()
            .config;
        for (path, host, name) in [
            ("/%70rivate", "h", "/private"),
            ("//private", "h", "/private"),
            ("/x/%2e%2e/private", "h", "/private"),
            ("/private/", "h", "default"),
            ("/%2570rivate", "h", "default"),
            ("/%E8%81%8A%E5%A4%A9", "h", "/聊天"),
            ("/caf%c3%a9%20%3f", "h", "/café ?"),
            ("/api%2Fx", "h", "/api/*"),
            ("/x/..//api", "h", "/api/*"),
            ("/apix", "h", "default"),
            ("/", "u:p@CHAT.example.com.:80", "chat.example.com"),
            ("/", "[::1]:80", "[::1]"),
            ("/", "A.EXAMPLE.org.", "*.example.org"),
        ] {
            assert_eq!(name_for(&config, path, host, &[]), name, "{path} {host}");
        }
    }

    #[test]
    fn a_path_that_no_request_can_have_is_refused_with_the_one_that_is_meant() {
        for (text, help) in [
            ("chat", "write \"/chat\""),
            ("/a*", "no wildcards"),
            ("/a?b", "%3F"),
            ("/a b", "%20"),
            ("/a#b", "%23"),
            ("//a", "write \"/a\""),
            ("/a//b", "write \"/a/b\""),
            ("/a/../b", "write \"/b\""),
            ("/a/%2e", "write \"/a/\""),
            ("/a%00", "control character"),
            ("/a%0D%0A", "control character"),
            ("/caf%E9", "not UTF-8"),
            (&format!("/{}", "a".repeat(MAX_ROUTE_PATH)), "too long"),
        ] {
            let message = (PATH.read)(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
        for (text, stored) in [
            ("/chat/", "/chat/"),
            ("/%63hat", "/chat"),
            ("/a%2Fb", "/a/b"),
            ("/100%", "/100%"),
            ("/a%20b", "/a b"),
        ] {
            assert_eq!((PATH.read)(text), Ok(Some(stored.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_host_that_no_request_can_have_is_refused_with_the_one_that_is_meant() {
        for (text, help) in [
            ("a:80", "write a, without"),
            ("*.A.b:80", "write *.a.b, without"),
            ("http://A.b/c", "write a.b, without"),
            ("*", "write chat.example.com or"),
            ("a.*", "write chat.example.com or"),
            ("[a]", "write chat.example.com or"),
            ("*.[::1]", "write chat.example.com or"),
            ("bücher.example", "punycode"),
            ("*.聊天.cn", "punycode"),
        ] {
            let message = (HOST_PATTERN.read)(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
        for (text, stored) in [
            ("[0:0::1]", "[::1]"),
            ("Chat.Example.com.", "chat.example.com"),
            ("*.Example.com", "*.example.com"),
        ] {
            assert_eq!(
                (HOST_PATTERN.read)(text),
                Ok(Some(stored.to_owned())),
                "{text}"
            );
        }
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
            (rule("", "/", "", ""), rule("", "", "a.x", ""), true),
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

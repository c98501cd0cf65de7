//! Which route a request takes, and which origins may open a WebSocket.

use std::fmt::Write as _;
use std::sync::Arc;

use super::super::normal;
use super::{Config, OriginPattern, Route, RouteMatch};

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
    pub(in crate::config) fn is_empty(&self) -> bool {
        *self == RouteMatch::default()
    }

    /// Whether this takes every request that `later` would take.
    pub(in crate::config) fn covers(&self, later: &RouteMatch) -> bool {
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
    pub(in crate::config) fn contradicts_itself(&self) -> bool {
        match (&self.path, &self.path_prefix) {
            (Some(path), Some(prefix)) => !is_under(path.as_bytes(), prefix),
            _ => false,
        }
    }

    /// The match written short: `chat.example.com/ws`, `/api/*`, `[mqtt]`.
    pub(in crate::config) fn short(&self) -> String {
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
pub(in crate::config) fn is_subdomain(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix)
        .is_some_and(|label| !label.is_empty())
}

impl OriginPattern {
    /// Whether a page of this origin (the Origin header, RFC 6454 section 7) may open a WebSocket.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            OriginPattern::Exact(exact) => exact.eq_ignore_ascii_case(origin),
            OriginPattern::Subdomain(suffix) => {
                origin_host(origin).is_some_and(|host| is_subdomain(&normal::host(host), suffix))
            }
            OriginPattern::Host(exact) => {
                origin_host(origin).is_some_and(|host| normal::host(host) == *exact)
            }
        }
    }
}

/// The host of an origin, with its port.
fn origin_host(origin: &str) -> Option<&str> {
    let (_, host) = origin.split_once("://")?;
    (!host.contains(['/', '@'])).then_some(host)
}

#[cfg(test)]
mod tests;

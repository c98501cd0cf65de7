//! Whether one rule of application heartbeats leaves anything to a later one.

use crate::heartbeat::json::Pattern;
use crate::heartbeat::{Matcher, MessageKind, Rule, Subprotocol};

/// Whether `earlier` takes every message that `later` would.
pub(super) fn covers(earlier: &Rule, later: &Rule) -> bool {
    earlier.from == later.from
        && subprotocols(earlier.subprotocol, later.subprotocol)
        && (earlier.max_size >= later.max_size.min(longest(&later.matcher)))
        && matchers(&earlier.matcher, &later.matcher)
}

fn subprotocols(earlier: Subprotocol, later: Subprotocol) -> bool {
    let has = |names: &[&str], name: &str| names.contains(&name);
    match (earlier, later) {
        (Subprotocol::Any, _) => true,
        (Subprotocol::Only(mine), Subprotocol::Only(theirs)) => {
            theirs.iter().all(|name| has(mine, name))
        }
        (Subprotocol::Except(mine), Subprotocol::Only(theirs)) => {
            !theirs.iter().any(|name| has(mine, name))
        }
        (Subprotocol::Except(mine), Subprotocol::Except(theirs)) => {
            mine.iter().all(|name| has(theirs, name))
        }
        (_, Subprotocol::Any) | (Subprotocol::Only(_), Subprotocol::Except(_)) => false,
    }
}

fn longest(matcher: &Matcher) -> usize {
    match matcher {
        Matcher::Text(text) => text.len(),
        Matcher::Binary(bytes) | Matcher::Bytes(bytes) => bytes.len(),
        Matcher::Json(_) | Matcher::JsonRecord(_) => usize::MAX,
    }
}

fn matchers(earlier: &Matcher, later: &Matcher) -> bool {
    match (earlier, later) {
        (Matcher::Json(mine), Matcher::Json(theirs))
        | (Matcher::JsonRecord(mine), Matcher::JsonRecord(theirs)) => patterns(mine, theirs),
        (_, Matcher::Json(_) | Matcher::JsonRecord(_)) => false,
        (_, Matcher::Text(text)) => earlier.matches(MessageKind::Text, text.as_bytes()),
        (_, Matcher::Binary(bytes)) => earlier.matches(MessageKind::Binary, bytes),
        (_, Matcher::Bytes(bytes)) => [MessageKind::Text, MessageKind::Binary]
            .into_iter()
            .all(|kind| earlier.matches(kind, bytes)),
    }
}

fn patterns(earlier: &Pattern, later: &Pattern) -> bool {
    match (earlier, later) {
        (Pattern::Any, _) => true,
        (Pattern::Exactly(mine), Pattern::Exactly(theirs)) => mine == theirs,
        (Pattern::List(mine), Pattern::List(theirs)) => {
            mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| patterns(a, b))
        }
        (Pattern::Object(mine), Pattern::Object(theirs)) => mine.iter().all(|(key, a)| {
            let other = theirs.iter().find(|(other, _)| other == key);
            other.is_some_and(|(_, b)| patterns(a, b))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

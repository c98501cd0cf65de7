//! A rule: what it recognises, and what follows from that.

use std::time::Duration;

use super::{Matcher, MessageKind, Template};
use crate::leg::Leg;
use crate::per_leg::PerLeg;

/// The most rules that a route may have: a connection keeps a bit for each.
pub const MAX_RULES: usize = 64;

/// All rules of a route, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
    /// By leg.
    max_size: PerLeg<usize>,
}

/// One thing to recognise in one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// For logs and metrics.
    pub name: Box<str>,
    /// Whose messages are looked at.
    pub from: Leg,
    /// On which connections.
    pub subprotocol: Subprotocol,
    /// What is recognised.
    pub matcher: Matcher,
    /// What the sender is answered.
    pub reply: Option<Reply>,
    /// Whether the message goes on to the other leg.
    pub forward: Forward,
    /// What the other leg answers to one that went on, although the sender has its answer already: kept back.
    pub answer: Option<Matcher>,
    /// Fields of the message that are kept on the connection's record.
    pub capture: Vec<Box<str>>,
    /// The longest message that is looked at, in payload bytes on the wire and, if compressed, after inflating.
    pub max_size: usize,
}

/// Connections by the subprotocol that was negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subprotocol {
    /// Whatever it is.
    Any,
    /// One of these.
    Only(&'static [&'static str]),
    /// None of these.
    Except(&'static [&'static str]),
}

/// What a recognised message is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A text message.
    Text(Template),
    /// A binary message.
    Binary(Box<[u8]>),
}

/// Whether a recognised message goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// It stays here.
    Never,
    /// It goes on as if it had not been recognised.
    Always,
    /// One goes on in this time, so that the other side still sees a sign of life.
    Every(Duration),
}

impl Rules {
    /// The rules in their order; those past [`MAX_RULES`] are refused when the file is read.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut max_size = PerLeg::default();
        for rule in &rules {
            let looked_at = &mut max_size[rule.from];
            *looked_at = rule.max_size.max(*looked_at);
        }
        Rules { rules, max_size }
    }

    /// Whether there is nothing to recognise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// The longest message of this leg's peer that any rule looks at; 0: none does.
    #[must_use]
    pub fn max_size(&self, from: Leg) -> usize {
        self.max_size[from]
    }

    /// What they are called, in their order; presets have several of one name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.name)
    }

    /// A rule by its place.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    /// Which rules hold on a connection with this subprotocol, a bit each.
    #[must_use]
    pub fn active(&self, subprotocol: Option<&str>) -> u64 {
        let holds = |rule: &Rule| match rule.subprotocol {
            Subprotocol::Any => true,
            Subprotocol::Only(names) => subprotocol.is_some_and(|name| names.contains(&name)),
            Subprotocol::Except(names) => subprotocol.is_none_or(|name| !names.contains(&name)),
        };
        self.rules
            .iter()
            .take(MAX_RULES)
            .enumerate()
            .filter(|(_, rule)| holds(rule))
            .map(|(index, _)| 1 << index)
            .sum()
    }

    /// The first active rule that recognises a message.
    #[must_use]
    pub fn recognise(
        &self,
        active: u64,
        from: Leg,
        kind: MessageKind,
        payload: &[u8],
    ) -> Option<usize> {
        self.rules
            .iter()
            .take(MAX_RULES)
            .enumerate()
            .position(|(index, rule)| {
                active & (1 << index) != 0
                    && rule.from == from
                    && payload.len() <= rule.max_size
                    && rule.matcher.matches(kind, payload)
            })
    }
}

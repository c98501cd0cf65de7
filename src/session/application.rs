//! Application-level heartbeats of one connection: answered, passed on, kept back, captured.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Actions, Leg, Session, Time};
use serde_json::Value;
use serde_json::value::RawValue;

use super::policy::{Probe, ProbeKind};
use crate::heartbeat::{Context, Forward, MessageKind, Reply, Rule, Rules, json};

/// The longest value that is captured, as JSON text: records must stay small.
const MAX_CAPTURED: usize = 256;
/// The deepest one: readers of records stop at some depth, often 128.
const MAX_CAPTURED_DEPTH: usize = 16;
/// The most answers of the other side that are kept back at a time.
const MAX_OWED: u8 = 8;

/// A whole small message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The leg it came from.
    pub from: Leg,
    /// Text or binary.
    pub kind: MessageKind,
    /// Unmasked and inflated.
    pub payload: &'a [u8],
    /// Payload bytes on the wire.
    pub wire_bytes: usize,
    /// Wall-clock time for replies, in milliseconds since 1970.
    pub unix_ms: u64,
    /// The connection's id, for replies.
    pub conn: &'a str,
}

/// What a connection remembers of its application's heartbeats.
#[derive(Debug)]
pub(super) struct Application {
    subprotocol: Option<Box<str>>,
    /// The rules that hold for this subprotocol, a bit each.
    active: u64,
    rules: Vec<RuleState>,
    recognised: u64,
    /// The same by the rules' names, whatever became of the rules.
    by_rule: Vec<(Box<str>, u64)>,
    captured: BTreeMap<Box<str>, Box<RawValue>>,
}

#[derive(Clone, Debug)]
struct RuleState {
    /// When one last went on.
    forwarded: Option<Time>,
    /// Answers of the other leg's that are to be kept back.
    owed: u8,
}

impl Application {
    pub(super) fn new(subprotocol: Option<&str>, rules: &Rules) -> Self {
        let mut application = Application {
            subprotocol: subprotocol.map(Into::into),
            active: 0,
            rules: Vec::new(),
            recognised: 0,
            by_rule: Vec::new(),
            captured: BTreeMap::new(),
        };
        application.follow(rules);
        application
    }

    /// Other rules hold; what was captured and counted stays.
    pub(super) fn follow(&mut self, rules: &Rules) {
        self.active = rules.active(self.subprotocol.as_deref());
        self.rules = vec![
            RuleState {
                forwarded: None,
                owed: 0
            };
            rules.len()
        ];
    }

    /// Whether the other leg's message is the answer to one that was answered here already.
    fn swallow_reply(&mut self, rules: &Rules, message: &Message<'_>) -> bool {
        for (index, state) in self
            .rules
            .iter_mut()
            .enumerate()
            .filter(|(_, state)| state.owed > 0)
        {
            let rule = rules.get(index);
            let answer = rule
                .filter(|rule| rule.from != message.from)
                .and_then(|rule| rule.answer.as_ref());
            if answer.is_some_and(|answer| answer.matches(message.kind, message.payload)) {
                state.owed -= 1;
                return true;
            }
        }
        false
    }

    fn count(&mut self, rule: &str) {
        self.recognised += 1;
        match self.by_rule.iter_mut().find(|(name, _)| **name == *rule) {
            Some((_, count)) => *count += 1,
            None => self.by_rule.push((rule.into(), 1)),
        }
    }

    fn capture(&mut self, rule: &Rule, payload: &[u8]) {
        for field in &rule.capture {
            let path: Vec<Box<str>> = field.split('.').map(Into::into).collect();
            if let Some(value) = json::look_up(payload, &path).and_then(recordable) {
                self.captured.insert(field.clone(), value);
            }
        }
    }

    /// Whether a recognised message goes on now.
    fn should_forward(&mut self, index: usize, rule: &Rule, now: Time) -> bool {
        let Some(state) = self.rules.get_mut(index) else {
            return true;
        };
        let due = |every: Duration| state.forwarded.is_none_or(|last| now.since(last) >= every);
        let should_forward = match rule.forward {
            Forward::Never => false,
            Forward::Always => true,
            Forward::Every(every) => due(every),
        };
        if should_forward {
            state.forwarded = Some(now);
            if rule.reply.is_some() && rule.answer.is_some() {
                state.owed = (state.owed + 1).min(MAX_OWED);
            }
        }
        should_forward
    }
}

impl Session {
    /// Tells which subprotocol the peers set_subprotocol; before the first message, and after a change of policy, which may
    /// have brought the first rules.
    pub fn set_subprotocol(&mut self, subprotocol: Option<&str>) {
        if self.application.is_some() || self.policy.app.is_empty() {
            return;
        }
        self.application = Some(Box::new(Application::new(subprotocol, &self.policy.app)));
    }

    /// Takes in a message of at most [`super::policy::Policy::inspect_limit`] bytes; true: it goes on to the other
    /// leg.
    pub fn message(&mut self, message: &Message<'_>, now: Time, actions: &mut Actions) -> bool {
        if self.answers_app_ping(message) {
            let is_heartbeat = self.recognises(message);
            let leg = self.leg_mut(message.from);
            if is_heartbeat {
                leg.heartbeat(message.wire_bytes, now);
            } else {
                leg.app_ping_answered(message.wire_bytes, now);
            }
            leg.app_pong(now);
            return false;
        }
        let policy = std::sync::Arc::clone(&self.policy);
        let recognised = self.application.as_mut().and_then(|application| {
            if application.swallow_reply(&policy.app, message) {
                return Some(None);
            }
            let index = policy.app.recognise(
                application.active,
                message.from,
                message.kind,
                message.payload,
            )?;
            Some(Some(index))
        });
        let index = match recognised {
            None => {
                self.leg_mut(message.from).data(message.wire_bytes, 1, now);
                return true;
            }
            Some(None) => {
                self.leg_mut(message.from)
                    .heartbeat(message.wire_bytes, now);
                return false;
            }
            Some(Some(index)) => index,
        };
        self.leg_mut(message.from)
            .heartbeat(message.wire_bytes, now);
        let rtt_ms = self
            .counters(Leg::Client)
            .rtt
            .map(|rtt| (rtt.as_secs_f64() * 1e4).round() / 10.0);
        let (Some(application), Some(rule)) = (&mut self.application, policy.app.get(index)) else {
            return true;
        };
        application.count(&rule.name);
        application.capture(rule, message.payload);
        if let (Some(reply), None) = (&rule.reply, &self.closing) {
            let context = Context {
                unix_ms: message.unix_ms,
                conn: message.conn,
                rtt_ms,
                message: message.payload,
            };
            actions.push(answer(reply, message.from, &context));
        }
        application.should_forward(index, rule, now)
    }

    /// Takes in a small message that could not be looked into: compressed with a context that is not known here, or
    /// one of too many.
    pub fn unreadable_message(&mut self, from: Leg, bytes: usize, now: Time) {
        self.leg_mut(from).unreadable(bytes, now);
    }

    fn recognises(&self, message: &Message<'_>) -> bool {
        self.application.as_ref().is_some_and(|application| {
            let (active, rules) = (application.active, &self.policy.app);
            rules
                .recognise(active, message.from, message.kind, message.payload)
                .is_some()
        })
    }

    /// How many application-level heartbeats were recognised, in both directions.
    #[must_use]
    pub fn app_heartbeats(&self) -> u64 {
        self.application
            .as_ref()
            .map_or(0, |application| application.recognised)
    }

    /// The same by the rules' names.
    pub fn app_heartbeats_by_rule(&self) -> impl Iterator<Item = (&str, u64)> {
        let by_rule = self
            .application
            .iter()
            .flat_map(|application| &application.by_rule);
        by_rule.map(|(rule, count)| (&**rule, *count))
    }

    /// Fields of the client's heartbeats that are kept.
    pub fn captured(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        let captured = self
            .application
            .iter()
            .flat_map(|application| &application.captured);
        captured.map(|(field, value)| (&**field, &**value))
    }

    fn answers_app_ping(&self, message: &Message<'_>) -> bool {
        let probe = self.policy.heartbeat(message.from).probe.as_ref();
        match probe {
            Some(Probe {
                kind: ProbeKind::App(_, expect),
                ..
            }) => {
                self.leg(message.from).expects_app_pong()
                    && expect.matches(message.kind, message.payload)
            }
            _ => false,
        }
    }
}

/// A client's value as it may stand in a record: short, one line, and nothing that makes its readers fail.
fn recordable(value: &str) -> Option<Box<RawValue>> {
    let value = json::compact(value, MAX_CAPTURED_DEPTH)?;
    // A number that no float holds and half a surrogate pair are JSON by its grammar, and no value.
    let is_readable = serde_json::from_str::<Value>(&value).is_ok();
    let value = Some(value).filter(|value| is_readable && value.len() <= MAX_CAPTURED)?;
    RawValue::from_string(value).ok()
}

fn answer(reply: &Reply, to: Leg, context: &Context<'_>) -> Action {
    match reply {
        Reply::Text(template) => Action::Reply {
            to,
            kind: MessageKind::Text,
            payload: template.render(context).into_bytes().into(),
        },
        Reply::Binary(bytes) => Action::Reply {
            to,
            kind: MessageKind::Binary,
            payload: bytes.clone(),
        },
    }
}

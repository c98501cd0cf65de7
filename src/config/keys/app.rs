//! `heartbeat.app` and `heartbeat.client.app_ping`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::engine::{
    Block, Choice, List, Scalar, SizeUpTo, TIME, not_one_of, parse_duration, show_duration,
};
use super::message::{FIELD, Hex, MESSAGE, REPLY, matcher};
use crate::heartbeat::{Forward, MAX_RULES, Matcher, Preset, Reply, Rule, Rules, Subprotocol};
use crate::session::Leg;
use crate::session::policy::ProbeKind;

/// Messages that are looked at may have up to this.
const MAX_SIZE: SizeUpTo = SizeUpTo(16 << 10);

/// The list as it is written, and all of its rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct App {
    pub(crate) rules: Arc<Rules>,
    pub(crate) items: Vec<Item>,
}

/// One item of the list.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) preset: Option<Preset>,
    /// How many of the rules are its own.
    pub(crate) rules: usize,
}

pub(crate) fn app(b: &mut impl Block, base: &App) -> App {
    let doc = "Heartbeats of the application: the first item that recognises a message decides. A route's list replaces this one.";
    let mut number = 0;
    let items = b.list(("app", doc), false, |b| {
        number += 1;
        item(b, number)
    });
    let Some(items) = items else {
        return base.clone();
    };
    let mut rules = Vec::new();
    let mut kept = Vec::new();
    for (preset, own) in items {
        kept.push(Item {
            preset,
            rules: own.len(),
        });
        rules.extend(own);
    }
    if rules.len() > MAX_RULES {
        let message = format!(
            "makes {} rules, those of its presets counted one by one; at most {MAX_RULES} fit",
            rules.len()
        );
        b.error("app", &message);
        return base.clone();
    }
    App {
        rules: Arc::new(Rules::new(rules)),
        items: kept,
    }
}

/// What an item says, key by key.
struct Written {
    name: Option<String>,
    reply: Option<Reply>,
    forward: Option<Forward>,
    capture: Vec<Box<str>>,
    max_size: Option<u64>,
}

fn item(b: &mut impl Block, number: usize) -> (Option<Preset>, Vec<Rule>) {
    let preset = b.optional(
        "preset",
        None,
        &Choice(&Preset::ALL),
        "A protocol whose heartbeats are known; `auto` goes by the subprotocol.",
    );
    let name = b.optional(
        "name",
        None,
        &NAME,
        "What it is called in logs and metrics; without it the preset, or `rule` and its number.",
    );
    let has_match = b.is_written("match");
    let doc =
        "What a message of the client's must be; instead of `preset`, and in one of three ways.";
    let matcher = b.block("match", doc, |b| matcher(b, has_match));
    let reply = reply(b);
    let written = Written {
        name,
        reply,
        forward: b.optional(
            "forward",
            Some(&Forward::Never),
            &FORWARD,
            "Whether the backend gets what is recognised: `never`, `always`, or one `every 30s` so that it sees a sign of life. Presets have their own.",
        ),
        capture: capture(b),
        max_size: b.optional(
            "max_size",
            Some(&(Rule::DEFAULT_MAX_SIZE as u64)),
            &MAX_SIZE,
            "Longer messages are not looked at; at most 16KiB.",
        ),
    };
    let rules = match (b.is_written("preset"), has_match) {
        (true, true) => {
            let message =
                "a preset says itself what is recognised; keep one of `preset` and `match`";
            b.error("match", message);
            Vec::new()
        }
        (false, false) => {
            b.error("preset", "needs a `preset` or a `match`");
            Vec::new()
        }
        (true, false) => preset.map_or_else(Vec::new, |preset| preset_rules(b, preset, written)),
        (false, true) => matcher.map_or_else(Vec::new, |it| vec![rule(b, number, it, written)]),
    };
    (preset, rules)
}

fn reply(b: &mut impl Block) -> Option<Reply> {
    let text = b.optional(
        "reply",
        None,
        &REPLY,
        "The text message that answers, with variables such as `${unix_s}` and `${json.id}`; without it nothing does.",
    );
    let binary = b.optional(
        "reply_binary",
        None,
        &Hex,
        "The same as a binary message, in hex.",
    );
    if b.is_written("reply") && b.is_written("reply_binary") {
        let message = "a message has one answer; keep one of `reply` and `reply_binary`";
        b.error("reply_binary", message);
    }
    let text = text.map(|(_, template)| Reply::Text(template));
    text.or_else(|| binary.map(|bytes| Reply::Binary(bytes.into())))
}

fn capture(b: &mut impl Block) -> Vec<Box<str>> {
    let fields = List {
        item: FIELD,
        is_required: false,
    };
    b.key(
        "capture",
        &Vec::new(),
        &fields,
        "Fields of the client's JSON, such as `version` or `app.version`, that are kept and logged when the connection ends.",
    )
    .into_iter()
    .map(Into::into)
    .collect()
}

fn rule(b: &mut impl Block, number: usize, matcher: Matcher, written: Written) -> Rule {
    if !written.capture.is_empty() && !is_json(&matcher) {
        let message = "only messages that are recognised by `json` have fields that could differ";
        b.error("capture", message);
    }
    Rule {
        name: written
            .name
            .unwrap_or_else(|| format!("rule {number}"))
            .into(),
        from: Leg::Client,
        subprotocol: Subprotocol::Any,
        matcher,
        reply: written.reply,
        forward: written.forward.unwrap_or(Forward::Never),
        answer: None,
        capture: written.capture,
        max_size: written.max_size.map_or(Rule::DEFAULT_MAX_SIZE, length),
    }
}

/// The preset's rules with what the item says otherwise: about names and sizes all of them, about fields those of the
/// client's JSON, about passing on those that are answered here.
fn preset_rules(b: &mut impl Block, preset: Preset, written: Written) -> Vec<Rule> {
    for name in ["reply", "reply_binary"] {
        if b.is_written(name) {
            b.error(
                name,
                "a preset has its own; write a `match` to answer differently",
            );
        }
    }
    let mut rules = match preset.rules() {
        Ok(rules) => rules,
        Err(error) => {
            b.error("preset", &error.to_string());
            return Vec::new();
        }
    };
    let (mut asks, mut has_json) = (false, false);
    for rule in &mut rules {
        if let Some(name) = &written.name {
            rule.name = name.as_str().into();
        }
        if let Some(max_size) = written.max_size {
            rule.max_size = length(max_size);
        }
        let is_of_client = rule.from == Leg::Client;
        if is_of_client && rule.reply.is_some() {
            asks = true;
            rule.forward = written.forward.unwrap_or(rule.forward);
        }
        if is_of_client && is_json(&rule.matcher) {
            has_json = true;
            rule.capture.clone_from(&written.capture);
        }
    }
    if written.forward.is_some() && !asks {
        let message =
            "nothing of this preset is answered here, so that all of it goes on; remove the key";
        b.error("forward", message);
    }
    if !written.capture.is_empty() && !has_json {
        let message =
            "the client's heartbeats of this preset are no JSON and have no fields; remove the key";
        b.error("capture", message);
    }
    rules
}

fn is_json(matcher: &Matcher) -> bool {
    matches!(matcher, Matcher::Json(_) | Matcher::JsonRecord(_))
}

fn length(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// `heartbeat.client.app_ping`; when it is off, the client is sent pings.
pub(crate) fn app_ping(b: &mut impl Block, base: Option<&ProbeKind>) -> ProbeKind {
    let base = match base {
        Some(ProbeKind::App(text, expect)) => Some((text.clone(), expect.clone())),
        _ => None,
    };
    let doc = "A message instead of a ping, for clients whose WebSocket answers pings while the application behind it hangs.";
    let asked = b.block_or_off("app_ping", doc, base.clone(), |b| {
        let (text, expect) = base.unzip();
        let doc = "The text message that is sent, as it stands.";
        let written = b.optional("text", None, &MESSAGE, doc);
        let text = written.map(Arc::from).or(text);
        let doc = "What the client answers; `pong_timeout` and `missed_pongs` hold for it.";
        let has_expect = b.is_written("expect");
        let written = b.block("expect", doc, |b| matcher(b, has_expect));
        let expect = written.map(Arc::new).or(expect);
        if !b.has_errors("text") && !b.has_errors("expect") {
            if text.as_ref().is_none_or(|text| text.is_empty()) {
                b.error("text", "the `text` to send is missing");
            }
            if expect.is_none() {
                let message =
                    "needs `expect`: without an answer to expect, nothing would be proved";
                b.error("expect", message);
            }
        }
        text.zip(expect)
    });
    asked.map_or(ProbeKind::Ping, |(text, expect)| {
        ProbeKind::App(text, expect)
    })
}

/// `name`: it stands in log lines and metrics.
const NAME: Scalar<String> = Scalar {
    read: |text| {
        let length = text.chars().count();
        if !(1..=64).contains(&length) || text.chars().any(char::is_control) {
            return Err("a name has 1 to 64 characters on one line".to_owned());
        }
        Ok(text.to_owned())
    },
    show: |value| json!(value),
    schema: || json!({"type": "string", "minLength": 1, "maxLength": 64}),
};

/// `never`, `always` or `every 30s`.
const FORWARD: Scalar<Forward> = Scalar {
    read: |text| match (text, text.strip_prefix("every ")) {
        ("never", _) => Ok(Forward::Never),
        ("always", _) => Ok(Forward::Always),
        (_, Some(time)) => match parse_duration(time.trim_start())? {
            Duration::ZERO => Err("every 0s is `always`; write that".to_owned()),
            time if time > TIME.max() => Err(format!(
                "{} is more than {}",
                show_duration(time),
                show_duration(TIME.max())
            )),
            time => Ok(Forward::Every(time)),
        },
        _ => Err(match parse_duration(text) {
            Ok(_) => format!("did you mean `every {text}`?"),
            Err(_) => not_one_of(text, ["never", "always", "every 30s"].into_iter()),
        }),
    },
    show: |value| match value {
        Forward::Never => json!("never"),
        Forward::Always => json!("always"),
        Forward::Every(time) => json!(format!("every {}", show_duration(*time))),
    },
    schema: || {
        json!({"anyOf": [
            {"enum": ["never", "always"]},
            {"type": "string", "pattern": r"^every +[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"},
        ]})
    },
};

#[cfg(test)]
mod tests;

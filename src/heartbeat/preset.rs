//! The heartbeats of protocols in use. Where the server asks, or nobody answers, a message is recognised and goes on.

use std::time::Duration;

use serde_json::{Value, json};

use super::json::Pattern;
use super::rule::{Reply, Subprotocol};
use super::{Forward, Matcher, Rule, Template, TemplateError};
use crate::session::Leg;

/// A protocol whose heartbeats are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `{"type":"ping"}`.
    Json,
    /// `ping`.
    Text,
    /// Engine.IO 3 and 4, under Socket.IO.
    EngineIo,
    /// Phoenix channels, serializers V1 and V2.
    Phoenix,
    /// graphql-transport-ws and subscriptions-transport-ws.
    GraphqlWs,
    /// Pusher Channels.
    Pusher,
    /// ASP.NET SignalR, JSON and MessagePack.
    Signalr,
    /// STOMP 1.0 to 1.2.
    Stomp,
    /// MQTT 3.1 to 5.
    Mqtt,
    /// Centrifugo, JSON.
    Centrifugo,
    /// Rails Action Cable.
    ActionCable,
    /// Whichever of these the subprotocol names.
    Auto,
}

const PHOENIX: &[&str] = &["phoenix"];
const GRAPHQL: &[&str] = &["graphql-transport-ws", "graphql-ws"];
/// subscriptions-transport-ws, which has no ping of the client's.
const GRAPHQL_LEGACY: &[&str] = &["graphql-ws"];
const STOMP: &[&str] = &["stomp", "v10.stomp", "v11.stomp", "v12.stomp"];
const MQTT: &[&str] = &["mqtt", "mqttv3.1"];
const CENTRIFUGO: &[&str] = &["centrifuge-json"];
const ACTION_CABLE: &[&str] = &["actioncable-v1-json", "actioncable-v1-ext-json"];

impl Preset {
    /// Every preset with its name in the file.
    pub const ALL: [(&'static str, Preset); 12] = [
        ("json", Preset::Json),
        ("text", Preset::Text),
        ("engine.io", Preset::EngineIo),
        ("phoenix", Preset::Phoenix),
        ("graphql-ws", Preset::GraphqlWs),
        ("pusher", Preset::Pusher),
        ("signalr", Preset::Signalr),
        ("stomp", Preset::Stomp),
        ("mqtt", Preset::Mqtt),
        ("centrifugo", Preset::Centrifugo),
        ("actioncable", Preset::ActionCable),
        ("auto", Preset::Auto),
    ];

    /// The preset's name in the file.
    #[must_use]
    pub fn label(self) -> &'static str {
        let entry = Preset::ALL.into_iter().find(|(_, preset)| *preset == self);
        entry.map_or("", |(name, _)| name)
    }

    /// How often a peer that speaks the protocol sends something that a rule recognises, as its usual implementation
    /// has it; none where that is the application's or a matter of negotiation.
    #[must_use]
    pub fn period(self, from: Leg) -> Option<Duration> {
        let seconds = match (self, from) {
            (Preset::Json, Leg::Client) | (Preset::EngineIo | Preset::Centrifugo, _) => 25,
            (Preset::Phoenix, Leg::Client) => 30,
            (Preset::Pusher, Leg::Client) => 120,
            (Preset::Signalr, _) => 15,
            (Preset::ActionCable, Leg::Upstream) => 3,
            _ => return None,
        };
        Some(Duration::from_secs(seconds))
    }

    /// The rules of a protocol.
    ///
    /// # Errors
    /// None in practice: the templates are the ones below, and a test compiles them all.
    pub fn rules(self) -> Result<Vec<Rule>, TemplateError> {
        Ok(match self {
            Preset::Json => json_rules()?,
            Preset::Text => vec![
                asked("text", text("ping"), "pong")?.answered_by(text("pong")),
                seen("text", Leg::Client, text("pong")),
                seen("text", Leg::Upstream, text("ping")),
                seen("text", Leg::Upstream, text("pong")),
            ],
            Preset::EngineIo => vec![
                // Version 3: the client asks, and the server must see it: it ends sessions that are silent for
                // pingInterval + pingTimeout. Version 4: the server asks. `2probe` belongs to the transport's upgrade.
                asked("engine.io", text("2"), "3")?
                    .answered_by(text("3"))
                    .passed_on(),
                seen("engine.io", Leg::Client, text("3")),
                seen("engine.io", Leg::Upstream, text("2")),
                seen("engine.io", Leg::Upstream, text("3")),
            ],
            Preset::Phoenix => phoenix_rules()?,
            Preset::GraphqlWs => graphql_rules()?,
            Preset::Pusher => {
                let event = |name: &str| object(&json!({ "event": name }));
                vec![
                    asked(
                        "pusher",
                        event("pusher:ping"),
                        r#"{"event":"pusher:pong","data":{}}"#,
                    )?
                    .answered_by(event("pusher:pong")),
                    seen("pusher", Leg::Client, event("pusher:pong")),
                    seen("pusher", Leg::Upstream, event("pusher:ping")),
                    seen("pusher", Leg::Upstream, event("pusher:pong")),
                ]
            }
            Preset::Signalr => both_seen("signalr", || {
                vec![
                    Matcher::JsonRecord(Pattern::from(&json!({"type": 6}))),
                    Matcher::Binary(Box::new([0x02, 0x91, 0x06])),
                ]
            }),
            Preset::Stomp => both_seen("stomp", || {
                vec![
                    Matcher::Bytes(Box::new(*b"\n")),
                    Matcher::Bytes(Box::new(*b"\r\n")),
                ]
            }),
            Preset::Mqtt => mqtt_rules(),
            Preset::Centrifugo => both_seen("centrifugo", || vec![text("{}")]),
            Preset::ActionCable => vec![seen(
                "actioncable",
                Leg::Upstream,
                object(&json!({"type": "ping"})),
            )],
            Preset::Auto => auto_rules()?,
        })
    }
}

fn json_rules() -> Result<Vec<Rule>, TemplateError> {
    let ping = || object(&json!({"type": "ping"}));
    let pong = || object(&json!({"type": "pong"}));
    Ok(vec![
        asked(
            "json",
            with_any(&json!({"type": "ping"}), "id"),
            r#"{"id":${json.id},"type":"pong","timestamp":${unix_s}}"#,
        )?
        .answered_by(pong()),
        asked("json", ping(), r#"{"type":"pong","timestamp":${unix_s}}"#)?.answered_by(pong()),
        seen("json", Leg::Client, pong()),
        seen("json", Leg::Upstream, ping()),
        seen("json", Leg::Upstream, pong()),
    ])
}

fn phoenix_rules() -> Result<Vec<Rule>, TemplateError> {
    let exactly = |text: &str| Pattern::Exactly(Value::from(text));
    let v2 = |event: &str| {
        Matcher::Json(Pattern::List(vec![
            Pattern::Any,
            Pattern::Any,
            exactly("phoenix"),
            exactly(event),
            Pattern::Any,
        ]))
    };
    let v1 = |event: &str| with_any(&json!({"topic": "phoenix", "event": event}), "ref");
    Ok(vec![
        asked(
            "phoenix",
            v2("heartbeat"),
            r#"[${json.0},${json.1},"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        )?
        .answered_by(v2("phx_reply")),
        asked(
            "phoenix",
            v1("heartbeat"),
            r#"{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":${json.ref}}"#,
        )?
        .answered_by(v1("phx_reply")),
        seen("phoenix", Leg::Upstream, v2("phx_reply")),
        seen("phoenix", Leg::Upstream, v1("phx_reply")),
    ])
}

fn graphql_rules() -> Result<Vec<Rule>, TemplateError> {
    let of = |kind: &str| object(&json!({ "type": kind }));
    let with_payload = with_any(&json!({"type": "ping"}), "payload");
    let not_legacy = Subprotocol::Except(GRAPHQL_LEGACY);
    Ok(vec![
        asked(
            "graphql-ws",
            with_payload,
            r#"{"type":"pong","payload":${json.payload}}"#,
        )?
        .answered_by(of("pong"))
        .on(not_legacy),
        asked("graphql-ws", of("ping"), r#"{"type":"pong"}"#)?
            .answered_by(of("pong"))
            .on(not_legacy),
        seen("graphql-ws", Leg::Client, of("pong")).on(not_legacy),
        seen("graphql-ws", Leg::Upstream, of("ping")).on(not_legacy),
        seen("graphql-ws", Leg::Upstream, of("pong")).on(not_legacy),
        seen("graphql-ws", Leg::Upstream, of("ka")).on(Subprotocol::Only(GRAPHQL_LEGACY)),
    ])
}

/// The broker must see the client's pings too: it ends sessions that are silent for 1.5 × keep-alive (MQTT 5, 3.1.2.10).
fn mqtt_rules() -> Vec<Rule> {
    let packet = |bytes: [u8; 2]| Matcher::Binary(Box::new(bytes));
    let mut ping = seen("mqtt", Leg::Client, packet([0xc0, 0]));
    ping.reply = Some(Reply::Binary(Box::new([0xd0, 0])));
    vec![
        ping.answered_by(packet([0xd0, 0])),
        seen("mqtt", Leg::Upstream, packet([0xd0, 0])),
    ]
}

fn auto_rules() -> Result<Vec<Rule>, TemplateError> {
    let mut rules = Vec::new();
    for (preset, names) in [
        (Preset::Phoenix, PHOENIX),
        (Preset::GraphqlWs, GRAPHQL),
        (Preset::Stomp, STOMP),
        (Preset::Mqtt, MQTT),
        (Preset::Centrifugo, CENTRIFUGO),
        (Preset::ActionCable, ACTION_CABLE),
    ] {
        for rule in preset.rules()? {
            let only = match rule.subprotocol {
                Subprotocol::Any => Subprotocol::Only(names),
                Subprotocol::Except(_) => Subprotocol::Only(&["graphql-transport-ws"]),
                only @ Subprotocol::Only(_) => only,
            };
            rules.push(rule.on(only));
        }
    }
    Ok(rules)
}

/// A question of the client's, answered here.
fn asked(name: &str, matcher: Matcher, reply: &str) -> Result<Rule, TemplateError> {
    let reply = Some(Reply::Text(Template::compile(reply)?));
    Ok(Rule {
        reply,
        forward: Forward::Never,
        ..seen(name, Leg::Client, matcher)
    })
}

/// Something that is recognised and goes on.
fn seen(name: &str, from: Leg, matcher: Matcher) -> Rule {
    Rule {
        name: name.into(),
        from,
        subprotocol: Subprotocol::Any,
        matcher,
        reply: None,
        forward: Forward::Always,
        answer: None,
        capture: Vec::new(),
        max_size: Rule::DEFAULT_MAX_SIZE,
    }
}

/// Heartbeats that both sides send and nobody answers.
fn both_seen(name: &str, matchers: impl Fn() -> Vec<Matcher>) -> Vec<Rule> {
    Leg::BOTH
        .into_iter()
        .flat_map(|leg| {
            matchers()
                .into_iter()
                .map(move |matcher| seen(name, leg, matcher))
        })
        .collect()
}

fn text(text: &str) -> Matcher {
    Matcher::Text(text.into())
}

fn object(value: &Value) -> Matcher {
    Matcher::Json(Pattern::from(value))
}

fn with_any(value: &Value, key: &str) -> Matcher {
    let mut pattern = Pattern::from(value);
    if let Pattern::Object(entries) = &mut pattern {
        entries.push((key.into(), Pattern::Any));
    }
    Matcher::Json(pattern)
}

impl Rule {
    /// `max_size` where the file does not say.
    pub const DEFAULT_MAX_SIZE: usize = 1024;

    fn answered_by(self, answer: Matcher) -> Self {
        Rule {
            answer: Some(answer),
            ..self
        }
    }

    fn passed_on(self) -> Self {
        Rule {
            forward: Forward::Always,
            ..self
        }
    }

    fn on(self, subprotocol: Subprotocol) -> Self {
        Rule {
            subprotocol,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;

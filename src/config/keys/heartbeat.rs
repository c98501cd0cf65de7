//! The block `heartbeat`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::engine::{
    Block, Choice, GRID, Integer, OrOff, Step, TEXT, TIME, Value, ValueError, ValueType, is_off,
    not_one_of, or_variable, plain, scalar,
};
use super::app::{App, app, app_ping};
use crate::session::policy::{Activity, AnswerPings, Heartbeat, IdleNotice, Probe, ProbeKind};

/// The block as it is written: routes inherit it key by key, which [`Heartbeat`] does not allow.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeats {
    pub(crate) check_interval: Duration,
    pub(crate) client: Leg,
    pub(crate) upstream: Leg,
    pub(crate) app: App,
}

/// One leg's keys.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) idle_time: Option<Duration>,
    pub(crate) activity: Activity,
    pub(crate) keepalive: Option<ProbeKind>,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Option<Duration>,
    pub(crate) missed_pongs: u32,
    pub(crate) answer_pings: AnswerPings,
    pub(crate) notice_before: Option<Duration>,
    pub(crate) notice_text: String,
}

impl Default for Heartbeats {
    fn default() -> Self {
        let client = Leg {
            idle_time: Some(Duration::from_secs(60)),
            activity: Activity::Frame,
            keepalive: Some(ProbeKind::Ping),
            ping_interval: Some(Duration::from_secs(25)),
            pong_timeout: Some(Duration::from_secs(10)),
            missed_pongs: 2,
            answer_pings: AnswerPings::Local,
            notice_before: None,
            notice_text: String::new(),
        };
        let upstream = Leg {
            idle_time: None,
            ping_interval: Some(Duration::from_secs(20)),
            ..client.clone()
        };
        Heartbeats {
            check_interval: Duration::from_secs(1),
            client,
            upstream,
            app: App::default(),
        }
    }
}

impl Heartbeats {
    /// What the rest of the program uses: the client's leg and the upstream's. The client's notice goes out before an
    /// idle close of either, where there is time for it.
    pub(crate) fn resolve(&self) -> [Heartbeat; 2] {
        let (client, mut upstream) = (self.client.resolve(), self.upstream.resolve());
        upstream.idle_notice = client
            .idle_notice
            .clone()
            .filter(|notice| upstream.idle_time.is_some_and(|idle| notice.before < idle));
        [client, upstream]
    }
}

impl Leg {
    fn resolve(&self) -> Heartbeat {
        Heartbeat {
            idle_time: self.idle_time,
            activity: self.activity,
            probe: self.probe(),
            answer_pings: self.answer_pings,
            idle_notice: self.notice_before.map(|before| IdleNotice {
                before,
                text: Arc::from(self.notice_text.as_str()),
            }),
        }
    }

    /// Whether what it sends is to be answered: silence after an unsolicited pong or a text proves nothing.
    pub(crate) fn asks(&self) -> bool {
        matches!(self.keepalive, Some(ProbeKind::Ping | ProbeKind::App(_, _)))
    }

    fn probe(&self) -> Option<Probe> {
        let kind = self.keepalive.clone()?;
        let pong_timeout = self.pong_timeout.filter(|_| self.asks());
        Some(Probe {
            kind,
            interval: self.ping_interval?,
            pong_timeout,
            missed_pongs: self.missed_pongs,
        })
    }
}

pub(crate) fn heartbeats(b: &mut impl Block, base: &Heartbeats) -> Heartbeats {
    let check_interval = b.key(
        "check_interval",
        &base.check_interval,
        &GRID,
        "Deadlines are rounded up to this grid (Swoole's heartbeat_check_interval).",
    );
    let client = b.block(
        "client",
        "Heartbeat between the client and the sidecar.",
        |b| client(b, &base.client),
    );
    let upstream = b.block(
        "upstream",
        "Heartbeat between the sidecar and the backend.",
        |b| upstream(b, &base.upstream),
    );
    let app = app(b, &base.app);
    Heartbeats {
        check_interval,
        client,
        upstream,
        app,
    }
}

fn client(b: &mut impl Block, base: &Leg) -> Leg {
    let idle_time = b.key(
        "idle_time",
        &base.idle_time,
        &OrOff(TIME),
        "Nothing received from the client for this long closes the connection: client_idle (Swoole's heartbeat_idle_time).",
    );
    let activity = activity(b, base);
    let ping_interval = b.key(
        "ping_interval",
        &base.ping_interval,
        &OrOff(TIME),
        "The sidecar pings the client this often, the first time after a random half to whole of it.",
    );
    let (pong_timeout, missed_pongs) = pongs(
        b,
        base,
        "That many in a row close the connection: client_pong_timeout.",
    );
    let answer_pings = answer_pings(b, base);
    let (notice_before, notice_text) =
        b.block("idle_notice", "A last word before an idle close.", |b| {
            notice(b, base)
        });
    let keepalive = Some(app_ping(b, base.keepalive.as_ref()));
    Leg {
        idle_time,
        activity,
        keepalive,
        ping_interval,
        pong_timeout,
        missed_pongs,
        answer_pings,
        notice_before,
        notice_text,
    }
}

fn upstream(b: &mut impl Block, base: &Leg) -> Leg {
    let idle_time = b.key(
        "idle_time",
        &base.idle_time,
        &OrOff(TIME),
        "Nothing received from the backend for this long closes the connection: upstream_idle.",
    );
    let activity = activity(b, base);
    let keepalive = b.key(
        "keepalive",
        &base.keepalive,
        &Keepalive,
        "What keeps the backend's own idle timer from firing: `ping`; `pong`, unsolicited, or `{text: …}` for backends that hand pings to the application; `off`.",
    );
    let ping_interval = b.key(
        "ping_interval",
        &base.ping_interval,
        &OrOff(TIME),
        "How often the backend is sent its keepalive.",
    );
    let (pong_timeout, missed_pongs) = pongs(
        b,
        base,
        "That many in a row close the connection: upstream_pong_timeout.",
    );
    let answer_pings = answer_pings(b, base);
    Leg {
        idle_time,
        activity,
        keepalive,
        ping_interval,
        pong_timeout,
        missed_pongs,
        answer_pings,
        ..base.clone()
    }
}

fn activity(b: &mut impl Block, base: &Leg) -> Activity {
    b.key(
        "activity",
        &base.activity,
        &Choice(&[
            ("frame", Activity::Frame),
            ("message", Activity::Message),
            ("heartbeat", Activity::Heartbeat),
        ]),
        "What resets idle_time: `frame` (any byte, pongs too), `message` (what the application sends, heartbeats of `app` apart) or `heartbeat` (only what a rule of `app` recognises).",
    )
}

fn pongs(b: &mut impl Block, base: &Leg, missed: &'static str) -> (Option<Duration>, u32) {
    let timeout = b.key(
        "pong_timeout",
        &base.pong_timeout,
        &OrOff(TIME),
        "A ping is missed when neither its pong nor any other byte came for this long; `off` does not wait for pongs.",
    );
    (
        timeout,
        b.key(
            "missed_pongs",
            &base.missed_pongs,
            &Integer { min: 1, max: 100 },
            missed,
        ),
    )
}

fn answer_pings(b: &mut impl Block, base: &Leg) -> AnswerPings {
    b.key(
        "answer_pings",
        &base.answer_pings,
        &Choice(&[("local", AnswerPings::Local), ("forward", AnswerPings::Forward)]),
        "Who answers a ping received here: `local`, the sidecar; `forward`, the peer at the other end.",
    )
}

fn notice(b: &mut impl Block, base: &Leg) -> (Option<Duration>, String) {
    let before = b.key(
        "before",
        &base.notice_before,
        &OrOff(TIME),
        "How long before an idle close the message is sent.",
    );
    let text = b.key("text", &base.notice_text, &TEXT, "The text message.");
    // What a route only inherits is reported at the top level.
    let is_said = !b.inherits() || b.is_written("before") || b.is_written("text");
    let is_wrong = b.has_errors("before") || b.has_errors("text");
    if is_said && before.is_some() && text.is_empty() && !is_wrong {
        b.error(
            "before",
            "the notice has no `text` to send; write one, or `before: off`",
        );
    }
    (before, text)
}

/// `ping`, `pong`, `off` or `{text: …}`.
struct Keepalive;

impl ValueType for Keepalive {
    type Out = Option<ProbeKind>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<ValueError>> {
        if is_off(value) {
            return Ok(None);
        }
        if let Some(block) = value.as_map() {
            if let Some(key) = block.0.iter().find(|key| key.name != "text") {
                let name = plain(&key.name);
                let message = format!("{name} is unknown here; write {{text: '…'}}");
                return Err(vec![ValueError {
                    below: vec![Step::Key(key.name.clone())],
                    message,
                }]);
            }
            let missing = || ValueError::here("the text to send is missing; write {text: '…'}");
            let text = block.get("text").map(|node| &node.value);
            let text = text.filter(|text| !text.is_null());
            let in_text = |error: ValueError| error.under(Step::Key("text".to_owned()));
            let text = TEXT.read(text.ok_or_else(missing)?);
            let text =
                text.map_err(|errors| errors.into_iter().map(in_text).collect::<Vec<_>>())?;
            return match text.as_str() {
                "" => Err(missing()),
                text => Ok(Some(ProbeKind::Text(text.into()))),
            };
        }
        let text = scalar(value)?;
        match text.as_str() {
            "ping" => Ok(Some(ProbeKind::Ping)),
            "pong" => Ok(Some(ProbeKind::Pong)),
            other => Err(ValueError::here(not_one_of(
                other,
                ["ping", "pong", "off", "{text: '…'}"].into_iter(),
            ))),
        }
    }

    fn show(&self, value: &Self::Out) -> Json {
        match value {
            None => json!("off"),
            Some(ProbeKind::Ping) => json!("ping"),
            Some(ProbeKind::Pong) => json!("pong"),
            Some(ProbeKind::Text(text) | ProbeKind::App(text, _)) => json!({"text": **text}),
        }
    }

    fn schema(&self) -> Json {
        or_variable(json!({"anyOf": [
            {"enum": ["ping", "pong", "off", "false", false]},
            {
                "type": "object",
                "properties": {"text": {"type": "string", "minLength": 1}},
                "required": ["text"],
                "additionalProperties": false,
            },
        ]}))
    }
}

#[cfg(test)]
mod tests;

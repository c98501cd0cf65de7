//! The block `heartbeat`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::app::{App, app, app_ping};
use super::keypath::{Step, key_text, plain};
use super::kind::{
    Choice, Fault, Kind, OrOff, TEXT, Whole, is_off, not_one_of, or_variable, scalar,
};
use super::section::Section;
use super::units::{GRID, TIME};
use crate::session::policy::{Activity, AnswerPings, Heartbeat, IdleNotice, Probe, ProbeKind};

/// The block as it is written; routes inherit key by key, which [`Heartbeat`] could not tell.
#[derive(Clone, Debug)]
pub(super) struct Heartbeats {
    pub(super) check_interval: Duration,
    pub(super) client: Leg,
    pub(super) upstream: Leg,
    pub(super) app: App,
}

/// One leg's keys.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) idle_time: Option<Duration>,
    pub(super) activity: Activity,
    pub(super) keepalive: Option<ProbeKind>,
    pub(super) ping_interval: Option<Duration>,
    pub(super) pong_timeout: Option<Duration>,
    pub(super) missed_pongs: u32,
    pub(super) answer_pings: AnswerPings,
    pub(super) notice_before: Option<Duration>,
    pub(super) notice_text: String,
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
    pub(super) fn resolve(&self) -> [Heartbeat; 2] {
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
    pub(super) fn asks(&self) -> bool {
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

pub(super) fn heartbeats(s: &mut Section<'_>, base: &Heartbeats) -> Heartbeats {
    let check_interval = s.key(
        "check_interval",
        &base.check_interval,
        &GRID,
        "Deadlines are rounded up to this grid (Swoole's heartbeat_check_interval).",
    );
    let client = s.block(
        "client",
        "Heartbeat between the client and the sidecar.",
        |s| client(s, &base.client),
    );
    let upstream = s.block(
        "upstream",
        "Heartbeat between the sidecar and the backend.",
        |s| upstream(s, &base.upstream),
    );
    let app = app(s, &base.app);
    Heartbeats {
        check_interval,
        client,
        upstream,
        app,
    }
}

fn client(s: &mut Section<'_>, base: &Leg) -> Leg {
    let idle_time = s.key(
        "idle_time",
        &base.idle_time,
        &OrOff(TIME),
        "Nothing received from the client for this long closes the connection: client_idle (Swoole's heartbeat_idle_time).",
    );
    let activity = activity(s, base);
    let ping_interval = s.key(
        "ping_interval",
        &base.ping_interval,
        &OrOff(TIME),
        "The sidecar pings the client this often, the first time after a random half to whole of it.",
    );
    let (pong_timeout, missed_pongs) = pongs(
        s,
        base,
        "That many in a row close the connection: client_pong_timeout.",
    );
    let answer_pings = answer_pings(s, base);
    let (notice_before, notice_text) =
        s.block("idle_notice", "A last word before an idle close.", |s| {
            notice(s, base)
        });
    let keepalive = Some(app_ping(s, base.keepalive.as_ref()));
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

fn upstream(s: &mut Section<'_>, base: &Leg) -> Leg {
    let idle_time = s.key(
        "idle_time",
        &base.idle_time,
        &OrOff(TIME),
        "Nothing received from the backend for this long closes the connection: upstream_idle.",
    );
    let activity = activity(s, base);
    let keepalive = s.key(
        "keepalive",
        &base.keepalive,
        &Keepalive,
        "What keeps the backend's own idle timer from firing: `ping`; `pong`, unsolicited, or `{text: …}` for backends that hand pings to the application; `off`.",
    );
    let ping_interval = s.key(
        "ping_interval",
        &base.ping_interval,
        &OrOff(TIME),
        "How often the backend is sent its keepalive.",
    );
    let (pong_timeout, missed_pongs) = pongs(
        s,
        base,
        "That many in a row close the connection: upstream_pong_timeout.",
    );
    let answer_pings = answer_pings(s, base);
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

fn activity(s: &mut Section<'_>, base: &Leg) -> Activity {
    s.key(
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

fn pongs(s: &mut Section<'_>, base: &Leg, missed: &'static str) -> (Option<Duration>, u32) {
    let timeout = s.key(
        "pong_timeout",
        &base.pong_timeout,
        &OrOff(TIME),
        "A ping is missed when neither its pong nor any other byte came for this long; `off` does not wait for pongs.",
    );
    (
        timeout,
        s.key(
            "missed_pongs",
            &base.missed_pongs,
            &Whole {
                least: 1,
                most: 100,
            },
            missed,
        ),
    )
}

fn answer_pings(s: &mut Section<'_>, base: &Leg) -> AnswerPings {
    s.key(
        "answer_pings",
        &base.answer_pings,
        &Choice(&[("local", AnswerPings::Local), ("forward", AnswerPings::Forward)]),
        "Who answers a ping received here: `local`, the sidecar; `forward`, the peer at the other end.",
    )
}

fn notice(s: &mut Section<'_>, base: &Leg) -> (Option<Duration>, String) {
    let complaints = s.complaints();
    let before = s.key(
        "before",
        &base.notice_before,
        &OrOff(TIME),
        "How long before an idle close the message is sent.",
    );
    let text = s.key("text", &base.notice_text, &TEXT, "The text message.");
    // Where a route says nothing of it, the top level was told.
    let is_said = !s.in_route() || s.is_written("before") || s.is_written("text");
    if is_said && before.is_some() && text.is_empty() && s.complaints() == complaints {
        s.complain(
            "before",
            "the notice has no `text` to send; write one, or `before: off`",
        );
    }
    (before, text)
}

/// `ping`, `pong`, `off` or `{text: …}`.
struct Keepalive;

impl Kind for Keepalive {
    type Out = Option<ProbeKind>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<Fault>> {
        if is_off(value) {
            return Ok(None);
        }
        if let Some(block) = value.as_mapping() {
            if let Some(key) = block.keys().map(key_text).find(|key| key != "text") {
                let message = format!("{} is unknown here; write {{text: '…'}}", plain(&key));
                return Err(vec![Fault {
                    below: vec![Step::Key(key)],
                    message,
                }]);
            }
            let missing = || Fault::here("the text to send is missing; write {text: '…'}");
            let text = block.get("text").filter(|text| !text.is_null());
            let in_text = |fault: Fault| fault.under(Step::Key("text".to_owned()));
            let text = TEXT.read(text.ok_or_else(missing)?);
            let text =
                text.map_err(|faults| faults.into_iter().map(in_text).collect::<Vec<_>>())?;
            return match text.as_str() {
                "" => Err(missing()),
                text => Ok(Some(ProbeKind::Text(text.into()))),
            };
        }
        let text = scalar(value)?;
        match text.as_str() {
            "ping" => Ok(Some(ProbeKind::Ping)),
            "pong" => Ok(Some(ProbeKind::Pong)),
            other => Err(Fault::here(not_one_of(
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
mod tests {
    use super::*;
    use crate::heartbeat::Matcher;

    fn keepalive(text: &str) -> Result<Option<ProbeKind>, String> {
        let value = serde_yaml::from_str(text).unwrap();
        Keepalive
            .read(&value)
            .map_err(|faults| faults[0].message.clone())
    }

    #[test]
    fn keepalives() {
        assert_eq!(keepalive("ping"), Ok(Some(ProbeKind::Ping)));
        assert_eq!(keepalive("pong"), Ok(Some(ProbeKind::Pong)));
        assert_eq!(keepalive("off"), Ok(None));
        assert_eq!(
            keepalive("{text: hi}"),
            Ok(Some(ProbeKind::Text("hi".into())))
        );
        for (text, help) in [
            ("pin", "did you mean ping?"),
            ("{txt: hi}", "txt is unknown"),
            ("{}", "missing"),
            ("{text: ''}", "missing"),
            ("{text: ~}", "missing"),
            ("{text: 5}", "in quotes"),
            ("{text: [a]}", "found a list"),
            ("[ping]", "found a list"),
        ] {
            let message = keepalive(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
    }

    #[test]
    fn the_clients_notice_goes_before_either_idle_close_that_leaves_time_for_it() {
        let mut beats = Heartbeats::default();
        beats.client.notice_before = Some(Duration::from_secs(5));
        for (upstream_idle, is_told) in [(None, false), (Some(5), false), (Some(6), true)] {
            beats.upstream.idle_time = upstream_idle.map(Duration::from_secs);
            let [client, upstream] = beats.resolve();
            assert!(client.idle_notice.is_some());
            assert_eq!(upstream.idle_notice.is_some(), is_told, "{upstream_idle:?}");
        }
    }

    #[test]
    fn only_pings_are_waited_for() {
        let mut leg = Heartbeats::default().upstream;
        assert_eq!(
            leg.resolve().probe.unwrap().pong_timeout,
            Some(Duration::from_secs(10))
        );
        leg.keepalive = Some(ProbeKind::Pong);
        assert_eq!(leg.resolve().probe.unwrap().pong_timeout, None);
        let pong = Matcher::Text("pong".into());
        leg.keepalive = Some(ProbeKind::App("ping".into(), Arc::new(pong)));
        assert_eq!(
            leg.resolve().probe.unwrap().pong_timeout,
            Some(Duration::from_secs(10))
        );
        leg.ping_interval = None;
        assert_eq!(leg.resolve().probe, None);
    }
}

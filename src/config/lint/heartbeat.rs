//! Times of a heartbeat that defeat each other.

use std::time::Duration;

use super::super::engine::{Severity, show_duration};
use super::super::keys::{Heartbeats, Leg};
use super::scope::Scope;
use crate::session::policy::{Activity, AnswerPings, ProbeKind};

/// Idle timeouts of things that commonly stand in front: nginx and AWS load balancers, Cloudflare.
const BALANCERS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(100)];

const CHECK: &[&str] = &["heartbeat", "check_interval"];

impl Scope<'_> {
    pub(super) fn leg(&mut self, name: &str, leg: &Leg, check_interval: Duration) {
        let key = |key| ["heartbeat", name, key];
        let (idle, ping) = (leg.idle_time, leg.ping_interval.filter(|_| leg.asks()));
        self.grid(name, leg, check_interval);
        if let (Some(idle), Some(ping), Activity::Frame) = (idle, ping, leg.activity) {
            if ping >= idle {
                let message = format!(
                    "a quiet but healthy {name} is closed after {} before its first ping ({}) keeps it open; set ping_interval to half or two thirds of idle_time",
                    show_duration(idle),
                    show_duration(ping),
                );
                self.warn(&[&key("ping_interval"), &key("idle_time")], message);
            } else if let Some(pong) = leg.pong_timeout
                && dead_after(leg.missed_pongs, ping, pong) > idle * 2
            {
                let message = format!(
                    "{} missed pongs take about {}, but a dead {name} is closed by idle_time after {} already: {name}_pong_timeout never happens",
                    leg.missed_pongs,
                    show_duration(dead_after(leg.missed_pongs, ping, pong)),
                    show_duration(idle),
                );
                self.warn(
                    &[
                        &key("missed_pongs"),
                        &key("ping_interval"),
                        &key("pong_timeout"),
                        &key("idle_time"),
                    ],
                    message,
                );
            }
        }
        if let (Some(ping), Some(pong)) = (ping, leg.pong_timeout)
            && pong >= ping
        {
            let message = format!(
                "a ping that is not answered holds the next one up: a silent {name} is asked every {}; set pong_timeout below ping_interval, which is {}",
                show_duration(pong),
                show_duration(ping),
            );
            self.warn(&[&key("pong_timeout"), &key("ping_interval")], message);
        }
    }

    /// Deadlines that `check_interval` makes much later than they are set to.
    fn grid(&mut self, name: &str, leg: &Leg, check_interval: Duration) {
        let probe = leg.ping_interval.filter(|_| leg.keepalive.is_some());
        let pong = leg.pong_timeout.filter(|_| leg.asks() && probe.is_some());
        // What is set, and the coarsest grid that it is worth something on.
        let deadlines = [
            ("idle_time", leg.idle_time, 2),
            ("ping_interval", probe, 2),
            ("pong_timeout", pong, 1),
        ];
        let late: Vec<(&str, Duration, Duration)> = deadlines
            .into_iter()
            .filter_map(|(key, time, parts)| Some((key, time?, time? / parts)))
            .filter(|(_, _, grid)| check_interval > *grid)
            .collect();
        let Some(enough) = late.iter().map(|(_, _, grid)| *grid).min() else {
            return;
        };
        let times: Vec<String> = late
            .iter()
            .map(|(key, time, _)| {
                let at_most = show_duration(*time + check_interval);
                format!("{key} of {} last up to {at_most}", show_duration(*time))
            })
            .collect();
        let message = format!(
            "checking every {} makes the {name}'s {}; set check_interval to {} or less",
            show_duration(check_interval),
            times.join(" and its "),
            show_duration(enough),
        );
        let keys: Vec<[&str; 3]> = late
            .iter()
            .map(|(key, ..)| ["heartbeat", name, key])
            .collect();
        let about = keys.iter().map(|keys| &keys[..]);
        let about: Vec<&[&str]> = [CHECK].into_iter().chain(about).collect();
        self.warn(&about, message);
    }

    pub(super) fn client(&mut self, heartbeats: &Heartbeats) {
        const PING: &[&str] = &["heartbeat", "client", "ping_interval"];
        const IDLE: &[&str] = &["heartbeat", "client", "idle_time"];
        let leg = &heartbeats.client;
        if let Some(ping) = leg.ping_interval.filter(|ping| BALANCERS.contains(ping)) {
            let message = format!(
                "load balancers commonly close what was quiet for exactly {}, and this ping races with them; 25s stays well below",
                show_duration(ping),
            );
            self.warn(&[PING], message);
        }
        if leg.ping_interval.is_none() && leg.idle_time.is_none() {
            let message = "with neither pings nor an idle_time, a client that vanishes is never noticed and holds its backend connection; keep one of them";
            self.warn(&[IDLE, PING], message.to_owned());
        }
        self.notice(heartbeats);
    }

    fn notice(&mut self, heartbeats: &Heartbeats) {
        const IDLE: &[&str] = &["heartbeat", "client", "idle_time"];
        const NOTICE: &[&str] = &["heartbeat", "client", "idle_notice", "before"];
        const NOTICE_TEXT: &[&str] = &["heartbeat", "client", "idle_notice", "text"];
        const UPSTREAM: &[&str] = &["heartbeat", "upstream", "idle_time"];
        let (leg, check_interval) = (&heartbeats.client, heartbeats.check_interval);
        if let (Some(before), Some(idle)) = (leg.notice_before, heartbeats.upstream.idle_time)
            && before >= idle
        {
            let (before, idle) = (show_duration(before), show_duration(idle));
            let message = format!(
                "no notice goes out before an upstream_idle close, which comes after {idle}, less than {before}; make it shorter"
            );
            self.warn(&[NOTICE, UPSTREAM], message);
        }
        match (leg.notice_before, leg.idle_time) {
            (Some(before), Some(idle)) if before >= idle => {
                let (before, idle) = (show_duration(before), show_duration(idle));
                let message = format!(
                    "a notice {before} before the close needs an idle_time above that, not {idle}; make it shorter"
                );
                self.report(Severity::Error, &[NOTICE, IDLE], message);
            }
            (Some(before), _) if check_interval > before => {
                let message = format!(
                    "checking every {check} sends the notice together with the close, or {check} before it; set `before` to {check} or more",
                    check = show_duration(check_interval),
                );
                self.warn(&[NOTICE, CHECK], message);
            }
            (Some(_), None) if heartbeats.upstream.idle_time.is_none() => {
                self.warn(
                    &[NOTICE],
                    "the notice is never sent, because idle_time is off".to_owned(),
                );
            }
            // `before: off` beside the text is deliberate.
            (None, _) if !leg.notice_text.is_empty() && !self.is_written(NOTICE) => {
                let message = "is never sent: `before` says how long before the close";
                self.warn(&[NOTICE_TEXT], message.to_owned());
            }
            _ => {}
        }
    }

    pub(super) fn quiet_backend(&mut self, heartbeats: &Heartbeats) {
        const KEEPALIVE: &[&str] = &["heartbeat", "upstream", "keepalive"];
        const PING: &[&str] = &["heartbeat", "upstream", "ping_interval"];
        let leg = &heartbeats.upstream;
        if matches!(leg.keepalive, Some(ProbeKind::Pong | ProbeKind::Text(_))) {
            let message = "is not used: only `keepalive: ping` is answered; heartbeat.upstream.idle_time finds a dead backend instead";
            for unused in ["pong_timeout", "missed_pongs"] {
                self.warn(&[&["heartbeat", "upstream", unused]], message.to_owned());
            }
        }
        let silent = leg.keepalive.is_none() || leg.ping_interval.is_none();
        if silent && heartbeats.client.answer_pings == AnswerPings::Local {
            let message = "the backend no longer hears of quiet clients, whose pings are answered here: a Swoole heartbeat_idle_time (or any idle timer there) will close them, and a dead backend goes unnoticed";
            self.warn(&[KEEPALIVE, PING], message.to_owned());
        }
    }
}

/// About how long a dead peer lives: the ping after the last sign of life, the others, and the wait for the last pong.
/// No ping goes out while one is waited for.
fn dead_after(missed: u32, ping: Duration, pong: Duration) -> Duration {
    let others = ping.max(pong).saturating_mul(missed.saturating_sub(1));
    ping.saturating_add(others).saturating_add(pong)
}

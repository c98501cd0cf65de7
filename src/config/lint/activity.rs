//! `activity` together with the rules of `heartbeat.app`: what counts, and what never comes.

use std::time::Duration;

use super::super::engine::{Severity, show_duration};
use super::super::keys::{Heartbeats, Leg};
use super::scope::Scope;
use crate::heartbeat::Rule;
use crate::session;
use crate::session::policy::Activity;

const APP: &[&str] = &["heartbeat", "app"];

impl Scope<'_> {
    pub(super) fn activity(&mut self, heartbeats: &Heartbeats) {
        for leg in session::Leg::BOTH {
            let settings = match leg {
                session::Leg::Client => &heartbeats.client,
                session::Leg::Upstream => &heartbeats.upstream,
            };
            if let Some(idle) = settings.idle_time {
                self.activity_of(leg, settings, idle, heartbeats);
            }
        }
    }

    fn activity_of(
        &mut self,
        leg: session::Leg,
        settings: &Leg,
        idle: Duration,
        heartbeats: &Heartbeats,
    ) {
        let name = leg.label();
        let (activity, idle_time) = (
            ["heartbeat", name, "activity"],
            ["heartbeat", name, "idle_time"],
        );
        let recognised = recognises(leg, heartbeats);
        match settings.activity {
            Activity::Heartbeat if !recognised => {
                let message = format!(
                    "no rule of heartbeat.app recognises a heartbeat of the {name}'s, so that every connection would end after {}; add a preset or a rule to heartbeat.app, or write `activity: frame` or `message`",
                    show_duration(idle),
                );
                self.report(Severity::Error, &[&activity, APP, &idle_time], message);
            }
            Activity::Message if recognised => {
                let message = format!(
                    "heartbeats that heartbeat.app recognises do not count under `activity: message`: a {name} that sends nothing else is closed after {}; write `activity: heartbeat` (only they count) or `frame` (everything does)",
                    show_duration(idle),
                );
                self.warn(&[&activity, APP, &idle_time], message);
            }
            Activity::Heartbeat => self.period(leg, &idle_time, idle, heartbeats),
            // Our own pings keep it open between two heartbeats.
            Activity::Frame if settings.keepalive.is_none() || settings.ping_interval.is_none() => {
                self.period(leg, &idle_time, idle, heartbeats);
            }
            Activity::Frame | Activity::Message => {}
        }
    }

    /// An idle time within which a preset's heartbeat need not come.
    fn period(
        &mut self,
        leg: session::Leg,
        idle_time: &[&str],
        idle: Duration,
        heartbeats: &Heartbeats,
    ) {
        let name = leg.label();
        let presets = heartbeats.app.items.iter().filter_map(|item| item.preset);
        let slow = presets
            .filter_map(|preset| Some((preset, preset.period(leg)?)))
            .find(|(_, period)| *period >= idle);
        let Some((preset, period)) = slow else {
            return;
        };
        let message = format!(
            "a healthy {name} that speaks {} sends a heartbeat every {}, and would be closed after {} in between; set idle_time well above that",
            preset.label(),
            show_duration(period),
            show_duration(idle),
        );
        self.warn(&[idle_time, &["heartbeat", name, "activity"], APP], message);
    }
}

/// Whether any rule takes something that this leg's peer sends for a heartbeat.
fn recognises(leg: session::Leg, heartbeats: &Heartbeats) -> bool {
    let rules = &heartbeats.app.rules;
    let is_one = |rule: &Rule| rule.from == leg || rule.answer.is_some();
    (0..rules.len()).any(|index| rules.get(index).is_some_and(is_one))
}

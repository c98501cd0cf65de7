//! Rules of `heartbeat.app` that nobody would have meant.

use super::super::engine::{KeyPath, Severity, show_size};
use super::super::keys::{Heartbeats, Item};
use super::covers::covers;
use super::scope::Scope;
use crate::heartbeat::json::Pattern;
use crate::heartbeat::{Forward, Matcher, Rule};
use crate::session::policy::ProbeKind;

/// An item of the list with its rules.
struct Entry<'a> {
    item: &'a Item,
    rules: Vec<&'a Rule>,
}

impl Scope<'_> {
    pub(super) fn app(&mut self, heartbeats: &Heartbeats) {
        let entries = entries(heartbeats);
        for (index, entry) in entries.iter().enumerate() {
            self.item(index, entry);
            self.reachable_item(index, entry, &entries[..index]);
        }
        if let Some(ProbeKind::App(_, _)) = heartbeats.client.keepalive
            && heartbeats.client.ping_interval.is_none()
        {
            let message = "is never sent, because ping_interval is off";
            self.warn(&[&["heartbeat", "client", "app_ping"]], message.to_owned());
        }
    }

    /// An item is dead behind one that takes all that it would. Behind another preset it is already when that answers
    /// all of its questions, in the wrong protocol.
    fn reachable_item(&mut self, index: usize, entry: &Entry<'_>, earlier: &[Entry<'_>]) {
        if let Some(at) = earlier.iter().position(|it| it.take_all(&entry.rules)) {
            let message = format!(
                "never matches: heartbeat.app[{at}] before it takes everything that it would; remove one of them, or put the narrower one first"
            );
            return self.warn_at(index, "", message);
        }
        let is_preset = |entry: &Entry<'_>| entry.item.preset.is_some();
        let questions: Vec<&Rule> = entry
            .rules
            .iter()
            .copied()
            .filter(|rule| rule.reply.is_some())
            .collect();
        let answers = |it: &Entry<'_>| is_preset(it) && it.take_all(&questions);
        if let Some(at) = earlier
            .iter()
            .position(answers)
            .filter(|_| is_preset(entry))
        {
            let message = format!(
                "answers nothing: the preset of heartbeat.app[{at}] before it answers all of its questions in its own way; remove one of them, or give each a route"
            );
            self.warn_at(index, "", message);
        }
    }

    fn item(&mut self, index: usize, entry: &Entry<'_>) {
        if entry.item.preset.is_some() {
            self.preset(index, entry);
            return;
        }
        let Some(rule) = entry.rules.first() else {
            return;
        };
        let is_said = self.tree.at(&self.path(index).key("forward")).is_some();
        if rule.reply.is_none() && rule.forward == Forward::Never && !is_said {
            let message = "nobody answers this message, and the backend does not get it; write a `reply`, `forward: always`, or `forward: never` if that is meant";
            self.warn_at(index, "", message.to_owned());
        }
        if rule.matcher == Matcher::Json(Pattern::Object(Vec::new())) {
            let message = "takes every JSON object of the client's for a heartbeat; name the fields that tell one";
            self.warn_at(index, "match", message.to_owned());
        }
        let length = match &rule.matcher {
            Matcher::Text(text) => text.len(),
            Matcher::Binary(bytes) | Matcher::Bytes(bytes) => bytes.len(),
            Matcher::Json(_) | Matcher::JsonRecord(_) => 0,
        };
        if length > rule.max_size {
            let message = format!(
                "never matches: it is {length} bytes long, and max_size is {}",
                show_size(rule.max_size as u64)
            );
            self.warn_at(index, "match", message);
        }
    }

    fn preset(&mut self, index: usize, entry: &Entry<'_>) {
        let kept_back = |matcher: Matcher| {
            let is_it = |rule: &&Rule| rule.reply.is_some() && rule.matcher == matcher;
            let mut rules = entry.rules.iter().copied().filter(is_it);
            rules.any(|rule| rule.forward == Forward::Never)
        };
        let ends = if kept_back(Matcher::Binary(Box::new([0xc0, 0]))) {
            "an MQTT broker that gets no pings ends the session after 1.5 times its keep-alive"
        } else if kept_back(Matcher::Text("2".into())) {
            "an Engine.IO server that gets no pings ends the session after its pingInterval and pingTimeout"
        } else {
            return;
        };
        let message = format!("{ends}; remove the key, or write `every` and less than that");
        self.warn_at(index, "forward", message);
    }

    fn path(&self, index: usize) -> KeyPath {
        let list = self.above.join(&KeyPath::of(&["heartbeat", "app"]));
        list.index(index)
    }

    /// About a key of an item, or the item itself.
    fn warn_at(&mut self, index: usize, key: &str, message: String) {
        let item = self.path(index);
        let path = if key.is_empty() { item } else { item.key(key) };
        self.report_at(Severity::Warning, vec![path], message);
    }
}

impl Entry<'_> {
    /// Whether these rules, if there are any, never get a message that this has not taken.
    fn take_all(&self, rules: &[&Rule]) -> bool {
        let takes = |rule: &&Rule| self.rules.iter().any(|it| covers(it, rule));
        !rules.is_empty() && rules.iter().all(takes)
    }
}

fn entries<'a>(heartbeats: &'a Heartbeats) -> Vec<Entry<'a>> {
    let mut start = 0;
    let entry = |item: &'a Item| {
        let rules = start..start + item.rules;
        start = rules.end;
        let rules = rules.filter_map(|index| heartbeats.app.rules.get(index));
        Entry {
            item,
            rules: rules.collect(),
        }
    };
    heartbeats.app.items.iter().map(entry).collect()
}

//! What to write instead of a value that another program would take.

use std::time::Duration;

use serde_yaml::Value;

use super::keypath::{KeyPath, Step, key_text, quoted};
use super::kind::{Fault, Kind};
use super::syntax::{is_odd_space, misspelt};
use super::units::{parse_duration, show_duration};

/// Where a block of keys is expected and `value` stands: the block that was meant.
pub(super) fn instead_of_block(path: &KeyPath, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => key_text(value),
        _ => return None,
    };
    // `idle_time:5s` below `client:` is one text.
    if text.contains([':', '=', '：'])
        && let Some(advice) = misspelt(&text)
    {
        return Some(advice);
    }
    let name = path.last_key()?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = parse_duration(&text).is_ok();
    let is_within = |above: &str| path.steps().contains(&Step::Key(above.to_owned()));
    let keys = match name {
        "retry" if is_number => format!("{{attempts: {text}}}"),
        "match" | "expect" if is_within("app") || is_within("app_ping") => {
            format!("{{text: {}}}", shown(&text))
        }
        "match" if text.starts_with('/') => format!("{{path: {}}}", shown(&text)),
        "match" => format!("{{host: {}}}", shown(&text)),
        "idle_notice" if is_time => format!("{{before: {text}, text: '…'}}"),
        "idle_notice" => "{before: 5s, text: '…'}".to_owned(),
        "app_ping" => "{text: ping, expect: {text: pong}}".to_owned(),
        "drain" if is_time => format!("{{timeout: {text}}}"),
        "heartbeat" if is_time => format!("{{client: {{idle_time: {text}}}}}"),
        "client" | "upstream" if is_time => format!("{{idle_time: {text}}}"),
        "log" => format!("{{level: {}}}", shown(&text)),
        "metrics" | "admin" if matches!(&*text, "on" | "true" | "yes") => {
            return Some(format!(
                "`{name}` is on unless it is `off`; remove the key, or write a block of keys"
            ));
        }
        "metrics" | "admin" if is_number => format!("{{listen: ':{text}'}}"),
        "metrics" | "admin" => format!("{{listen: {}}}", shown(&text)),
        "health" => format!("{{mode: {}}}", shown(&text)),
        _ if is_within("close") && is_number => format!("{{code: {text}}}"),
        _ if is_within("close") => format!("{{reason: {}}}", shown(&text)),
        _ => return None,
    };
    Some(format!("expected a block of keys: write `{name}: {keys}`"))
}

fn shown(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:*".contains(c);
    let bare = text.starts_with(|c: char| c.is_alphanumeric() || c == '/')
        && !text.contains(": ")
        && text.chars().count() <= 60
        && text.chars().all(is_plain);
    match bare {
        true => text.to_owned(),
        false if text.contains('\'') || text.chars().any(char::is_control) => "'…'".to_owned(),
        false if text.chars().count() > 60 => "'…'".to_owned(),
        false => format!("'{text}'"),
    }
}

/// What to say instead of a kind's own words where a text only has something that does not belong to it.
pub(super) fn improved<K: Kind>(kind: &K, value: &Value, mut faults: Vec<Fault>) -> Vec<Fault> {
    // Each costs another reading of the whole value.
    const MOST: usize = 20;
    for fault in faults.iter_mut().take(MOST) {
        if let Some(message) = better(kind, value, fault) {
            fault.message = message;
        }
    }
    faults
}

fn better<K: Kind>(kind: &K, value: &Value, fault: &Fault) -> Option<String> {
    let mut fixed = value.clone();
    let place = fault
        .below
        .iter()
        .try_fold(&mut fixed, |node, step| match step {
            Step::Index(index) => node.get_mut(*index),
            Step::Key(_) | Step::Each => None,
        })?;
    let text = place.as_str()?.to_owned();
    if text.starts_with('-')
        && let Some(advice) = misspelt(&text)
    {
        return Some(advice);
    }
    if text.contains(" - ") {
        return Some(format!(
            "{} is one text; if it is a list, begin each `- ` in the same column",
            quoted(&text)
        ));
    }
    let (kept, why) = without_odd_signs(&text)?;
    *place = Value::from(kept.as_str());
    let still_wrong = match kind.read(&fixed) {
        Ok(_) => false,
        Err(faults) => faults.iter().any(|other| other.below == fault.below),
    };
    (!still_wrong).then(|| format!("{} is wrong: {why}; did you mean {kept}?", quoted(&text)))
}

/// A text that is wrong for a sign that does not belong to it: the text without, and why it is wrong.
pub(super) fn without_odd_signs(text: &str) -> Option<(String, String)> {
    const LONGEST: usize = 1024;
    if text.len() > LONGEST {
        return None;
    }
    let last = text.chars().next_back()?;
    if matches!(last, ',' | ';') {
        let kept = text.trim_end_matches([',', ';']).to_owned();
        return Some((
            kept,
            format!("the `{last}` at its end does not belong there"),
        ));
    }
    let plain = |c: char| match c {
        '：' => ':',
        '，' | '、' => ',',
        '．' | '。' => '.',
        '／' => '/',
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        c => c,
    };
    let quotes = ['“', '”', '„', '‘', '’', '＂', '＇', '「', '」', '"', '\''];
    let kept: String = text
        .trim_matches(|c: char| is_odd_space(c) || quotes.contains(&c))
        .chars()
        .map(plain)
        .collect();
    let odd = text
        .chars()
        .find(|c| plain(*c) != *c || quotes.contains(c) || is_odd_space(*c))?;
    let odd = quoted(&odd.to_string());
    Some((kept, format!("{odd} is not a sign that it may have")))
}

/// The duration behind `1m30s`, `2h 15m` or `5秒`.
pub(super) fn meant_duration(text: &str) -> Option<String> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let end = behind
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let millis = match unit.trim().trim_end_matches(',').to_lowercase().as_str() {
            "ms" | "msec" | "millis" | "milliseconds" | "毫秒" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" | "秒" | "秒钟" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分钟" => 60_000,
            "h" | "hr" | "hrs" | "hour" | "hours" | "时" | "小时" => 3_600_000,
            "d" | "day" | "days" | "天" | "日" => 86_400_000,
            "w" | "week" | "weeks" | "周" => 7 * 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(millis)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = behind;
        parts += 1;
        if parts > 5 {
            return None;
        }
    }
    (parts > 0).then(|| show_duration(total))
}

/// What words of other programs are called in this one.
pub(super) fn alias(word: &str) -> Option<&'static str> {
    const ALIASES: [(&str, &str); 24] = [
        ("socketio", "engine.io"),
        ("socket.io", "engine.io"),
        ("socket-io", "engine.io"),
        ("socket_io", "engine.io"),
        ("engineio", "engine.io"),
        ("engine-io", "engine.io"),
        ("eio", "engine.io"),
        ("graphql", "graphql-ws"),
        ("apollo", "graphql-ws"),
        ("graphql-transport-ws", "graphql-ws"),
        ("laravel", "pusher"),
        ("reverb", "pusher"),
        ("soketi", "pusher"),
        ("centrifuge", "centrifugo"),
        ("action_cable", "actioncable"),
        ("rails", "actioncable"),
        ("plain", "text"),
        ("warning", "warn"),
        ("fatal", "error"),
        ("verbose", "debug"),
        ("data", "message"),
        ("any", "frame"),
        ("pass", "passthrough"),
        ("none", "off"),
    ];
    let lower = word.to_lowercase();
    let known = ALIASES.iter().find(|(other, _)| *other == lower);
    known.map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_where_a_block_belongs_names_the_block() {
        for (path, value, help) in [
            (&["upstream", "retry"][..], "5", "`retry: {attempts: 5}`"),
            (&["routes", "match"], "/chat", "`match: {path: /chat}`"),
            (
                &["routes", "match"],
                "a.example",
                "`match: {host: a.example}`",
            ),
            (
                &["heartbeat", "app", "match"],
                "ping it",
                "`match: {text: 'ping it'}`",
            ),
            (
                &["heartbeat", "client"],
                "60s",
                "`client: {idle_time: 60s}`",
            ),
            (
                &["heartbeat", "client"],
                "idle_time:5s",
                "a space is missing",
            ),
            (&["heartbeat", "client"], "idle_time = 5s", "and no `=`"),
            (&["close", "killed"], "4000", "`killed: {code: 4000}`"),
            (&["close", "killed"], "bye", "`killed: {reason: bye}`"),
            (&["metrics"], "9902", "`metrics: {listen: ':9902'}`"),
            (&["admin"], "true", "on unless it is `off`"),
            (&["log"], "debug", "`log: {level: debug}`"),
        ] {
            let value: Value = serde_yaml::from_str(value).unwrap();
            let advice = instead_of_block(&KeyPath::of(path), &value).unwrap();
            assert!(advice.contains(help), "{path:?}: {advice}");
        }
        assert_eq!(
            instead_of_block(&KeyPath::of(&["limits"]), &Value::from(5)),
            None
        );
    }

    #[test]
    fn durations_of_several_parts_are_summed() {
        for (text, meant) in [
            ("1m30s", Some("90s")),
            ("1h 30m", Some("90m")),
            ("5秒", Some("5s")),
            ("2 分钟", Some("2m")),
            ("1w", Some("7d")),
            ("5 fortnights", None),
            ("s", None),
            ("", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(meant_duration(text).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn signs_that_do_not_belong_there_are_taken_off() {
        for (text, kept) in [
            (":8080,", ":8080"),
            ("ws://a;", "ws://a"),
            ("“:8080”", ":8080"),
            ("：8080", ":8080"),
            ("５s", "5s"),
            (":8080\u{3000}", ":8080"),
        ] {
            assert_eq!(without_odd_signs(text).unwrap().0, kept, "{text}");
        }
        assert_eq!(without_odd_signs(":8080"), None);
    }
}

//! Which known word was probably meant.

use super::syntax::misspelt;

/// Names that people bring along from Swoole, nginx, HAProxy, Envoy and Socket.IO: the key that does the same here, or
/// a sentence where none does.
const ELSEWHERE: [(&str, &str); 76] = [
    ("heartbeat_idle_time", "heartbeat.client.idle_time"),
    ("heartbeat_check_interval", "heartbeat.check_interval"),
    ("heartbeat_timeout", "heartbeat.client.idle_time"),
    ("heartbeat_interval", "heartbeat.client.ping_interval"),
    ("timeout", "heartbeat.client.idle_time"),
    ("idle_timeout", "heartbeat.client.idle_time"),
    ("stream_idle_timeout", "heartbeat.client.idle_time"),
    ("keepalive_timeout", "heartbeat.client.idle_time"),
    ("read_timeout", "heartbeat.client.idle_time"),
    ("timeout_client", "heartbeat.client.idle_time"),
    ("timeout_tunnel", "heartbeat.client.idle_time"),
    ("proxy_read_timeout", "heartbeat.client.idle_time"),
    ("timeout_server", "heartbeat.upstream.idle_time"),
    ("interval", "heartbeat.client.ping_interval"),
    ("ping_period", "heartbeat.client.ping_interval"),
    ("pinginterval", "heartbeat.client.ping_interval"),
    ("ping_timeout", "heartbeat.client.pong_timeout"),
    ("pingtimeout", "heartbeat.client.pong_timeout"),
    ("open_websocket_ping_frame", "heartbeat.upstream.keepalive"),
    ("open_websocket_pong_frame", "heartbeat.upstream.keepalive"),
    ("max_connection", "limits.max_connections"),
    ("max_conn", "limits.max_connections"),
    ("maxconn", "limits.max_connections"),
    ("worker_connections", "limits.max_connections"),
    ("limit_conn", "limits.max_connections_per_ip"),
    ("package_max_length", "limits.max_message"),
    ("client_max_body_size", "limits.max_message"),
    ("max_payload", "limits.max_message"),
    ("maxpayload", "limits.max_message"),
    ("max_message_size", "limits.max_message"),
    ("max_frame_size", "limits.max_frame"),
    ("send_timeout", "limits.write_stall_timeout"),
    ("proxy_send_timeout", "limits.write_stall_timeout"),
    ("client_header_timeout", "limits.handshake_timeout"),
    ("max_stream_duration", "limits.max_lifetime"),
    ("max_connection_duration", "limits.max_lifetime"),
    ("origins", "limits.allowed_origins"),
    ("cors", "limits.allowed_origins"),
    ("validate_utf_8", "limits.validate_utf8"),
    ("port", "listen"),
    ("bind", "listen"),
    ("address", "listen"),
    ("backend", "upstream"),
    ("backends", "upstream"),
    ("server", "upstream"),
    ("servers", "upstream"),
    ("target", "upstream"),
    ("proxy_pass", "upstream"),
    ("proxy_connect_timeout", "upstream.connect_timeout"),
    ("timeout_connect", "upstream.connect_timeout"),
    ("retries", "upstream.retry.attempts"),
    ("proxy_next_upstream_tries", "upstream.retry.attempts"),
    ("location", "routes"),
    ("locations", "routes"),
    ("rules", "routes"),
    ("server_name", "routes"),
    ("websocket_compression", "compression"),
    ("permessage_deflate", "compression"),
    ("perMessageDeflate", "compression"),
    ("gzip", "compression"),
    ("log_level", "log.level"),
    ("loglevel", "log.level"),
    ("access_log", "log.opened"),
    ("drain_timeout", "drain.timeout"),
    ("max_wait_time", "drain.timeout"),
    ("terminationGracePeriodSeconds", "drain.timeout"),
    ("ssl", TLS),
    ("ssl_certificate", TLS),
    ("error_log", LOGS),
    ("log_file", LOGS),
    ("worker_processes", WORKERS),
    ("worker_num", WORKERS),
    ("workers", WORKERS),
    ("threads", WORKERS),
    (
        "daemonize",
        "the program stays in the foreground; systemd or a container keeps it running",
    ),
    ("nodelay", "TCP_NODELAY is always on"),
];
const TLS: &str = "this version has no TLS of its own; let the proxy in front end it";
const LOGS: &str = "log lines go to standard output; `log` says which";
const WORKERS: &str = "there is a thread for each core, and nothing to set";

/// Keys that have an unknown one as a word of theirs; more of them are no hint.
const MAX_LONGER: usize = 3;

/// The candidate that differs from `word` by a slip or two, or is a shorter or longer form of it; none when nothing is
/// near.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let slips = (word.chars().count() / 3).clamp(1, 3);
    let is_form = |a: &str, b: &str| b.len() > 3 && a.starts_with(b);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, it)| *distance <= slips || is_form(word, it) || is_form(it, word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to say about the unknown key `name` of the block at `place`, given the keys of this block and the paths of all.
pub(super) fn unknown_key(name: &str, place: &str, here: &[&str], all: &[String]) -> String {
    if let Some(advice) = misspelt(name) {
        return advice;
    }
    let longer: Vec<&str> = here
        .iter()
        .copied()
        .filter(|key| key.split('_').any(|word| word == name))
        .collect();
    if (1..=MAX_LONGER).contains(&longer.len()) {
        return format!("unknown key; did you mean {}?", longer.join(" or "));
    }
    if place.ends_with("upstream") && name == "port" {
        return "unknown key; the address is one text: write url: ws://host:port".to_owned();
    }
    let is_last = |here: &&&str| here.eq_ignore_ascii_case(&name.replace('-', "_"));
    if let Some(key) = here.iter().find(is_last) {
        return format!("unknown key; did you mean {key}?");
    }
    if let Some((_, ours)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        return match ours.contains(' ') {
            true => format!("unknown key; {ours}"),
            false => format!("unknown key; did you mean {ours}?"),
        };
    }
    // A short word is near to many, so that an exact match elsewhere tells more than a near one here.
    let same: Vec<&String> = all.iter().filter(|path| last(path) == name).collect();
    if let Some(path) = closest(&same, place) {
        return match path.rsplit_once('.') {
            Some((above, _)) => format!("unknown key; `{name}` belongs under `{above}`"),
            None => format!("unknown key; `{name}` belongs at the top level of the file"),
        };
    }
    if let Some(near) = nearest(&name.to_lowercase(), here.iter().copied()) {
        return format!("unknown key; did you mean {near}?");
    }
    if let Some(near) = nearest(name, all.iter().map(|path| last(path))) {
        let same: Vec<&String> = all.iter().filter(|path| last(path) == near).collect();
        if let Some(path) = closest(&same, place) {
            return format!("unknown key; did you mean {path}?");
        }
    }
    match here {
        [] => "unknown key".to_owned(),
        _ => format!("unknown key; the keys here are {}", here.join(", ")),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The path that shares the longest beginning with `place`; the first of equals.
fn closest<'p>(paths: &[&'p String], place: &str) -> Option<&'p String> {
    let shared = |path: &str| {
        path.bytes()
            .zip(place.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let mut best: Option<&'p String> = None;
    for path in paths {
        if best.is_none_or(|best| shared(path) > shared(best)) {
            best = Some(path);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(name: &str, place: &str, here: &[&str]) -> String {
        let all = [
            "listen",
            "heartbeat.check_interval",
            "heartbeat.client.idle_time",
            "heartbeat.upstream.idle_time",
            "limits.max_lifetime",
        ];
        unknown_key(name, place, here, &all.map(str::to_owned))
    }

    #[test]
    fn slips_and_misplaced_keys() {
        let here = ["idle_time", "activity"];
        assert_eq!(
            say("idle_tme", "heartbeat.client", &here),
            "unknown key; did you mean idle_time?"
        );
        assert_eq!(
            say("Activity", "heartbeat.client", &here),
            "unknown key; did you mean activity?"
        );
        assert_eq!(
            say("idle_time", "heartbeat", &["client"]),
            "unknown key; `idle_time` belongs under `heartbeat.client`"
        );
        assert_eq!(
            say("listen", "limits", &["max_lifetime"]),
            "unknown key; `listen` belongs at the top level of the file"
        );
        assert_eq!(
            say("max_lifetme", "", &["listen"]),
            "unknown key; did you mean limits.max_lifetime?"
        );
    }

    #[test]
    fn a_word_of_a_key_here() {
        let here = ["connect_timeout", "handshake_timeout", "host"];
        assert_eq!(
            say("timeout", "upstream", &here),
            "unknown key; did you mean connect_timeout or handshake_timeout?"
        );
        let many = ["old_client", "new_client", "any_client", "one_client"];
        assert_eq!(
            say("client", "close", &many),
            format!("unknown key; the keys here are {}", many.join(", "))
        );
    }

    #[test]
    fn names_from_elsewhere() {
        assert_eq!(
            say("heartbeat_idle_time", "", &["listen"]),
            "unknown key; did you mean heartbeat.client.idle_time?"
        );
        // Even where another block has a key of that name.
        assert_eq!(
            unknown_key("timeout", "", &["drain"], &["drain.timeout".to_owned()]),
            "unknown key; did you mean heartbeat.client.idle_time?"
        );
        assert_eq!(
            say("zebra", "", &["listen", "limits"]),
            "unknown key; the keys here are listen, limits"
        );
    }

    #[test]
    fn every_key_that_is_named_instead_exists() {
        let all = super::super::describe::paths();
        for (name, ours) in ELSEWHERE {
            let exists = ours.contains(' ') || all.iter().any(|path| path == ours);
            assert!(exists, "{name}: {ours}");
        }
    }

    #[test]
    fn short_words_are_near_to_little() {
        assert_eq!(nearest("pin", ["ping", "pong"].into_iter()), Some("ping"));
        assert_eq!(nearest("x", ["off", "on"].into_iter()), None);
        assert_eq!(
            nearest("warning", ["info", "warn"].into_iter()),
            Some("warn")
        );
        assert_eq!(
            nearest(&"x".repeat(65), ["x".repeat(64).as_str()].into_iter()),
            None
        );
    }
}

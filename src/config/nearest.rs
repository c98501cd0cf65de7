//! Which known word was probably meant.

/// Names that people bring along from Swoole and from other proxies, and what they are called here.
const ELSEWHERE: [(&str, &str); 16] = [
    ("heartbeat_idle_time", "heartbeat.client.idle_time"),
    ("heartbeat_check_interval", "heartbeat.check_interval"),
    ("max_connection", "limits.max_connections"),
    ("package_max_length", "limits.max_message"),
    ("port", "listen"),
    ("bind", "listen"),
    ("address", "listen"),
    ("backend", "upstream"),
    ("server", "upstream"),
    ("target", "upstream"),
    ("origins", "limits.allowed_origins"),
    ("timeout", "heartbeat.client.idle_time"),
    ("read_timeout", "heartbeat.client.idle_time"),
    ("proxy_read_timeout", "heartbeat.client.idle_time"),
    ("interval", "heartbeat.client.ping_interval"),
    ("retries", "upstream.retry.attempts"),
];

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
    let longer: Vec<&str> = here
        .iter()
        .copied()
        .filter(|key| key.split('_').any(|word| word == name))
        .collect();
    if (1..=MAX_LONGER).contains(&longer.len()) {
        return format!("unknown key; did you mean {}?", longer.join(" or "));
    }
    if let Some((_, path)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        return format!("unknown key; did you mean {path}?");
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

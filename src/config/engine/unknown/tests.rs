use super::*;

const OTHERS: &[(&str, &str)] = &[
    ("heartbeat_idle_time", "heartbeat.client.idle_time"),
    ("timeout", "heartbeat.client.idle_time"),
];

fn say(name: &str, place: &str, here: &[&str]) -> String {
    let all = [
        "listen",
        "heartbeat.check_interval",
        "heartbeat.client.idle_time",
        "heartbeat.upstream.idle_time",
        "limits.max_lifetime",
    ];
    unknown_key(name, place, here, &all.map(str::to_owned), OTHERS)
}

#[test]
fn a_misspelt_or_misplaced_key_names_the_right_one() {
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
fn a_word_of_a_key_names_the_whole_key() {
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
fn names_of_other_programs_have_a_counterpart() {
    assert_eq!(
        say("heartbeat_idle_time", "", &["listen"]),
        "unknown key; did you mean heartbeat.client.idle_time?"
    );
    // Even where another block has a key of that name.
    assert_eq!(
        unknown_key(
            "timeout",
            "",
            &["drain"],
            &["drain.timeout".to_owned()],
            OTHERS
        ),
        "unknown key; did you mean heartbeat.client.idle_time?"
    );
    assert_eq!(
        say("zebra", "", &["listen", "limits"]),
        "unknown key; the keys here are listen, limits"
    );
}

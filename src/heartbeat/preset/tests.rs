//! What each preset makes of the messages of its protocol, and what it leaves alone.

use crate::heartbeat::{Context, Forward, MAX_RULES, MessageKind, Preset, Reply, Rule, Rules};
use crate::session::Leg;

/// What comes of a message.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// No heartbeat; it goes on.
    Unknown,
    /// A heartbeat; it goes on.
    Seen,
    /// Answered with this text, and kept here.
    Answered(String),
    /// Answered with these bytes, and it goes on.
    AnsweredAndSeen(Vec<u8>),
}

use Outcome::{AnsweredAndSeen, Seen, Unknown};

/// The rule that a message meets; it is a text message if it can be one.
fn met(preset: Preset, subprotocol: Option<&str>, from: Leg, message: &[u8]) -> Option<Rule> {
    let kind = match std::str::from_utf8(message) {
        Ok(_) => MessageKind::Text,
        Err(_) => MessageKind::Binary,
    };
    met_as(kind, preset, subprotocol, from, message)
}

fn met_as(
    kind: MessageKind,
    preset: Preset,
    subprotocol: Option<&str>,
    from: Leg,
    message: &[u8],
) -> Option<Rule> {
    let rules = Rules::new(preset.rules().unwrap());
    let index = rules.recognise(rules.active(subprotocol), from, kind, message)?;
    rules.get(index).cloned()
}

fn outcome(rule: Option<Rule>, message: &[u8]) -> Outcome {
    let Some(rule) = rule else {
        return Unknown;
    };
    let context = Context {
        unix_ms: 1_700_000_000_123,
        conn: "01X",
        rtt_ms: None,
        message,
    };
    match (rule.reply, rule.forward) {
        (None, Forward::Always) => Seen,
        (Some(Reply::Text(reply)), Forward::Never) => Outcome::Answered(reply.render(&context)),
        (Some(Reply::Text(reply)), Forward::Always) => {
            AnsweredAndSeen(reply.render(&context).into_bytes())
        }
        (Some(Reply::Binary(reply)), Forward::Always) => AnsweredAndSeen(reply.to_vec()),
        other => panic!("{other:?}"),
    }
}

fn answered(reply: &str) -> Outcome {
    Outcome::Answered(reply.to_owned())
}

/// What each text comes to, from the client and from the upstream.
fn check(preset: Preset, rows: &[(&str, Outcome, Outcome)]) {
    for (message, from_client, from_upstream) in rows {
        for (from, expected) in [(Leg::Client, from_client), (Leg::Upstream, from_upstream)] {
            let message = message.as_bytes();
            let got = outcome(
                met_as(MessageKind::Text, preset, None, from, message),
                message,
            );
            let shown = String::from_utf8_lossy(message);
            assert_eq!(got, *expected, "{preset:?} {from:?} {shown}");
            // None of these protocols has the same as a binary message.
            if preset != Preset::Stomp {
                let as_binary = met_as(MessageKind::Binary, preset, None, from, message);
                assert_eq!(as_binary, None, "{preset:?} {from:?} {shown}");
            }
        }
    }
}

/// Whether what the backend would answer to a question that went on is kept back.
fn keeps_back(preset: Preset, question: &[u8], answer: &[u8]) -> bool {
    let kind = |message| match std::str::from_utf8(message) {
        Ok(_) => MessageKind::Text,
        Err(_) => MessageKind::Binary,
    };
    let rule = met(preset, None, Leg::Client, question).unwrap();
    rule.answer.unwrap().matches(kind(answer), answer)
}

#[test]
fn json() {
    let pong = r#"{"type":"pong","timestamp":1700000000}"#;
    check(
        Preset::Json,
        &[
            (r#"{"type":"ping"}"#, answered(pong), Seen),
            (
                r#"{"type":"ping","timestamp":1699999999}"#,
                answered(pong),
                Seen,
            ),
            (
                r#" { "timestamp" : 1, "type" : "ping" } "#,
                answered(pong),
                Seen,
            ),
            (
                r#"{"id":"X","type":"ping"}"#,
                answered(r#"{"id":"X","type":"pong","timestamp":1700000000}"#),
                Seen,
            ),
            (
                r#"{"id":17.0,"type":"ping"}"#,
                answered(r#"{"id":17.0,"type":"pong","timestamp":1700000000}"#),
                Seen,
            ),
            (r#"{"type":"pong"}"#, Seen, Seen),
            (r#"{"type":"pong","timestamp":1}"#, Seen, Seen),
            (r#"{"type":"Ping"}"#, Unknown, Unknown),
            (r#"{"type":"pings"}"#, Unknown, Unknown),
            (r#"{"type":["ping"]}"#, Unknown, Unknown),
            (r#"{"Type":"ping"}"#, Unknown, Unknown),
            (r#"{"data":{"type":"ping"}}"#, Unknown, Unknown),
            (r#"[{"type":"ping"}]"#, Unknown, Unknown),
            (r#"{"type":"ping"}{"type":"ping"}"#, Unknown, Unknown),
            (r#"{"type":"message","text":"ping"}"#, Unknown, Unknown),
            ("ping", Unknown, Unknown),
        ],
    );
    assert!(keeps_back(
        Preset::Json,
        br#"{"type":"ping"}"#,
        br#"{"type":"pong","timestamp":5}"#
    ));
    assert!(!keeps_back(
        Preset::Json,
        br#"{"type":"ping"}"#,
        br#"{"type":"message"}"#
    ));
}

#[test]
fn messages_that_are_too_long_are_not_looked_at() {
    let message = |length: usize| {
        let rest = length - r#"{"type":"ping","x":""}"#.len();
        format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(rest))
    };
    for (length, is_met) in [(1024, true), (1025, false)] {
        let message = message(length);
        assert_eq!(message.len(), length);
        let met = met(Preset::Json, None, Leg::Client, message.as_bytes());
        assert_eq!(met.is_some(), is_met, "{length}");
    }
}

#[test]
fn text() {
    check(
        Preset::Text,
        &[
            ("ping", answered("pong"), Seen),
            ("pong", Seen, Seen),
            ("Ping", Unknown, Unknown),
            ("ping\n", Unknown, Unknown),
            (" ping", Unknown, Unknown),
            ("pingpong", Unknown, Unknown),
            (r#""ping""#, Unknown, Unknown),
            ("", Unknown, Unknown),
        ],
    );
    assert!(keeps_back(Preset::Text, b"ping", b"pong"));
}

#[test]
fn engine_io() {
    check(
        Preset::EngineIo,
        &[
            ("2", AnsweredAndSeen(b"3".to_vec()), Seen),
            ("3", Seen, Seen),
            ("2probe", Unknown, Unknown),
            ("3probe", Unknown, Unknown),
            ("5", Unknown, Unknown),
            ("40", Unknown, Unknown),
            (r#"42["ping"]"#, Unknown, Unknown),
            ("22", Unknown, Unknown),
        ],
    );
    assert!(keeps_back(Preset::EngineIo, b"2", b"3"));
    assert!(!keeps_back(Preset::EngineIo, b"2", b"3probe"));
}

#[test]
fn phoenix() {
    let v1_reply = r#"{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}"#;
    check(
        Preset::Phoenix,
        &[
            (
                r#"[null,"7","phoenix","heartbeat",{}]"#,
                answered(r#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#),
                Unknown,
            ),
            (
                r#"["1","7","phoenix","heartbeat",{}]"#,
                answered(r#"["1","7","phoenix","phx_reply",{"status":"ok","response":{}}]"#),
                Unknown,
            ),
            (
                r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}"#,
                answered(v1_reply),
                Unknown,
            ),
            (
                r#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
                Unknown,
                Seen,
            ),
            (v1_reply, Unknown, Seen),
            (r#"[null,"7","room:1","heartbeat",{}]"#, Unknown, Unknown),
            (r#"["1","7","room:1","phx_join",{}]"#, Unknown, Unknown),
            (
                r#"["1","7","room:1","phx_reply",{"status":"ok","response":{}}]"#,
                Unknown,
                Unknown,
            ),
            (r#"[null,"7","phoenix","heartbeat"]"#, Unknown, Unknown),
            (r#"[null,"7","phoenix","heartbeat",{},1]"#, Unknown, Unknown),
            // Without a reference there is nothing to answer to.
            (
                r#"{"topic":"phoenix","event":"heartbeat","payload":{}}"#,
                Unknown,
                Unknown,
            ),
            (
                r#"{"topic":"room:1","event":"heartbeat","payload":{},"ref":"7"}"#,
                Unknown,
                Unknown,
            ),
        ],
    );
    let question = br#"[null,"7","phoenix","heartbeat",{}]"#;
    assert!(keeps_back(
        Preset::Phoenix,
        question,
        br#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#
    ));
    assert!(!keeps_back(
        Preset::Phoenix,
        question,
        br#"["1","7","room:1","phx_reply",{"status":"ok","response":{}}]"#
    ));
}

#[test]
fn graphql_transport_ws() {
    check(
        Preset::GraphqlWs,
        &[
            (r#"{"type":"ping"}"#, answered(r#"{"type":"pong"}"#), Seen),
            (
                r#"{"type":"ping","payload":{"a":[1, 2]}}"#,
                answered(r#"{"type":"pong","payload":{"a":[1, 2]}}"#),
                Seen,
            ),
            (r#"{"type":"pong"}"#, Seen, Seen),
            (r#"{"type":"pong","payload":{}}"#, Seen, Seen),
            (r#"{"type":"ka"}"#, Unknown, Unknown),
            (r#"{"type":"connection_init"}"#, Unknown, Unknown),
            (r#"{"type":"connection_ack"}"#, Unknown, Unknown),
            (r#"{"id":"1","type":"complete"}"#, Unknown, Unknown),
        ],
    );
}

#[test]
fn subscriptions_transport_ws_has_a_keepalive_of_the_servers_and_no_ping() {
    for preset in [Preset::GraphqlWs, Preset::Auto] {
        let met = |from, message: &str| met(preset, Some("graphql-ws"), from, message.as_bytes());
        let keepalive = met(Leg::Upstream, r#"{"type":"ka"}"#);
        assert_eq!(outcome(keepalive, b""), Seen);
        assert_eq!(met(Leg::Client, r#"{"type":"ka"}"#), None);
        for message in [r#"{"type":"ping"}"#, r#"{"type":"pong"}"#] {
            assert_eq!(met(Leg::Client, message), None, "{message}");
            assert_eq!(met(Leg::Upstream, message), None, "{message}");
        }
    }
}

#[test]
fn pusher() {
    let pong = r#"{"event":"pusher:pong","data":{}}"#;
    check(
        Preset::Pusher,
        &[
            (r#"{"event":"pusher:ping","data":{}}"#, answered(pong), Seen),
            (r#"{"event":"pusher:ping"}"#, answered(pong), Seen),
            (pong, Seen, Seen),
            (
                r#"{"event":"pusher:subscribe","data":{}}"#,
                Unknown,
                Unknown,
            ),
            (r#"{"event":"ping","data":{}}"#, Unknown, Unknown),
        ],
    );
}

#[test]
fn signalr() {
    check(
        Preset::Signalr,
        &[
            ("{\"type\":6}\x1e", Seen, Seen),
            ("{ \"type\": 6 }\x1e", Seen, Seen),
            ("{\"type\":6}", Unknown, Unknown),
            ("{\"type\":6}\x1e\x1e", Unknown, Unknown),
            ("{\"type\":6}\x1e{\"type\":6}\x1e", Unknown, Unknown),
            (
                "{\"type\":6}\x1e{\"type\":1,\"target\":\"x\"}\x1e",
                Unknown,
                Unknown,
            ),
            ("{\"type\":\"6\"}\x1e", Unknown, Unknown),
            ("{\"type\":7}\x1e", Unknown, Unknown),
            ("{}\x1e", Unknown, Unknown),
        ],
    );
    for leg in Leg::BOTH {
        let met = |bytes: &[u8]| met_as(MessageKind::Binary, Preset::Signalr, None, leg, bytes);
        assert_eq!(outcome(met(&[2, 0x91, 6]), b""), Seen);
        assert_eq!(met(&[2, 0x91, 7]), None);
        assert_eq!(met(&[2, 0x91, 6, 2, 0x91, 6]), None);
    }
}

#[test]
fn stomp() {
    check(
        Preset::Stomp,
        &[
            ("\n", Seen, Seen),
            ("\r\n", Seen, Seen),
            ("", Unknown, Unknown),
            ("\n\n", Unknown, Unknown),
            ("\0", Unknown, Unknown),
            ("SEND\n\n\0", Unknown, Unknown),
        ],
    );
    let binary = met_as(MessageKind::Binary, Preset::Stomp, None, Leg::Client, b"\n");
    assert_eq!(outcome(binary, b"\n"), Seen);
}

#[test]
fn mqtt() {
    let met = |from, bytes: &[u8]| met_as(MessageKind::Binary, Preset::Mqtt, None, from, bytes);
    let ping = met(Leg::Client, &[0xc0, 0]);
    assert_eq!(outcome(ping, b""), AnsweredAndSeen(vec![0xd0, 0]));
    assert_eq!(outcome(met(Leg::Upstream, &[0xd0, 0]), b""), Seen);
    assert!(keeps_back(Preset::Mqtt, &[0xc0, 0], &[0xd0, 0]));
    // Several packets in one frame, half a packet, and a message with more behind it: not ours to take apart.
    for bytes in [
        &[0xc0, 0, 0xc0, 0][..],
        &[0xc0],
        &[0],
        &[],
        &[0xc1, 0],
        &[0xc0, 0, 0x30, 2, 0, 0],
        &[0x30, 2, 0xc0, 0],
    ] {
        assert_eq!(met(Leg::Client, bytes), None, "{bytes:?}");
    }
    assert_eq!(met(Leg::Client, &[0xd0, 0]), None);
    assert_eq!(met(Leg::Upstream, &[0xc0, 0]), None);
    assert_eq!(met(Leg::Upstream, &[0xd0, 0, 0x30, 2, 0, 0]), None);
    let as_text = met_as(
        MessageKind::Text,
        Preset::Mqtt,
        None,
        Leg::Client,
        &[0xc0, 0],
    );
    assert_eq!(as_text, None);
}

#[test]
fn centrifugo() {
    check(
        Preset::Centrifugo,
        &[
            ("{}", Seen, Seen),
            ("{ }", Unknown, Unknown),
            ("{}\n{}", Unknown, Unknown),
            (r#"{"id":1,"ping":{}}"#, Unknown, Unknown),
        ],
    );
}

#[test]
fn action_cable() {
    check(
        Preset::ActionCable,
        &[
            (r#"{"type":"ping","message":1700000000}"#, Unknown, Seen),
            (r#"{"type":"welcome"}"#, Unknown, Unknown),
            (
                r#"{"identifier":"{}","message":{"type":"ping"}}"#,
                Unknown,
                Unknown,
            ),
            (r#"{"type":"pong"}"#, Unknown, Unknown),
        ],
    );
}

#[test]
fn auto_goes_by_the_subprotocol() {
    let met = |subprotocol, from, message: &[u8]| {
        outcome(met(Preset::Auto, subprotocol, from, message), message)
    };
    let (client, upstream) = (Leg::Client, Leg::Upstream);
    let ping = br#"{"type":"ping"}"#;
    for (subprotocol, from, message, expected) in [
        (
            "graphql-transport-ws",
            client,
            &ping[..],
            answered(r#"{"type":"pong"}"#),
        ),
        (
            "phoenix",
            client,
            br#"[null,"7","phoenix","heartbeat",{}]"#,
            answered(r#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#),
        ),
        ("stomp", upstream, b"\n", Seen),
        ("v10.stomp", client, b"\n", Seen),
        ("v11.stomp", client, b"\n", Seen),
        ("v12.stomp", client, b"\r\n", Seen),
        ("mqtt", client, &[0xc0, 0], AnsweredAndSeen(vec![0xd0, 0])),
        (
            "mqttv3.1",
            client,
            &[0xc0, 0],
            AnsweredAndSeen(vec![0xd0, 0]),
        ),
        ("centrifuge-json", upstream, b"{}", Seen),
        ("actioncable-v1-json", upstream, ping, Seen),
        ("actioncable-v1-ext-json", upstream, ping, Seen),
        ("actioncable-v1-json", client, ping, Unknown),
        ("phoenix", client, ping, Unknown),
        ("v12.stomp", client, ping, Unknown),
        ("chat", client, ping, Unknown),
        ("chat", client, b"ping", Unknown),
    ] {
        let shown = String::from_utf8_lossy(message);
        let got = met(Some(subprotocol), from, message);
        assert_eq!(got, expected, "{subprotocol} {from:?} {shown}");
        if expected != Unknown {
            assert_eq!(met(None, from, message), Unknown, "{shown}");
        }
    }
}

#[test]
fn every_preset_has_rules_that_fit_and_bear_its_name() {
    for (name, preset) in Preset::ALL {
        let rules = preset.rules().unwrap();
        assert!((1..=MAX_RULES).contains(&rules.len()), "{name}");
        for rule in rules {
            let is_named = preset == Preset::Auto || *rule.name == *name;
            assert!(is_named, "{name}: {}", rule.name);
            // Only a question that is answered here can have a second answer to keep back.
            assert_eq!(rule.answer.is_some(), rule.reply.is_some(), "{name}");
            assert!(
                rule.reply.is_none() || rule.from == Leg::Client,
                "{name}: what the upstream asks is for the client to answer"
            );
        }
    }
}

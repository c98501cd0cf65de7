use super::*;
use crate::heartbeat::{Forward, Preset};
use crate::session::Leg;
use serde_json::{Value, json};

fn rule(matcher: Matcher) -> Rule {
    Rule {
        name: "x".into(),
        from: Leg::Client,
        subprotocol: Subprotocol::Any,
        matcher,
        reply: None,
        forward: Forward::Never,
        answer: None,
        capture: Vec::new(),
        max_size: 1024,
    }
}

fn json(value: Value) -> Rule {
    rule(Matcher::Json(Pattern::from(&value)))
}

fn text(text: &str) -> Rule {
    rule(Matcher::Text(text.into()))
}

#[test]
fn wider_rules_take_what_narrower_ones_would() {
    let ping = json!({"type": "ping"});
    for (earlier, later, expected) in [
        (json(ping.clone()), json(ping.clone()), true),
        (
            json(ping.clone()),
            json(json!({"id": 1, "type": "ping"})),
            true,
        ),
        (
            json(json!({"id": 1, "type": "ping"})),
            json(ping.clone()),
            false,
        ),
        (json(json!({"type": "pong"})), json(ping.clone()), false),
        (
            json(json!({"a": {"b": 1}})),
            json(json!({"a": {"b": 1, "c": 2}})),
            true,
        ),
        (json(json!({"a": [1]})), json(json!({"a": [1, 2]})), false),
        (json(json!([{}])), json(json!([{"a": 1}])), true),
        (json(ping.clone()), text(r#"{ "type": "ping" }"#), true),
        (json(ping.clone()), text("ping"), false),
        (text("ping"), text("ping"), true),
        (text(r#"{"type":"ping"}"#), json(ping.clone()), false),
        (text("a"), rule(Matcher::Binary(Box::new(*b"a"))), false),
        (rule(Matcher::Bytes(Box::new(*b"a"))), text("a"), true),
        (text("a"), rule(Matcher::Bytes(Box::new(*b"a"))), false),
        (rule(Matcher::JsonRecord(Pattern::Any)), json(ping), false),
    ] {
        assert_eq!(covers(&earlier, &later), expected, "{earlier:?} {later:?}");
    }
}

#[test]
fn a_rule_covers_only_its_leg_size_and_subprotocol() {
    let wide = || json(json!({"type": "ping"}));
    let small = Rule {
        max_size: 64,
        ..wide()
    };
    assert!(covers(&wide(), &small));
    assert!(!covers(&small, &wide()));
    assert!(covers(&small, &text(r#"{"type":"ping"}"#)));
    assert!(!covers(
        &Rule {
            max_size: 4,
            ..wide()
        },
        &text(r#"{"type":"ping"}"#)
    ));
    assert!(!covers(
        &Rule {
            from: Leg::Upstream,
            ..wide()
        },
        &wide()
    ));

    let on = |subprotocol| Rule {
        subprotocol,
        ..wide()
    };
    let (a, ab) = (Subprotocol::Only(&["a"]), Subprotocol::Only(&["a", "b"]));
    let (not_a, not_ab) = (
        Subprotocol::Except(&["a"]),
        Subprotocol::Except(&["a", "b"]),
    );
    let not_b = Subprotocol::Except(&["b"]);
    for (earlier, later, expected) in [
        (Subprotocol::Any, a, true),
        (a, Subprotocol::Any, false),
        (not_a, Subprotocol::Any, false),
        (ab, a, true),
        (a, ab, false),
        (not_b, a, true),
        (not_a, ab, false),
        (not_a, not_ab, true),
        (not_ab, not_a, false),
        (a, not_b, false),
    ] {
        assert_eq!(
            covers(&on(earlier), &on(later)),
            expected,
            "{earlier:?} {later:?}"
        );
    }
}

#[test]
fn no_preset_has_a_rule_that_an_earlier_one_of_it_takes() {
    for (name, preset) in Preset::ALL {
        let rules = preset.rules().unwrap();
        for (index, later) in rules.iter().enumerate() {
            let taken = rules[..index].iter().any(|earlier| covers(earlier, later));
            assert!(!taken, "{name}: {later:?}");
        }
    }
}

//! Heartbeats of the application in `proxy.yaml`: what they become, and what is told about them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sidebeat::config::{self, Compression, Loaded, Route};
use sidebeat::heartbeat::json::Pattern;
use sidebeat::heartbeat::{Context, Matcher, Preset, Reply, Rule};
use sidebeat::session::policy::{Policy, ProbeKind};

fn parse(text: &str) -> Result<Loaded, Vec<config::Diagnostic>> {
    config::parse(text, "p.yaml", &|_| None)
}

fn valid(name: &str) -> Loaded {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/valid");
    config::load(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// The rules of a route, each as a line: name, whether it answers, whether it passes on, what it keeps, how long.
fn rules(policy: &Policy) -> Vec<String> {
    let rules = (0..).map_while(|index| policy.app.get(index));
    let line = |rule: &Rule| {
        let reply = match &rule.reply {
            None => "-".to_owned(),
            Some(Reply::Text(reply)) => reply.render(&Context {
                unix_ms: 7,
                conn: "01X",
                rtt_ms: None,
                message: br#"{"id":"a"}"#,
            }),
            Some(Reply::Binary(bytes)) => format!("{bytes:?}"),
        };
        let Rule {
            name,
            forward,
            capture,
            max_size,
            ..
        } = rule;
        format!("{name}: {reply} {forward:?} {capture:?} {max_size}")
    };
    rules.map(line).collect()
}

#[test]
fn application_heartbeats_become_rules() {
    let config = valid("everything.yaml").config;
    let top = rules(&config.default.policy);
    assert_eq!(top.len(), 4 + 4);
    let v2 = r#"[null,null,"phoenix","phx_reply",{"status":"ok","response":{}}]"#;
    assert_eq!(
        [&top[0], &top[2], &top[4], &top[5], &top[6], &top[7]],
        [
            &format!(r#"channels: {v2} Every(30s) ["4.version"] 256"#),
            "channels: - Always [] 256",
            r#"rule 2: {"type":"pong","id":"a","at":7,"by":"${unix_ms}"} Always ["version", "app.version"] 16384"#,
            "rule 3: pong Never [] 1024",
            "rule 4: [208, 0] Every(60s) [] 1024",
            "rule 5: - Never [] 1024",
        ]
    );
    let matcher = |index| {
        config
            .default
            .policy
            .app
            .get(index)
            .unwrap()
            .matcher
            .clone()
    };
    let json = serde_json::json!({"type": "ping", "list": [1, {"deep": null}]});
    assert_eq!(matcher(4), Matcher::Json(Pattern::from(&json)));
    assert_eq!(matcher(6), Matcher::Binary(Box::new([0xc0, 0])));
    assert_eq!(matcher(7), Matcher::Text("".into()));

    let [chat, none, auto] = [0, 1, 2].map(|index| rules(&config.routes[index].1.policy));
    assert_eq!(chat, top, "what a route does not say is as at the top");
    assert!(none.is_empty(), "{none:?}");
    let expected = Preset::Auto.rules().unwrap();
    assert_eq!(auto.len(), expected.len());
    let names: HashSet<_> = expected.iter().map(|rule| rule.name.clone()).collect();
    assert!(names.len() > 1 && auto.iter().any(|rule| rule.starts_with("mqtt: ")));
}

#[test]
fn overrides_of_a_preset_apply_to_the_rules_they_concern() {
    let item = |item: &str| {
        let text = format!("{{listen: ':1', upstream: ws://a, heartbeat: {{app: [{item}]}}}}");
        rules(&parse(&text).unwrap().config.default.policy)
    };
    assert_eq!(
        item("{preset: text}"),
        [
            "text: pong Never [] 1024",
            "text: - Always [] 1024",
            "text: - Always [] 1024",
            "text: - Always [] 1024"
        ]
    );
    assert_eq!(
        item("{preset: text, forward: every 5s, max_size: 16, name: beat}"),
        [
            "beat: pong Every(5s) [] 16",
            "beat: - Always [] 16",
            "beat: - Always [] 16",
            "beat: - Always [] 16"
        ]
    );
    let json = item("{preset: json, capture: [version, at]}");
    let with_fields = json.iter().map(|it| it.contains(r#"["version", "at"]"#));
    // The client's two questions and its pong, and nothing of the backend's.
    assert_eq!(
        with_fields.collect::<Vec<_>>(),
        [true, true, true, false, false]
    );
    assert_eq!(
        item("{preset: mqtt, forward: every 20s}")[0],
        "mqtt: [208, 0] Every(20s) [] 1024"
    );
}

#[test]
fn an_app_ping_is_a_ping() {
    let config = valid("everything.yaml").config;
    let probe = |route: &Route| {
        let probe = route.policy.client.probe.clone().unwrap();
        (probe.kind, probe.pong_timeout, probe.missed_pongs)
    };
    let app = |text: &str, expect| ProbeKind::App(text.into(), Arc::new(expect));
    let pong = Matcher::Json(Pattern::from(&serde_json::json!({"type": "pong"})));
    let top = app(r#"{"type":"ping"}"#, pong);
    assert_eq!(probe(&config.default), (top.clone(), None, 3));
    assert_eq!(probe(&config.routes[0].1).0, top);
    let three = app("2", Matcher::Text("3".into()));
    assert_eq!(probe(&config.routes[1].1).0, three);
    assert_eq!(probe(&config.routes[2].1).0, ProbeKind::Ping);

    let text = "{listen: ':1', upstream: ws://a, heartbeat: {client: {app_ping: {text: a, expect: {binary: 'b0'}}}},
        routes: [{match: {path: /a}, heartbeat: {client: {app_ping: {text: b}, pong_timeout: 5s}}}]}";
    let config = parse(text).unwrap().config;
    let expected = |text| app(text, Matcher::Binary(Box::new([0xb0])));
    let ten = Some(Duration::from_secs(10));
    assert_eq!(probe(&config.default), (expected("a"), ten, 2));
    let five = Some(Duration::from_secs(5));
    assert_eq!(probe(&config.routes[0].1), (expected("b"), five, 2));
}

#[test]
fn compression_is_a_routes_own() {
    let config = valid("everything.yaml").config;
    let routes = config.routes.iter().map(|(_, route)| route.compression);
    assert_eq!(config.default.compression, Compression::Strip);
    assert_eq!(
        routes.collect::<Vec<_>>(),
        [
            Compression::Strip,
            Compression::Passthrough,
            Compression::Strip
        ]
    );
    let least = valid("least.yaml").config;
    assert_eq!(least.default.compression, Compression::Passthrough);
}

#[test]
fn lints_of_application_heartbeats_begin_where_something_is_lost() {
    let warnings = |app: &str| {
        let text = format!("{{listen: ':1', upstream: ws://a, heartbeat: {{app: [{app}]}}}}");
        let loaded = parse(&text).unwrap();
        let paths = loaded.warnings.into_iter().map(|problem| problem.path);
        let short = paths.map(|path| path.replace("heartbeat.app", ""));
        short.collect::<Vec<_>>().join(" ")
    };
    for (app, told) in [
        ("{match: {text: a}}", "[0]"),
        ("{match: {text: a}, reply: b}", ""),
        ("{match: {text: a}, reply_binary: 'b0'}", ""),
        ("{match: {text: a}, forward: never}", ""),
        ("{match: {text: a}, forward: always}", ""),
        ("{match: {json: {}}, forward: always}", "[0].match"),
        ("{match: {json: []}, forward: always}", ""),
        (
            "{match: {text: aé}, forward: always, max_size: 2}",
            "[0].match",
        ),
        ("{match: {text: aé}, forward: always, max_size: 3}", ""),
        (
            "{match: {binary: c0c0}, forward: always, max_size: 1}",
            "[0].match",
        ),
        (
            "{match: {text: a}, reply: b}, {match: {text: a}, reply: c}",
            "[1]",
        ),
        (
            "{match: {text: a}, reply: b}, {match: {text: A}, reply: c}",
            "",
        ),
        // The narrower one first is what one would write.
        (
            "{match: {json: {a: 1, b: 2}}, reply: b}, {match: {json: {a: 1}}, reply: c}",
            "",
        ),
        (
            "{match: {json: {a: 1}}, reply: b}, {match: {json: {a: 1, b: 2}}, reply: c}",
            "[1]",
        ),
        (
            "{preset: json}, {match: {json: {type: ping}}, reply: c}",
            "[1]",
        ),
        // Another answer, and the rest of the preset.
        (
            "{match: {json: {type: ping}}, reply: c}, {preset: json}",
            "",
        ),
        ("{preset: json}, {preset: graphql-ws}", "[1]"),
        ("{preset: json}, {preset: json}", "[1]"),
        ("{preset: auto}, {preset: json}", ""),
        ("{preset: json}, {preset: text}, {preset: pusher}", ""),
        ("{preset: mqtt, forward: never}", "[0].forward"),
        ("{preset: auto, forward: never}", "[0].forward"),
        ("{preset: mqtt, forward: every 30s}", ""),
        ("{preset: engine.io, forward: never}", "[0].forward"),
        ("{preset: engine.io, forward: every 20s}", ""),
        ("{preset: engine.io}", ""),
        // A rule of one's own says nothing of the protocol.
        ("{match: {text: '2'}, reply: '3', forward: never}", ""),
        ("{preset: mqtt}", ""),
        ("{preset: text, forward: never}", ""),
    ] {
        assert_eq!(warnings(app), told, "{app}");
    }
}

#[test]
fn as_many_rules_as_fit() {
    let app = |count: usize| {
        let item = |number| format!("{{match: {{text: '{number}'}}, reply: a}}");
        let items: Vec<String> = (0..count).map(item).collect();
        let items = items.join(", ");
        parse(&format!(
            "{{listen: ':1', upstream: ws://a, heartbeat: {{app: [{items}]}}}}"
        ))
    };
    assert_eq!(rules(&app(64).unwrap().config.default.policy).len(), 64);
    let problems = app(65).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("makes 65 rules"));
}

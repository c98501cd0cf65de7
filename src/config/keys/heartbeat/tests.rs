use super::*;
use crate::config::engine::parsed;
use crate::heartbeat::Matcher;

fn keepalive(text: &str) -> Result<Option<ProbeKind>, String> {
    let value = parsed(text).value;
    Keepalive
        .read(&value)
        .map_err(|errors| errors[0].message.clone())
}

#[test]
fn keepalive_is_ping_pong_text_or_off() {
    assert_eq!(keepalive("ping"), Ok(Some(ProbeKind::Ping)));
    assert_eq!(keepalive("pong"), Ok(Some(ProbeKind::Pong)));
    assert_eq!(keepalive("off"), Ok(None));
    assert_eq!(
        keepalive("{text: hi}"),
        Ok(Some(ProbeKind::Text("hi".into())))
    );
    for (text, help) in [
        ("pin", "did you mean ping?"),
        ("{txt: hi}", "txt is unknown"),
        ("{}", "missing"),
        ("{text: ''}", "missing"),
        ("{text: ~}", "missing"),
        ("{text: 5}", "in quotes"),
        ("{text: [a]}", "found a list"),
        ("[ping]", "found a list"),
    ] {
        let message = keepalive(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn the_clients_notice_goes_before_either_idle_close_that_leaves_time_for_it() {
    let mut heartbeats = Heartbeats::default();
    heartbeats.client.notice_before = Some(Duration::from_secs(5));
    for (upstream_idle, is_told) in [(None, false), (Some(5), false), (Some(6), true)] {
        heartbeats.upstream.idle_time = upstream_idle.map(Duration::from_secs);
        let [client, upstream] = heartbeats.resolve();
        assert!(client.idle_notice.is_some());
        assert_eq!(upstream.idle_notice.is_some(), is_told, "{upstream_idle:?}");
    }
}

#[test]
fn only_pings_are_waited_for() {
    let mut leg = Heartbeats::default().upstream;
    assert_eq!(
        leg.resolve().probe.unwrap().pong_timeout,
        Some(Duration::from_secs(10))
    );
    leg.keepalive = Some(ProbeKind::Pong);
    assert_eq!(leg.resolve().probe.unwrap().pong_timeout, None);
    let pong = Matcher::Text("pong".into());
    leg.keepalive = Some(ProbeKind::App("ping".into(), Arc::new(pong)));
    assert_eq!(
        leg.resolve().probe.unwrap().pong_timeout,
        Some(Duration::from_secs(10))
    );
    leg.ping_interval = None;
    assert_eq!(leg.resolve().probe, None);
}

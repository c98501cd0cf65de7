use super::*;

fn checks(text: &str) -> Vec<Check> {
    let loaded = crate::config::parse(text, "test", &|_| None).unwrap();
    wanted(&loaded.config)
}

#[test]
fn each_backend_is_checked_once_in_the_way_that_does_most() {
    let wanted = checks(
        "listen: ':1'\nupstream: {url: ws://a:1, connect_timeout: 1s}\nroutes:\n\
         - {match: {path: /b}, upstream: ws://b:1}\n\
         - {match: {path: /c}, upstream: {connect_timeout: 2s, health: {mode: http, path: /c, interval: 9s}}}\n\
         - {match: {path: /d}, upstream: {host: d, health: {mode: http, path: /d, interval: 8s}}}\n\
         - {match: {path: /e}, upstream: {health: {mode: off, interval: 1s}}}\n",
    );
    let told: Vec<String> = wanted
        .iter()
        .map(|check| {
            let Health {
                mode,
                interval,
                path,
            } = &check.health;
            let timeout = check.connect_timeout;
            format!(
                "{} {mode:?} {path} {interval:?} {timeout:?} {}",
                check.target, check.host
            )
        })
        .collect();
    assert_eq!(told, ["a:1 Http /c 8s 2s a:1", "b:1 Passive / 5s 1s b:1"]);
}

#[test]
fn a_check_has_the_host_that_is_written() {
    let host = |upstream: &str| {
        checks(&format!("listen: ':1'\nupstream: {upstream}\n"))[0]
            .host
            .clone()
    };
    assert_eq!(host("ws://[::1]:81"), "[::1]:81");
    assert_eq!(host("{url: ws://a, host: upstream}"), "a:80");
    assert_eq!(
        host("{url: ws://a, host: chat.example.com}"),
        "chat.example.com"
    );
    assert_eq!(host("unix:/run/a.sock"), "localhost");
}

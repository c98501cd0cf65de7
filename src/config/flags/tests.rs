use super::*;
use crate::config::{Listen, Target, parse_with};

fn flags(listen: &[&str], upstream: Option<&str>) -> Flags {
    Flags {
        listen: listen.iter().map(|it| (*it).to_owned()).collect(),
        upstream: upstream.map(str::to_owned),
    }
}

fn read(text: &str, flags: &Flags) -> Result<crate::config::Loaded, Vec<String>> {
    parse_with(text, "p.yaml", &|_| None, flags)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn both_flags_are_a_whole_configuration() {
    let both = flags(&["127.0.0.1:1", "127.0.0.1:2"], Some("ws://a:3"));
    let config = read("", &both).unwrap().config;
    assert_eq!(config.listen.len(), 2);
    let target = Target::Tcp {
        host: "a".to_owned(),
        port: 3,
    };
    assert_eq!(config.default.upstream.target, target);
    let problems = read("", &flags(&[":1"], None)).unwrap_err();
    assert!(problems[0].contains("the file is empty"), "{problems:?}");
}

#[test]
fn a_flag_replaces_its_key_and_leaves_the_others() {
    let text = "listen: '${UNSET}'\nupstream: {url: 5, connect_timeout: 7s}\n";
    let config = read(text, &flags(&["127.0.0.1:1"], Some("unix:/b")))
        .unwrap()
        .config;
    assert_eq!(config.listen, [Listen::Tcp(([127, 0, 0, 1], 1).into())]);
    assert_eq!(config.default.upstream.target, Target::Unix("/b".into()));
    assert_eq!(config.default.upstream.connect_timeout.as_secs(), 7);
    let text = "listen: ':1'\nupstream: [a, b]\n";
    let config = read(text, &flags(&[], Some("unix:/b"))).unwrap().config;
    assert_eq!(config.default.upstream.target, Target::Unix("/b".into()));
}

#[test]
fn what_is_wrong_with_a_flag_names_the_flag() {
    let twice = flags(&["127.0.0.1:1", "127.0.0.1:1"], Some("ws://a"));
    for text in ["", "limits: {}\n"] {
        let problems = read(text, &twice).unwrap_err();
        assert_eq!(
            problems,
            ["--listen: error: listen[1]: is in the list already"],
            "{text}"
        );
    }
    let problems = read("limits: {x: 1}\n", &twice).unwrap_err();
    assert!(
        problems[1].starts_with("p.yaml:1:10: error: limits.x: "),
        "{problems:?}"
    );
}

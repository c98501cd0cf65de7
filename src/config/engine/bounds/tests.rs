use super::*;
use crate::config::{Diagnostic, parse};

const GOOD: &str = "listen: ':1'\nupstream: ws://a\n";

fn told(text: &str) -> Vec<Diagnostic> {
    // As long as an environment of Linux lets a variable be.
    let env = |name: &str| match name {
        "HUGE" => Some("x".repeat(128 * 1024)),
        "LONG" => Some("x".repeat(MAX_TEXT)),
        _ => None,
    };
    parse(text, "p.yaml", &env).expect_err("it is too much")
}

fn refusal(text: &str) -> String {
    let problems = told(text);
    problems[0].to_string()
}

fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn no_small_file_stands_for_a_large_configuration() {
    let text = "x".repeat(60 * 1024);
    for (what, file, message) in [
        (
            "aliases of a long text",
            format!("a: &a {text}\nb: [{}]\n", "*a, ".repeat(9_000)),
            "unfolds to more than 4 MiB",
        ),
        (
            "aliases as keys",
            format!("a: &a {text}\nb:\n{}", " - *a : 1\n".repeat(9_000)),
            "unfolds to more than 4 MiB",
        ),
        (
            "aliases of a long list",
            format!(
                "a: &a [{}]\nb: [{}]\n",
                "1, ".repeat(900),
                "*a, ".repeat(9_000)
            ),
            "more than 100000 values",
        ),
        (
            "aliases of aliases",
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
                + &numbered(12, |level| {
                    format!(
                        "a{}: &a{} [{}]\n",
                        level + 1,
                        level + 1,
                        format!("*a{level}, ").repeat(10)
                    )
                }),
            "more than 100000 values",
        ),
        (
            "merge keys in merge keys",
            "a0: &a0 {k: 1}\n".to_owned()
                + &numbered(100, |level| {
                    format!(
                        "a{}: &a{} {{<<: *a{level}, k{level}: 1}}\n",
                        level + 1,
                        level + 1
                    )
                }),
            "in each other",
        ),
        (
            "merge keys of a wide mapping",
            format!(
                "a: &a {{{}}}\nb: {{<<: [{}]}}\n",
                numbered(900, |key| format!("k{key}: 1, ")),
                "*a, ".repeat(9_000)
            ),
            "more than 100000 values",
        ),
        (
            "a variable of 128 KiB",
            format!("{GOOD}close: {{killed: {{reason: '${{HUGE}}'}}}}\n"),
            "more than 64 KiB",
        ),
        (
            "one variable often in a text",
            format!(
                "{GOOD}close: {{killed: {{reason: '{}'}}}}\n",
                "${LONG}".repeat(8_000)
            ),
            "more than 64 KiB",
        ),
        (
            "a variable in many texts",
            format!("{GOOD}routes:\n{}", "- '${LONG}'\n".repeat(5_000)),
            "unfolds to more than 4 MiB",
        ),
    ] {
        let problems = told(&file);
        let found = problems.iter().find(|it| it.message.contains(message));
        assert!(found.is_some(), "{what}: {:?}", problems.first());
    }
}

#[test]
fn no_text_is_given_to_the_parser_that_it_takes_long_over() {
    for (file, message) in [
        (
            "[".repeat(120_000),
            "p.yaml:1:10001: error: more than 10000 `[`",
        ),
        (
            "{a: ".repeat(60_000),
            "p.yaml:1:40001: error: more than 10000 `[`",
        ),
        (
            "# '\n[? ".repeat(60_000),
            "p.yaml:10002:1: error: more than 10000 `[`",
        ),
        (
            "\"]\", [".repeat(60_000),
            "p.yaml:1:60006: error: more than 10000 `[`",
        ),
        (
            numbered(40_000, |n| format!("%TAG !a{n}! tag:x\n")),
            "p.yaml:17:1: error: more than 16 lines begin with `%`",
        ),
        ("- ".repeat(60_000), "in each other"),
        ("? ".repeat(60_000), "in each other"),
        (format!("a: {}", "x".repeat(900_000)), "more than 64 KiB"),
        (
            format!("a: !{} b", "x".repeat(900_000)),
            "listen: is required",
        ),
        (
            format!("upstream: ws://a\nlisten:\n{}", "- ':1'\n".repeat(100_000)),
            "listen: more than 10000 items in one list",
        ),
        ("a: 1\n".repeat(120_000), "more than 100000 values"),
    ] {
        let refusal = refusal(&file);
        assert!(refusal.contains(message), "{message}: {refusal}");
    }
}

#[test]
fn a_large_configuration_is_far_below_every_bound() {
    let routes = numbered(3_000, |n| {
        format!(
            "  - match: {{path: /chat/{n}}}\n    upstream: {{url: 'ws://10.0.0.1:{}'}}\n    heartbeat:\n      client:\n        idle_time: 5m\n",
            n + 1
        )
    });
    let loaded = parse(&format!("{GOOD}routes:\n{routes}"), "p.yaml", &|_| None).unwrap();
    assert_eq!(loaded.config.routes.len(), 3_000);
}

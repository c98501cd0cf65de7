//! How much a file may hold, so that no file costs more than a moment and a few MiB, whatever is in it.
//!
//! YAML lets a small text stand for a large tree (aliases, merge keys, variables), and the parser takes quadratic time
//! over some texts that no person writes. Each bound is far above what a configuration needs.

use super::keypath::{Found, KeyPath, Place};

/// `[` and `{` in a text: the parser looks at every open one for each token, and this bounds how many can be open. They
/// are counted wherever they stand, so that no quotation mark or comment can hide one.
const MAX_OPENINGS: usize = 10_000;
/// Lines that begin with `%`: the parser compares each directive with all earlier ones.
const MAX_DIRECTIVES: usize = 16;
/// Values of a whole file, aliases unfolded.
pub(super) const MAX_VALUES: usize = 100_000;
/// Bytes of all texts of a file, aliases unfolded and variables expanded.
pub(super) const MAX_UNFOLDED: usize = 4 * 1024 * 1024;
/// Bytes of one text.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// Items of one list.
pub(super) const MAX_ITEMS: usize = 10_000;
/// Blocks and lists in each other.
pub(super) const MAX_DEPTH: usize = 32;

/// What of a text is too much for the parser; asked before it begins.
pub(super) fn check(text: &str) -> Result<(), Found> {
    if let Some((at, _)) = text.match_indices(['[', '{']).nth(MAX_OPENINGS) {
        let message = format!(
            "more than {MAX_OPENINGS} `[` and `{{` in one file; write long lists with `- ` and blocks on lines of their own"
        );
        return Err(at_byte(text, at, message));
    }
    let begins_line = |at: usize| at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | b'\r');
    let mut directives = text.match_indices('%').filter(|(at, _)| begins_line(*at));
    if let Some((at, _)) = directives.nth(MAX_DIRECTIVES) {
        let message = format!("more than {MAX_DIRECTIVES} lines begin with `%`; remove them");
        return Err(at_byte(text, at, message));
    }
    Ok(())
}

/// The text of a whole file, as far as it may go.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: usize,
}

impl Texts {
    /// One more text of this length; an error says what is too much.
    pub(super) fn add(&mut self, length: usize) -> Result<(), String> {
        if length > MAX_TEXT {
            return Err(too_long());
        }
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > MAX_UNFOLDED {
            return Err(format!(
                "the file unfolds to more than {} MiB of text through aliases and variables; write less of them",
                MAX_UNFOLDED >> 20
            ));
        }
        Ok(())
    }
}

/// What is said of more than [`MAX_DEPTH`] blocks.
pub(super) fn too_deep() -> String {
    format!("more than {MAX_DEPTH} blocks and lists in each other")
}

/// What is said of a text of more than [`MAX_TEXT`] bytes.
pub(super) fn too_long() -> String {
    format!("this text has more than {} KiB", MAX_TEXT >> 10)
}

fn at_byte(text: &str, at: usize, message: String) -> Found {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let place = Place::At(1 + before.matches('\n').count(), 1 + line.chars().count());
    Found::error(KeyPath::default(), place, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Problem, parse};

    const GOOD: &str = "listen: ':1'\nupstream: ws://a\n";

    fn told(text: &str) -> Vec<Problem> {
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
}

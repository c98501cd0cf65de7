use crate::config::parse;

/// A file, the line and column of its only error, and what it says.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "listen:0.0.0.0:8080\nupstream: ws://a\n",
        "1:8",
        "a space is missing behind `listen:`",
    ),
    (
        "upstream: ws://a\nlisten:0.0.0.0:8080\n",
        "2:8",
        "a space is missing behind `listen:`",
    ),
    (
        "listen:0.0.0.0:8080",
        "1:8",
        "a space is missing behind `listen:`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time:5s\n    ping_interval: 5s\n",
        "5:15",
        "behind `idle_time:`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time:5s\n",
        "5:5",
        "behind `idle_time:`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat: {client: {idle_time:5s}}\n",
        "3:22",
        "behind `idle_time:`",
    ),
    (
        "listen：0.0.0.0:8080\nupstream: ws://a\n",
        "1:7",
        "`：` is not the colon of YAML",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time： 5s\n    ping_interval: 3s\n",
        "5:14",
        "`：` is not the colon of YAML",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose: {killed: {code: 4000， reason: x}}\n",
        "3:28",
        "write `,`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose: {killed: {reason: “idle: x”}}\n",
        "3:26",
        "write `\"`",
    ),
    (
        "listen: “:8080”\nupstream: ws://a\n",
        "1:9",
        "did you mean :8080?",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n \u{a0}\u{a0}\u{a0}idle_time: 5s\n",
        "5:2",
        "with a no-break space (U+00A0)",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n\u{3000}client: {}\n",
        "4:1",
        "with a full-width space (U+3000)",
    ),
    (
        "listen:\u{a0}:8080\nupstream: ws://a\n",
        "1:8",
        "a no-break space (U+00A0) behind",
    ),
    (
        "listen: :8080\nupstream: ws://a\nlimits:\n  max_frame: 1MiB\n\tmax_message: 1MiB\n",
        "5:1",
        "indented with a tab",
    ),
    (
        "listen: :8080\n  upstream: ws://a\n",
        "2:3",
        "further than `listen` above it",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time: 5s\n     ping_interval: 3s\n",
        "6:6",
        "begin it in the same column, 5",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time: 5s\n   ping_interval: 3s\n",
        "6:4",
        "indented by 3 spaces, which fits none of the blocks above it; indent it by 4 as `idle_time`, or by 2 as `client`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time: 5s\n ping_interval: 3s\n",
        "6:2",
        "indented by 1 space, which",
    ),
    (
        "listen: :8080\nupstream: ws://a\nroutes:\n  - match: {path: /a}\n   upstream: ws://b\n",
        "5:4",
        "indent it by 4 as `match`, or by 2 for an item `- `",
    ),
    (
        "listen: :8080\nupstream: ws://a\nroutes:\n  - match: {path: /a}\n   - match: {path: /b}\n",
        "5:4",
        "by 2 for an item `- `",
    ),
    (
        " listen: :8080\nupstream: ws://a\n",
        "1:1",
        "begins in column 2 and line 2 in column 1",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\nclient:\n  idle_time: 5s\n",
        "4:1",
        "`client` belongs under `heartbeat`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nroutes:\n  -match: {path: /a}\n",
        "4:3",
        "a space is missing behind the `-`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nroutes:\n  -match: {path: /a}\n   upstream: ws://b\n",
        "4:3",
        "a space is missing behind the `-`",
    ),
    (
        "listen:\n  -:8080\n  -:8081\nupstream: ws://a\n",
        "2:3",
        "a space is missing behind the `-`",
    ),
    (
        "listen:\n - :8080\n  - :8081\nupstream: ws://a\n",
        "2:4",
        "begin each `- ` in the same column",
    ),
    (
        "listen: :8080\nupstream: ws://a\nroutes:\n  - match: {host: *.example.com}\n",
        "4:19",
        "needs quotes (YAML takes it for a reference to `&…`): write '*.example.com'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nlimits:\n  allowed_origins:\n    - *.example.com\n",
        "5:7",
        "write '*.example.com'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nlimits: *limits\n",
        "3:9",
        "nothing before this has the name",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose:\n  killed:\n    reason: idle: timeout\n",
        "5:13",
        "a text with `: ` in it needs quotes: write 'idle: timeout'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose: {killed: {reason: idle: timeout}}\n",
        "3:26",
        "write 'idle: timeout'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client: idle_time: 5s\n",
        "4:11",
        "`client:` and `idle_time:` cannot stand on one line",
    ),
    (
        "listen: :8080\nupstream: ws://a\nlimits: {max_connections: ${N:-500}}\n",
        "3:27",
        "between `{` and `}` a text with `${…}` needs quotes: write '${N:-500}'",
    ),
    (
        "listen: [${A:-:8080}]\nupstream: ws://a\n",
        "1:10",
        "write '${A:-:8080}'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose:\n  killed:\n    reason: 'idle\n    code: 4000\n",
        "5:13",
        "not closed on this line",
    ),
    (
        "listen: :8080\nupstream: ws://a\nclose:\n  killed:\n    reason: 'idle\n    code: 4000\ndrain: {reason: 'x'}\n",
        "5:13",
        "not closed on this line",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: 'it's over'\n",
        "4:15",
        "written twice",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: \"a \"b\" c\"\n",
        "4:15",
        "put the text in single quotes",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain: {reason: \"a\\d\"}\n",
        "3:19",
        "begins an escape",
    ),
    (
        "listen: [':8080', ':8081'\nupstream: ws://a\n",
        "1:9",
        "the `[` that begins here is never closed",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat: {client: {idle_time: 5s}\nlimits: {max_frame: 1MiB}\n",
        "3:12",
        "the `{` that begins here is never closed",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat: {client: {idle_time: 5s}}}\n",
        "3:37",
        "closes nothing",
    ),
    (
        "listen: [':8080'}\nupstream: ws://a\n",
        "1:17",
        "`]` is expected before this `}`",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: @idle\n",
        "4:11",
        "begins with `@` needs quotes",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: `idle`\n",
        "4:11",
        "write '`idle`'",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: %idle\n",
        "4:11",
        "begins with `%` needs quotes",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: - idle\n",
        "4:11",
        "begins with `-` needs quotes",
    ),
    (
        "listen: :8080\nupstream: ws://a\ndrain:\n  reason: |idle\n",
        "4:11",
        "several lines",
    ),
    ("%listen\nupstream: ws://a\n", "1:1", "begins with `%`"),
    (
        "listen: ':8080',\nupstream: 'ws://a'\n",
        "1:16",
        "remove it",
    ),
    (
        "listen: :8080;\nupstream: ws://a\n",
        "1:9",
        "did you mean :8080?",
    ),
    (
        "{'listen': ':8080',\n 'upstream': 'ws://a',,\n}\n",
        "2:23",
        "remove the comma",
    ),
    (
        "{'listen': ':8080'\n 'upstream': 'ws://a'\n}\n",
        "1:19",
        "a `,` is missing here",
    ),
    (
        "{\n  // comment\n  'listen': ':8080'\n}\n",
        "2:3",
        "a comment begins with `#`",
    ),
    (
        "// comment\nlisten: :8080\nupstream: ws://a\n",
        "1:1",
        "a comment begins with `#`",
    ),
    ("listen: :8080\nupstream = ws://a\n", "2:10", "and no `=`"),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  client:\n    idle_time = 5s\n",
        "5:5",
        "and no `=`",
    ),
    (
        "listen: :8080\nupstream ws://a\n",
        "2:9",
        "a `:` is missing behind `upstream`",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  app:\n    - match: {text: a}\n      reply: {\"id\":${json.id}}\n",
        "6:14",
        "write '{\"id\":${json.id}}'",
    ),
    (
        "listen: :8080\nupstream: ws://a\nheartbeat:\n  app:\n    - match: {text: a}\n      reply: {\"type\":\"pong\"}\n",
        "6:14",
        "a text that begins with `{`",
    ),
    (
        "listen: :8080\nupstream: ws://a\n---\nlisten: :2\n",
        "3:1",
        "remove the `---`",
    ),
    (
        "listen: :8080\nupstream: ws://a\n...\nlisten: :2\n",
        "3:1",
        "remove the `...`",
    ),
    (
        "listen: :8080\u{1}\nupstream: ws://a\n",
        "1:14",
        "a control character (U+0001)",
    ),
];

#[test]
fn a_mistake_is_one_error_where_a_person_would_change_something() {
    let mut wrong = String::new();
    for (text, at, help) in MISTAKES {
        let problems = parse(text, "p.yaml", &|_| None).unwrap_err();
        let place = format!("{}:{}", problems[0].line, problems[0].column);
        if problems.len() != 1 || place != *at || !problems[0].message.contains(help) {
            let told = problems.iter().map(|problem| format!("{problem}\n"));
            wrong += &format!("{text}{}\n", told.collect::<String>());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_line_that_was_meant_to_be_a_key_is_reported() {
    for text in [
        "listen：:8080\nupstream：ws://a\n",
        "listen=:8080\nupstream=ws://a\n",
    ] {
        let problems = parse(text, "p.yaml", &|_| None).unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 2], "{text}");
    }
}

#[test]
fn no_message_shows_a_secret() {
    let sign = ["@", "!", "*", "&", "|", "%", "'", "a: ", "${", "“", "- "];
    for sign in sign {
        for text in [
            format!("listen: :1\nadmin:\n  token: {sign}s3cret\n"),
            format!("listen: :1\nadmin: {{token: {sign}s3cret}}\n"),
            format!("listen: :1\nadmin: {{token: {sign}s3cret, listen: ${{A}}}}\n"),
        ] {
            for problem in parse(&text, "p.yaml", &|_| None).unwrap_err() {
                assert!(!problem.message.contains("s3cret"), "{text}{problem}");
            }
        }
    }
}

#[test]
fn files_in_other_encodings_are_refused() {
    let told = |bytes: &[u8]| {
        let error = crate::config::load_input(bytes).unwrap_err();
        error.to_string()
    };
    let utf16: Vec<u8> = "listen: :1"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(told(&[&[0xff, 0xfe], &utf16[..]].concat()).contains("is UTF-16; save it as UTF-8"));
    assert!(told(&utf16).contains("standard input:1:2: error: a zero byte"));
    assert!(told(b"listen: :1\n# caf\xe9\n").contains("standard input:2:6: error: this byte"));
}

use super::*;

fn is_key(name: &str) -> bool {
    ["listen", "idle_time", "heartbeat", "match"].contains(&name)
}

#[test]
fn lines_that_are_no_entry_say_what_is_missing() {
    for (text, column, help) in [
        (
            "listen:0.0.0.0:8080",
            8,
            "a space is missing behind `listen:`",
        ),
        ("  idle_time：5s", 12, "is not the colon of YAML"),
        ("  zebra：5s", 8, "is not the colon of YAML"),
        ("listen:\u{a0}:8080", 8, "a no-break space (U+00A0) behind"),
        ("listen = :8080", 8, "and no `=`"),
        ("listen=:8080", 7, "and no `=`"),
        ("listen :8080", 7, "a `:` is missing behind `listen`"),
        ("heartbeat", 10, "a `:` is missing behind `heartbeat`"),
        ("  -match: {path: /a}", 3, "as in `- match`"),
        ("  -:8080", 3, "behind the `-`"),
        ("// comment", 1, "a comment begins with `#`"),
        (" \tlisten: :1", 2, "with a tab"),
        ("\u{3000}listen: :1", 1, "a full-width space (U+3000)"),
    ] {
        let line = Line { number: 1, text };
        let slip = slip(&line, &is_key).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(slip.column, column, "{text}");
        assert!(slip.message.contains(help), "{text}: {}", slip.message);
    }
    for text in [
        "listen: :8080",
        "  - match: {}",
        "# x",
        "",
        "-1",
        "--- ",
        "\t",
        "zebra x",
    ] {
        assert!(slip(&Line { number: 1, text }, &is_key).is_none(), "{text}");
    }
}

//! The section about application heartbeats: its presets do what it says of them, and its variables are all.

use std::collections::BTreeSet;

use sidebeat::heartbeat::{
    Context, MessageKind, Preset, Reply, Rule, Rules, Subprotocol, Template,
};
use sidebeat::session::Leg;

use super::{READMES, name, names, table};

const CONTEXT: Context<'static> = Context {
    unix_ms: 1_700_000_000_123,
    conn: "01X",
    rtt_ms: None,
    message: b"",
};

/// The rows of presets, with the preset of each.
fn presets(readme: &str) -> Vec<(Preset, Vec<String>)> {
    let rows = table(readme, "presets").into_iter();
    let preset = |row: &[String]| {
        let known = Preset::ALL
            .iter()
            .find(|(known, _)| *known == name(&row[0]));
        known.unwrap_or_else(|| panic!("no preset {row:?}")).1
    };
    rows.map(|row| (preset(&row), row)).collect()
}

#[test]
fn the_presets_are_the_ones_that_there_are() {
    for (file, readme) in READMES {
        let rows = table(readme, "presets");
        let told: Vec<&str> = rows.iter().map(|row| name(&row[0])).collect();
        assert_eq!(told, Preset::ALL.map(|(name, _)| name), "{file}");
        assert!(rows.iter().all(|row| row.len() == 4), "{file}");
    }
}

#[test]
fn clients_are_answered_as_the_readme_says() {
    for (file, readme) in READMES {
        for (preset, row) in presets(readme) {
            let rules = preset.rules().unwrap();
            let answers = rules.iter().any(|rule| rule.reply.is_some());
            assert_eq!(answers, row[2] != "–", "{file}: {row:?}");
            let rules = Rules::new(rules);
            let told = names(&row[2]);
            assert_eq!(told.len() % 2, 0, "{file}: {row:?}");
            for pair in told.chunks(2) {
                assert_eq!(answer(&rules, pair[0]), pair[1], "{file}: {row:?}");
            }
        }
    }
}

/// What the client gets for a message; bytes are written in hex.
fn answer(rules: &Rules, question: &str) -> String {
    let bytes: Result<Vec<u8>, _> = question
        .split(' ')
        .map(|byte| u8::from_str_radix(byte, 16))
        .collect();
    let (kind, message) = match bytes {
        Ok(bytes) if question.contains(' ') => (MessageKind::Binary, bytes),
        _ => (MessageKind::Text, question.as_bytes().to_vec()),
    };
    let index = rules.recognise(rules.active(None), Leg::Client, kind, &message);
    let rule = index.and_then(|index| rules.get(index));
    match rule.and_then(|rule| rule.reply.as_ref()) {
        None => panic!("{question} has no answer"),
        Some(Reply::Text(reply)) => reply.render(&Context {
            message: &message,
            ..CONTEXT
        }),
        Some(Reply::Binary(bytes)) => {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            hex.join(" ")
        }
    }
}

#[test]
fn the_subprotocols_of_auto_are_documented() {
    let of = |rule: &Rule| match rule.subprotocol {
        Subprotocol::Only(names) => names,
        other => panic!("{other:?}"),
    };
    let rules = Preset::Auto.rules().unwrap();
    let known: BTreeSet<&str> = rules.iter().flat_map(of).copied().collect();
    for (file, readme) in READMES {
        let rows = presets(readme);
        let (_, row) = rows.iter().find(|(it, _)| *it == Preset::Auto).unwrap();
        let told: BTreeSet<&str> = names(&row[1]).into_iter().collect();
        assert_eq!(told, known, "{file}");
    }
}

#[test]
fn the_variables_are_the_ones_that_there_are() {
    // What is said to somebody who writes another one.
    let hint = Template::compile("${}").unwrap_err().to_string();
    let names = hint.split("${").skip(2).map(|it| it.split('}').next());
    let known: Vec<String> = names
        .map(|name| format!("${{{}}}", name.unwrap()))
        .collect();
    for (file, readme) in READMES {
        let rows = table(readme, "variables");
        let told: Vec<&str> = rows.iter().map(|row| name(&row[0])).collect();
        assert_eq!(told, known, "{file}");
        for variable in told {
            let rendered = Template::compile(variable).unwrap().render(&CONTEXT);
            assert_ne!(rendered, variable, "{file}");
        }
    }
}

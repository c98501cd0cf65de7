//! The rules of the house that no compiler checks: the floors of `src/lib.rs`, sizes, and words that do not belong.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Longer files have more than one subject.
const MAX_LINES: usize = 500;
/// Names that say nothing of what a file is about.
const NAMES_FOR_ANYTHING: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];
/// Not ours, not kept, or not text.
const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "__pycache__", "corpus"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below a folder, with its name relative to the root.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let name = entry.file_name().to_string_lossy().into_owned();
            if SKIPPED.contains(&&*name) || name.ends_with("venv") {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push((relative(&path), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_string_lossy().replace('\\', "/")
}

fn sources() -> Vec<(String, String)> {
    texts(&root().join("src"))
}

fn rust_files() -> Vec<(String, String)> {
    ["src", "tests", "benches", "bench", "fuzz"]
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| texts(&folder))
        .filter(|(name, _)| name.ends_with(".rs"))
        .collect()
}

fn check(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The floors as the map in `src/lib.rs` has them: rows such as ``//! | 0 | [`protocol`] | … |``.
fn floors() -> BTreeMap<String, u32> {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms = map.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        let floor = cells.next()?.parse().ok()?;
        let room = cells.next()?.trim_matches(['[', ']', '`']);
        Some((room.to_owned(), floor))
    });
    rooms.collect()
}

/// The room of a file; `main.rs` and `lib.rs` stand above all of them.
fn room_of(file: &str) -> Option<&str> {
    let below = file.strip_prefix("src/")?;
    let room = below.split('/').next()?;
    let room = room.strip_suffix(".rs").unwrap_or(room);
    (!matches!(room, "lib" | "main")).then_some(room)
}

/// The rooms that a file goes to, with the line: by `crate::room`, `sidebeat::room`, `crate::{room, …}`, or by `super`
/// out of its own room.
fn imports<'a>(file: &str, text: &str, rooms: &[&'a str]) -> Vec<(usize, &'a str)> {
    let depth = file.matches('/').count() - usize::from(file.ends_with("/mod.rs"));
    let out = "super::".repeat(depth);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for room in rooms {
            let ways = ["crate::", "sidebeat::", &out].map(|start| format!("{start}{room}"));
            if ways.iter().any(|way| has_path(code, way)) {
                found.push((index + 1, *room));
            }
        }
    }
    for (at, _) in text.match_indices("crate::{") {
        let line = text[..at].lines().count().max(1);
        let names = first_names(&text[at + "crate::{".len()..]);
        let known = rooms.iter().filter(|room| names.contains(room));
        found.extend(known.map(|room| (line, *room)));
    }
    found
}

/// Whether code has this path as such, not as the middle of a longer name.
fn has_path(code: &str, path: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().last();
        let after = code[at + path.len()..].chars().next();
        !before.is_some_and(|c| is_name(c) || c == ':') && !after.is_some_and(is_name)
    })
}

/// The first name of each path in a group of imports, behind its opening brace.
fn first_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut names) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            names.extend(group[start..at].trim().split([':', ' ']).next());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn imports_that_go_up(floors: &BTreeMap<String, u32>, files: &[(String, String)]) -> Vec<String> {
    let rooms: Vec<&str> = floors.keys().map(String::as_str).collect();
    let mut problems = Vec::new();
    for (file, text) in files {
        let Some(room) = room_of(file) else { continue };
        let Some(floor) = floors.get(room) else {
            problems.push(format!(
                "{file}: the map in src/lib.rs has no room {room:?}"
            ));
            continue;
        };
        for (line, target) in imports(file, text, &rooms) {
            let above = floors[target];
            if above > *floor {
                problems.push(format!(
                    "{file}:{line}: {room} (floor {floor}) imports from {target} (floor {above})"
                ));
            }
        }
    }
    problems
}

#[test]
fn nobody_imports_from_a_higher_floor() {
    let floors = floors();
    for (room, floor) in [
        ("protocol", 0),
        ("session", 1),
        ("config", 1),
        ("relay", 3),
        ("cli", 4),
    ] {
        assert_eq!(
            floors.get(room),
            Some(&floor),
            "the map in src/lib.rs: {floors:?}"
        );
    }
    for room in floors.keys() {
        let folder = root().join("src").join(room);
        assert!(
            folder.is_dir() || folder.with_extension("rs").is_file(),
            "{room} is on the map only"
        );
    }
    check(&imports_that_go_up(&floors, &sources()));
}

#[test]
fn an_import_that_goes_up_is_seen() {
    let floors = floors();
    let problems = |file: &str, text: &str| {
        imports_that_go_up(&floors, &[(file.to_owned(), text.to_owned())]).len()
    };
    for (file, text, expected) in [
        ("src/protocol/frame.rs", "use crate::session::Cause;", 1),
        (
            "src/protocol/frame.rs",
            "    let x = crate::config::load(path);",
            1,
        ),
        ("src/protocol/frame.rs", "use crate::protocol::Close;", 0),
        ("src/protocol/frame.rs", "// as in crate::session::Cause", 0),
        (
            "src/protocol/frame.rs",
            "use super::super::session::Cause;",
            1,
        ),
        ("src/protocol/mod.rs", "use super::session::Cause;", 1),
        ("src/protocol/mod.rs", "use crate::session;", 1),
        ("src/protocol/frame.rs", "use super::session_of;", 0),
        (
            "src/protocol/frame.rs",
            "use crate::{\n    protocol::{Close, session},\n    session::{Cause, Leg},\n    config,\n};",
            2,
        ),
        ("src/session/mod.rs", "use crate::heartbeat::Rules;", 0),
        (
            "src/session/closing/echo.rs",
            "use super::super::super::context::Context;",
            1,
        ),
        (
            "src/telemetry/log.rs",
            "use crate::context::Context;\nuse crate::cli;",
            2,
        ),
        ("src/net.rs", "use crate::runtime::Running;", 0),
        ("src/runtime/mod.rs", "use crate::cli::Cli;", 1),
        (
            "src/cli/run.rs",
            "use crate::runtime; use crate::context::Context;",
            0,
        ),
        ("src/elsewhere/mod.rs", "", 1),
        ("src/main.rs", "use sidebeat::cli::Cli;", 0),
    ] {
        assert_eq!(problems(file, text), expected, "{file}: {text}");
    }
}

#[test]
fn files_have_one_subject_and_a_name_for_it() {
    let mut problems = Vec::new();
    for (file, text) in rust_files() {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{file}: {lines} lines, more than {MAX_LINES}"));
        }
        let mut parts = file.split(['/', '.']);
        if parts.any(|part| NAMES_FOR_ANYTHING.contains(&part)) {
            problems.push(format!("{file}: a name for anything"));
        }
    }
    check(&problems);
}

/// Words that no file may have, put together so that this one has not.
fn banned() -> Vec<String> {
    let words = [
        ("un", "safe {"),
        ("un", "safe fn"),
        ("un", "safe impl"),
        ("to", "do!("),
        ("unimple", "mented!("),
        ("db", "g!("),
        ("TO", "DO"),
        ("FIX", "ME"),
        ("XX", "X"),
    ];
    words.iter().map(|(a, b)| format!("{a}{b}")).collect()
}

#[test]
fn nothing_is_left_to_be_done() {
    let banned = banned();
    let mut problems = Vec::new();
    for (file, text) in rust_files() {
        for (index, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                problems.push(format!("{file}:{}: {word}", index + 1));
            }
        }
    }
    check(&problems);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let places = [
        ("/wo", "rk/"),
        ("/tmp/", "w"),
        ("/ro", "ot/"),
        ("/home/", "runner"),
    ];
    let places: Vec<String> = places.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut problems = Vec::new();
    for (file, text) in texts(root()) {
        for (index, line) in text.lines().enumerate() {
            for place in places.iter().filter(|place| line.contains(place.as_str())) {
                problems.push(format!("{file}:{}: {place}", index + 1));
            }
        }
    }
    check(&problems);
}

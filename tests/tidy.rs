//! The rules of the house that no compiler checks: the floors of `src/lib.rs`, sizes, and words that do not belong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer files have more than one subject.
const MAX_LINES: usize = 500;
/// Names that say nothing of what a file is about.
const NAMES_FOR_ANYTHING: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];
/// Not ours, not kept, or not text.
const SKIPPED_FOLDERS: [&str; 5] = [".git", "target", "node_modules", "__pycache__", "corpus"];

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
            if kind.is_dir() && !SKIPPED_FOLDERS.contains(&&*name) && !name.ends_with("venv") {
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

fn relative(path: &PathBuf) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_string_lossy().replace('\\', "/")
}

fn sources() -> Vec<(String, String)> {
    texts(&root().join("src"))
}

fn rust_files() -> Vec<(String, String)> {
    ["src", "tests", "benches", "examples", "fuzz"]
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

/// Where a text goes by `crate::room`, `sidebeat::room`, `crate::{room, …}`, or by `super` out of its own room.
fn imports<'a>(file: &str, text: &'a str, rooms: &[&'a str]) -> Vec<(usize, &'a str)> {
    let depth = file.matches('/').count() - usize::from(file.ends_with("/mod.rs"));
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for room in rooms {
            let out_of_room = format!("{}{room}", "super::".repeat(depth));
            let ways = [
                format!("crate::{room}"),
                format!("sidebeat::{room}"),
                out_of_room,
            ];
            let is_word = |at: usize, len: usize| {
                let around = [code[..at].chars().last(), code[at + len..].chars().next()];
                !around
                    .into_iter()
                    .flatten()
                    .any(|c| c.is_alphanumeric() || c == '_' || c == ':')
                    || code[at + len..].starts_with("::")
            };
            let goes = ways.iter().any(|way| {
                code.match_indices(way.as_str())
                    .any(|(at, way)| is_word(at, way.len()) && !code[..at].ends_with("::"))
            });
            if goes {
                found.push((index + 1, *room));
            }
        }
        if code.contains("crate::{") {
            found.push((index + 1, "{"));
        }
    }
    found
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
            match floors.get(target) {
                Some(above) if above > floor => problems.push(format!(
                    "{file}:{line}: {room} (floor {floor}) imports from {target} (floor {above})"
                )),
                Some(_) => {}
                None => problems.push(format!(
                    "{file}:{line}: one `use` a room, so that floors can be seen"
                )),
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
        ("proxy", 3),
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
        ("src/protocol/frame.rs", "use crate::{session::Cause};", 1),
        (
            "src/session/mod.rs",
            "use crate::config::policy::Policy;",
            0,
        ),
        (
            "src/session/closing/echo.rs",
            "use super::super::super::proxy::Shared;",
            1,
        ),
        (
            "src/observe/log.rs",
            "use crate::proxy::Shared;\nuse crate::cli;",
            2,
        ),
        ("src/proxy/mod.rs", "use crate::runtime::Running;", 0),
        ("src/runtime/mod.rs", "use crate::cli::Cli;", 1),
        (
            "src/cli/run.rs",
            "use crate::runtime; use crate::proxy::Shared;",
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

//! Rules of the architecture that no compiler checks: the layers of `src/lib.rs`, sizes, and words that do not belong.

#![cfg(test)]

mod imports;
mod layers;

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

//! `proxy.yaml`: text → tree with positions → [`Config`], which cannot express nonsense.
//!
//! [`parse`] reads the text into a tree (`tree`, within `bounds`), resolves merge keys and variables (`env`), asks the tree for every
//! key (`file` and the blocks beside it, through `section` and `kind`), looks for settings that defeat each other
//! (`lint`), and gives every problem its line and column (`locate`). The same questions describe themselves
//! ([`schema`], [`keys`]).

mod address;
mod app;
mod bare_variable;
mod bounds;
mod close;
mod describe;
mod diff;
mod effective;
mod env;
mod file;
mod flags;
mod heartbeat;
mod keypath;
mod kind;
mod limits;
mod lint;
mod locate;
mod log;
mod management;
mod message;
mod model;
mod nearest;
pub mod normal;
mod number;
mod origin;
mod problem;
mod route;
mod section;
mod sink;
mod source;
mod syntax;
mod tree;
mod units;
mod upstream;
mod wording;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_yaml::Value;

pub use describe::{KeyDoc, keys, schema};
pub use diff::{Change, diff, masked};
pub use effective::effective;
pub use flags::Flags;
use keypath::{Found, KeyPath, Place, Step};
pub use model::*;
pub use problem::{LoadError, MAX_FILE, Problem, Severity};
pub use route::MAX_ROUTE_PATH;
use sink::Sink;
pub use units::{parse_duration, show_duration};

/// What a file is called that has no name.
pub const INPUT: &str = "standard input";
/// Bytes that may be read again to find positions.
const MAX_REREAD: usize = 4 * 1024 * 1024;
/// Problems that are told of any file.
const MIN_PROBLEMS: usize = 8;

/// The position of what stands in no file.
const NOWHERE: (usize, usize) = (0, 0);

/// A file that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// What is questionable about it, in the file's order.
    pub warnings: Vec<Problem>,
    /// The file as a tree, with merge keys and variables resolved: for [`diff`].
    pub tree: Value,
}

/// Reads a file, with the variables of this process's environment.
///
/// # Errors
/// The file cannot be read, or its content cannot be used; then all of its problems are there.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    load_bytes(read(path)?, &path.display().to_string(), &Flags::default())
}

/// What [`load`] makes of a file's content, called `name`, with keys of the command line in place of the file's.
///
/// # Errors
/// The content cannot be used; all of its problems are there.
pub fn load_bytes(bytes: Vec<u8>, name: &str, flags: &Flags) -> Result<Loaded, LoadError> {
    let text = text(bytes, name)?;
    let env = |variable: &str| std::env::var(variable).ok();
    parse_with(&text, name, &env, flags).map_err(LoadError::Invalid)
}

/// Reads a file's content from somewhere else, which problems call [`INPUT`].
///
/// # Errors
/// As of [`load`].
pub fn load_input(input: impl io::Read) -> Result<Loaded, LoadError> {
    let path = || PathBuf::from(INPUT);
    let bytes = up_to_bound(input).map_err(|source| LoadError::Read {
        path: path(),
        source,
    })?;
    let bytes = bytes.ok_or_else(|| LoadError::TooBig { path: path() })?;
    load_bytes(bytes, INPUT, &Flags::default())
}

/// Reads the block `admin` of a file alone, to find a process that was started with the file and goes on whatever has
/// become of the rest of it since. None: `admin: off`.
///
/// # Errors
/// The file cannot be read, is no YAML, or the block has errors.
pub fn load_admin(path: &Path) -> Result<Option<Admin>, LoadError> {
    let name = path.display().to_string();
    let text = text(read(path)?, &name)?;
    let env = |variable: &str| std::env::var(variable).ok();
    admin_of(&text, &name, &env).map_err(LoadError::Invalid)
}

fn admin_of(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Admin>, Vec<Problem>> {
    let mut found = Vec::new();
    let text = without_mark(text);
    let none = Flags::default();
    let raw = tree::parse(text, &mut found)
        .map_err(|fatal| problems(text, &Value::Null, name, &none, vec![fatal]))?;
    let mut tree = tree::merged(&raw, &mut found);
    env::expand(&mut tree, env, &mut found);
    let (admin, asked) = Sink::read(&tree, management::admin);
    found.extend(without_repeats(&found, asked));
    let block = Step::Key("admin".to_owned());
    let concerns = |found: &Found| found.path.steps().first().is_none_or(|step| *step == block);
    found.retain(concerns);
    match found.is_empty() {
        true => Ok(admin),
        false => Err(problems(text, &raw, name, &none, found)),
    }
}

/// Reads a file's text; `name` stands in the problems, `env` looks up variables.
///
/// # Errors
/// All problems of the text, at least one of them an error, in the text's order.
pub fn parse(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Vec<Problem>> {
    parse_with(text, name, env, &Flags::default())
}

fn parse_with(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
    flags: &Flags,
) -> Result<Loaded, Vec<Problem>> {
    let text = without_mark(text);
    let mut found = Vec::new();
    let raw = match tree::parse(text, &mut found) {
        Ok(raw) => raw,
        Err(fatal) => return Err(problems(text, &Value::Null, name, flags, vec![fatal])),
    };
    if raw.is_null() && !flags.are_enough() {
        let message = "the file is empty; `listen` and `upstream` are required";
        let found = Found::error(KeyPath::default(), Place::At(1, 1), message);
        return Err(problems(text, &raw, name, flags, vec![found]));
    }
    if raw.is_string() {
        let lines = syntax::no_keys(text);
        if !lines.is_empty() {
            return Err(problems(text, &raw, name, flags, lines));
        }
    }
    let mut tree = tree::merged(&raw, &mut found);
    flags.remove_from(&mut tree);
    let bare = bare_variable::bare_variables(&tree);
    env::expand(&mut tree, env, &mut found);
    flags.insert_into(&mut tree);
    let (file, asked) = Sink::read(&tree, file::file);
    found.extend(without_repeats(&found, asked));
    bare_variable::explain(bare, &mut found);
    found.extend(lint::lints(&file, &tree, &found));
    let problems = problems(text, &raw, name, flags, found);
    match file.config {
        Some(config)
            if problems
                .iter()
                .all(|problem| problem.severity == Severity::Warning) =>
        {
            Ok(Loaded {
                config,
                warnings: problems,
                tree,
            })
        }
        _ => Err(problems),
    }
}

/// Editors of some systems put a byte order mark there, which is no part of the text.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A value that could not be expanded, or should not have a tag, needs no second complaint.
fn without_repeats(earlier: &[Found], mut later: Vec<Found>) -> Vec<Found> {
    let told: HashSet<&KeyPath> = earlier
        .iter()
        .filter(|old| old.place == Place::Value)
        .map(|old| &old.path)
        .collect();
    let of_value = |found: &Found| matches!(found.place, Place::Value | Place::Missing);
    later.retain(|found| !of_value(found) || !told.contains(&found.path));
    later
}

/// Gives everything its position, and puts it in the file's order.
fn problems(
    text: &str,
    raw: &Value,
    name: &str,
    flags: &Flags,
    mut found: Vec<Found>,
) -> Vec<Problem> {
    let problem = |file: &str, path: String, (line, column), severity, message| Problem {
        file: file.to_owned(),
        line,
        column,
        path,
        severity,
        message,
    };
    // Each position costs a reading of the text: a large file that is wrong throughout is not told all of it.
    let most = (MAX_REREAD / text.len().max(1)).max(MIN_PROBLEMS);
    let untold = found.len().saturating_sub(most);
    found.truncate(most);
    let place = |found: Found| {
        let (file, at) = match flags.that_gave(&found.path) {
            Some(flag) => (flag, NOWHERE),
            None if raw.is_null() && !flags.is_empty() && !matches!(found.place, Place::At(..)) => {
                (name, NOWHERE)
            }
            None => (name, locate::locate(text, raw, &found.path, found.place)),
        };
        let message = match found.place {
            Place::Missing if at != NOWHERE => syntax::missing_value(text, at),
            _ => found.message,
        };
        problem(file, found.path.to_string(), at, found.severity, message)
    };
    let mut problems: Vec<Problem> = found.into_iter().map(place).collect();
    problems.sort_by_key(|problem| (problem.line, problem.column, problem.severity));
    // An anchor that is used several times has its mistakes once.
    let mut told = HashSet::new();
    problems.retain(|problem| told.insert((problem.line, problem.column, problem.message.clone())));
    if untold > 0 {
        let at = problems
            .last()
            .map_or((1, 1), |last| (last.line, last.column));
        let message = format!("and {untold} more problems in this file");
        problems.push(problem(name, String::new(), at, Severity::Error, message));
    }
    problems
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, LoadError> {
    let problem = match String::from_utf8(bytes) {
        // Texts of ASCII in UTF-16 are UTF-8 by chance, if without sense.
        Ok(text) if !text.contains('\0') => return Ok(text),
        Ok(text) => syntax::not_a_text(name, text.as_bytes(), text.find('\0').unwrap_or(0)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            syntax::not_a_text(name, error.as_bytes(), at)
        }
    };
    Err(LoadError::Invalid(vec![problem]))
}

/// The content of a file, for [`load_bytes`].
///
/// # Errors
/// It cannot be read, or is larger than [`MAX_FILE`].
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => LoadError::NotFound {
            path: path.to_owned(),
        },
        io::ErrorKind::IsADirectory => LoadError::Directory {
            path: path.to_owned(),
        },
        _ => LoadError::Read {
            path: path.to_owned(),
            source,
        },
    };
    let file = File::open(path).map_err(failed)?;
    let bytes = up_to_bound(file).map_err(failed)?;
    bytes.ok_or_else(|| LoadError::TooBig {
        path: path.to_owned(),
    })
}

/// Everything that can be read; none when it is more than [`MAX_FILE`].
fn up_to_bound(input: impl io::Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    input.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= MAX_FILE))
}

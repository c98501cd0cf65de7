//! `proxy.yaml`: text → tree with positions → [`Config`], which cannot express nonsense.
//!
//! | module | does |
//! |---|---|
//! | `engine` | reads YAML by declarations, reports everything that is wrong at once; knows no key |
//! | `keys` | declares each key once, and makes the model of what was read; knows no YAML. Begin there to add a key |
//! | `model` | what the rest of the program uses, with what connections follow in [`crate::session::policy`] |
//! | `lint` | settings that are right one by one and defeat each other |
//! | `flags` | keys that the command line gives in place of the file |
//! | [`normal`] | the form in which paths and hosts are compared |
//!
//! [`parse`] is the way of a text through them.

mod engine;
mod flags;
mod keys;
mod lint;
mod model;
pub mod normal;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

pub use engine::{Change, Diagnostic, KeyDoc, LoadError, MAX_FILE, Node, Severity};
use engine::{Finding, KeyPath, Mark, Place, Reader, Step};
pub use engine::{parse_duration, show_duration};
pub use flags::Flags;
use keys::KEYS;
pub use model::*;

/// The name of a file that is read from there.
pub const INPUT: &str = "standard input";
/// Diagnostics of one file; more help nobody.
const MAX_DIAGNOSTICS: usize = 500;

/// A file that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// What is questionable about it, in the file's order.
    pub warnings: Vec<Diagnostic>,
    /// The file as a tree, with merge keys and variables resolved: for [`diff`].
    pub tree: Node,
}

/// Reads a file, with the variables of this process's environment.
///
/// # Errors
/// The file cannot be read, or its content cannot be used; then every diagnostic is there.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    load_bytes(read(path)?, &path.display().to_string(), &Flags::default())
}

/// What [`load`] makes of a file's content, called `name`, with keys of the command line in place of the file's.
///
/// # Errors
/// The content cannot be used; every diagnostic is there.
pub fn load_bytes(bytes: Vec<u8>, name: &str, flags: &Flags) -> Result<Loaded, LoadError> {
    let text = text(bytes, name)?;
    let env = |variable: &str| std::env::var(variable).ok();
    parse_with(&text, name, &env, flags).map_err(LoadError::Invalid)
}

/// Reads a file's content from somewhere else, which diagnostics call [`INPUT`].
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

/// Reads only the block `admin` of a file, to find a process that was started with it. The rest of the file may have
/// become wrong since. None for `admin: off`.
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
) -> Result<Option<Admin>, Vec<Diagnostic>> {
    let flags = Flags::default();
    let source = Source::new(text, name, &flags);
    let mut findings = Vec::new();
    let mut tree = source.parse(&mut findings)?;
    engine::expand(&mut tree, env, &mut findings);
    let (admin, found) = source.read(&tree, &findings, keys::admin);
    findings.extend(found);
    let block = Step::Key("admin".to_owned());
    findings.retain(|it| it.path.steps().first().is_none_or(|step| *step == block));
    match findings.is_empty() {
        true => Ok(admin),
        false => Err(source.diagnostics(&tree, findings)),
    }
}

/// Reads a file's text; `name` stands in the diagnostics, `env` looks up variables.
///
/// # Errors
/// Everything that is wrong with the text, in its order.
pub fn parse(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Vec<Diagnostic>> {
    parse_with(text, name, env, &Flags::default())
}

fn parse_with(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
    flags: &Flags,
) -> Result<Loaded, Vec<Diagnostic>> {
    let source = Source::new(text, name, flags);
    let mut findings = Vec::new();
    let mut tree = source.parse(&mut findings)?;
    flags.remove_from(&mut tree);
    let bare = engine::bare_variables(&mut tree);
    engine::expand(&mut tree, env, &mut findings);
    flags.insert_into(&mut tree);
    let (file, found) = source.read(&tree, &findings, keys::file);
    findings.extend(found);
    engine::explain(bare, &mut findings);
    findings.extend(lint::lints(&file, &tree, &findings));
    let is_right = findings.iter().all(|it| it.severity == Severity::Warning);
    let diagnostics = source.diagnostics(&tree, findings);
    match file.config.filter(|_| is_right) {
        Some(config) => Ok(Loaded {
            config,
            warnings: diagnostics,
            tree,
        }),
        None => Err(diagnostics),
    }
}

/// A text on its way to the model.
struct Source<'s> {
    text: &'s str,
    name: &'s str,
    flags: &'s Flags,
}

impl<'s> Source<'s> {
    fn new(text: &'s str, name: &'s str, flags: &'s Flags) -> Self {
        Source {
            // Editors of some systems put a byte order mark there, which is no part of the text.
            text: text.strip_prefix('\u{feff}').unwrap_or(text),
            name,
            flags,
        }
    }

    fn parse(&self, findings: &mut Vec<Finding>) -> Result<Node, Vec<Diagnostic>> {
        let is_key = |name: &str| KEYS.is_key(name);
        let refuse = |found| Err(self.diagnostics(&Node::default(), found));
        let tree = match engine::parse(self.text, &is_key, findings) {
            Ok(tree) => tree,
            Err(fatal) => return refuse(vec![fatal]),
        };
        if tree.value.is_null() && !self.flags.are_enough() {
            let message = "the file is empty; `listen` and `upstream` are required";
            let mark = Mark { line: 1, column: 1 };
            return refuse(vec![Finding::at(KeyPath::default(), mark, message)]);
        }
        if tree.value.as_text().is_some() {
            let lines = engine::no_keys(self.text, &is_key);
            if !lines.is_empty() {
                return refuse(lines);
            }
        }
        Ok(tree)
    }

    /// The model of a tree by its declarations, and what is wrong with values and keys.
    fn read<'t, R>(
        &self,
        tree: &'t Node,
        earlier: &[Finding],
        declarations: impl FnOnce(&mut Reader<'t>) -> R,
    ) -> (R, Vec<Finding>) {
        let unknown = engine::unknown_keys(tree, &KEYS);
        let (model, mut findings) = Reader::read(tree, &KEYS, &unknown, declarations);
        findings.extend(unknown);
        // A value that could not be expanded, or should not have a tag, needs no second error.
        let of_value = |it: &Finding| matches!(it.place, Place::Value | Place::Missing);
        let known: HashSet<&KeyPath> = earlier
            .iter()
            .filter(|old| old.place == Place::Value)
            .map(|old| &old.path)
            .collect();
        findings.retain(|it| !of_value(it) || !known.contains(&it.path));
        (model, findings)
    }

    /// Gives everything its position, and puts it in the file's order.
    fn diagnostics(&self, tree: &Node, mut findings: Vec<Finding>) -> Vec<Diagnostic> {
        let lines = engine::lines(self.text);
        let more = findings.len().saturating_sub(MAX_DIAGNOSTICS);
        findings.truncate(MAX_DIAGNOSTICS);
        let place = |finding: Finding| {
            let nowhere = (0, 0);
            let (file, at) = match self.flags.that_gave(&finding.path) {
                Some(flag) => (flag, nowhere),
                None => {
                    let Mark { line, column } = engine::position(&lines, tree, &finding);
                    (self.name, (line, column))
                }
            };
            let message = match finding.place {
                Place::Missing if at != nowhere => engine::missing_value(
                    &lines,
                    Mark {
                        line: at.0,
                        column: at.1,
                    },
                ),
                _ => finding.message,
            };
            Diagnostic {
                file: file.to_owned(),
                line: at.0,
                column: at.1,
                path: finding.path.to_string(),
                severity: finding.severity,
                message,
            }
        };
        let mut all: Vec<Diagnostic> = findings.into_iter().map(place).collect();
        all.sort_by_key(|it| (it.line, it.column, it.severity));
        // An anchor that is used several times has its mistakes once.
        let mut seen = HashSet::new();
        all.retain(|it| seen.insert((it.line, it.column, it.message.clone())));
        if more > 0 {
            let (line, column) = all.last().map_or((1, 1), |it| (it.line, it.column));
            all.push(Diagnostic {
                file: self.name.to_owned(),
                line,
                column,
                path: String::new(),
                severity: Severity::Error,
                message: format!("and {more} more problems in this file"),
            });
        }
        all
    }
}

/// Every key that holds a value (blocks of keys are not listed themselves), in the order of the documentation.
#[must_use]
pub fn keys() -> Vec<KeyDoc> {
    engine::docs(&KEYS)
}

/// The JSON Schema (draft 2020-12) of `proxy.yaml`.
#[must_use]
pub fn schema() -> Json {
    engine::schema(&KEYS, "proxy.yaml of sidebeat")
}

/// Every key of a file with its value, to be shown: secrets are `***`.
///
/// Each route has its own keys, inherited ones included, so that nobody has to look elsewhere for what holds.
#[must_use]
pub fn effective(tree: &Node) -> Json {
    engine::masked(&engine::effective(tree, &KEYS))
}

/// The leaves in which two trees differ, in the order of the old file, then of the new one.
#[must_use]
pub fn diff(old: &Node, new: &Node) -> Vec<Change> {
    engine::diff(old, new, &KEYS)
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, LoadError> {
    let diagnostic = match String::from_utf8(bytes) {
        // Texts of ASCII in UTF-16 are UTF-8 by chance, if without sense.
        Ok(text) if !text.contains('\0') => return Ok(text),
        Ok(text) => engine::not_a_text(name, text.as_bytes(), text.find('\0').unwrap_or(0)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            engine::not_a_text(name, error.as_bytes(), at)
        }
    };
    Err(LoadError::Invalid(vec![diagnostic]))
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

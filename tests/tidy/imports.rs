//! Which file of `src` imports from which, read from the text: `use` lines, and paths written out in the code.
//!
//! A path leads to the file that holds the item: a re-export (`pub use`) is followed to where the name comes from, and
//! is an import of the file it stands in only if that file's own code has the name. What is compiled for tests alone
//! does not count.

use std::collections::{BTreeMap, BTreeSet};

/// A module's name: its path from the root, without `crate`.
pub(crate) type Module = Vec<String>;

/// One file of `src`.
pub(crate) struct Source {
    pub(crate) file: String,
    module: Module,
    uses: Vec<Use>,
    /// Lines that are no `use` and no `mod`, without comments, with their numbers.
    code: Vec<(usize, String)>,
}

/// One name of a `use`.
struct Use {
    line: usize,
    path: Vec<String>,
    /// What it is called here.
    name: String,
    is_public: bool,
}

/// All files, by module.
pub(crate) struct Sources {
    modules: BTreeMap<Module, Source>,
}

/// An import: the line it stands in, and the module that it leads to.
pub(crate) type Import = (usize, Module);

impl Sources {
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let sources = files.iter().filter(|(file, _)| !is_test(file));
        let sources = sources.filter_map(|(file, text)| Source::read(file, text));
        Sources {
            modules: sources.map(|it| (it.module.clone(), it)).collect(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Module, &Source)> {
        self.modules.iter()
    }

    /// What a file imports from others of `src`.
    pub(crate) fn imports(&self, source: &Source) -> Vec<Import> {
        let mut found = Vec::new();
        for it in &source.uses {
            if !it.is_public || source.has_word(&it.name) {
                found.extend(
                    self.target(&source.module, &it.path)
                        .map(|to| (it.line, to)),
                );
            }
        }
        for (line, code) in &source.code {
            for path in paths(code) {
                found.extend(self.target(&source.module, &path).map(|to| (*line, to)));
            }
        }
        found.retain(|(_, to)| *to != source.module);
        found
    }

    /// The module that holds what a path means in `from`; none: it leads out of this crate.
    fn target(&self, from: &Module, path: &[String]) -> Option<Module> {
        let mut at = from.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" | "sidebeat" => {
                at.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            child => {
                at.push(child.to_owned());
                if !self.modules.contains_key(&at) {
                    return None;
                }
                rest = &path[1..];
            }
        }
        while rest.first().is_some_and(|it| it == "super") {
            at.pop();
            rest = &rest[1..];
        }
        while let Some(next) = rest.first() {
            at.push(next.clone());
            if !self.modules.contains_key(&at) {
                at.pop();
                break;
            }
            rest = &rest[1..];
        }
        let Some(name) = rest.first() else {
            return Some(at);
        };
        let exported = self.modules.get(&at).and_then(|source| {
            let mut exports = source.uses.iter().filter(|it| it.is_public);
            exports.find(|it| it.name == *name && it.path.as_slice() != path)
        });
        match exported {
            Some(export) => self.target(&at, &export.path).or(Some(at)),
            None => Some(at),
        }
    }

    /// Imports within one module of the first level that lead back to where they start: the file, and a sentence. What
    /// a file takes from the one above it (`x.rs` of `x/…`) does not count: these two are one subject.
    pub(crate) fn circles(&self) -> Vec<(String, String)> {
        let mut edges: BTreeMap<&Module, BTreeMap<Module, usize>> = BTreeMap::new();
        for (module, source) in &self.modules {
            let inner = self.imports(source).into_iter();
            let inner =
                inner.filter(|(_, to)| to.first() == module.first() && !module.starts_with(to));
            edges.insert(module, inner.map(|(line, to)| (to, line)).collect());
        }
        let mut circles = Vec::new();
        for (from, targets) in &edges {
            for (to, line) in targets {
                if leads(&edges, to, from) {
                    let file = self.modules[*from].file.clone();
                    let to = to.join("::");
                    let sentence =
                        format!("{file}:{line}: imports from {to}, which leads back here");
                    circles.push((file, sentence));
                }
            }
        }
        circles
    }
}

fn leads(edges: &BTreeMap<&Module, BTreeMap<Module, usize>>, from: &Module, to: &Module) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            next.extend(edges.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    false
}

/// Unit tests reach into what they test.
fn is_test(file: &str) -> bool {
    file.split('/').any(|part| {
        let part = part.strip_suffix(".rs").unwrap_or(part);
        part == "tests" || part.ends_with("_tests")
    })
}

impl Source {
    fn read(file: &str, text: &str) -> Option<Source> {
        let path = file.strip_prefix("src/")?.strip_suffix(".rs")?;
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if path == "main" {
            return None;
        }
        let module = match path {
            "lib" => Module::new(),
            path => path.split('/').map(str::to_owned).collect(),
        };
        let mut source = Source {
            file: file.to_owned(),
            module,
            uses: Vec::new(),
            code: Vec::new(),
        };
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            if line.trim() == "#[cfg(test)]" {
                // Unit tests stand at the end; of anything else one line is skipped.
                match lines.next() {
                    Some((_, next)) if next.ends_with('{') => break,
                    _ => continue,
                }
            }
            let code = line.split("//").next().unwrap_or_default().trim_end();
            match use_of(code) {
                Some((is_public, start)) => {
                    let mut tree = start.to_owned();
                    while !tree.ends_with(';') {
                        let Some((_, next)) = lines.next() else { break };
                        tree += next.split("//").next().unwrap_or_default().trim();
                    }
                    source.read_use(index + 1, is_public, tree.trim_end_matches(';'), &[]);
                }
                None if is_mod(code) || code.is_empty() => {}
                None => source.code.push((index + 1, code.to_owned())),
            }
        }
        Some(source)
    }

    /// `a::{b, c as d}` and so on, below `above`.
    fn read_use(&mut self, line: usize, is_public: bool, tree: &str, above: &[&str]) {
        if let Some((before, group)) = tree.split_once('{') {
            let path: Vec<&str> = above.iter().copied().chain(segments(before)).collect();
            let group = group.strip_suffix('}').unwrap_or(group);
            for part in parts(group) {
                self.read_use(line, is_public, part.trim(), &path);
            }
            return;
        }
        let (path, renamed) = match tree.split_once(" as ") {
            Some((path, name)) => (path, Some(name)),
            None => (tree, None),
        };
        let mut path: Vec<&str> = above.iter().copied().chain(segments(path)).collect();
        if !above.is_empty() && path.last() == Some(&"self") {
            path.pop();
        }
        let Some(last) = path.last() else { return };
        self.uses.push(Use {
            line,
            name: renamed.unwrap_or(last).trim().to_owned(),
            path: path.iter().map(|&it| it.to_owned()).collect(),
            is_public,
        });
    }

    fn has_word(&self, word: &str) -> bool {
        self.code.iter().any(|(_, code)| {
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|it| it == word)
        })
    }
}

/// What is behind `use`, and whether it is a re-export.
fn use_of(code: &str) -> Option<(bool, &str)> {
    let code = code.trim_start();
    if let Some(rest) = code.strip_prefix("use ") {
        return Some((false, rest));
    }
    let rest = code.strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(')')?.1,
        None => rest,
    };
    rest.trim_start()
        .strip_prefix("use ")
        .map(|rest| (true, rest))
}

fn is_mod(code: &str) -> bool {
    code.ends_with(';') && code.trim_start_matches(|c| c != 'm').starts_with("mod ")
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split("::").map(str::trim).filter(|it| !it.is_empty())
}

/// The parts of a group that no inner brace divides.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|it| !it.trim().is_empty());
    parts
}

/// Paths of two or more names, as they stand in the code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c: char| !is_name(c));
    let paths = words.filter(|it| it.contains("::"));
    let paths = paths.map(|it| segments(it).map(str::to_owned).collect());
    paths.filter(|it: &Vec<String>| it.len() > 1).collect()
}

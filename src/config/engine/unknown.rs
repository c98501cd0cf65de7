//! Third pass: keys that are written and not declared, and which one was probably meant.

use super::declaration::{Key, Keys, Shape};
use super::diagnostic::{Finding, Place};
use super::nearest::nearest;
use super::path::{KeyPath, Step};
use super::syntax::misspelt;
use super::tree::{Node, Value};

/// Unknown keys of one block that are reported one by one.
const MAX_UNKNOWN: usize = 200;
/// Findings of a file beyond which unknown keys get no advice: looking for the key that was meant takes time.
const MAX_ADVISED: usize = 1000;
/// Keys that have an unknown one as a word of theirs; more of them are no hint.
const MAX_LONGER: usize = 3;

/// Reports every key of a file that is not declared.
pub(crate) fn unknown_keys(tree: &Node, keys: &Keys) -> Vec<Finding> {
    let mut pass = Pass {
        keys,
        paths: paths(keys),
        path: KeyPath::default(),
        findings: Vec::new(),
    };
    pass.block(tree, &keys.top);
    pass.findings
}

struct Pass<'k> {
    keys: &'k Keys,
    /// Where a key may belong instead.
    paths: Vec<String>,
    path: KeyPath,
    findings: Vec<Finding>,
}

impl Pass<'_> {
    fn block(&mut self, node: &Node, declared: &[Key]) {
        let Value::Map(map) = &node.value else { return };
        let mut unknown = Vec::new();
        for entry in &map.0 {
            let key = declared.iter().find(|key| key.name == entry.name);
            match key.filter(|_| entry.is_text) {
                Some(key) => self.below(&entry.node, key),
                None => unknown.push(entry.name.as_str()),
            }
        }
        for (count, name) in unknown.iter().enumerate() {
            if count == MAX_UNKNOWN {
                let more = unknown.len() - count - 1;
                self.report(name, format!("unknown key, and so are {more} more"));
                break;
            }
            let message = match self.findings.len() > MAX_ADVISED {
                true => "unknown key".to_owned(),
                false => self.advice(name, declared),
            };
            self.report(name, message);
        }
    }

    fn below(&mut self, node: &Node, key: &Key) {
        self.path.push(Step::Key(key.name.to_owned()));
        match (&key.shape, &node.value) {
            (Shape::List { items, .. }, Value::List(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.block(node, items);
                    self.path.pop();
                }
            }
            (Shape::List { .. }, _) => {}
            (shape, _) => {
                let is_block = !shape.below().is_empty();
                if is_block {
                    self.block(node, shape.below());
                }
            }
        }
        self.path.pop();
    }

    fn report(&mut self, name: &str, message: String) {
        let path = self.path.key(name);
        self.findings
            .push(Finding::error(path, Place::Key, message));
    }

    fn advice(&self, name: &str, declared: &[Key]) -> String {
        let usable = declared
            .iter()
            .filter(|key| !matches!(key.shape, Shape::Refused | Shape::Reserved(_)));
        let here: Vec<&str> = usable.map(|key| key.name).collect();
        if let Some(advice) = misspelt(name, &|name| self.keys.is_key(name)) {
            return advice;
        }
        let others = self.keys.advice.other_programs;
        unknown_key(name, &self.path.to_string(), &here, &self.paths, others)
    }
}

/// The paths of all keys outside of lists that inherit, blocks included.
pub(crate) fn paths(keys: &Keys) -> Vec<String> {
    let mut all = Vec::new();
    collect(&keys.top, &KeyPath::default(), keys, &mut all);
    all
}

fn collect(block: &[Key], path: &KeyPath, keys: &Keys, all: &mut Vec<String>) {
    let is_in_list = path.steps().contains(&Step::Each);
    for key in block {
        let is_common = is_in_list && keys.advice.common_in_lists.contains(&key.name);
        let below = path.key(key.name);
        if key.shape != Shape::Refused && !is_common {
            all.push(below.to_string());
        }
        match &key.shape {
            Shape::List { inherits: true, .. } => {}
            Shape::List { items, .. } => collect(items, &below.then(Step::Each), keys, all),
            shape => collect(shape.below(), &below, keys, all),
        }
    }
}

/// The message about the unknown key `name` of the block at `place`, given the keys of this block and the paths of all.
fn unknown_key(
    name: &str,
    place: &str,
    here: &[&str],
    all: &[String],
    other_programs: &[(&str, &str)],
) -> String {
    let longer: Vec<&str> = here
        .iter()
        .copied()
        .filter(|key| key.split('_').any(|word| word == name))
        .collect();
    if (1..=MAX_LONGER).contains(&longer.len()) {
        return format!("unknown key; did you mean {}?", longer.join(" or "));
    }
    if place.ends_with("upstream") && name == "port" {
        return "unknown key; the address is one text: write url: ws://host:port".to_owned();
    }
    let is_last = |here: &&&str| here.eq_ignore_ascii_case(&name.replace('-', "_"));
    if let Some(key) = here.iter().find(is_last) {
        return format!("unknown key; did you mean {key}?");
    }
    if let Some((_, ours)) = other_programs.iter().find(|(other, _)| *other == name) {
        return match ours.contains(' ') {
            true => format!("unknown key; {ours}"),
            false => format!("unknown key; did you mean {ours}?"),
        };
    }
    // A short word is near to many, so that an exact match elsewhere is more likely than a near one here.
    let same: Vec<&String> = all.iter().filter(|path| last(path) == name).collect();
    if let Some(path) = closest(&same, place) {
        return match path.rsplit_once('.') {
            Some((above, _)) => format!("unknown key; `{name}` belongs under `{above}`"),
            None => format!("unknown key; `{name}` belongs at the top level of the file"),
        };
    }
    if let Some(near) = nearest(&name.to_lowercase(), here.iter().copied()) {
        return format!("unknown key; did you mean {near}?");
    }
    if let Some(near) = nearest(name, all.iter().map(|path| last(path))) {
        let same: Vec<&String> = all.iter().filter(|path| last(path) == near).collect();
        if let Some(path) = closest(&same, place) {
            return format!("unknown key; did you mean {path}?");
        }
    }
    match here {
        [] => "unknown key".to_owned(),
        _ => format!("unknown key; the keys here are {}", here.join(", ")),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The path that shares the longest beginning with `place`; the first of equals.
fn closest<'p>(paths: &[&'p String], place: &str) -> Option<&'p String> {
    let shared = |path: &str| {
        path.bytes()
            .zip(place.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let mut best: Option<&'p String> = None;
    for path in paths {
        if best.is_none_or(|best| shared(path) > shared(best)) {
            best = Some(path);
        }
    }
    best
}

#[cfg(test)]
mod tests;

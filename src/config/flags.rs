//! `--listen` and `--upstream`: keys that the command line gives, in place of what the file says.

use serde_yaml::{Mapping, Value};

use super::address::{LISTEN, TARGET};
use super::keypath::{KeyPath, Step};

/// What the command line says of the configuration, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Each `--listen`; none: what the file says.
    pub listen: Vec<String>,
    /// `--upstream`.
    pub upstream: Option<String>,
}

impl Flags {
    /// Takes a value for `--listen`.
    ///
    /// # Errors
    /// It is no address to listen on, in words.
    pub fn read_listen(text: &str) -> Result<String, String> {
        (LISTEN.read)(text).map(|_| text.to_owned())
    }

    /// Takes a value for `--upstream`.
    ///
    /// # Errors
    /// It is no backend's address, in words.
    pub fn read_upstream(text: &str) -> Result<String, String> {
        (TARGET.read)(text).map(|_| text.to_owned())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// Whether nothing else is needed to run.
    #[must_use]
    pub fn are_enough(&self) -> bool {
        !self.listen.is_empty() && self.upstream.is_some()
    }

    /// Those that were written.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let listen = (!self.listen.is_empty()).then_some("--listen");
        let upstream = self.upstream.as_ref().map(|_| "--upstream");
        [listen, upstream].into_iter().flatten().collect()
    }

    /// Takes away what the file says of these keys, right or wrong.
    pub(super) fn remove_from(&self, tree: &mut Value) {
        let Some(keys) = tree.as_mapping_mut() else {
            return;
        };
        if !self.listen.is_empty() {
            keys.shift_remove("listen");
        }
        if self.upstream.is_some() {
            match keys.get_mut("upstream") {
                // Its other keys are about how it is dialled.
                Some(Value::Mapping(upstream)) => {
                    upstream.shift_remove("url");
                }
                _ => {
                    keys.shift_remove("upstream");
                }
            }
        }
    }

    /// Puts the keys there.
    pub(super) fn insert_into(&self, tree: &mut Value) {
        if tree.is_null() && !self.is_empty() {
            *tree = Value::Mapping(Mapping::new());
        }
        let Some(keys) = tree.as_mapping_mut() else {
            return;
        };
        match self.listen.as_slice() {
            [] => {}
            [one] => {
                keys.insert("listen".into(), one.as_str().into());
            }
            several => {
                keys.insert("listen".into(), several.to_vec().into());
            }
        }
        if let Some(url) = &self.upstream {
            match keys.get_mut("upstream") {
                Some(Value::Mapping(upstream)) => {
                    upstream.insert("url".into(), url.as_str().into());
                }
                _ => {
                    keys.insert("upstream".into(), url.as_str().into());
                }
            }
        }
    }

    /// The flag that gave the value at a path.
    pub(super) fn that_gave(&self, path: &KeyPath) -> Option<&'static str> {
        let key = |name: &str| Step::Key(name.to_owned());
        let name = match path.steps() {
            [first, ..] if *first == key("listen") => "--listen",
            [first] if *first == key("upstream") => "--upstream",
            [first, second] if *first == key("upstream") && *second == key("url") => "--upstream",
            _ => return None,
        };
        self.names().into_iter().find(|it| *it == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Listen, Target, parse_with};

    fn flags(listen: &[&str], upstream: Option<&str>) -> Flags {
        Flags {
            listen: listen.iter().map(|it| (*it).to_owned()).collect(),
            upstream: upstream.map(str::to_owned),
        }
    }

    fn read(text: &str, flags: &Flags) -> Result<crate::config::Loaded, Vec<String>> {
        parse_with(text, "p.yaml", &|_| None, flags)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn both_flags_are_a_whole_configuration() {
        let both = flags(&["127.0.0.1:1", "127.0.0.1:2"], Some("ws://a:3"));
        let config = read("", &both).unwrap().config;
        assert_eq!(config.listen.len(), 2);
        let target = Target::Tcp {
            host: "a".to_owned(),
            port: 3,
        };
        assert_eq!(config.default.upstream.target, target);
        let problems = read("", &flags(&[":1"], None)).unwrap_err();
        assert!(problems[0].contains("the file is empty"), "{problems:?}");
    }

    #[test]
    fn a_flag_replaces_its_key_and_leaves_the_others() {
        let text = "listen: '${UNSET}'\nupstream: {url: 5, connect_timeout: 7s}\n";
        let config = read(text, &flags(&["127.0.0.1:1"], Some("unix:/b")))
            .unwrap()
            .config;
        assert_eq!(config.listen, [Listen::Tcp(([127, 0, 0, 1], 1).into())]);
        assert_eq!(config.default.upstream.target, Target::Unix("/b".into()));
        assert_eq!(config.default.upstream.connect_timeout.as_secs(), 7);
        let text = "listen: ':1'\nupstream: [a, b]\n";
        let config = read(text, &flags(&[], Some("unix:/b"))).unwrap().config;
        assert_eq!(config.default.upstream.target, Target::Unix("/b".into()));
    }

    #[test]
    fn what_is_wrong_with_a_flag_names_the_flag() {
        let twice = flags(&["127.0.0.1:1", "127.0.0.1:1"], Some("ws://a"));
        for text in ["", "limits: {}\n"] {
            let problems = read(text, &twice).unwrap_err();
            assert_eq!(
                problems,
                ["--listen: error: listen[1]: is in the list already"],
                "{text}"
            );
        }
        let problems = read("limits: {x: 1}\n", &twice).unwrap_err();
        assert!(
            problems[1].starts_with("p.yaml:1:10: error: limits.x: "),
            "{problems:?}"
        );
    }
}

//! A message, looked at by every preset and every way to look into JSON; what follows a byte 0xFF, which no text has,
//! chooses what the message is compared with.

use std::sync::LazyLock;

use super::json_tree::Tree;
use serde::de::IgnoredAny;
use sidebeat::heartbeat::json::{self, Pattern};
use sidebeat::heartbeat::{Context, MessageKind, Preset, Reply, Rules, Template};
use sidebeat::session::Leg;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let presets = Preset::ALL.into_iter().filter(|(name, _)| *name != "auto");
    Rules::new(
        presets
            .flat_map(|(_, preset)| preset.rules().expect("presets compile"))
            .collect(),
    )
});

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Every rule on its own, so that none hides behind another.
fn answer_by_each_preset(message: &[u8]) {
    for from in Leg::BOTH {
        for kind in [MessageKind::Text, MessageKind::Binary] {
            for index in 0..RULES.len() {
                if RULES.recognise(1 << index, from, kind, message) != Some(index) {
                    continue;
                }
                let rule = RULES.get(index).expect("it was recognised");
                assert!(message.len() <= rule.max_size);
                if let Some(Reply::Text(template)) = &rule.reply {
                    let context = Context {
                        unix_ms: 0,
                        conn: "c",
                        rtt_ms: None,
                        message,
                    };
                    let reply = template.render(&context);
                    // A preset's answer to JSON is JSON.
                    assert_eq!(is_json(message), is_json(reply.as_bytes()), "{reply}");
                }
            }
        }
    }
}

/// What is found without a tree is what a tree has.
fn compare_with_a_tree(message: &[u8], choices: &[u8]) {
    let Ok(tree) = serde_json::from_slice::<Tree>(message) else {
        // What nobody looks at may be more than a tree can hold: 1e999, a hundred lists in each other.
        assert!(is_json(message) || !json::contains(message, &Pattern::Any));
        return;
    };
    let pattern = tree
        .pattern(&mut choices.iter().copied())
        .unwrap_or(Pattern::Any);
    assert_eq!(
        json::contains(message, &pattern),
        tree.contains(&pattern),
        "{pattern:?}"
    );
    for path in [
        &["a"][..],
        &["0"],
        &["a", "0"],
        &["1", "a"],
        &["id"],
        &["a", "b", "c"],
    ] {
        let path: Vec<Box<str>> = path.iter().map(|step| (*step).into()).collect();
        let found = json::look_up(message, &path);
        assert_eq!(found.is_some(), tree.at(&path).is_some(), "{path:?}");
        if let (Some(found), Some(expected)) = (found, tree.at(&path)) {
            let found: Tree = serde_json::from_str(found).expect("a part of JSON is JSON");
            assert_eq!(found.value(), expected.value());
        }
    }
}

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0xff);
    let (message, choices) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    answer_by_each_preset(message);
    compare_with_a_tree(message, choices);
    if let Ok(text) = std::str::from_utf8(message)
        && let Ok(template) = Template::compile(text)
    {
        let context = Context {
            unix_ms: 0,
            conn: "c",
            rtt_ms: None,
            message: choices,
        };
        let _ = template.render(&context);
    }
}

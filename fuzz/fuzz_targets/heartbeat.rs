//! A message of a client's, looked at by every preset and every way to look into JSON.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sidebeat::heartbeat::json::{self, Pattern};
use sidebeat::heartbeat::{Context, MessageKind, Preset, Reply, Rules, Template};
use sidebeat::session::Leg;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let presets = Preset::ALL.into_iter().filter(|(name, _)| *name != "auto");
    Rules::new(presets.flat_map(|(_, preset)| preset.rules().expect("presets compile")).collect())
});

fuzz_target!(|message: &[u8]| {
    for from in Leg::BOTH {
        for kind in [MessageKind::Text, MessageKind::Binary] {
            let Some(rule) = RULES.recognise(u64::MAX, from, kind, message).and_then(|index| RULES.get(index)) else {
                continue;
            };
            assert!(message.len() <= rule.max_size);
            if let Some(Reply::Text(template)) = &rule.reply {
                let context = Context { unix_ms: 0, conn: "c", rtt_ms: None, message };
                let reply = template.render(&context);
                // A preset's answer to JSON is JSON.
                if message.first() == Some(&b'{') {
                    serde_json::from_str::<serde_json::Value>(&reply).expect("JSON");
                }
            }
        }
    }
    // What is found without a tree is what a tree has.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(message) {
        let path = [Box::from("a"), Box::from("0")];
        if let Some(raw) = json::look_up(message, &path) {
            assert!(serde_json::from_str::<serde_json::Value>(raw).is_ok());
        }
        let _ = json::contains(message, &Pattern::from(&value));
    } else {
        assert!(!json::contains(message, &Pattern::Any));
    }
    if let Ok(text) = std::str::from_utf8(message) {
        let _ = Template::compile(text);
    }
});

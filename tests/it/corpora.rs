//! Replays the inputs under `fuzz/corpus` against the targets that need no more than the library shows. The others do
//! so beside what they test, in `src/gateway` and `src/relay`.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/config.rs"]
mod config;
#[path = "../../fuzz/src/frame_reader.rs"]
mod frame_reader;
#[path = "../../fuzz/src/heartbeat.rs"]
mod heartbeat;
#[path = "../../fuzz/src/inflate.rs"]
mod inflate;
#[path = "../../fuzz/src/json_tree.rs"]
mod json_tree;
#[path = "../../fuzz/src/routes.rs"]
mod routes;
#[path = "../../fuzz/src/session.rs"]
mod session;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Shown by the test runner when the check below panics.
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn configurations() {
    replay("config", config::check);
}

#[test]
fn streams_of_frames() {
    replay("frame_reader", frame_reader::check);
}

#[test]
fn heartbeat_messages() {
    replay("heartbeat", heartbeat::check);
}

#[test]
fn compressed_messages() {
    replay("inflate", inflate::check);
}

#[test]
fn paths_and_hosts() {
    replay("routes", routes::check);
}

#[test]
fn sessions() {
    replay("session", session::check);
}

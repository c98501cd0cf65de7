//! What goes in comes out: frames of every shape, and backpressure, through the built program.

mod support;

use support::{Frame, Relayed};

#[test]
fn messages_pass_both_ways_unchanged() {
    let mut relayed = Relayed::start("");
    relayed.client.text("to the backend");
    relayed.upstream.expect(&Frame::text("to the backend"));
    relayed.upstream.text("to the client");
    relayed.client.expect(&Frame::text("to the client"));
}

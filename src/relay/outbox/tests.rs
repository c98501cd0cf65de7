use super::*;

fn peer(bytes: &[u8]) -> Payload {
    Payload::Peer(ControlPayload::new(bytes))
}

#[test]
fn section_5_5_3_only_the_newest_ping_is_answered() {
    let mut out = Outbox::default();
    out.push_pong(peer(b"old"));
    out.push_pong(peer(b"new"));
    out.encode_pending(true, || None);
    assert_eq!(out.backlog(), b"\x8a\x03new");
}

#[test]
fn section_5_4_a_message_waits_for_a_message_boundary_and_a_ping_does_not() {
    let mut out = Outbox::default();
    out.push_text("bye".into());
    out.push_ping(Payload::Probe(*b"12345678"));
    out.encode_pending(false, || None);
    assert_eq!(out.backlog(), b"\x89\x0812345678");
    assert!(out.has_pending());
    assert_eq!(
        out.advance(10),
        Flushed {
            probe: true,
            ..Flushed::default()
        }
    );
    out.encode_pending(true, || None);
    assert_eq!(out.backlog(), b"\x81\x03bye");
    assert!(!out.has_pending());
}

#[test]
fn section_5_5_1_nothing_follows_a_close_frame() {
    let mut out = Outbox::default();
    out.push_close(Close::new(1000, ""));
    out.encode_pending(false, || None);
    out.push_pong(peer(b"x"));
    out.encode_pending(true, || None);
    assert_eq!(out.backlog(), b"\x88\x02\x03\xe8");
    assert_eq!(out.advance(2), Flushed::default());
    assert_eq!(
        out.advance(2),
        Flushed {
            close: true,
            ..Flushed::default()
        }
    );
    assert!(!out.is_blocked());
}

#[test]
fn an_empty_outbox_owns_no_memory() {
    let mut out = Outbox::default();
    out.buffer(b"abc");
    out.advance(3);
    assert_eq!(out.backlog.capacity(), 0);
    assert!(out.pending.is_none());
}

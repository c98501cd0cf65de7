//! What the client makes of a server's bytes. The rules themselves are tested in `protocol`.

use super::*;

fn first(bytes: &[u8]) -> io::Result<Option<Received>> {
    next_received(&mut FrameReader::new(Role::Server), &mut bytes.to_vec())
}

#[test]
fn a_frame_is_received_once_it_is_complete() {
    let mut long = vec![0x82, 126, 1, 0];
    long.extend([7; 256]);
    let mut longer = vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
    longer.extend([7; 65536]);
    for (bytes, expected) in [
        (b"\x81\x02hi".to_vec(), Received::Data(b"hi".to_vec())),
        (b"\x89\x00".to_vec(), Received::Ping(vec![])),
        (b"\x8a\x01x".to_vec(), Received::Pong(b"x".to_vec())),
        (
            b"\x88\x05\x03\xf6bye".to_vec(),
            Received::Close(Close::new(1014, "bye")),
        ),
        (long, Received::Data(vec![7; 256])),
        (longer, Received::Data(vec![7; 65536])),
    ] {
        for end in [0, 1, 2, 3, 9, bytes.len() - 1] {
            let end = end.min(bytes.len() - 1);
            assert_eq!(first(&bytes[..end]).unwrap(), None);
        }
        assert_eq!(first(&bytes).unwrap(), Some(expected));
    }
}

#[test]
fn bytes_after_a_frame_belong_to_the_next_one() {
    let mut reader = FrameReader::new(Role::Server);
    let mut unread = b"\x81\x01a\x01\x01b\x80\x01c\x81".to_vec();
    for expected in [b"a", b"b", b"c"] {
        let received = next_received(&mut reader, &mut unread).unwrap();
        assert_eq!(received, Some(Received::Data(expected.to_vec())));
    }
    assert_eq!(next_received(&mut reader, &mut unread).unwrap(), None);
    assert_eq!(unread, b"\x81");
}

#[test]
fn what_a_server_must_not_send_is_an_error() {
    for bytes in [
        &b"\x81\x82\0\0\0\0hi"[..],
        b"\x83\x00",
        b"\x88\x01\x03",
        b"\x88\x02\x03\xed",
        &[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0],
    ] {
        assert!(first(bytes).is_err(), "{bytes:?}");
    }
}

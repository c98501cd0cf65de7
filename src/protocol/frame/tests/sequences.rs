//! Random conversations, valid ones and ones that were damaged.

use super::*;
use proptest::prelude::*;

/// A control frame between fragments.
type Interjection = (ControlKind, Vec<u8>);

/// A message in fragments, each of which may have a control frame in front of it.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    text: bool,
    fragments: Vec<(Vec<u8>, Option<Interjection>)>,
}

pub(super) fn spoken(longest: usize) -> impl Strategy<Value = Spoken> {
    let kind = prop_oneof![Just(ControlKind::Ping), Just(ControlKind::Pong)];
    let control = (kind, prop::collection::vec(any::<u8>(), 0..126));
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(b'a'..=b'z', 0..longest),
    ];
    let fragments = prop::collection::vec((payload, prop::option::of(control)), 1..4);
    (any::<bool>(), fragments).prop_map(|(text, fragments)| Spoken { text, fragments })
}

pub(super) fn write(role: Role, spoken: &[Spoken], heard: &mut Vec<Heard>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Spoken { text, fragments } in spoken {
        let mut whole = Vec::new();
        for (index, (payload, control)) in fragments.iter().enumerate() {
            if let Some((kind, payload)) = control {
                let opcode = if *kind == ControlKind::Ping {
                    PING
                } else {
                    PONG
                };
                bytes.extend(frame(role, FIN | opcode, payload));
                heard.push(Heard::Control(*kind, payload.clone()));
            }
            let opcode = match (index, text) {
                (0, true) => TEXT,
                (0, false) => BINARY,
                _ => CONTINUE,
            };
            let fin = if index + 1 == fragments.len() { FIN } else { 0 };
            bytes.extend(frame(role, fin | opcode, payload));
            whole.extend_from_slice(payload);
        }
        heard.push(Heard::Message(whole));
    }
    bytes
}

pub(super) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

fn pieces<'a>(bytes: &'a [u8], lens: &'a [usize]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for len in lens.iter().cycle().take(bytes.len() + 1) {
        let (head, tail) = rest.split_at((*len).min(rest.len()));
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

proptest! {
    #[test]
    fn what_is_spoken_is_heard(role in role(), spoken in prop::collection::vec(spoken(300), 0..6), lens in prop::collection::vec(0usize..200, 1..6)) {
        let mut heard = Vec::new();
        let bytes = write(role, &spoken, &mut heard);
        let outcome = read(role, &RULES, pieces(&bytes, &lens));
        prop_assert_eq!(outcome.heard, heard);
        prop_assert_eq!(outcome.end, End::Open { boundary: Boundary::Message, held: 0 });
    }

    #[test]
    fn pieces_do_not_matter_to_damaged_streams(
        role in role(),
        spoken in prop::collection::vec(spoken(40), 1..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        lens in prop::collection::vec(0usize..40, 1..6),
        validate_utf8 in any::<bool>(),
        deflate in any::<bool>(),
    ) {
        let mut bytes = write(role, &spoken, &mut Vec::new());
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let rules = Rules { validate_utf8, deflate, max_frame: 60_000, max_message: 90_000, whole: 0 };
        assert_same(&read(role, &rules, [&bytes[..]]), &read(role, &rules, pieces(&bytes, &lens)), "in pieces");
    }

    #[test]
    fn what_is_told_whole_is_the_same(role in role(), spoken in prop::collection::vec(spoken(100), 0..5), lens in prop::collection::vec(0usize..60, 1..6), whole in 1u64..200) {
        let bytes = write(role, &spoken, &mut Vec::new());
        let by_steps = read(role, &RULES, [&bytes[..]]);
        let told_whole = read(role, &Rules { whole, ..RULES }, pieces(&bytes, &lens));
        assert_same(&by_steps, &told_whole, "told whole");
    }

    #[test]
    fn noise_never_panics_and_is_judged_alike(role in role(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        outcome(role, &UTF8, &bytes);
    }
}

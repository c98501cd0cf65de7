use super::*;
use proptest::prelude::*;

fn check(pieces: &[&[u8]]) -> bool {
    let mut validator = Utf8Validator::default();
    pieces.iter().all(|piece| validator.push(piece).is_ok()) && validator.finish().is_ok()
}

#[test]
fn section_8_1_by_example() {
    assert!(check(&["κόσμε 🎉".as_bytes()]));
    assert!(!check(&[b"\xc0\x80"]), "overlong");
    assert!(!check(&[b"\xed\xa0\x80"]), "surrogate");
    assert!(!check(&[b"\xf4\x90\x80\x80"]), "over U+10FFFF");
    assert!(!check(&[b"ab\xe2\x82"]), "cut off");
}

#[test]
fn a_bad_byte_is_told_as_early_as_it_is_certain() {
    let mut validator = Utf8Validator::default();
    assert_eq!(validator.push(b"\xf4"), Ok(()));
    assert_eq!(validator.push(b"\x90"), Err(NotUtf8));
}

proptest! {
    #[test]
    fn agrees_with_std_however_it_is_cut(text in prop::collection::vec(any::<u8>(), 0..24), cut in 0usize..24, second in 0usize..24) {
        let (low, high) = (cut.min(second).min(text.len()), cut.max(second).min(text.len()));
        prop_assert_eq!(check(&[&text[..low], &text[low..high], &text[high..]]), str::from_utf8(&text).is_ok());
    }

    #[test]
    fn accepts_every_text_however_it_is_cut(text in "\\PC{0,12}", cut in 0usize..48) {
        let bytes = text.as_bytes();
        let cut = cut.min(bytes.len());
        prop_assert!(check(&[&bytes[..cut], &bytes[cut..]]));
    }
}

use super::*;

fn lines(values: &[&str]) -> HeaderMap {
    let values = values
        .iter()
        .map(|value| HeaderValue::from_bytes(value.as_bytes()));
    values
        .map(|value| (SEC_WEBSOCKET_PROTOCOL, value.unwrap()))
        .collect()
}

fn judged(offered: &[&str], chosen: &[&str]) -> Result<(), SubprotocolError> {
    check(&lines(chosen), &offers(&lines(offered)))
}

#[test]
fn one_of_those_offered_or_none_is_fine() {
    for (offered, chosen) in [
        (&[][..], &[][..]),
        (&["chat"], &[]),
        (&["chat"], &["chat"]),
        (&["v1,chat ,v2"], &["chat"]),
        (&["v1", "v2, chat"], &["chat"]),
        (&["токен"], &["токен"]),
    ] {
        assert_eq!(judged(offered, chosen), Ok(()), "{offered:?} {chosen:?}");
    }
}

#[test]
fn one_that_was_not_offered_is_refused() {
    for (offered, chosen) in [
        (&["chat"][..], "superchat"),
        (&["chat"], "Chat"),
        (&["chat, v2"], "chat v2"),
        (&["chat"], "cha"),
    ] {
        let error = judged(offered, &[chosen]).unwrap_err();
        let shown = format!("the subprotocol {chosen:?}");
        assert_eq!(error, SubprotocolError::NotOffered(shown));
    }
    for offered in [&[][..], &["", " , "]] {
        let error = judged(offered, &["chat"]).unwrap_err();
        let shown = "the subprotocol \"chat\"".to_owned();
        assert_eq!(error, SubprotocolError::NoneOffered(shown));
    }
}

#[test]
fn more_than_one_and_an_empty_one_are_refused_even_if_offered() {
    let offered = ["chat, v2"];
    for several in [
        &["chat", "chat"][..],
        &["chat", "v2"],
        &["chat, v2"],
        &["chat,"],
        &["", "chat"],
    ] {
        assert_eq!(judged(&offered, several), Err(SubprotocolError::Several));
    }
    assert_eq!(judged(&offered, &[""]), Err(SubprotocolError::Empty));
}

#[test]
fn what_may_be_a_token_is_not_shown() {
    let token = "t".repeat(41);
    let error = judged(&["chat"], &[&token]).unwrap_err().to_string();
    assert!(error.contains("a subprotocol of 41 bytes"), "{error}");
    let name = "n".repeat(40);
    let error = judged(&["chat"], &[&name]).unwrap_err().to_string();
    assert!(error.contains(&name), "{error}");
}

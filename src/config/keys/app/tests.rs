use super::*;

#[test]
fn forward_is_never_always_or_every() {
    let every = |millis| Ok(Forward::Every(Duration::from_millis(millis)));
    for (text, forward) in [
        ("never", Ok(Forward::Never)),
        ("always", Ok(Forward::Always)),
        ("every 30s", every(30_000)),
        ("every  500ms", every(500)),
    ] {
        assert_eq!((FORWARD.read)(text), forward, "{text}");
    }
    assert_eq!((FORWARD.show)(&every(30_000).unwrap()), json!("every 30s"));
    for (text, help) in [
        ("30s", "did you mean `every 30s`?"),
        ("every 30", "write 30s"),
        ("every 0s", "`always`"),
        ("every 366d", "more than 365d"),
        ("allways", "did you mean always?"),
        ("every", "did you mean every 30s?"),
    ] {
        let message = (FORWARD.read)(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn names_stay_on_one_line() {
    assert!((NAME.read)(&"é".repeat(64)).is_ok());
    for text in ["", "a\nb", &"x".repeat(65)] {
        assert!((NAME.read)(text).is_err(), "{text:?}");
    }
}

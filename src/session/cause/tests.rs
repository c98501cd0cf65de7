use super::*;

#[test]
fn labels_are_unique_and_found_again() {
    for cause in Cause::ALL {
        assert_eq!(Cause::from_label(cause.label()), Some(cause));
    }
}

#[test]
fn no_default_puts_a_reserved_code_on_the_wire() {
    for cause in Cause::ALL {
        for leg in Leg::BOTH {
            if let DefaultClose::Fixed(code, reason) = cause.default_close(leg) {
                assert!(crate::protocol::is_sendable_code(code), "{cause:?} {code}");
                assert!(reason.len() <= crate::protocol::MAX_CLOSE_REASON);
            }
        }
    }
}

use super::*;

#[test]
fn only_permessage_deflate_is_offered_on() {
    assert_eq!(deflate_offers([]), "");
    assert_eq!(
        deflate_offers([
            "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
            "foo",
            "Permessage-Deflate"
        ]),
        "permessage-deflate; client_max_window_bits, Permessage-Deflate"
    );
    assert_eq!(
        deflate_offers([r#"foo; a="x, permessage-deflate", permessage-deflate; b="1\"," "#]),
        r#"permessage-deflate; b="1\",""#
    );
}

#[test]
fn an_offer_whose_quoted_string_never_ends_is_not_passed_on() {
    assert_eq!(
        deflate_offers([r#"permessage-deflate, permessage-deflate; x="\", y"#]),
        "permessage-deflate"
    );
    assert_eq!(
        deflate_offers([r#"permessage-deflate; x="a;b""#]),
        r#"permessage-deflate; x="a;b""#
    );
}

const OFFER: &str = "permessage-deflate; client_max_window_bits";

#[test]
fn section_9_1_an_answer_must_have_been_offered() {
    assert_eq!(deflate_accepted("", OFFER), Ok(None));
    assert_eq!(
        deflate_accepted("permessage-deflate", OFFER),
        Ok(Some(Deflate::default()))
    );
    for (answer, offers, unknown) in [
        ("permessage-deflate", "", "permessage-deflate"),
        ("foo", OFFER, "foo"),
        ("permessage-deflate, foo", OFFER, "foo"),
    ] {
        assert_eq!(
            deflate_accepted(answer, offers),
            Err(ExtensionError::NotOffered(unknown.into()))
        );
    }
    assert_eq!(
        deflate_accepted("permessage-deflate, permessage-deflate", OFFER),
        Err(ExtensionError::Repeated)
    );
}

#[test]
fn rfc_7692_section_7_1_parameters_that_a_backend_may_answer() {
    for (parameters, client, server) in [
        ("", false, false),
        ("; client_no_context_takeover", true, false),
        (" ;Server_No_Context_Takeover", false, true),
        (
            "; server_no_context_takeover; client_no_context_takeover",
            true,
            true,
        ),
        (
            "; server_max_window_bits=8; client_max_window_bits = \"15\"",
            false,
            false,
        ),
    ] {
        let answer = format!("permessage-deflate{parameters}");
        let agreed = Deflate {
            client_no_context_takeover: client,
            server_no_context_takeover: server,
        };
        assert_eq!(deflate_accepted(&answer, OFFER), Ok(Some(agreed)));
    }
}

#[test]
fn rfc_7692_section_7_1_parameters_that_fail_the_connection() {
    let refused = |parameters: &str, offers: &str| {
        deflate_accepted(&format!("permessage-deflate; {parameters}"), offers).unwrap_err()
    };
    for wrong in [
        "foo",
        "",
        "foo=\"; client_no_context_takeover\"",
        "client_no_context_takeover=1",
        "server_no_context_takeover=true",
        "client_max_window_bits",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "server_max_window_bits",
        "server_max_window_bits=08",
        "server_max_window_bits=+9",
        "server_max_window_bits=1\u{fffd}",
    ] {
        assert!(
            matches!(refused(wrong, OFFER), ExtensionError::Parameter(_)),
            "{wrong}"
        );
    }
    assert_eq!(
        refused("server_max_window_bits=9; server_max_window_bits=9", OFFER),
        ExtensionError::RepeatedParameter("server_max_window_bits".into())
    );
    assert_eq!(
        refused("client_max_window_bits=9", "permessage-deflate"),
        ExtensionError::WindowNotOffered
    );
    assert!(
        deflate_accepted(
            "permessage-deflate; client_max_window_bits=9",
            "permessage-deflate, permessage-deflate; client_max_window_bits=10"
        )
        .is_ok()
    );
}

#[test]
fn each_element_is_given_what_it_has_not() {
    assert_eq!(
        deflate_without_client_context(
            r#"permessage-deflate; x="; client_no_context_takeover", permessage-deflate;CLIENT_no_context_takeover"#
        ),
        r#"permessage-deflate; x="; client_no_context_takeover"; client_no_context_takeover, permessage-deflate;CLIENT_no_context_takeover"#
    );
    assert_eq!(deflate_without_client_context(""), "");
}

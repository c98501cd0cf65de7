//! The blocks `metrics` and `admin`: where others than clients are served.

use std::net::{Ipv6Addr, SocketAddr};

use serde_json::json;

use super::address::LISTEN;
use super::kind::{OrOff, Word};
use super::model::{Admin, Listen, Token};
use super::section::Section;

/// `metrics:` as a block, or `off`.
pub(super) fn metrics(s: &mut Section<'_>) -> Option<Listen> {
    let base = Some(Listen::Tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9902))));
    let doc = "Metrics for Prometheus, and probes: /metrics, /livez, /readyz.";
    s.block_or_off("metrics", doc, base.clone(), |s| {
        let doc = "Where they are served: an address as for `listen`.";
        s.key("listen", &base, &OrOff(LISTEN), doc)
    })
}

/// `admin:` as a block, or `off`.
pub(super) fn admin(s: &mut Section<'_>) -> Option<Admin> {
    let base = Admin::default();
    let listen = Some(base.listen.clone());
    let doc = "The API and the page for operators.";
    s.block_or_off("admin", doc, Some(base), |s| {
        let doc = "Where they are served: an address as for `listen`.";
        let listen = s.key("listen", &listen, &OrOff(LISTEN), doc);
        let doc = "What every call must bring as `Authorization: Bearer …`; empty: nothing.";
        let token = s.key("token", &None, &TOKEN, doc);
        listen.map(|listen| Admin { listen, token })
    })
}

/// A secret that fits into a header.
const TOKEN: Word<Option<Token>> = Word {
    read: |text| match text {
        "" => Ok(None),
        _ if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(Token(text.to_owned()))),
        _ => Err("a token is made of ASCII letters, digits and signs, without spaces".to_owned()),
    },
    // Only ever the default: a token that is set is shown to nobody.
    show: |_| json!(""),
    schema: || json!({"type": "string", "pattern": "^[!-~]*$"}),
};

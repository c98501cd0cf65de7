//! The blocks `metrics` and `admin`: where others than clients are served.

use std::net::{Ipv6Addr, SocketAddr};

use serde_json::json;

use super::super::engine::{Block, OrOff, Scalar};
use super::super::model::{Admin, Listen, Token};
use super::address::LISTEN;

/// `metrics:` as a block, or `off`.
pub(crate) fn metrics(b: &mut impl Block) -> Option<Listen> {
    let base = Some(Listen::Tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 9902))));
    let doc = "Metrics for Prometheus, and probes: /metrics, /livez, /readyz.";
    b.block_or_off("metrics", doc, base.clone(), |b| {
        let doc = "Where they are served: an address as for `listen`.";
        b.key("listen", &base, &OrOff(LISTEN), doc)
    })
}

/// `admin:` as a block, or `off`.
pub(crate) fn admin(b: &mut impl Block) -> Option<Admin> {
    let base = Admin::default();
    let listen = Some(base.listen.clone());
    let doc = "The API and the page for operators.";
    b.block_or_off("admin", doc, Some(base), |b| {
        let doc = "Where they are served: an address as for `listen`.";
        let listen = b.key("listen", &listen, &OrOff(LISTEN), doc);
        let doc = "What every call must bring as `Authorization: Bearer …`; empty: nothing.";
        let token = b.key("token", &None, &TOKEN, doc);
        listen.map(|listen| Admin { listen, token })
    })
}

/// A secret that fits into a header.
const TOKEN: Scalar<Option<Token>> = Scalar {
    read: |text| match text {
        "" => Ok(None),
        _ if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(Token(text.to_owned()))),
        _ => Err("a token is made of ASCII letters, digits and signs, without spaces".to_owned()),
    },
    // Only ever the default: a token that is set is shown to nobody.
    show: |_| json!(""),
    schema: || json!({"type": "string", "pattern": "^[!-~]*$"}),
};

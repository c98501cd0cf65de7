//! The order of the list of connections.

use std::fmt;
use std::str::FromStr;

/// What connections are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    Opened,
    ClientIdle,
    UpstreamIdle,
    Rtt,
    Traffic,
    Client,
}

/// A key, and which end comes first. Written as the key's name, with `-` in front if the greatest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SortOrder {
    pub(crate) key: SortKey,
    pub(crate) descending: bool,
}

impl SortKey {
    pub(crate) const ALL: [SortKey; 6] = [
        SortKey::Opened,
        SortKey::ClientIdle,
        SortKey::UpstreamIdle,
        SortKey::Rtt,
        SortKey::Traffic,
        SortKey::Client,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            SortKey::Opened => "opened",
            SortKey::ClientIdle => "client_idle",
            SortKey::UpstreamIdle => "upstream_idle",
            SortKey::Rtt => "rtt",
            SortKey::Traffic => "traffic",
            SortKey::Client => "client",
        }
    }
}

impl SortOrder {
    pub(crate) fn all() -> Vec<SortOrder> {
        let both = |key| [false, true].map(|descending| SortOrder { key, descending });
        SortKey::ALL.into_iter().flat_map(both).collect()
    }
}

/// The newest connection first.
impl Default for SortOrder {
    fn default() -> Self {
        SortOrder {
            key: SortKey::Opened,
            descending: true,
        }
    }
}

impl fmt::Display for SortOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", self.key.name())
    }
}

impl FromStr for SortOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let key = SortKey::ALL.into_iter().find(|key| key.name() == name);
        let names = SortKey::ALL.map(SortKey::name).join(", ");
        let key = key.ok_or_else(|| format!("write one of {names}"))?;
        Ok(SortOrder { key, descending })
    }
}

//! How connections end, and what the closing record says of it.

mod by_peers;
mod by_rules;
mod by_sidecar;
mod cuts;
mod records;

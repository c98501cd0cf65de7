//! `proxy.yaml`.

pub mod policy;

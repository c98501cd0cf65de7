//! `proxy.yaml`: whole files and what is said about them, application heartbeats, and the schema.

mod app;
mod files;
mod schema;

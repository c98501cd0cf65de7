//! Heartbeats: pings and idle times of both legs, the application's own, and a process that stood still.

mod app;
mod legs;
mod stopped;

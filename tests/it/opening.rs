//! Opening handshakes: those that succeed, those that fail on either side, and the route that each takes.

mod accepted;
mod failures;
mod refusals;
mod routes;
mod ways;

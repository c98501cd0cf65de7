//! What `./run` starts: the load, the backend, and the two small peers that are ours.
//!
//! Every load prints one JSON object. CPU and memory are those of the proxy's own process tree (`--pid`), read inside
//! the load so that they cover its measuring window and nothing else.

mod backend;
mod blind;
mod client;
mod frames;
mod load;
mod obvious;
mod process;
mod sessions;

use std::net::SocketAddr;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A WebSocket backend: echoes; a request for /burst/N is sent N bytes at once
    Echo { listen: SocketAddr },
    /// A TCP relay that looks at no byte: what a proxy cannot do without
    Blind {
        listen: SocketAddr,
        upstream: SocketAddr,
    },
    /// The obvious WebSocket proxy: tokio-tungstenite on both sides, split and forward
    Obvious {
        listen: SocketAddr,
        upstream: SocketAddr,
    },
    /// Messages in a closed loop: each connection keeps a window of them under way
    Messages(load::messages::Options),
    /// Opening handshakes, each followed by a closing one
    Handshakes(load::handshakes::Options),
    /// Idle connections: memory of each, and CPU under pings
    Idle(load::idle::Options),
    /// Messages at a fixed rate: latency from when each was to be sent
    Rate(load::rate::Options),
    /// A burst from the backend to a client that reads slowly: peak memory
    Burst(load::burst::Options),
    /// sidebeat's sessions alone, with a virtual clock
    Sessions(sessions::Options),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Echo { listen } => backend::run(listen),
        Command::Blind { listen, upstream } => blind::run(listen, upstream),
        Command::Obvious { listen, upstream } => obvious::run(listen, upstream),
        Command::Messages(options) => load::run(load::messages::measure(options)),
        Command::Handshakes(options) => load::run(load::handshakes::measure(options)),
        Command::Idle(options) => load::run(load::idle::measure(options)),
        Command::Rate(options) => load::run(load::rate::measure(options)),
        Command::Burst(options) => load::run(load::burst::measure(options)),
        Command::Sessions(options) => sessions::run(&options),
    }
}

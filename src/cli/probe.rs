//! `sidebeat probe`: is there a WebSocket, and how far away is it?

mod client;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;

use super::websocket::Client;
use super::{block_on, print_error, print_json, print_line};
use crate::printable::escaped;

pub(super) const HELP: &str = "\
Examples:
  sidebeat probe                                         ws://127.0.0.1:8080/, one ping
  sidebeat probe ws://127.0.0.1:8080/chat -n 5 --interval 200ms
  sidebeat probe ws://127.0.0.1:8080/ -H 'Origin: https://chat.example.com' --json

With `answer_pings: local` the sidecar answers pings itself: the round-trip time is that to the
sidecar, while the opening handshake went to the backend.
Exit: 0 opened and every ping answered; 1 otherwise, the reason is on stderr (`error` with --json).";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The address, as ws://host[:port][/path]
    #[arg(default_value = "ws://127.0.0.1:8080/", value_parser = parse_url)]
    url: Uri,
    /// The number of pings
    #[arg(short = 'n', long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// The time between two pings
    #[arg(long, default_value = "1s", value_parser = crate::config::parse_duration)]
    interval: Duration,
    /// How long to wait for the opening handshake and for each pong
    #[arg(long, default_value = "5s", value_parser = crate::config::parse_duration)]
    timeout: Duration,
    /// A request header, `Name: value`; may be given more than once
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The subprotocol to offer; more than one separated by commas
    #[arg(long, value_name = "NAME")]
    subprotocol: Option<HeaderValue>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// The result, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
struct Report {
    url: String,
    ok: bool,
    /// The HTTP status of the opening handshake's answer; 101 when a WebSocket was opened.
    status: Option<u16>,
    subprotocol: Option<String>,
    handshake_ms: Option<f64>,
    pings_sent: u32,
    pongs_received: u32,
    rtt_ms: Vec<f64>,
    rtt_min_ms: Option<f64>,
    rtt_avg_ms: Option<f64>,
    rtt_max_ms: Option<f64>,
    /// The Close frame that was received while pinging.
    close: Option<ReceivedClose>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct ReceivedClose {
    code: Option<u16>,
    reason: String,
}

pub(super) fn run(options: &Options) -> ExitCode {
    block_on(async {
        let (report, client) = probe(options, |line| {
            if !options.json {
                print_line(escaped(&line));
            }
        })
        .await;
        if options.json {
            print_json(&serde_json::json!(report));
        } else if let Some(error) = &report.error {
            print_error(format_args!("sidebeat probe: {}", escaped(error)));
        }
        // After the result is printed, because nobody needs to wait for this.
        if let Some(client) = client {
            client::say_goodbye(client, options).await;
        }
        if report.ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    })
}

/// What was found out, and the connection if it is still open.
async fn probe(options: &Options, mut print: impl FnMut(String)) -> (Report, Option<Client>) {
    let mut report = Report {
        url: options.url.to_string(),
        ..Report::default()
    };
    let measured = client::measure(options, &mut report, &mut print).await;
    report.ok = measured.is_ok();
    report.error = measured.as_ref().err().map(ToString::to_string);
    summarise(&mut report);
    if let (Some(min), Some(avg), Some(max)) =
        (report.rtt_min_ms, report.rtt_avg_ms, report.rtt_max_ms)
    {
        let (sent, received) = (report.pings_sent, report.pongs_received);
        print(format!(
            "pings sent {sent}, pongs received {received}, rtt min/avg/max {min:.3}/{avg:.3}/{max:.3} ms"
        ));
    }
    (report, measured.ok())
}

fn summarise(report: &mut Report) {
    let rtts = &report.rtt_ms;
    report.rtt_min_ms = rtts.iter().copied().reduce(f64::min);
    report.rtt_max_ms = rtts.iter().copied().reduce(f64::max);
    report.rtt_avg_ms = rtts
        .iter()
        .copied()
        .reduce(|a, b| a + b)
        .map(|sum| rounded(sum / f64::from(report.pongs_received)));
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1000.0)
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

fn parse_url(text: &str) -> Result<Uri, String> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("ws://{text}")
    };
    let url: Uri = with_scheme
        .parse()
        .map_err(|error| format!("{error}; write ws://host:port/path"))?;
    match url.scheme_str() {
        Some("ws") => Ok(url),
        Some("wss") => Err(
            "this version speaks no TLS; probe the plain ws:// address behind the TLS terminator"
                .to_owned(),
        ),
        _ => Err("a WebSocket's address begins with ws://".to_owned()),
    }
}

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| format!("`{name}` is no header name"))?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| "the value has a character that no header may have".to_owned())?;
    Ok((name, value))
}

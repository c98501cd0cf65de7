//! Words of other programs, and what is written for them here.

use super::super::engine::{Advice, KeyPath, Step, parse_duration};

pub(crate) const ADVICE: Advice = Advice {
    other_programs: &OTHER_PROGRAMS,
    expected_at_top: "expected keys such as `listen` and `upstream` at the top of the file",
    instead_of_block,
    // A `match` that stands in a wrong place is as likely a route's, and routes get names that they do not have.
    common_in_lists: &["match", "name"],
};

/// Names that people bring along from Swoole, nginx, HAProxy, Envoy and Socket.IO: the key that does the same here, or
/// a sentence where none does.
const OTHER_PROGRAMS: [(&str, &str); 76] = [
    ("heartbeat_idle_time", "heartbeat.client.idle_time"),
    ("heartbeat_check_interval", "heartbeat.check_interval"),
    ("heartbeat_timeout", "heartbeat.client.idle_time"),
    ("heartbeat_interval", "heartbeat.client.ping_interval"),
    ("timeout", "heartbeat.client.idle_time"),
    ("idle_timeout", "heartbeat.client.idle_time"),
    ("stream_idle_timeout", "heartbeat.client.idle_time"),
    ("keepalive_timeout", "heartbeat.client.idle_time"),
    ("read_timeout", "heartbeat.client.idle_time"),
    ("timeout_client", "heartbeat.client.idle_time"),
    ("timeout_tunnel", "heartbeat.client.idle_time"),
    ("proxy_read_timeout", "heartbeat.client.idle_time"),
    ("timeout_server", "heartbeat.upstream.idle_time"),
    ("interval", "heartbeat.client.ping_interval"),
    ("ping_period", "heartbeat.client.ping_interval"),
    ("pinginterval", "heartbeat.client.ping_interval"),
    ("ping_timeout", "heartbeat.client.pong_timeout"),
    ("pingtimeout", "heartbeat.client.pong_timeout"),
    ("open_websocket_ping_frame", "heartbeat.upstream.keepalive"),
    ("open_websocket_pong_frame", "heartbeat.upstream.keepalive"),
    ("max_connection", "limits.max_connections"),
    ("max_conn", "limits.max_connections"),
    ("maxconn", "limits.max_connections"),
    ("worker_connections", "limits.max_connections"),
    ("limit_conn", "limits.max_connections_per_ip"),
    ("package_max_length", "limits.max_message"),
    ("client_max_body_size", "limits.max_message"),
    ("max_payload", "limits.max_message"),
    ("maxpayload", "limits.max_message"),
    ("max_message_size", "limits.max_message"),
    ("max_frame_size", "limits.max_frame"),
    ("send_timeout", "limits.write_stall_timeout"),
    ("proxy_send_timeout", "limits.write_stall_timeout"),
    ("client_header_timeout", "limits.handshake_timeout"),
    ("max_stream_duration", "limits.max_lifetime"),
    ("max_connection_duration", "limits.max_lifetime"),
    ("origins", "limits.allowed_origins"),
    ("cors", "limits.allowed_origins"),
    ("validate_utf_8", "limits.validate_utf8"),
    ("port", "listen"),
    ("bind", "listen"),
    ("address", "listen"),
    ("backend", "upstream"),
    ("backends", "upstream"),
    ("server", "upstream"),
    ("servers", "upstream"),
    ("target", "upstream"),
    ("proxy_pass", "upstream"),
    ("proxy_connect_timeout", "upstream.connect_timeout"),
    ("timeout_connect", "upstream.connect_timeout"),
    ("retries", "upstream.retry.attempts"),
    ("proxy_next_upstream_tries", "upstream.retry.attempts"),
    ("location", "routes"),
    ("locations", "routes"),
    ("rules", "routes"),
    ("server_name", "routes"),
    ("websocket_compression", "compression"),
    ("permessage_deflate", "compression"),
    ("perMessageDeflate", "compression"),
    ("gzip", "compression"),
    ("log_level", "log.level"),
    ("loglevel", "log.level"),
    ("access_log", "log.opened"),
    ("drain_timeout", "drain.timeout"),
    ("max_wait_time", "drain.timeout"),
    ("terminationGracePeriodSeconds", "drain.timeout"),
    ("ssl", TLS),
    ("ssl_certificate", TLS),
    ("error_log", LOGS),
    ("log_file", LOGS),
    ("worker_processes", WORKERS),
    ("worker_num", WORKERS),
    ("workers", WORKERS),
    ("threads", WORKERS),
    (
        "daemonize",
        "the program stays in the foreground; systemd or a container keeps it running",
    ),
    ("nodelay", "TCP_NODELAY is always on"),
];
const TLS: &str = "this version has no TLS of its own; let the proxy in front end it";
const LOGS: &str = "log lines go to standard output; `log` says which";
const WORKERS: &str = "there is a thread for each core, and nothing to set";

/// Where a block of keys is expected and a text stands: the block that was meant.
fn instead_of_block(path: &KeyPath, text: &str) -> Option<String> {
    let name = path.last_key()?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = parse_duration(text).is_ok();
    let is_within = |above: &str| path.steps().contains(&Step::Key(above.to_owned()));
    let keys = match name {
        "retry" if is_number => format!("{{attempts: {text}}}"),
        "match" | "expect" if is_within("app") || is_within("app_ping") => {
            format!("{{text: {}}}", shown(text))
        }
        "match" if text.starts_with('/') => format!("{{path: {}}}", shown(text)),
        "match" => format!("{{host: {}}}", shown(text)),
        "idle_notice" if is_time => format!("{{before: {text}, text: '…'}}"),
        "idle_notice" => "{before: 5s, text: '…'}".to_owned(),
        "app_ping" => "{text: ping, expect: {text: pong}}".to_owned(),
        "drain" if is_time => format!("{{timeout: {text}}}"),
        "heartbeat" if is_time => format!("{{client: {{idle_time: {text}}}}}"),
        "client" | "upstream" if is_time => format!("{{idle_time: {text}}}"),
        "log" => format!("{{level: {}}}", shown(text)),
        "metrics" | "admin" if matches!(text, "on" | "true" | "yes") => {
            return Some(format!(
                "`{name}` is on unless it is `off`; remove the key, or write a block of keys"
            ));
        }
        "metrics" | "admin" if is_number => format!("{{listen: ':{text}'}}"),
        "metrics" | "admin" => format!("{{listen: {}}}", shown(text)),
        "health" => format!("{{mode: {}}}", shown(text)),
        _ if is_within("close") && is_number => format!("{{code: {text}}}"),
        _ if is_within("close") => format!("{{reason: {}}}", shown(text)),
        _ => return None,
    };
    Some(format!("expected a block of keys: write `{name}: {keys}`"))
}

fn shown(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:*".contains(c);
    let bare = text.starts_with(|c: char| c.is_alphanumeric() || c == '/')
        && !text.contains(": ")
        && text.chars().count() <= 60
        && text.chars().all(is_plain);
    match bare {
        true => text.to_owned(),
        false if text.contains('\'') || text.chars().any(char::is_control) => "'…'".to_owned(),
        false if text.chars().count() > 60 => "'…'".to_owned(),
        false => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests;

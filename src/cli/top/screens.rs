//! Screens of several sizes as they are drawn. `SIDEBEAT_BLESS=1 cargo test top::screens` writes them anew; read the
//! difference before committing it.

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};

use super::data::{Answer, Closing, Detail, Page, Request};
use super::draw::draw;
use super::state::{CloseForm, Dialog, State, View};
use super::update::{Input, update};
use crate::admin::types::{ClosedPage, ConnectionPage, SortOrder};

fn summary(uptime_ms: u64) -> Value {
    let count = uptime_ms / 1000;
    json!({
        "version": "1.2.3", "started": "2026-11-21T19:10:47.861Z", "uptime_ms": uptime_ms,
        "connections": {"established": 1234, "admitted": 1240, "max": 10000},
        "draining": null,
        "upstreams": [{"address": "127.0.0.1:9501", "up": true, "since": "2026-11-21T19:10:47.861Z", "detail": null}],
        "routes": [{"route": "default", "established": 1234, "opened": 5000 + 12 * count}],
        "closed": [
            {"route": "default", "initiator": "client", "reason": "client_closed", "count": 300 + 2 * count},
            {"route": "default", "initiator": "sidecar", "reason": "client_pong_timeout", "count": 17},
        ],
        "handshakes_failed": [{"reason": "upstream_refused", "count": 3}],
        "client": {"messages": 100 * count, "bytes": 123456 * count, "pings_sent": 1, "pongs_received": 1, "missed_pongs": 0,
            "pings_answered": 0, "rtt_ms": {"p50": 0.52, "p95": 40.2, "p99": 1234.5}},
        "upstream": {"messages": 0, "bytes": 0, "pings_sent": 1, "pongs_received": 1, "missed_pongs": 0,
            "pings_answered": 0, "rtt_ms": null},
        "app_heartbeats": [], "http_requests": [],
        "config": {"path": "/etc/sidebeat/proxy.yaml", "last_reload": null},
        "log_lines_dropped": 0, "events_dropped": 0,
    })
}

fn connection(number: u64) -> Value {
    json!({
        "conn": format!("01KAJ{number:021}"), "request_id": "r", "client": format!("203.0.113.{}:{}", number % 256, 50000 + number),
        "route": "default", "host": "chat.example.com", "path": if number == 3 { "/\u{1b}[2Jchat".to_owned() } else { format!("/chat/{number}") },
        "subprotocol": null, "upstream": "127.0.0.1:9501", "compressed": false, "opened": "2026-11-21T19:10:47.861Z",
        "age_ms": number * 61_000, "state": if number == 2 { "closing" } else { "open" },
        "client_idle_ms": 25_000, "upstream_idle_ms": 900,
        "rtt_ms": if number == 1 { Value::Null } else { json!(18.44) }, "upstream_rtt_ms": 0.3,
        "client_messages": 12, "client_bytes": 860, "upstream_messages": 30, "upstream_bytes": 9120 * number,
        "pings_sent": 7, "pongs_received": 5, "missed_pongs": 2, "pings_answered": 0,
        "upstream_pings_sent": 3, "upstream_pongs_received": 3, "upstream_missed_pongs": 0, "upstream_pings_answered": 0,
        "app_heartbeats": 4,
        "captured": {"version": "2.1"},
    })
}

fn closing(number: u64) -> Value {
    json!({
        "timestamp": "2026-11-21T19:10:47.861Z", "level": "INFO", "event": "connection_closed",
        "conn": format!("01KAJ{number:021}"), "client": "203.0.113.7:51544", "path": "/chat", "initiator": "sidecar",
        "reason": "client_idle", "detail": "nothing received for 60.2s", "duration_ms": 181_204,
        "client_close": {"received": null, "sent": if number == 1 { json!({"code": 1001, "reason": "idle timeout"}) } else { Value::Null }},
    })
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// What a sidecar with these rows answers to `request`.
pub(super) fn answer(
    request: &Request,
    uptime_ms: u64,
    rows: std::ops::RangeInclusive<u64>,
) -> Box<Answer> {
    use super::data::PageRequest;
    let samples: Vec<Value> = (0..60)
        .map(|nth| json!({"at": "", "established": 1000 + (nth * 37) % 300, "opened": 0, "closed": 0}))
        .collect();
    let page = match request.page {
        PageRequest::Connections(_) => Page::Connections(read::<ConnectionPage>(json!({
            "connections": rows.map(connection).collect::<Vec<_>>(), "next": "more", "total": 2345, "matching": 1234,
        })).into()),
        PageRequest::Closings => Page::Closings(read::<ClosedPage<Closing>>(json!({
            "closed": rows.map(closing).collect::<Vec<_>>(), "next": null,
        })).into()),
    };
    let detail = request.detail.as_ref().map(|conn| Detail {
        conn: conn.clone(),
        living: true,
        fields: read(connection(3)),
    });
    Box::new(Answer {
        summary: read(summary(uptime_ms)),
        history: read(json!({"interval_ms": 5000, "samples": samples})),
        page,
        detail,
    })
}

pub(super) fn state() -> State {
    State::new(
        "http://127.0.0.1:9901".to_owned(),
        SortOrder::default(),
        String::new(),
    )
}

/// Answers what the state asks for.
pub(super) fn fill(state: &mut State, uptime_ms: u64) {
    let request = state.request();
    let answer = answer(&request, uptime_ms, 1..=40);
    assert_eq!(update(state, Input::Answered(request, Ok(answer))), None);
}

fn filled() -> State {
    let mut state = state();
    fill(&mut state, 273_600_000);
    fill(&mut state, 273_605_000);
    state
}

fn drawn(state: &mut State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, frame)).unwrap();
    let cells = terminal.backend().buffer().content();
    let lines = cells.chunks(usize::from(width.max(1))).map(|line| {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

#[track_caller]
fn compare(name: &str, state: &mut State, width: u16, height: u16) {
    let drawn = drawn(state, width, height);
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cli/top/screens/{name}.txt"));
    if std::env::var_os("SIDEBEAT_BLESS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(drawn, expected, "{name}:\n{drawn}");
}

#[test]
fn connections_in_several_sizes() {
    for (width, height) in [(80, 24), (120, 40), (40, 24), (40, 12)] {
        compare(
            &format!("connections_{width}x{height}"),
            &mut filled(),
            width,
            height,
        );
    }
}

#[test]
fn before_the_first_answer_and_without_one() {
    compare("empty_80x24", &mut state(), 80, 24);
    let mut lost = filled();
    let request = lost.request();
    let trouble =
        "nothing listens at http://127.0.0.1:9901 (connection refused): is sidebeat running?";
    update(&mut lost, Input::Answered(request, Err(trouble.to_owned())));
    compare("unreachable_80x24", &mut lost, 80, 24);
    compare("unreachable_40x24", &mut lost, 40, 24);
}

#[test]
fn draining_with_a_backend_that_is_down() {
    let mut state = filled();
    let summary = state.summary.as_mut().unwrap();
    summary.draining = Some(read(json!({
        "trigger": "api", "since": "", "phase": "closing", "remaining": 12, "of": 100, "deadline": "", "left_ms": 8500,
    })));
    summary.upstreams.push(read(json!({
        "address": "127.0.0.1:9502", "up": false, "since": "", "detail": "Connection refused (os error 111)",
    })));
    compare("draining_80x24", &mut state, 80, 24);
}

#[test]
fn the_other_views() {
    let mut state = filled();
    state.view = View::Closings;
    fill(&mut state, 273_606_000);
    compare("closings_80x24", &mut state, 80, 24);
    compare("closings_40x24", &mut state, 40, 24);

    let mut state = filled();
    super::keys::press(&mut state, ratatui::crossterm::event::KeyCode::Enter.into());
    compare("detail_asked_80x24", &mut state, 80, 24);
    fill(&mut state, 273_606_000);
    compare("detail_80x24", &mut state, 80, 24);
    compare("detail_40x24", &mut state, 40, 24);
}

#[test]
fn what_lies_over_it() {
    let mut state = filled();
    state.dialog = Some(Dialog::Help);
    compare("help_80x24", &mut state, 80, 24);
    compare("help_40x24", &mut state, 40, 24);
    state.dialog = Some(Dialog::Close(CloseForm {
        conn: "01KAJ000000000000000000003".to_owned(),
        client: "203.0.113.3:50003".to_owned(),
        code: "4000".to_owned(),
        ..CloseForm::default()
    }));
    compare("close_80x24", &mut state, 80, 24);
    state.dialog = Some(Dialog::Search("203.0".to_owned()));
    compare("search_80x24", &mut state, 80, 24);
}

#[test]
fn no_size_makes_it_panic() {
    for width in [0, 1, 2, 5, 10, 21, 39, 41, 67, 68, 69, 81, 139] {
        for height in [0, 1, 2, 3, 5, 9, 10, 13, 14, 24, 31, 44] {
            for dialog in [
                None,
                Some(Dialog::Help),
                Some(Dialog::Close(CloseForm::default())),
            ] {
                let mut state = filled();
                state.trouble = dialog.is_none().then(|| "trouble ".repeat(30));
                state.dialog = dialog;
                drawn(&mut state, width, height);
                super::keys::press(&mut state, ratatui::crossterm::event::KeyCode::Enter.into());
                drawn(&mut state, width, height);
            }
        }
    }
}

#[test]
fn without_colours_there_are_none() {
    use ratatui::style::Color;
    let colours = |state: &mut State| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| draw(state, frame)).unwrap();
        let cells = terminal.backend().buffer().content().iter();
        let coloured =
            |cell: &&ratatui::buffer::Cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset);
        cells.filter(coloured).count()
    };
    let mut state = filled();
    state.trouble = Some("trouble".to_owned());
    assert!(colours(&mut state) > 0);
    state.colours = false;
    assert_eq!(colours(&mut state), 0);
}

//! Who may call, and what is refused before it is looked at.

use std::io::Write as _;

use super::*;

const CALLS: [&str; 11] = [
    "GET /api/summary",
    "GET /api/history",
    "GET /api/connections",
    "GET /api/connections/01KANOBODY",
    "DELETE /api/connections/01KANOBODY",
    "POST /api/connections/01KANOBODY/ping",
    "GET /api/closed",
    "GET /api/config",
    "GET /api/openapi.json",
    "POST /api/reload",
    "POST /api/drain",
];

#[test]
fn with_a_token_every_call_needs_it() {
    let settings = "upstream: ws://127.0.0.1:9\nadmin: {listen: '127.0.0.1:0', token: s3cret}";
    let sidecar = Sidecar::start(settings);
    let admin = address(&sidecar);
    for call in CALLS
        .into_iter()
        .chain(["GET /api/events", "GET /api/none"])
    {
        for token in [None, Some("wrong"), Some("s3crets")] {
            let mut request = request(admin, call);
            if let Some(token) = token {
                request = request.header("Authorization", &format!("Bearer {token}"));
            }
            let answer = Wire::connect(admin).ask(&request);
            problem(&answer, 401);
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, Some("Bearer realm=\"sidebeat\""), "{call}");
        }
    }
    assert!(sidecar.logged("draining").is_empty());
    assert!(sidecar.logged("config_reloaded").is_empty());
    // By any name, with the token.
    let named = Request::line("GET /api/summary HTTP/1.1")
        .header("Host", "sidebeat.example.com")
        .header("Authorization", "Bearer s3cret");
    assert_eq!(Wire::connect(admin).ask(&named).status, 200);

    // Another token in the file is the one that counts.
    sidecar.write_config(&settings.replace("s3cret", "0ther"));
    let reloaded = sidecar.log_event("config_reloaded", TIMEOUT);
    assert_eq!(reloaded["detail"], "admin.token: *** -> ***");
    problem(&Wire::connect(admin).ask(&named), 401);
    let other = named.with("Authorization", "Bearer 0ther");
    assert_eq!(Wire::connect(admin).ask(&other).status, 200);
}

#[test]
fn a_page_of_another_site_gets_nothing() {
    let (relayed, admin) = start("");
    for call in CALLS {
        let rebound = request(admin, call).with("Host", "rebound.example.com:9901");
        problem(&Wire::connect(admin).ask(&rebound), 421);
    }
    let changing = CALLS.iter().filter(|call| !call.starts_with("GET"));
    for call in changing {
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://example.com"),
            ("Origin", "null"),
        ] {
            let answer = Wire::connect(admin).ask(&request(admin, call).header(name, value));
            problem(&answer, 403);
        }
    }
    assert!(relayed.sidecar.logged("draining").is_empty());
    assert!(relayed.sidecar.logged("config_reloaded").is_empty());
    // Our own page's calls, and reading from anywhere, which a browser keeps to itself.
    let own = request(admin, "POST /api/reload")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Origin", &format!("http://{admin}"));
    assert_eq!(Wire::connect(admin).ask(&own).status, 200);
    let reading = request(admin, "GET /api/summary").header("Origin", "https://example.com");
    let answer = Wire::connect(admin).ask(&reading);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let (_relayed, admin) = start("");
    for path in ["/api", "/api/", "/api/nothing", "/api/summary/", "/nothing"] {
        problem(&ask(admin, &format!("GET {path}")), 404);
    }
    for (line, allowed) in [
        ("POST /api/summary", "GET,HEAD"),
        ("GET /api/reload", "POST"),
        ("GET /api/drain", "POST"),
        ("PATCH /api/connections/x", "GET,HEAD,DELETE"),
        ("OPTIONS /api/connections/x/ping", "POST"),
    ] {
        let answer = ask(admin, line);
        problem(&answer, 405);
        assert_eq!(answer.header("allow"), Some(allowed), "{line}");
    }
}

#[test]
fn parameters_are_known_written_once_and_of_their_kind() {
    let (_relayed, admin) = start("");
    let conn = only(admin);
    for (line, field) in [
        ("GET /api/summary?x=1", "x"),
        ("GET /api/connections?limits=1", "limits"),
        ("GET /api/connections?limit=1&limit=1", "limit"),
        ("GET /api/connections?limit=0", "limit"),
        ("GET /api/connections?limit=1001", "limit"),
        ("GET /api/connections?limit=%2B5", "limit"),
        ("GET /api/connections?limit=", "limit"),
        ("GET /api/connections?sort=age", "sort"),
        ("GET /api/connections?cursor=x", "cursor"),
        ("GET /api/closed?cursor=x", "cursor"),
        ("GET /api/closed?reason=boredom", "reason"),
        ("GET /api/events?types=connection_closed,nothing", "types"),
        (
            &format!("POST /api/connections/{conn}/ping?leg=left"),
            "leg",
        ),
        (&format!("DELETE /api/connections/{conn}?code=1005"), "code"),
        (&format!("DELETE /api/connections/{conn}?code=2000"), "code"),
        (
            &format!("DELETE /api/connections/{conn}?code=999999"),
            "code",
        ),
        (
            &format!("DELETE /api/connections/{conn}?reason={}", "x".repeat(124)),
            "reason",
        ),
        ("POST /api/drain?now=1", "now"),
    ] {
        let body = problem(&ask(admin, line), 400);
        assert_eq!(body["field"], field, "{line}: {body}");
    }
    let list = get(admin, "/api/connections");
    assert_eq!(list["connections"][0]["state"], "open", "{list}");
}

#[test]
fn bodies_are_not_needed_and_large_ones_refused() {
    let (_relayed, admin) = start("");
    let mut wire = Wire::connect(admin);
    let post =
        |len: usize| request(admin, "POST /api/reload").header("Content-Length", &len.to_string());
    // Two on one connection: what is not needed is read away.
    for _ in 0..2 {
        let answer = wire.ask(&post(5).followed_by(b"hello"));
        assert_eq!(answer.status, 200);
    }
    let large = vec![b'x'; 64 * 1024 + 1];
    problem(
        &Wire::connect(admin).ask(&post(large.len()).followed_by(&large)),
        413,
    );
    let chunked = request(admin, "POST /api/reload").header("Transfer-Encoding", "chunked");
    let mut wire = Wire::connect(admin);
    wire.send(&chunked.encode());
    let mut chunk = Vec::new();
    write!(chunk, "{:x}\r\n", large.len()).unwrap();
    chunk.extend_from_slice(&large);
    // The answer may come before all of it is taken.
    let _ = wire.try_send(&chunk);
    problem(&wire.answer(), 413);
}

#[test]
fn head_is_get_without_its_body() {
    let (_relayed, admin) = start("");
    let mut wire = Wire::connect(admin);
    for path in ["/api/summary", "/api/openapi.json", "/api/events"] {
        let head = request(admin, &format!("HEAD {path}"));
        wire.send(&head.encode());
        let mut behind = Vec::new();
        let mut socket = wire.socket();
        let head = support::read_head(&mut socket, &mut behind).unwrap();
        assert!(head.line.contains(" 200 "), "{head:?}");
        assert_eq!(behind, b"", "{path}");
    }
    // The same connection goes on.
    assert_eq!(wire.ask(&request(admin, "GET /api/summary")).status, 200);
}

#[test]
fn without_admin_nothing_listens() {
    let relayed = Relayed::start("admin: off");
    assert_eq!(relayed.sidecar.logged("listening").len(), 1);
    assert!(relayed.sidecar.logged("admin_listening").is_empty());
}

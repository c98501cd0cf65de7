use super::*;

fn found(method: &Method, path: &str) -> String {
    match find(method, path) {
        Found::Route(route, id) => format!("{} {id}", route.name),
        Found::OtherMethods(allowed) => allowed,
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn calls_are_found_by_method_and_path() {
    for (method, path, expected) in [
        (Method::GET, "/api/summary", "summary "),
        (Method::HEAD, "/api/summary", "summary "),
        (Method::POST, "/api/summary", "GET, HEAD"),
        (Method::OPTIONS, "/api/summary", "GET, HEAD"),
        (Method::GET, "/api/connections/01K", "connection 01K"),
        (Method::DELETE, "/api/connections/01K", "close 01K"),
        (Method::PUT, "/api/connections/01K", "GET, HEAD, DELETE"),
        (Method::POST, "/api/connections/01K/ping", "ping 01K"),
        (Method::GET, "/api/connections/01K/ping", "POST"),
        (Method::GET, "/api/connections/", "nothing"),
        (Method::GET, "/api/connections//ping", "nothing"),
        (Method::GET, "/api/connections/a/b", "nothing"),
        (Method::GET, "/api/summary/", "nothing"),
        (Method::GET, "/API/summary", "nothing"),
        (Method::GET, "/api", "nothing"),
    ] {
        assert_eq!(found(&method, path), expected, "{method} {path}");
    }
}

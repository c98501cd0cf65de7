use super::*;

#[test]
fn the_length_of_a_head_is_that_of_its_bytes() {
    let head = "HTTP/1.1 200 OK\r\nServer: x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n";
    let response = Response::builder()
        .header("server", "x")
        .header("set-cookie", "a")
        .header("set-cookie", "b");
    let mut response = response.body(()).unwrap();
    assert_eq!(len(&response), head.len());
    let reason = ReasonPhrase::from_static(b"Fine");
    response.extensions_mut().insert(reason);
    assert_eq!(len(&response), head.len() + 2);
}

//! Addresses come and go; what was accepted on them stays.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use super::*;

fn address(record: &Value) -> SocketAddr {
    record["address"].as_str().unwrap().parse().unwrap()
}

fn start(listen: &str, settings: &str) -> (Backend, Sidecar) {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&text(&backend, listen, settings));
    (backend, sidecar)
}

fn text(backend: &Backend, listen: &str, settings: &str) -> String {
    format!(
        "listen: {listen}\nupstream: {}\n{settings}\n",
        backend.url()
    )
}

fn open(address: SocketAddr, backend: &Backend) -> (Wire, Wire) {
    let mut client = Wire::connect(address);
    assert_eq!(client.ask(&Request::opening("/")).status, 101);
    (client, backend.accept().wire)
}

#[test]
fn an_address_is_added_and_another_removed() {
    let (backend, sidecar) = start("127.0.0.1:0", "");
    let old = sidecar.address();
    let (mut client, mut upstream) = open(old, &backend);

    sidecar.write_config(&text(&backend, "[127.0.0.1:0, 127.0.0.2:0]", ""));
    reloaded(&sidecar);
    let new = address(&sidecar.log_event("listening", TIMEOUT));
    assert_eq!(new.ip().to_string(), "127.0.0.2");
    open(new, &backend);
    open(old, &backend);

    sidecar.write_config(&text(&backend, "127.0.0.2:0", ""));
    reloaded(&sidecar);
    assert_eq!(address(&sidecar.log_event("listening_ended", TIMEOUT)), old);
    support::wait_until("the old address refuses", || {
        TcpStream::connect(old).is_err()
    });
    open(new, &backend);
    check_alive(&mut client, &mut upstream);
}

#[test]
fn an_address_is_replaced_and_taken_back() {
    let (backend, sidecar) = start("127.0.0.1:0", "");
    let old = sidecar.address();
    let (mut client, mut upstream) = open(old, &backend);
    let folder = sidecar.folder().to_owned();
    let socket = folder.join("s.sock");
    sidecar.write_config(&text(&backend, &format!("unix:{}", socket.display()), ""));
    reloaded(&sidecar);
    support::wait_until("the old address refuses", || {
        TcpStream::connect(old).is_err()
    });
    UnixStream::connect(&socket).unwrap();

    // The very port, while a connection that was accepted on it lives.
    sidecar.write_config(&text(&backend, &old.to_string(), ""));
    reloaded(&sidecar);
    open(old, &backend);
    support::wait_until("the socket's file is gone", || !socket.exists());
    check_alive(&mut client, &mut upstream);
}

#[test]
fn an_address_in_use_refuses_the_whole_file() {
    let (backend, sidecar) = start("127.0.0.1:0", "");
    let (mut client, mut upstream) = open(sidecar.address(), &backend);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|address| (taken, address)).unwrap();
    sidecar.write_config(&text(
        &backend,
        &format!("[127.0.0.3:0, '{}']", taken.1),
        "limits: {max_connections: 1}",
    ));
    let record = rejected(&sidecar);
    let told = format!(
        "cannot listen on {}: the address is in use. Stop what uses it, or change `listen`",
        taken.1
    );
    assert_eq!(record["problems"], json!([told]));
    assert_eq!(sidecar.logged("listening").len(), 1);
    assert!(sidecar.logged("listening_ended").is_empty());
    open(sidecar.address(), &backend);
    check_alive(&mut client, &mut upstream);

    // Once it is free, the next look at the file takes it. A process that another test is just starting has the socket
    // for a moment longer.
    drop(taken.0);
    support::wait_until("it is free", || TcpStream::connect(taken.1).is_err());
    sidecar.signal(rustix::process::Signal::HUP);
    reloaded(&sidecar);
    check_alive(&mut client, &mut upstream);
}

#[test]
fn an_address_is_widened_and_narrowed_on_its_own_port() {
    let (backend, sidecar) = start("127.0.0.1:0", "");
    let narrow = sidecar.address();
    let (mut client, mut upstream) = open(narrow, &backend);
    for listen in [
        format!("0.0.0.0:{}", narrow.port()),
        narrow.to_string(),
        format!("':{}'", narrow.port()),
        format!("0.0.0.0:{}", narrow.port()),
        format!("'[::]:{}'", narrow.port()),
        narrow.to_string(),
    ] {
        sidecar.write_config(&text(&backend, &listen, ""));
        reloaded(&sidecar);
        sidecar.log_event("listening_ended", TIMEOUT);
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], narrow.port()));
        let is_wide = listen != narrow.to_string();
        support::wait_until("it is as wide as it says", || {
            TcpStream::connect(elsewhere).is_ok() == is_wide
        });
        support::wait_until("the old sockets are closed", || {
            listening_sockets(narrow.port()) == workers()
        });
        open(narrow, &backend);
        check_alive(&mut client, &mut upstream);
    }
}

#[test]
fn two_listeners_swap_their_ports() {
    let (backend, sidecar) = start("127.0.0.1:0", "metrics: {listen: '127.0.0.1:0'}");
    let clients = sidecar.address();
    let metrics = address(&sidecar.log_event("metrics_listening", TIMEOUT));
    let (mut client, mut upstream) = open(clients, &backend);
    let swapped = format!("metrics: {{listen: '{clients}'}}");
    sidecar.write_config(&text(&backend, &metrics.to_string(), &swapped));
    reloaded(&sidecar);
    support::wait_until("only the new ones are left", || {
        listening_sockets(clients.port()) == 1 && listening_sockets(metrics.port()) == workers()
    });
    open(metrics, &backend);
    let livez = Request::line("GET /livez HTTP/1.1").header("Host", "a");
    assert_eq!(Wire::connect(clients).ask(&livez).status, 200);
    check_alive(&mut client, &mut upstream);
}

/// Sockets that listen on a port; `tcp6` has those of `[::]`.
fn listening_sockets(port: u16) -> usize {
    let (port, listens) = (format!(":{port:04X}"), "0A");
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    let columns = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    columns
        .filter(|columns| columns[1].ends_with(&port) && columns[3] == listens)
        .count()
}

/// A socket for each, on one port.
fn workers() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

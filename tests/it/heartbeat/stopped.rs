//! A process that gets no processor for a while: SIGSTOP, as a debugger, a frozen virtual machine or `docker pause` do.

use std::time::Duration;

use crate::support::{Backend, Frame, Request, Sidecar, Wire};
use rustix::process::Signal;

#[test]
fn messages_received_while_stopped_count_as_activity() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nheartbeat: {{check_interval: 100ms, client: {{idle_time: 5s, ping_interval: off}}}}",
        backend.url()
    ));
    let mut clients: Vec<Wire> = (0..50)
        .map(|_| Wire::open(&sidecar, &Request::opening("/")))
        .collect();
    for client in &mut clients {
        client.text("before");
        client.expect(&Frame::text("before"));
    }
    sidecar.signal(Signal::STOP);
    for client in &mut clients {
        client.text("meanwhile");
    }
    // As long as it takes for every idle time to be over.
    std::thread::sleep(Duration::from_millis(5500));
    sidecar.signal(Signal::CONT);
    for client in &mut clients {
        client.expect(&Frame::text("meanwhile"));
    }
}

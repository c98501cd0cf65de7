//! `sidebeat demo --once`, as somebody runs it who has just found the program.

use std::process::Command;

#[test]
fn the_demo_prints_what_really_happens() {
    let output = Command::new(env!("CARGO_BIN_EXE_sidebeat"))
        .args(["demo", "--once", "--listen", "127.0.0.1:0"])
        .output()
        .expect("the program starts");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let log: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(" connection_closed "))
        .collect();
    let [idle, lost] = log[..] else {
        panic!("two connections went through the sidecar:\n{told}")
    };
    for part in [
        " reason=client_idle ",
        " client_close.sent.code=1001 ",
        " client_close.sent.reason=\"idle timeout\"",
    ] {
        assert!(idle.contains(part), "{part:?} in {idle:?}");
    }
    for part in [" reason=upstream_lost ", " client_close.sent.code=1014 "] {
        assert!(lost.contains(part), "{part:?} in {lost:?}");
    }
    let place = |text: &str| {
        told.find(text)
            .unwrap_or_else(|| panic!("{text:?} in:\n{told}"))
    };
    assert!(place("admin    http://127.0.0.1:") < place("\n1. "));
    assert!(place("\n1. ") < place("\n2. "));
    assert!(place("\n2. ") < place(idle));
    assert!(place(idle) < place("\n3. "));
}

//! `sidebeat top`: for scripts, and in a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};

use rustix::fs::OFlags;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;

use super::*;
use crate::support::{Relayed, Sidecar, TIMEOUT, wait_until};

const LEAVES_THE_SCREEN: &str = "\u{1b}[?1049l";

/// A sidecar with one connection that is established, and the API's address.
fn sidecar() -> (Relayed, String) {
    let relayed = Relayed::start("admin: {listen: '127.0.0.1:0'}");
    let admin = admin(&relayed.sidecar);
    relayed.sidecar.log_event("connection_opened", TIMEOUT);
    (relayed, admin)
}

fn admin(sidecar: &Sidecar) -> String {
    let record = sidecar.log_event("admin_listening", TIMEOUT);
    record["address"].as_str().unwrap().to_owned()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = sidebeat(folder);
    for variable in ["SIDEBEAT_ADMIN", "SIDEBEAT_TOKEN", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.arg("top").args(arguments);
    command
}

fn run_top(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    run(&mut command(folder.path(), arguments))
}

#[test]
fn without_a_terminal_it_is_one_look() {
    let (relayed, admin) = sidecar();
    let client = relayed.client.local_address().to_string();
    let (code, stdout, stderr) = run_top(&["--admin", &admin]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    let first = format!(
        "sidebeat {}   at http://{admin}   up ",
        env!("CARGO_PKG_VERSION")
    );
    assert!(stdout.starts_with(&first), "{stdout}");
    assert!(
        stdout.contains("connections 1 / 10,000   opened 1 "),
        "{stdout}"
    );
    let row = stdout.lines().last().unwrap();
    assert!(
        row.contains(&client) && row.ends_with("  default  /chat"),
        "{stdout}"
    );
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    let (code, stdout, _) = run_top(&["--admin", &admin, "--once", "--query", "nobody"]);
    assert_eq!(code, Some(0));
    assert!(!stdout.contains(&client), "{stdout}");
}

#[test]
fn json_is_what_the_api_has() {
    let (relayed, admin) = sidecar();
    let _other = relayed.another();
    relayed.sidecar.log_event("connection_opened", TIMEOUT);
    let arguments = [
        "--admin", &admin, "--json", "--limit", "1", "--sort", "opened",
    ];
    let (code, stdout, stderr) = run_top(&arguments);
    assert_eq!((code, &*stderr), (Some(0), ""));
    let look: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(look["summary"]["connections"]["established"], 2);
    let rows = look["connections"]["connections"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let first = relayed.client.local_address().to_string();
    assert_eq!(rows[0]["client"], *first, "the first that was opened");
    assert!(look["connections"]["next"].is_string());
}

#[test]
fn no_sidecar_gives_a_plain_error() {
    let (code, stdout, stderr) = run_top(&["--admin", "127.0.0.1:9", "--once"]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert!(
        stderr.starts_with("sidebeat top: nothing listens at http://127.0.0.1:9 "),
        "{stderr}"
    );
}

/// The program on a terminal of 80 by 24.
struct Terminal {
    process: Process,
    keys: File,
    screen: OwnedFd,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn start(command: &mut Command) -> Terminal {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let no_control = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let screen: OwnedFd = File::options()
            .read(true)
            .write(true)
            .custom_flags(no_control)
            .open(name.to_str().unwrap())
            .unwrap()
            .into();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&screen, size).unwrap();
        command
            .stdin(screen.try_clone().unwrap())
            .stdout(screen.try_clone().unwrap());
        let process = Process::start(command.env("TERM", "xterm-256color"));
        let keys = File::from(keys);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reader, written) = (keys.try_clone().unwrap(), Arc::clone(&shown));
        // Ends with the test's process.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                written
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..len]));
            }
        });
        Terminal {
            process,
            keys,
            screen,
            shown,
        }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} is on the screen"), || {
            on_screen(&self.shown.lock().unwrap()).contains(text)
        });
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.screen).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Waits for the end, after which the terminal must be as it was.
    #[track_caller]
    fn end(mut self) -> String {
        assert_eq!(self.process.status(), Some(0));
        wait_until("the screen is left", || {
            self.shown.lock().unwrap().contains(LEAVES_THE_SCREEN)
        });
        assert!(self.echoes());
        self.shown.lock().unwrap().clone()
    }
}

/// What a terminal shows of this: only what has changed is written, at the place where it is.
fn on_screen(written: &str) -> String {
    let mut cells = [[' '; 80]; 24];
    let (mut row, mut column) = (0, 0);
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                *cell = c;
            }
            column += 1;
            continue;
        }
        let is_end = |c: &char| matches!(c, '@'..='~') && *c != '[';
        let mut parameters = String::new();
        let end = rest.by_ref().inspect(|c| parameters.push(*c)).find(is_end);
        if end == Some('H') {
            let place = parameters.trim_matches(['[', 'H']).split(';');
            let place: Vec<usize> = place.filter_map(|number| number.parse().ok()).collect();
            (row, column) = (place[0] - 1, place[1] - 1);
        }
    }
    cells.map(String::from_iter).join("\n")
}

#[test]
fn in_a_terminal_it_is_live_until_one_quits() {
    let (relayed, admin) = sidecar();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&mut command(folder.path(), &["--admin", &admin]));
    terminal.wait_for(&relayed.client.local_address().to_string());
    assert!(!terminal.echoes());
    let (other, _upstream) = relayed.another();
    terminal.wait_for(&other.local_address().to_string());
    terminal.press("/nobody\r");
    terminal.wait_for("0 of 0");
    terminal.press("\u{1b}");
    terminal.wait_for("1-2 of 2");
    terminal.press("q");
    let shown = terminal.end();
    assert!(shown.contains("\u{1b}[38;5;"), "in colours");
}

#[test]
fn a_connection_is_closed_after_it_was_asked() {
    let (mut relayed, admin) = sidecar();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&mut command(folder.path(), &["--admin", &admin]));
    terminal.wait_for(&relayed.client.local_address().to_string());
    terminal.press("x4008\tbye\r");
    relayed.client.expect_close_with(4008, "bye");
    terminal.wait_for("is closed with 4008 bye");
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "killed");
    terminal.press("\t");
    terminal.wait_for("AFTER");
    terminal.press("q");
    terminal.end();
}

#[test]
fn a_signal_restores_the_terminal_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["--admin", "127.0.0.1:9"]);
    let terminal = Terminal::start(command.env("NO_COLOR", "1"));
    terminal.wait_for("trying again each second");
    terminal.process.signal(Signal::TERM);
    let shown = terminal.end();
    assert!(!shown.contains("[38;5;"), "colours in {shown:?}");
}

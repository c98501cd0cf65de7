//! The program as a command: its exit statuses, what it prints, and how it bears what a system does to processes.

mod commands;
mod demo;
mod drain;
mod output;
mod probe;
mod system;
mod top;
mod without_file;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support;

/// A process of the test's making; killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Process {
        Process(command.spawn().expect("it starts"))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.0.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for it to end by itself; its exit status.
    fn status(&mut self) -> Option<i32> {
        let mut status = None;
        support::wait_until("the process has ended", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `sidebeat` in a folder, with nothing of this environment's.
fn sidebeat(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidebeat"));
    command.env_remove("SIDEBEAT_CONFIG").current_dir(folder);
    command.stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

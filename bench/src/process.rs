//! CPU and memory of a process and its children (Linux).

use std::fs;

use anyhow::{Context, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A process tree by its root; none: nothing is measured, and all is zero.
#[derive(Clone, Copy, Debug)]
pub struct Tree(pub Option<i32>);

impl Tree {
    /// CPU time so far, threads that have ended included, in seconds: the process clock, which is finer than the
    /// ticks of `/proc/PID/stat`.
    pub fn cpu(&self) -> Result<f64> {
        let mut seconds = 0.0;
        for pid in self.pids()? {
            let time = clock_gettime(clock_getcpuclockid(Pid::from_raw(pid))?)?;
            seconds += time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9;
        }
        Ok(seconds)
    }

    /// Memory in KiB: proportional set size, which counts what workers share once.
    pub fn memory(&self) -> Result<u64> {
        let mut kib = 0;
        for pid in self.pids()? {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
            let number = line.and_then(|line| line.split_whitespace().next());
            kib += number.context("no Pss in smaps_rollup")?.parse::<u64>()?;
        }
        Ok(kib)
    }

    fn pids(&self) -> Result<Vec<i32>> {
        let mut pids: Vec<i32> = self.0.into_iter().collect();
        let mut next = 0;
        while let Some(&pid) = pids.get(next) {
            next += 1;
            for task in fs::read_dir(format!("/proc/{pid}/task"))? {
                // A thread may end while we look.
                let children =
                    fs::read_to_string(task?.path().join("children")).unwrap_or_default();
                for child in children.split_whitespace() {
                    pids.push(child.parse()?);
                }
            }
        }
        Ok(pids)
    }
}

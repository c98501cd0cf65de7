//! Metrics of the process from /proc/self; without it there are none.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::families;
use super::text::Page;

pub(super) fn write(page: &mut Page) {
    let Some(stat) = Stat::read() else { return };
    let limit = |resource| getrlimit(resource).current;
    page.family(&families::CPU).sample(&[], stat.cpu_seconds);
    if let Some(open) = open_files() {
        page.family(&families::OPEN_FILES).sample(&[], open);
    }
    let max = limit(Resource::Nofile);
    page.family(&families::MAX_FILES).sample(&[], max);
    page.family(&families::MEMORY).sample(&[], stat.memory);
    page.family(&families::VIRTUAL_MEMORY)
        .sample(&[], stat.virtual_memory);
    let max = limit(Resource::As);
    page.family(&families::MAX_VIRTUAL_MEMORY).sample(&[], max);
    page.family(&families::THREADS).sample(&[], stat.threads);
}

/// Fields of /proc/self/stat (proc_pid_stat(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    threads: u64,
    virtual_memory: u64,
    memory: u64,
}

impl Stat {
    fn read() -> Option<Stat> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        Stat::parse(&text, clock_ticks_per_second() as f64, page_size() as u64)
    }

    fn parse(text: &str, ticks: f64, page_size: u64) -> Option<Stat> {
        // The second field is a name in parentheses, which may hold anything.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // The manual counts from 1, and the first of these is its third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat {
            cpu_seconds: (field(14)? + field(15)?) as f64 / ticks,
            threads: field(20)?,
            virtual_memory: field(23)?,
            memory: field(24)? * page_size,
        })
    }
}

fn open_files() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since Linux 6.2 the size is the number of open files, which spares reading the folder.
    match fs::metadata(FOLDER).ok()?.len() {
        0 => counted_files(FOLDER),
        files => Some(files),
    }
}

fn counted_files(folder: &str) -> Option<u64> {
    let files = fs::read_dir(folder).ok()?.count() as u64;
    // The folder itself is open while it is read.
    Some(files.saturating_sub(1))
}

#[cfg(test)]
mod tests;

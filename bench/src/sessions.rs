//! sidebeat's core alone: very many sessions live through an hour of heartbeats on a virtual clock.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use sidebeat::config::parse;
use sidebeat::protocol::ControlPayload;
use sidebeat::session::policy::Policy;
use sidebeat::session::{Action, Actions, Event, Leg, Session, Time};

/// A peer's pong comes this much later.
const ROUND_TRIP: Duration = Duration::from_millis(20);

#[derive(Args)]
pub struct Options {
    /// How many sessions
    #[arg(long)]
    sessions: usize,
    /// How long they live, in seconds of their clock
    #[arg(long)]
    virtual_seconds: u64,
    /// Threads that share them
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Default)]
struct Outcome {
    events: u64,
    pings: u64,
    busy: Duration,
}

pub fn run(options: &Options) -> Result<()> {
    let text = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\n";
    let loaded = parse(text, "built in", &|_| None).map_err(|problems| anyhow!("{problems:?}"))?;
    let policy = &loaded.config.default.policy;
    let share = options.sessions / options.threads;
    let before = resident_bytes()?;
    let mut worlds: Vec<World> = (0..options.threads)
        .map(|thread| World::new(policy, share, thread as u64, options.virtual_seconds))
        .collect();
    let bytes = resident_bytes()?.saturating_sub(before) as f64 / (share * options.threads) as f64;
    let outcomes = thread::scope(|scope| {
        let threads: Vec<_> = worlds
            .iter_mut()
            .map(|world| scope.spawn(|| world.live()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
            .collect::<Result<Vec<Outcome>>>()
    })?;
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let (events, pings) = (sum(|outcome| outcome.events), sum(|outcome| outcome.pings));
    let busy: Duration = outcomes.iter().map(|outcome| outcome.busy).sum();
    let result = json!({
        "sessions": share * options.threads,
        "virtual_seconds": options.virtual_seconds,
        "events": events,
        "pings": pings,
        "ns_per_event": busy.as_nanos() as f64 / events as f64,
        "bytes_per_session": bytes,
        "size_of_session": size_of::<Session>(),
    });
    println!("{result}");
    Ok(())
}

/// Sessions, and for each second of the clock those that want to be told of it.
struct World {
    sessions: Vec<Session>,
    due: Vec<Vec<u32>>,
}

impl World {
    fn new(policy: &Arc<Policy>, sessions: usize, seed: u64, seconds: u64) -> Self {
        let sessions = (0..sessions as u64)
            .map(|index| {
                let opened = Time::from_micros(0);
                Session::new(Arc::clone(policy), mix(seed << 32 | index), opened)
            })
            .collect();
        World {
            sessions,
            due: vec![Vec::new(); seconds as usize + 1],
        }
    }

    fn live(&mut self) -> Result<Outcome> {
        let began = thread_cpu()?;
        let mut outcome = Outcome::default();
        let mut actions = Actions::new();
        for index in 0..self.sessions.len() {
            self.wait(index as u32);
        }
        for second in 0..self.due.len() {
            let now = Time::from_micros(second as u64 * 1_000_000);
            for index in std::mem::take(&mut self.due[second]) {
                let session = &mut self.sessions[index as usize];
                session.handle(Event::Timeout, now, &mut actions);
                outcome.events += 1;
                for action in actions.drain(..) {
                    answer(session, action, now, &mut outcome)?;
                }
                self.wait(index);
            }
        }
        outcome.busy = thread_cpu()? - began;
        let asked = |leg| {
            self.sessions
                .iter()
                .map(move |session| session.counters(leg))
        };
        let pongs: u64 = Leg::BOTH
            .into_iter()
            .flat_map(asked)
            .map(|counters| u64::from(counters.pongs_received))
            .sum();
        ensure!(
            pongs == outcome.pings && self.sessions.iter().all(|session| !session.is_closing()),
            "a session did not live through its heartbeats"
        );
        Ok(outcome)
    }

    fn wait(&mut self, index: u32) {
        let Some(deadline) = self.sessions[index as usize].next_deadline() else {
            return;
        };
        // Deadlines are rounded up to check_interval, which is a second.
        if let Some(due) = self.due.get_mut((deadline.micros() / 1_000_000) as usize) {
            due.push(index);
        }
    }
}

/// Writes a ping and lets its pong come.
fn answer(session: &mut Session, action: Action, now: Time, outcome: &mut Outcome) -> Result<()> {
    let Action::Ping { to, payload } = action else {
        return Err(anyhow!("{action:?} where nothing but pings is due"));
    };
    let mut none = Actions::new();
    session.handle(Event::ProbeWritten { to }, now, &mut none);
    let pong = Event::Pong {
        from: to,
        payload: ControlPayload::new(payload.bytes()),
    };
    session.handle(pong, now.after(ROUND_TRIP), &mut none);
    outcome.events += 2;
    outcome.pings += 1;
    ensure!(none.is_empty(), "{none:?} after a pong");
    Ok(())
}

/// SplitMix64: neighbours in, strangers out.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn thread_cpu() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .context("no VmRSS in /proc/self/status")?
        .parse::<u64>()?
        * 1024)
}

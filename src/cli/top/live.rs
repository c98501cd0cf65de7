//! The terminal, the clock and the API around the state.

use std::io;
use std::thread;
use std::time::Duration;

use form_urlencoded::Serializer;
use hyper::Method;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEvent};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::data::{self, Request};
use super::draw::draw;
use super::effect::Effect;
use super::figures;
use super::state::State;
use super::update::{Input, update};
use crate::admin::types::{Closing, Pinged};
use crate::cli::remote::{PATIENCE, Remote};

/// The time between two requests.
const PERIOD: Duration = Duration::from_secs(1);
/// How long to wait for a pong: longer than any useful `pong_timeout`.
const PONG_PATIENCE: Duration = Duration::from_secs(60);

/// Shows the live view until a key ends it.
pub(super) async fn show(remote: Remote, state: State) -> io::Result<()> {
    let signals = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ];
    let mut signals = Signals(signals.into_iter().map(signal).collect::<io::Result<_>>()?);
    // Its panic hook restores the terminal, too.
    let terminal = ratatui::try_init()?;
    let shown = tokio::select! {
        shown = Live::new(remote, state).run(terminal) => shown,
        () = signals.any() => Ok(()),
    };
    let restored = ratatui::try_restore();
    shown.and(restored)
}

struct Signals(Vec<Signal>);

impl Signals {
    async fn any(&mut self) {
        let waiting = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(waiting).await;
    }
}

struct Live {
    remote: Remote,
    state: State,
    inputs: mpsc::Sender<Input>,
    coming: mpsc::Receiver<Input>,
    /// A request is under way.
    is_asking: bool,
    /// Another request is to follow at once.
    ask_again: bool,
}

impl Live {
    fn new(remote: Remote, state: State) -> Self {
        let (inputs, coming) = mpsc::channel(64);
        Live {
            remote,
            state,
            inputs,
            coming,
            is_asking: false,
            ask_again: false,
        }
    }

    async fn run(mut self, mut terminal: DefaultTerminal) -> io::Result<()> {
        let mut keyboard = keyboard();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            terminal.draw(|frame| draw(&mut self.state, frame))?;
            let effect = tokio::select! {
                typed = keyboard.recv() => match typed {
                    Some(Ok(Typed::Key(key))) => update(&mut self.state, Input::Key(key)),
                    Some(Ok(Typed::Resized)) => None,
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                },
                Some(input) = self.coming.recv() => {
                    if matches!(input, Input::Answered(..)) {
                        self.is_asking = false;
                    }
                    update(&mut self.state, input)
                }
                _ = ticks.tick() => {
                    self.look();
                    None
                }
            };
            match effect {
                Some(Effect::Quit) => return Ok(()),
                Some(effect) => self.perform(effect),
                None => {}
            }
            if self.ask_again && !self.is_asking {
                self.look();
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Refresh => self.ask_again = true,
            Effect::Ping { conn, leg } => {
                let remote = self.remote.clone();
                self.spawn(async move { Input::Done(ping(&remote, &conn, leg).await) });
            }
            Effect::Close { conn, code, reason } => {
                let remote = self.remote.clone();
                self.spawn(async move { Input::Done(close(&remote, &conn, code, reason).await) });
            }
            Effect::Quit => {}
        }
    }

    /// Asks, unless an answer is still on its way.
    fn look(&mut self) {
        if self.is_asking {
            return;
        }
        (self.is_asking, self.ask_again) = (true, false);
        let (remote, request) = (self.remote.clone(), self.state.request());
        self.spawn(async move { look(&remote, request).await });
    }

    fn spawn(&self, work: impl Future<Output = Input> + Send + 'static) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let input = work.await;
            // The view may have been closed meanwhile.
            let _ = inputs.send(input).await;
        });
    }
}

async fn look(remote: &Remote, request: Request) -> Input {
    let answer = data::fetch(remote, &request).await;
    let answer = answer.map(Box::new).map_err(|error| error.to_string());
    Input::Answered(request, answer)
}

async fn ping(remote: &Remote, conn: &str, leg: &'static str) -> Result<String, String> {
    let path = format!("/api/connections/{conn}/ping?leg={leg}");
    match remote.ask(Method::POST, &path, PONG_PATIENCE).await {
        Ok(Pinged { rtt_ms, .. }) => {
            let rtt = figures::millis(rtt_ms);
            Ok(format!("the {leg} of {conn} answered in {rtt} ms"))
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn close(
    remote: &Remote,
    conn: &str,
    code: Option<String>,
    reason: Option<String>,
) -> Result<String, String> {
    let values = [("code", code), ("reason", reason)].into_iter();
    let values = values.filter_map(|(name, value)| Some((name, value?)));
    let values = Serializer::new(String::new()).extend_pairs(values).finish();
    let path = format!("/api/connections/{conn}?{values}");
    match remote.ask(Method::DELETE, &path, PATIENCE).await {
        Ok(Closing { code, reason, .. }) => Ok(format!("{conn} is closed with {code} {reason}")),
        Err(error) => Err(error.to_string()),
    }
}

enum Typed {
    Key(KeyEvent),
    Resized,
}

/// Keys come from a thread, because reading them blocks; it ends with the process.
fn keyboard() -> mpsc::Receiver<io::Result<Typed>> {
    let (keys, typed) = mpsc::channel(16);
    thread::spawn(move || {
        loop {
            let event = match event::read() {
                Ok(Event::Key(key)) => Ok(Typed::Key(key)),
                Ok(Event::Resize(..)) => Ok(Typed::Resized),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let is_over = event.is_err();
            if keys.blocking_send(event).is_err() || is_over {
                return;
            }
        }
    });
    typed
}

//! The bytes of an input, read as what peers, network and operators do.

use std::io::ErrorKind;
use std::time::Duration;

use super::frames::{COMPRESSED_HEARTBEAT, HEARTBEAT};
use super::socket::Socket;
use crate::leg::Leg;

const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// One thing that happens.
pub(super) enum Operation {
    Send(Leg, Vec<u8>),
    /// A pong for the newest ping.
    Answer(Leg),
    Change(Leg, Change),
    Pass(Duration),
    /// The file changed.
    Follow(u8),
    Terminate,
    Measure(Leg),
    Abort,
}

/// What changes about a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Delay,
    Arrive(usize),
    Fin,
    ReadError,
    WriteError,
    WriteZero,
    Portion(usize),
    Stutter(u8),
    StopTaking,
    Take(usize),
    ShutdownHangs,
    Heal,
}

impl Change {
    pub(super) fn apply(self, socket: &mut Socket) {
        match self {
            Change::Delay => socket.delayed = true,
            Change::Arrive(len) => socket.arrive(len),
            Change::Fin => socket.fin = true,
            Change::ReadError => socket.read_error = Some(ErrorKind::ConnectionReset),
            Change::WriteError => socket.write_error = Some(ErrorKind::BrokenPipe),
            Change::WriteZero => socket.write_zero = true,
            Change::Portion(len) => socket.portion = len.max(1),
            Change::Stutter(times) => socket.stutter = times,
            Change::StopTaking => socket.stop_taking(),
            Change::Take(len) => socket.take(len),
            Change::ShutdownHangs => socket.shutdown_hangs = true,
            Change::Heal => socket.heal(),
        }
    }
}

/// What is left of an input; past its end everything is zero.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Input(bytes)
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Mostly small, now and then more than a read takes.
    fn len(&mut self) -> usize {
        let len = usize::from(self.byte());
        match len {
            0..=200 => len,
            201..=240 => (len - 200) * 100,
            _ => (len - 240) * 6000,
        }
    }

    pub(super) fn operation(&mut self) -> Option<Operation> {
        if self.0.is_empty() {
            return None;
        }
        let byte = self.byte();
        let leg = if byte & 0x80 == 0 {
            Leg::Client
        } else {
            Leg::Upstream
        };
        Some(match byte & 0x1f {
            0..=9 => Operation::Send(leg, self.frame(leg)),
            10 => Operation::Answer(leg),
            11 | 12 => Operation::Pass(Duration::from_millis(u64::from(self.byte()) * 20)),
            13 => Operation::Pass(Duration::from_secs(u64::from(self.byte()))),
            14 => Operation::Follow(self.byte()),
            15 => Operation::Measure(leg),
            16 => Operation::Terminate,
            17 => Operation::Abort,
            18 => Operation::Change(leg, Change::Delay),
            19 => Operation::Change(leg, Change::Arrive(self.len())),
            20 => Operation::Change(leg, Change::Fin),
            21 => Operation::Change(leg, Change::ReadError),
            22 => Operation::Change(leg, Change::WriteError),
            23 => Operation::Change(leg, Change::WriteZero),
            24 => Operation::Change(leg, Change::Portion(self.len())),
            25 => Operation::Change(leg, Change::Stutter(self.byte())),
            26 | 27 => Operation::Change(leg, Change::StopTaking),
            28 | 29 => Operation::Change(leg, Change::Take(self.len())),
            30 => Operation::Change(leg, Change::ShutdownHangs),
            _ => Operation::Change(leg, Change::Heal),
        })
    }

    /// A frame, most often a good one.
    pub(super) fn frame(&mut self, from: Leg) -> Vec<u8> {
        let byte = self.byte();
        match byte % 16 {
            0..=3 => {
                let (filler, len) = (self.byte(), self.len());
                data(from, 0x81 + byte / 128, &vec![filler; len])
            }
            // A message in pieces: begun, continued, ended.
            4 => data(from, 0x02, &vec![byte; self.len()]),
            5 => data(from, 0x00, &vec![byte; self.len()]),
            6 => data(from, 0x80, &vec![byte; self.len()]),
            7 => data(from, 0x81, HEARTBEAT),
            8 => data(from, 0xc1, COMPRESSED_HEARTBEAT),
            9 => data(from, 0xc2, &vec![byte; self.len()]),
            10 => control(from, 0x89, &vec![byte; usize::from(self.byte()) % 126]),
            11 => control(from, 0x8a, &vec![byte; usize::from(self.byte()) % 126]),
            12 => {
                let code = [self.byte(), self.byte()];
                let reason = vec![b'r'; usize::from(self.byte()) % 124];
                control(from, 0x88, &[&code[..], &reason].concat())
            }
            13 => control(from, 0x88, &[]),
            // Only the beginning of a frame.
            14 => {
                let mut frame = data(from, 0x82, &vec![byte; self.len()]);
                frame.truncate(self.len());
                frame
            }
            // Two bytes of any header, and what may be its rest.
            _ => {
                let mut frame = vec![self.byte(), self.byte()];
                frame.resize(2 + usize::from(self.byte() % 32), 0);
                frame
            }
        }
    }
}

fn data(from: Leg, first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let mask = if from == Leg::Client { 0x80 } else { 0 };
    let mut frame = vec![first];
    match len {
        0..126 => frame.push(mask | len as u8),
        126..0x1_0000 => {
            frame.push(mask | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        _ => {
            frame.push(mask | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    if from == Leg::Client {
        frame.extend(KEY);
        frame.extend(
            payload
                .iter()
                .zip(KEY.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
    } else {
        frame.extend(payload);
    }
    frame
}

pub(super) fn control(from: Leg, first: u8, payload: &[u8]) -> Vec<u8> {
    data(from, first, payload)
}

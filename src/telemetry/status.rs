//! What the process is doing besides relaying: its last reload, and its drain.

use std::time::SystemTime;

use serde::{Serialize, Serializer};

/// What has the file read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadTrigger {
    /// The file has changed.
    File,
    /// SIGHUP.
    Signal,
    /// `POST /api/reload`.
    Api,
}

impl ReloadTrigger {
    /// The name in log and API.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            ReloadTrigger::File => "file",
            ReloadTrigger::Signal => "signal",
            ReloadTrigger::Api => "api",
        }
    }
}

/// What has the process drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainTrigger {
    /// SIGTERM.
    Sigterm,
    /// SIGINT.
    Sigint,
    /// SIGHUP, because the terminal that the process was started on was closed.
    Sighup,
    /// `POST /api/drain`.
    Api,
    /// The program itself has ended, as the demo does.
    Shutdown,
}

impl DrainTrigger {
    /// The name in log and API.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            DrainTrigger::Sigterm => "SIGTERM",
            DrainTrigger::Sigint => "SIGINT",
            DrainTrigger::Sighup => "SIGHUP",
            DrainTrigger::Api => "api",
            DrainTrigger::Shutdown => "shutdown",
        }
    }
}

macro_rules! serialize_as_label {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.label())
            }
        }
    )*};
}

serialize_as_label! { ReloadTrigger DrainTrigger DrainPhase }

/// How the last reading of the file went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When.
    pub at: SystemTime,
    /// What asked for it.
    pub trigger: ReloadTrigger,
    /// What came of it.
    pub outcome: ReloadOutcome,
}

/// What came of reading the file again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It is in force.
    Success {
        /// The keys that differ.
        changed: Vec<String>,
        /// The same with their values.
        detail: String,
    },
    /// Nothing was changed.
    Failure {
        /// Everything that is wrong with it.
        problems: Vec<String>,
        /// What now.
        detail: String,
    },
}

/// How far a shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// What asked for it.
    pub trigger: DrainTrigger,
    /// When.
    pub since: SystemTime,
    /// When what is left is cut off.
    pub deadline: SystemTime,
    /// What is going on.
    pub phase: DrainPhase,
    /// Connections that are to be closed.
    pub of: usize,
}

/// What a shutdown is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainPhase {
    /// `drain.delay`: newcomers are let in until the load balancer has noticed.
    Delay,
    /// `drain.spread`: nobody is let in, clients are closed one after the other.
    Closing,
    /// Everybody has been told; the last ones finish.
    Finishing,
}

impl DrainPhase {
    /// Every phase, in order.
    pub const ALL: [DrainPhase; 3] = [
        DrainPhase::Delay,
        DrainPhase::Closing,
        DrainPhase::Finishing,
    ];

    /// As it is logged and answered.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            DrainPhase::Delay => "delay",
            DrainPhase::Closing => "closing",
            DrainPhase::Finishing => "finishing",
        }
    }
}

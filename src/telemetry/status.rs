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

/// The result of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When.
    pub at: SystemTime,
    /// What asked for it.
    pub trigger: ReloadTrigger,
    /// The outcome.
    pub outcome: ReloadOutcome,
}

/// Whether a reload changed anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// The new configuration is in force.
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
        /// What holds now.
        detail: String,
    },
}

/// The progress of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// What asked for it.
    pub trigger: DrainTrigger,
    /// When.
    pub since: SystemTime,
    /// When what is left is cut off.
    pub deadline: SystemTime,
    /// The phase.
    pub phase: DrainPhase,
    /// Connections to be closed.
    pub of: usize,
}

/// The phases of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainPhase {
    /// `drain.delay`: new connections are accepted until the load balancer has noticed.
    Delay,
    /// `drain.spread`: no connection is accepted, and clients are closed one after the other.
    Closing,
    /// Every client has been sent its Close frame; the last closing handshakes finish.
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

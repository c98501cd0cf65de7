//! What is counted on one leg of a connection, in one list.
//!
//! A line of the list is a counter: its field, which is also its name in the API, its width, its metric, and what it
//! counts. Everything that holds or shows counters is generated from the list: [`Counters`], which the connection's
//! task writes; the copy that others read (`telemetry::published_stats`); the sums (`telemetry::aggregates`), which the
//! API's summary shows; and the metrics (`telemetry::metrics::families`). A new counter is a line here and a `+= 1`
//! where it happens.

use std::time::Duration;

/// Passes the list to the macro `$generate`. Counters under `data` change with data frames: they are published after
/// every turn of the connection's task, and their metrics are labelled by direction. Those under `control` are
/// published only after a turn in which something else than data came, and their metrics are labelled by peer.
macro_rules! leg_counters {
    ($generate:ident) => {
        $generate! {
            data {
                messages: u64, "sidebeat_messages",
                    "Messages received whole, without application-level heartbeats.";
                bytes: u64, "sidebeat_bytes",
                    "Payload bytes of data frames received.";
            }
            control {
                pings_sent: u32, "sidebeat_pings_sent",
                    "Heartbeats that the sidecar sent to this peer.";
                pongs_received: u32, "sidebeat_pongs_received",
                    "Those that this peer answered.";
                missed_pongs: u32, "sidebeat_pongs_missed",
                    "Those that this peer left unanswered, without any other sign of life.";
                pings_answered: u32, "sidebeat_pings_answered",
                    "This peer's own pings that the sidecar answered.";
            }
        }
    };
}
pub(crate) use leg_counters;

macro_rules! define_counters {
    (
        data { $($data:ident: $data_width:ty, $data_metric:literal, $data_help:literal;)* }
        control { $($control:ident: $control_width:ty, $control_metric:literal, $control_help:literal;)* }
    ) => {
        /// The counters of one leg of one connection.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $(#[doc = $data_help] pub $data: $data_width,)*
            $(#[doc = $control_help] pub $control: $control_width,)*
            /// From the last ping that was answered to its pong.
            pub rtt: Option<Duration>,
        }
    };
}
leg_counters!(define_counters);

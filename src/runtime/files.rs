//! The limit of open files: every relayed connection needs two.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::net::open_files::needed_for;

/// Raises the soft limit to the hard one, and says so when that is not enough for `max_connections`.
pub(super) fn raise_limit(max_connections: Option<usize>) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    let limit = if raised.is_ok() { maximum } else { current };
    let (Some(limit), Some(connections)) = (limit, max_connections) else {
        return;
    };
    let needed = needed_for(connections) as u64;
    if limit < needed {
        tracing::warn!(
            event = "open_files_limit_low",
            limit,
            needed,
            "limits.max_connections of {connections} needs {needed} open files, and the process may have {limit}: clients \
             are refused (over_capacity) before that many are connected. Raise the limit (LimitNOFILE, ulimit -n) or lower \
             max_connections"
        );
    }
}

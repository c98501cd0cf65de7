//! The limit of open files: every relayed connection needs two.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the process needs besides connections.
const RESERVE: u64 = 64;

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
    let needed = (connections as u64)
        .saturating_mul(2)
        .saturating_add(RESERVE);
    if limit < needed {
        tracing::warn!(
            event = "open_files_limit_low",
            limit,
            needed,
            "limits.max_connections of {connections} needs {needed} open files, and the process may have {limit}: raise \
             the limit (LimitNOFILE, ulimit -n) or lower max_connections"
        );
    }
}

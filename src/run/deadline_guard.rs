//! The last resort against a tick that does not end: a disk that does not answer blocks any thread that
//! touches it. A healthy tick of one service needs no thread, and has none.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use unhang_core::Observation;

use crate::exit::Exit;
use crate::os::folder::Lock;
use crate::report;
use crate::words;

use super::context::RunContext;
use super::locked_service::LockedService;

/// After the deadline; every other wait ends before it.
const EXIT_AFTER_DEADLINE: Duration = Duration::from_secs(3);

/// Ends with the tick.
#[derive(Debug)]
pub(super) struct DeadlineWatchdog(#[expect(dead_code, reason = "dropping it tells the thread")] Sender<()>);

/// Where a probe may wait for another, or what was remembered will change whatever is found. `None`: not
/// needed yet, or no thread can be had.
pub(super) fn arm_before_probing(
    tick: &RunContext<'_>,
    watches: &[LockedService<'_>],
) -> Option<DeadlineWatchdog> {
    let will_write = watches.iter().any(|watch| watch.record.state.counts.since.is_some());
    (will_write || watches.len() > 1).then(|| arm(tick, watches)).flatten()
}

/// Where none was set before.
pub(super) fn arm_after_probing(
    tick: &RunContext<'_>,
    watches: &[LockedService<'_>],
    seen: &[Observation],
    before: Option<DeadlineWatchdog>,
) -> Option<DeadlineWatchdog> {
    let healthy = seen.iter().all(|seen| *seen == Observation::Healthy);
    before.or_else(|| if healthy { None } else { arm(tick, watches) })
}

fn arm(tick: &RunContext<'_>, watches: &[LockedService<'_>]) -> Option<DeadlineWatchdog> {
    let locks: Vec<Arc<Lock>> = watches.iter().filter_map(|watch| watch.lock.clone()).collect();
    let deadline = tick.plan.host.deadline;
    let limit = tick.time_left() + EXIT_AFTER_DEADLINE;
    let (alive, over) = mpsc::channel::<()>();
    let wait = move || {
        if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            // A thread that is stuck in the kernel would keep them locked beyond our end.
            for lock in locks {
                lock.release();
            }
            let deadline = words::format_duration(deadline);
            report::print_fault(format!(
                "run: stopped after its deadline of {deadline}; a disk or network file system hangs, and the next run continues"
            ));
            std::process::exit(i32::from(Exit::Unhealthy.code()));
        }
    };
    let thread = thread::Builder::new().name("guard".to_owned()).stack_size(64 * 1024);
    thread.spawn(wait).ok().map(|_| DeadlineWatchdog(alive))
}

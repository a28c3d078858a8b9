//! The last resort against a tick that does not end: a disk that does not answer blocks any thread that
//! touches it. Set only once something has failed: a healthy tick needs no thread.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use unhang_core::Observation;

use crate::exit::Exit;
use crate::os::folder::Lock;
use crate::report;
use crate::words;

use super::Tick;
use super::watch::Watch;

/// After the deadline; every other wait ends before it.
const SPARE: Duration = Duration::from_secs(3);

/// Ends with the tick.
#[derive(Debug)]
pub(super) struct Guard(#[expect(dead_code, reason = "dropping it tells the thread")] Sender<()>);

/// `None`: not needed, or no thread can be had.
pub(super) fn set(tick: &Tick<'_>, watches: &[Watch<'_>], seen: &[Observation]) -> Option<Guard> {
    if seen.iter().all(|seen| *seen == Observation::Healthy) {
        return None;
    }
    let locks: Vec<Arc<Lock>> = watches.iter().filter_map(|watch| watch.lock.clone()).collect();
    let deadline = tick.plan.host.deadline;
    let limit = tick.time_left() + SPARE;
    let (alive, over) = mpsc::channel::<()>();
    let wait = move || {
        if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            // A thread that is stuck in the kernel would keep them locked beyond our end.
            for lock in locks {
                lock.release();
            }
            report::fault(format!(
                "the deadline of {} is over; ended where it was; the next run goes on",
                words::span(deadline)
            ));
            std::process::exit(i32::from(Exit::Unwell.code()));
        }
    };
    thread::Builder::new()
        .name("guard".to_owned())
        .stack_size(64 * 1024)
        .spawn(wait)
        .ok()
        .map(|_| Guard(alive))
}

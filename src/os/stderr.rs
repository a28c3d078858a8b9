//! What is written to stderr, without a wait for a reader that does not read: a terminal that Ctrl-S holds, a pager, a
//! pipe that is full. A run that waited there would act late, on what it saw long ago.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A reader that takes longer for one part misses what was to be told.
const PATIENCE: Duration = Duration::from_secs(1);

/// A pipe that poll(2) calls writable takes this much without a wait (`PIPE_BUF`, pipe(7)).
const AT_ONCE: usize = 4096;

/// Nobody reads: waited for once, and never again by this process.
static IS_BLOCKED: AtomicBool = AtomicBool::new(false);

/// In one write where it can be, so that a run that is killed leaves no half line. What cannot be written is lost.
pub(crate) fn write_stderr(text: &[u8]) {
    for part in text.chunks(AT_ONCE) {
        if IS_BLOCKED.load(Ordering::Relaxed) || !write_part(part) {
            return;
        }
    }
}

fn write_part(mut part: &[u8]) -> bool {
    let end = Instant::now() + PATIENCE;
    while !part.is_empty() {
        if !is_writable_until(end) {
            IS_BLOCKED.store(true, Ordering::Relaxed);
            return false;
        }
        match rustix::io::write(io::stderr(), part) {
            Ok(written) => part = part.get(written..).unwrap_or_default(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
    }
    true
}

fn is_writable_until(end: Instant) -> bool {
    loop {
        let stderr = io::stderr();
        let limit = Timespec::try_from(end.saturating_duration_since(Instant::now())).ok();
        match poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], limit.as_ref()) {
            Err(Errno::INTR) => {}
            // What cannot be polled can be written: a file.
            Err(_) => return true,
            Ok(ready) => return ready > 0,
        }
    }
}

//! Calls that the kernel may never let go of: a file of a dead network file system. Each is made on a thread of
//! its own, which is left behind when time is over and ends with the process.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use unhang_core::Doubt;

use crate::os::catch_panic;
use crate::words;

use super::fault::{quoted, scarcity};
use super::kind::Found;

const STACK: usize = 128 * 1024;

/// A doubt: it did not return in time, or could not be begun.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Doubt> {
    let returned = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&returned);
    ended(
        limit,
        Box::new(move || {
            let returned = catch_panic::caught(call);
            if let Ok(mut kept) = kept.lock() {
                *kept = Some(returned);
            }
        }),
    )?;
    let returned = returned.lock().ok().and_then(|mut returned| returned.take());
    match returned {
        Some(Ok(returned)) => Ok(returned),
        Some(Err(panic)) => Err(Doubt::Other(format!("the probe broke down: {panic}"))),
        None => Err(no_answer()),
    }
}

/// Of one shape for all calls: a channel for each would take 10 KB of the program.
fn ended(limit: Duration, call: Box<dyn FnOnce() + Send>) -> Result<(), Doubt> {
    if UNDER_WAY.load(Ordering::Relaxed) >= MOST {
        return Err(no_answer());
    }
    let (returns, wait) = mpsc::sync_channel(1);
    UNDER_WAY.fetch_add(1, Ordering::Relaxed);
    let spawned = thread::Builder::new().stack_size(STACK).spawn(move || {
        call();
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        returns.send(())
    });
    if spawned.is_err() {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        return Err(Doubt::NoThread);
    }
    wait.recv_timeout(limit).map_err(|_| no_answer())
}

/// In a process that stays, each run would leave some behind while a file system is away.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// More than a thousand services with a disk each ask at once; a stuck thread takes some KiB.
const MOST: usize = 2_000;

fn no_answer() -> Doubt {
    Doubt::Other("the file system does not answer".to_owned())
}

/// It returned, and had not seen what it was to look at.
pub(super) fn not_seen(what: &str, error: &io::Error) -> Found {
    match scarcity(error) {
        Some(doubt) => Found::doubt(doubt),
        None => Found::not_known(quoted(&format!("{}: {what}", words::io(error)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_return_is_left_behind() {
        assert_eq!(within(Duration::from_secs(9), || 7), Ok(7));
        let (_hold, held) = mpsc::channel::<()>();
        let stuck = within(Duration::from_millis(20), move || held.recv().is_ok());
        assert_eq!(stuck, Err(Doubt::Other("the file system does not answer".to_owned())));
        assert!(matches!(within(Duration::from_secs(9), || panic!("oh")), Err(Doubt::Other(_))));
    }
}

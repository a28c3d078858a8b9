//! Calls that the kernel may never let go of: a file of a dead network file system. Each is made on a thread of
//! its own, which is left behind when time is over and ends with the process.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::catch_panic;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoResult {
    NotInTime,
    NoThread,
    /// The call panicked, with these words.
    Panicked(String),
}

/// The result of a call that may take `limit` at the most.
pub(crate) fn call_within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoResult> {
    let returned = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&returned);
    run_within(
        limit,
        Box::new(move || {
            let returned = catch_panic::catch_panic(call);
            if let Ok(mut kept) = kept.lock() {
                *kept = Some(returned);
            }
        }),
    )?;
    let returned = returned.lock().ok().and_then(|mut returned| returned.take());
    match returned {
        Some(Ok(returned)) => Ok(returned),
        Some(Err(panic)) => Err(NoResult::Panicked(panic)),
        None => Err(NoResult::NotInTime),
    }
}

/// As `within`, for a call that touches `path`. A path that did not answer is not touched again for a minute: it costs
/// a run its limit once, however many lines and services need it.
fn within_at<T: Send + 'static>(
    path: &Path,
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoResult> {
    let is_silent = with_silent(|silent| {
        silent.retain(|_, since| since.elapsed() < LEFT_ALONE);
        silent.contains_key(path)
    });
    if is_silent {
        return Err(NoResult::NotInTime);
    }
    let result = call_within(limit, call);
    if matches!(result, Err(NoResult::NotInTime)) {
        with_silent(|silent| silent.insert(path.to_owned(), Instant::now()));
    }
    result
}

/// What is told of a file whose file system never answered.
pub(crate) const NO_ANSWER: &str = "the file system does not answer";

/// A file of the operator's that does not answer holds nothing up for longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Touches a file whose place an operator chose. A host that has no thread left touches it all the same: without it
/// nothing would be told.
///
/// # Errors
/// Those of the call; `TimedOut` for a file that did not answer within 2 s, or that did not a moment ago.
pub(crate) fn touch_within<T: Send + 'static>(
    path: &Path,
    touch: impl Fn(&Path) -> io::Result<T> + Clone + Send + 'static,
) -> io::Result<T> {
    let (at, touch_there) = (path.to_owned(), touch.clone());
    match within_at(path, PATIENCE, move || touch_there(&at)) {
        Ok(result) => result,
        Err(NoResult::NoThread) => touch(path),
        Err(NoResult::NotInTime) => Err(io::Error::new(io::ErrorKind::TimedOut, NO_ANSWER)),
        Err(NoResult::Panicked(panic)) => Err(io::Error::other(panic)),
    }
}

const LEFT_ALONE: Duration = Duration::from_secs(60);

fn with_silent<T>(act: impl FnOnce(&mut BTreeMap<PathBuf, Instant>) -> T) -> T {
    static SILENT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
    act(&mut SILENT.lock().unwrap_or_else(PoisonError::into_inner))
}

const STACK: usize = 128 * 1024;

/// In a process that stays, each run would leave some behind while a file system is away.
static RUNNING_THREADS: AtomicUsize = AtomicUsize::new(0);

/// More than a thousand services with a disk each ask at once; a stuck thread takes some KiB.
const MOST: usize = 2_000;

/// Of one shape for all calls: a channel for each would take 10 KB of the program.
fn run_within(limit: Duration, call: Box<dyn FnOnce() + Send>) -> Result<(), NoResult> {
    if RUNNING_THREADS.load(Ordering::Relaxed) >= MOST {
        return Err(NoResult::NotInTime);
    }
    let (returns, wait) = mpsc::sync_channel(1);
    RUNNING_THREADS.fetch_add(1, Ordering::Relaxed);
    let spawned = thread::Builder::new().stack_size(STACK).spawn(move || {
        call();
        RUNNING_THREADS.fetch_sub(1, Ordering::Relaxed);
        returns.send(())
    });
    if spawned.is_err() {
        RUNNING_THREADS.fetch_sub(1, Ordering::Relaxed);
        return Err(NoResult::NoThread);
    }
    wait.recv_timeout(limit).map_err(|_| NoResult::NotInTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_return_is_left_behind() {
        assert_eq!(call_within(Duration::from_secs(9), || 7), Ok(7));
        let (_hold, held) = mpsc::channel::<()>();
        let stuck = call_within(Duration::from_millis(20), move || held.recv().is_ok());
        assert_eq!(stuck, Err(NoResult::NotInTime));
        let panicked = call_within(Duration::from_secs(9), || panic!("oh"));
        assert_eq!(panicked, Err::<(), _>(NoResult::Panicked("oh".to_owned())));
    }

    #[test]
    fn a_path_that_does_not_answer_is_waited_for_once() {
        let (_hold, held) = mpsc::channel::<()>();
        let path = Path::new("/nowhere/that/hangs");
        let stuck = within_at(path, Duration::from_millis(20), move || held.recv().is_ok());
        assert_eq!(stuck, Err(NoResult::NotInTime));
        assert_eq!(within_at(path, Duration::from_secs(9), || true), Err(NoResult::NotInTime));
        assert_eq!(within_at(Path::new("/nowhere/else"), Duration::from_secs(9), || true), Ok(true));
    }
}

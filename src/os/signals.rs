//! Signals as messages, for a process that stays: to end, and to read anew. Only for such a one: a run that cron
//! starts has no handler but the one for SIGXFSZ, and ends where it is.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Once};
use std::thread;
use std::time::Instant;

use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals as Caught;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM or SIGINT.
    Terminate,
    /// SIGHUP.
    Reload,
}

/// From now on a write beyond the limit on a file's size (`RLIMIT_FSIZE`, setrlimit(2)) is an error as any other, and
/// no longer the end of this process: a run that ends between its intent and its restart spends the budget on nothing.
/// What is started has the signal as ever, since execve(2) takes handlers back.
pub(crate) fn survive_file_size_limit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where it cannot be caught, it ends the process as ever.
        let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    });
}

#[derive(Debug)]
pub(crate) struct Signals {
    arrived: Receiver<Signal>,
    ends: Arc<AtomicBool>,
}

impl Signals {
    /// From now on they no longer end this process.
    pub(crate) fn catch() -> io::Result<Self> {
        let mut caught = Caught::new([SIGTERM, SIGINT, SIGHUP])?;
        let (tell, arrived) = mpsc::channel();
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let hear = move || {
            for signal in caught.forever() {
                let signal = if signal == SIGHUP { Signal::Reload } else { Signal::Terminate };
                if signal == Signal::Terminate {
                    told.store(true, Ordering::Relaxed);
                }
                if tell.send(signal).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).stack_size(64 * 1024).spawn(hear)?;
        Ok(Self { arrived, ends })
    }

    /// Set once a signal to end has come.
    pub(crate) fn terminate_flag(&self) -> &AtomicBool {
        &self.ends
    }

    /// The next one, or `None` when it is `until`.
    pub(crate) fn wait(&self, until: Instant) -> Option<Signal> {
        match self.arrived.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(signal) => Some(signal),
            Err(RecvTimeoutError::Timeout) => None,
            // Nobody hears any more: better to end than to be deaf.
            Err(RecvTimeoutError::Disconnected) => Some(Signal::Terminate),
        }
    }
}

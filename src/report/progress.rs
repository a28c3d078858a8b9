//! What somebody at a terminal waits for. A terminal only, on stderr, after the first second, and gone
//! before anything else is printed there.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::os::stderr;

/// Less than this is no waiting.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// Ends when dropped.
#[derive(Debug, Default)]
pub(crate) struct ProgressLine {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// `what`: `probing 3 services`. Without a terminal, or a thread, there is none.
    pub(crate) fn start(what: String) -> Self {
        if !io::stderr().is_terminal() {
            return Self::default();
        }
        let (over, wait) = mpsc::channel::<()>();
        let show = move || {
            let began = Instant::now();
            let mut shown = false;
            while wait.recv_timeout(SHOW_AFTER) == Err(RecvTimeoutError::Timeout) {
                stderr::write_stderr(format!("\r\x1b[K{what}: {} s", began.elapsed().as_secs()).as_bytes());
                shown = true;
            }
            if shown {
                stderr::write_stderr(b"\r\x1b[K");
            }
        };
        let thread = thread::Builder::new().name("progress".to_owned()).stack_size(64 * 1024).spawn(show);
        Self { over: Some(over), thread: thread.ok() }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

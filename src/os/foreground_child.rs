//! A program in our place: on the same terminal and with the same streams; the signals sent to us reach it,
//! and its end is ours. It inherits no file of ours.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use signal_hook::consts::signal::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::process::spawn_group;

/// An error: it could not be started, or not be watched.
pub(crate) fn run_in_foreground(mut command: Command) -> io::Result<ExitStatus> {
    let ignored = ignored_signals();
    // What nohup(1) made us ignore stays so for the program: a handler of ours would be taken from it.
    let forwarded = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2].into_iter();
    let ours = forwarded.filter(|signal| ignored >> (signal - 1) & 1 == 0).chain([SIGCHLD]);
    // Before the program begins: nothing that is sent meanwhile is lost.
    let mut signals = Signals::new(ours)?;
    let mut child = spawn_group(&mut command)?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        signals.wait().filter(|signal| *signal != SIGCHLD).for_each(|signal| forward_signals(signal, &child));
    }
}

/// Ends as the program did: by the same signal, or with its exit status.
pub(crate) fn exit_like(status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal() {
        let _ = emulate_default_handler(signal); // returns where that signal ends nobody, or SIGKILL did
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// It is our child and nobody has waited for it, so its number is still its own.
fn forward_signals(signal: i32, child: &Child) {
    let sent_by_terminal = matches!(signal, SIGINT | SIGQUIT) && in_foreground();
    if let (false, Some(signal)) = (sent_by_terminal, Signal::from_named_raw(signal)) {
        let _ = kill_process(Pid::from_child(child), signal);
    }
}

/// Then Ctrl-C goes to the program as it does to us. The terminal is asked itself: all of our streams may lead
/// elsewhere.
#[expect(clippy::disallowed_methods, reason = "our terminal is a file")]
fn in_foreground() -> bool {
    let group = File::open("/dev/tty").and_then(|terminal| Ok(rustix::termios::tcgetpgrp(terminal)?));
    group.is_ok_and(|group| group == getpgrp())
}

/// Bit n-1 is signal n (proc(5), SigIgn); none where /proc is hidden.
#[expect(clippy::disallowed_methods, reason = "/proc is made of files")]
fn ignored_signals() -> u64 {
    let mut status = String::new();
    let read =
        File::open("/proc/self/status").and_then(|file| file.take(64 * 1024).read_to_string(&mut status));
    let mask = read.ok().and_then(|_| status.lines().find_map(|line| line.strip_prefix("SigIgn:")));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

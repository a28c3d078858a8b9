//! Runs other programs within a time limit. No shell, no input. What `run` starts is killed with its
//! whole group when time is over, and what cannot die (state D) is left behind rather than waited
//! for; what `spawn_detached` starts is never killed. Chooses no program and reads nothing into
//! what one says.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group};

use super::catch_panic;
use super::proc::stat;

/// A child may close its output long before it ends: look at least this often.
const WAIT_POLL_EVERY: Duration = Duration::from_millis(20);

/// For the kernel to take a killed process away.
const KILL_WAIT: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct ProcessOutput {
    pub(crate) end: ProcessEnd,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    Exited(ExitStatus),
    /// Time was over and we killed it.
    TimedOut,
}

/// An error: it could not be started, or not be watched, and then does not run any more. Of each of
/// stdout and stderr `room` bytes are kept; the rest is read and dropped, so that nobody blocks on a full
/// pipe.
pub(crate) fn run_program(command: Command, limit: Duration, room: usize) -> io::Result<ProcessOutput> {
    run_and_keep(command, limit, CapturedOutput { room, of: KeptPart::Begin })
}

/// The same, but what is kept of each is its last part.
pub(crate) fn run_keep_tail(command: Command, limit: Duration, room: usize) -> io::Result<ProcessOutput> {
    run_and_keep(command, limit, CapturedOutput { room, of: KeptPart::End })
}

fn run_and_keep(mut command: Command, limit: Duration, kept: CapturedOutput) -> io::Result<ProcessOutput> {
    let over = Instant::now() + limit;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = spawn_group(&mut command)?;
    let ran = watch_exit(&mut child, over, kept);
    if !matches!(ran, Ok(ProcessOutput { end: ProcessEnd::Exited(_), .. })) {
        kill_group(&mut child);
    }
    ran
}

/// A program that may outlive us.
#[derive(Debug)]
pub(crate) struct DetachedChild {
    child: Child,
    pub(crate) pid: u32,
    /// With `pid`, names it until the next boot. `None` where /proc is hidden.
    pub(crate) start: Option<u64>,
}

/// Its own group and no output: neither a hangup of ours nor a closed pipe ends it.
pub(crate) fn spawn_detached(mut command: Command) -> io::Result<DetachedChild> {
    let nowhere = (Stdio::null(), Stdio::null(), Stdio::null());
    command.stdin(nowhere.0).stdout(nowhere.1).stderr(nowhere.2).process_group(0);
    let child = spawn_group(&mut command)?;
    let pid = child.id();
    // Nobody has waited for it yet, so it is there even if it has ended.
    Ok(DetachedChild { child, pid, start: start_time(pid) })
}

impl DetachedChild {
    /// `None`: it is still running when time is over, and goes on.
    pub(crate) fn wait_at_most(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let over = Instant::now() + limit;
        loop {
            let status = self.child.try_wait()?;
            let left = over.saturating_duration_since(Instant::now());
            if status.is_some() || left.is_zero() {
                return Ok(status);
            }
            std::thread::sleep(left.min(WAIT_POLL_EVERY));
        }
    }
}

/// With its number, names a process until the next boot. `None`: it is gone, or /proc is hidden.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    stat::read_stat(pid).ok().map(|stat| stat.start)
}

/// Is that very process still alive? For a later run, which is not its parent; true also when
/// that cannot be found out, since nobody must start a second one on a guess.
pub(crate) fn is_running(pid: u32, start: u64) -> bool {
    match stat::read_stat(pid) {
        Ok(found) => found.start == start && found.lives(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Of a process that stays: what ended after nobody waited for it any more.
pub(crate) fn reap_children() {
    while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
}

/// std panics where it cannot learn whether the program began; that program has then ended, and may have run.
pub(super) fn spawn_group(command: &mut Command) -> io::Result<Child> {
    let mut try_it =
        || catch_panic::catch_panic(|| command.spawn()).unwrap_or_else(|_| Err(io::Error::other(NOT_KNOWN)));
    // A thread that has been waited for counts against RLIMIT_NPROC until the kernel has put it away.
    for _ in 0..5 {
        match try_it() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
            }
            ended => return ended,
        }
    }
    try_it()
}

const NOT_KNOWN: &str = "it is not known whether it began";

fn watch_exit(child: &mut Child, over: Instant, kept: CapturedOutput) -> io::Result<ProcessOutput> {
    let (mut out, mut err) =
        (PipeReader::of(child.stdout.take(), kept)?, PipeReader::of(child.stderr.take(), kept)?);
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break ProcessEnd::Exited(status);
        }
        let left = over.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break ProcessEnd::TimedOut;
        }
        await_output(&[&out, &err], left.min(WAIT_POLL_EVERY));
        out.drain();
        err.drain();
    };
    out.drain();
    err.drain();
    Ok(ProcessOutput { end, stdout: out.into_kept(), stderr: err.into_kept() })
}

fn kill_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL); // gone already: good
    }
    let end = Instant::now() + KILL_WAIT;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns early when there is something to read, or the last writer is gone.
fn await_output(pipes: &[&PipeReader], longest: Duration) {
    let mut fds: Vec<_> = pipes.iter().filter_map(|pipe| pipe.poll_fd()).collect();
    if fds.is_empty() {
        std::thread::sleep(longest.min(Duration::from_millis(1)));
    } else {
        let _ = poll(&mut fds, Timespec::try_from(longest).ok().as_ref());
    }
}

/// Of what a pipe gives.
#[derive(Debug, Clone, Copy)]
struct CapturedOutput {
    room: usize,
    of: KeptPart,
}

#[derive(Debug, Clone, Copy)]
enum KeptPart {
    Begin,
    End,
}

struct PipeReader {
    from: Option<Box<dyn ReadFd>>,
    bytes: Vec<u8>,
    kept: CapturedOutput,
}

trait ReadFd: Read + AsFd {}
impl<T: Read + AsFd> ReadFd for T {}

impl PipeReader {
    fn of(from: Option<impl ReadFd + 'static>, kept: CapturedOutput) -> io::Result<Self> {
        if let Some(from) = &from {
            rustix::io::ioctl_fionbio(from, true)?;
        }
        Ok(Self { from: from.map(|from| -> Box<dyn ReadFd> { Box::new(from) }), bytes: Vec::new(), kept })
    }

    fn into_kept(mut self) -> Vec<u8> {
        self.forget_all_but(self.kept.room);
        self.bytes
    }

    /// All but the last `room` bytes.
    fn forget_all_but(&mut self, room: usize) {
        self.bytes.drain(..self.bytes.len().saturating_sub(room));
    }

    fn poll_fd(&self) -> Option<PollFd<'_>> {
        self.from.as_ref().map(|from| PollFd::from_borrowed_fd(from.as_fd(), PollFlags::IN))
    }

    fn keep(&mut self, some: &[u8]) {
        let CapturedOutput { room, of } = self.kept;
        let free = room.saturating_sub(self.bytes.len()).min(some.len());
        match of {
            KeptPart::Begin => self.bytes.extend_from_slice(some.get(..free).unwrap_or_default()),
            KeptPart::End => {
                self.bytes.extend_from_slice(some);
                // Not at each turn: what stays has to move.
                if self.bytes.len() > room.saturating_mul(2) {
                    self.forget_all_but(room);
                }
            }
        }
    }

    /// Reads what is there, without waiting, and only so much that a child which writes for ever
    /// cannot keep us from looking at the clock.
    fn drain(&mut self) {
        let mut some = [0; 4096];
        for _ in 0..16 {
            let Some(from) = &mut self.from else { return };
            match from.read(&mut some) {
                Ok(0) => self.from = None,
                Ok(n) => self.keep(some.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.from = None,
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;

    const KEPT: usize = 64 * 1024;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn sh(script: &str, limit_ms: u64) -> (ProcessOutput, Duration) {
        let started = Instant::now();
        (run_program(shell(script), Duration::from_millis(limit_ms), KEPT).unwrap(), started.elapsed())
    }

    fn until(what: impl Fn() -> bool) -> bool {
        let over = Instant::now() + Duration::from_secs(2);
        while !what() && Instant::now() < over {
            std::thread::sleep(Duration::from_millis(1));
        }
        what()
    }

    #[test]
    fn how_it_ended_and_what_it_said() {
        let (ran, _) = sh("echo out; echo err >&2; exit 3", 5000);
        assert!(matches!(ran.end, ProcessEnd::Exited(status) if status.code() == Some(3)));
        assert_eq!((ran.stdout.as_slice(), ran.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert!(run_program(Command::new("/no/such/program"), Duration::from_secs(1), KEPT).is_err());
    }

    #[test]
    fn a_child_that_closed_its_output_is_waited_for() {
        let (ran, took) = sh("exec >&- 2>&-; sleep 0.1", 5000);
        assert!(matches!(ran.end, ProcessEnd::Exited(_)) && took < Duration::from_secs(1), "{took:?}");
    }

    #[test]
    fn a_megabyte_is_read_and_capped() {
        let (ran, took) = sh("head -c 1000000 /dev/zero", 5000);
        assert_eq!(ran.stdout.len(), KEPT);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[test]
    fn of_what_is_too_long_the_end_is_kept_where_it_is_wanted() {
        let ran = |script: &str| run_keep_tail(shell(script), Duration::from_secs(5), KEPT).unwrap().stdout;
        let said = ran("head -c 1000000 /dev/zero; echo the end");
        assert_eq!(said.len(), KEPT);
        assert!(said.ends_with(b"\0the end\n"));
        assert_eq!(ran("echo all"), b"all\n");
    }

    #[test]
    fn endless_output_ends_in_time() {
        let (ran, took) = sh("yes", 200);
        assert_eq!((ran.end, ran.stdout.len()), (ProcessEnd::TimedOut, KEPT));
        assert!(took < Duration::from_millis(700), "{took:?}");
    }

    #[test]
    fn time_over_kills_the_whole_group() {
        let (ran, took) = sh("sleep 61 & echo $!; echo $$; wait", 200);
        assert_eq!(ran.end, ProcessEnd::TimedOut);
        assert!(took < Duration::from_millis(700), "{took:?}");
        let said = String::from_utf8(ran.stdout).unwrap();
        let pids: Vec<u32> = said.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(pids.len(), 2);
        let gone = |pid: &u32| {
            stat::read_stat(*pid).is_err() || !stat::read_stat(*pid).is_ok_and(stat::ProcStat::lives)
        };
        assert!(until(|| pids.iter().all(gone)));
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() {
        let (ran, took) = sh("sleep 2 & echo done", 5000);
        assert_eq!(ran.stdout, b"done\n");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[test]
    fn a_detached_program_is_waited_for_but_never_killed() {
        let ended = spawn_detached(shell("exit 3")).unwrap().wait_at_most(Duration::from_secs(5)).unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(3));
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("p");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let mut command = shell("read x < \"$0\"; exit 7");
        command.arg(&pipe);
        let mut going = spawn_detached(command).unwrap();
        let (pid, start) = (going.pid, going.start.unwrap());
        let started = Instant::now();
        assert_eq!(going.wait_at_most(Duration::from_millis(50)).unwrap(), None);
        assert!(started.elapsed() < Duration::from_millis(500));
        assert!(is_running(pid, start));
        assert!(!is_running(pid, start + 1), "another process with the same number");
        std::fs::write(&pipe, "go\n").unwrap();
        assert!(until(|| !is_running(pid, start)), "a zombie has ended");
        assert_eq!(going.wait_at_most(Duration::ZERO).unwrap().and_then(|status| status.code()), Some(7));
        assert!(!is_running(pid, start));
        assert!(spawn_detached(Command::new("/no/such/program")).is_err());
    }

    #[test]
    fn a_detached_program_has_a_group_of_its_own_and_no_streams_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut command = shell("{ ls -l /proc/$$/fd; cut -d' ' -f5 /proc/$$/stat; echo $$; } > \"$0\"");
        command.arg(&out);
        spawn_detached(command).unwrap().wait_at_most(Duration::from_secs(5)).unwrap().unwrap();
        let said = std::fs::read_to_string(&out).unwrap();
        for stream in ["0 -> /dev/null", "2 -> /dev/null"] {
            assert!(said.contains(stream), "{said}");
        }
        let last: Vec<&str> = said.lines().rev().take(2).collect();
        assert_eq!(last[0], last[1], "leads its group");
    }
}

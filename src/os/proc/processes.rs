//! Which processes are there, as /proc tells (proc(5)). What this user is not shown is told apart from what is not
//! there. Zombies have ended. Signals nobody.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{self, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::stat;
use crate::os::clock;

/// How many processes execute one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProcessesOf {
    pub(crate) found: u64,
    /// There are some of which this user cannot see what they execute.
    pub(crate) is_part: bool,
}

/// One process, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessState {
    Gone,
    /// It lives. `start`: with its number, names it until the next boot. `began`: since 1970, by the wall clock as
    /// it is set now.
    Running {
        start: u64,
        began: Duration,
    },
    /// It lives, and this user is shown no more.
    Hidden,
}

/// As exe(5) has it: after an upgrade the file that they execute is a deleted one. By the name that `program` has
/// and by the one that it leads to.
pub(crate) fn processes_of_program(program: &Path) -> io::Result<ProcessesOf> {
    let led_to = program.canonicalize().ok();
    let wanted = |exe: &[u8]| {
        let exe = exe.strip_suffix(b" (deleted)").unwrap_or(exe);
        let is = |path: &Path| path.as_os_str().as_bytes() == exe;
        is(program) || led_to.as_deref().is_some_and(is)
    };
    let (mut executing, mut saw_first) = (ProcessesOf::default(), false);
    for pid in all_processes()? {
        saw_first |= pid == 1;
        match fs::readlinkat(CWD, format!("/proc/{pid}/exe"), Vec::new()) {
            Ok(exe) => executing.found += u64::from(wanted(exe.to_bytes()) && is_running(pid)),
            // Threads of the kernel execute no file, and what has ended neither.
            Err(Errno::NOENT | Errno::SRCH) => {}
            Err(Errno::ACCESS | Errno::PERM) => executing.is_part = true,
            Err(errno) => return Err(errno.into()),
        }
    }
    // Others are hidden altogether where /proc is mounted so (hidepid=).
    executing.is_part |= !saw_first;
    Ok(executing)
}

/// How many of them live. Those that are not shown do, and so does 0, whose number is of another namespace.
pub(crate) fn running_processes(pids: &[u32]) -> u64 {
    let living = pids.iter().filter(|pid| **pid == 0 || is_running(**pid)).count();
    u64::try_from(living).unwrap_or(u64::MAX)
}

pub(crate) fn process_state(pid: u32) -> io::Result<ProcessState> {
    match stat::read_stat(pid) {
        Ok(stat) if stat.lives() => {
            let now = clock::now();
            let began = now.wall.saturating_sub(now.since_boot.saturating_sub(stat.started()));
            Ok(ProcessState::Running { start: stat.start, began })
        }
        Ok(_) => Ok(ProcessState::Gone),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(if is_there(pid) { ProcessState::Hidden } else { ProcessState::Gone })
        }
        Err(error) => Err(error),
    }
}

/// Names this boot; empty where that is hidden.
pub(crate) fn boot_id() -> String {
    clock::now().boot.unwrap_or_default()
}

fn is_running(pid: u32) -> bool {
    !matches!(process_state(pid), Ok(ProcessState::Gone))
}

/// Whoever may see or signal it.
fn is_there(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

fn all_processes() -> io::Result<Vec<u32>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = fs::openat(CWD, "/proc", flags, Mode::empty())?;
    let mut pids = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        pids.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(pids)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    /// A program of its own, so that nobody else executes it.
    fn program() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().canonicalize().unwrap().join("app");
        // By a child: a descriptor open for writing would make it busy for a fork of another test.
        assert!(Command::new("cp").arg("/bin/sleep").arg(&program).status().unwrap().success());
        (dir, program)
    }

    fn start(program: &Path) -> Child {
        Command::new(program).arg("60").stdin(Stdio::null()).spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn whoever_executes_a_file_is_found_by_any_name_of_it() {
        let (dir, program) = program();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&program, &link).unwrap();
        assert_eq!(processes_of_program(&program).unwrap().found, 0);
        let (one, two) = (start(&program), start(&link));
        for name in [&program, &link] {
            assert_eq!(processes_of_program(name).unwrap().found, 2, "{}", name.display());
        }
        assert_eq!(processes_of_program(dir.path()).unwrap().found, 0);
        std::fs::remove_file(&program).unwrap();
        assert_eq!(processes_of_program(&program).unwrap().found, 2, "an upgrade took the file away");
        end(one);
        assert_eq!(processes_of_program(&program).unwrap().found, 1);
        end(two);
    }

    #[test]
    fn a_zombie_has_ended() {
        let (_dir, program) = program();
        let mut child = start(&program);
        let pid = child.id();
        assert!(matches!(process_state(pid).unwrap(), ProcessState::Running { .. }));
        assert_eq!(running_processes(&[pid]), 1);
        child.kill().unwrap();
        while !matches!(process_state(pid).unwrap(), ProcessState::Gone) {
            std::thread::yield_now();
        }
        assert_eq!((running_processes(&[pid]), processes_of_program(&program).unwrap().found), (0, 0));
        child.wait().unwrap();
        assert_eq!(process_state(pid).unwrap(), ProcessState::Gone);
        assert_eq!(running_processes(&[pid, 0, 1, u32::MAX]), 2);
    }

    #[test]
    fn a_process_is_named_by_when_it_began() {
        let now = || clock::now().wall;
        let before = now();
        let (_dir, program) = program();
        let child = start(&program);
        let ProcessState::Running { began, .. } = process_state(child.id()).unwrap() else {
            panic!("it lives")
        };
        let slack = Duration::from_millis(100);
        assert!(began + slack >= before && began <= now() + slack, "{began:?} {before:?}");
        end(child);
    }

    #[test]
    fn what_this_user_may_not_see_is_not_what_is_not_there() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (dir, program) = program();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let child = start(&program);
        let as_nobody = std::thread::spawn({
            let program = program.clone();
            move || {
                let nobody = rustix::process::Uid::from_raw(65_534);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
                (processes_of_program(&program).unwrap(), process_state(1).unwrap())
            }
        });
        let (seen, first) = as_nobody.join().unwrap();
        assert_eq!(seen, ProcessesOf { found: 0, is_part: true }, "not what root executes");
        assert!(matches!(first, ProcessState::Running { .. }), "everybody may see that it lives");
        end(child);
    }
}

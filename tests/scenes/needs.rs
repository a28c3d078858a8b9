//! What a scene needs of the machine. What is not there is said in one line, past the capture of output, and is no
//! failure: the scene ends.

use std::io::Write;
use std::process::{Command, Stdio};

/// Whether this machine has been up for so many minutes: the age of a state cannot be older than its boot.
pub(crate) fn is_up_for(minutes: u64) -> bool {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let seconds: u64 = uptime.split('.').next().unwrap().parse().unwrap();
    is_there(seconds >= minutes * 60, &format!("{minutes} minutes of uptime"))
}

pub(crate) fn has_program(name: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    is_there(found, name)
}

/// Whether this user may make a user namespace, as root always can do without.
pub(crate) fn has_user_namespace() -> bool {
    let can_make_one = || {
        let mut tried = Command::new("unshare");
        let tried = tried.args(["--user", "--map-current-user", "true"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let can = rustix::process::geteuid().is_root() || can_make_one();
    is_there(can, "user namespaces")
}

fn is_there(there: bool, what: &str) -> bool {
    if !there {
        let thread = std::thread::current();
        let scene = thread.name().unwrap_or("a scene");
        let _ = writeln!(std::io::stderr(), "{scene}: not tried: this machine lacks {what}");
    }
    there
}

//! `unhang demo`, as a newcomer meets it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn demo(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unhang"));
    command.arg("demo").env_clear().env("PATH", "/nowhere").env("TMPDIR", dir).env("UNHANG_MODE", "observe");
    command
}

/// Processes that still have to do with it.
fn left_behind(dir: &Path) -> usize {
    let of = |pid: &str| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let dir = dir.to_str().unwrap();
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|pid| String::from_utf8_lossy(&of(pid)).contains(dir)).count()
}

fn nothing_is_left(dir: &Path) -> bool {
    left_behind(dir) == 0 && fs::read_dir(dir).unwrap().count() == 0
}

fn await_that(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_demo_shows_a_hang_and_its_cure_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let output = demo(dir.path()).output().unwrap();
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {shown}{told}", began.elapsed());
    assert_eq!(output.status.code(), Some(0), "{shown}{told}");
    let lines: Vec<&str> =
        told.lines().filter_map(|line| line.split_once(" - ").map(|(_, text)| text)).collect();
    let starts = [
        "⚠️ Demo health check failed",
        "⚠️ Demo health check failed",
        "🔄 Restarting Demo",
        "✅ Demo restarted",
    ];
    assert_eq!(lines.len(), starts.len(), "{told}");
    assert!(lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{told}");
    assert!(
        shown.contains("streak 1, failures 1; restarts: none") && shown.contains("restarts: healed"),
        "{shown}"
    );
    await_that(|| nothing_is_left(dir.path()));
}

#[test]
fn a_demo_that_is_killed_leaves_nothing_either() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = demo(dir.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    await_that(|| left_behind(dir.path()) > 0);
    demo.kill().unwrap();
    demo.wait().unwrap();
    await_that(|| nothing_is_left(dir.path()));
}

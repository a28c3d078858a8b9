//! What an unprivileged user of the host, the watched service and the network can try. man/unhang.8 tells
//! these threats under SECURITY, each with its test.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::harness::{Answer, Scene};

fn mode(scene: &Scene, name: &str) -> u32 {
    scene.path(name).metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_folder_for_the_state_that_others_may_write_is_not_used() {
    let scene = Scene::new();
    for open in [0o777, 0o1777, 0o775] {
        fs::set_permissions(scene.path("state"), fs::Permissions::from_mode(open)).unwrap();
        scene.tick().ends(3).prints("", "unhang: */state: cannot be used for locks: others may write to it*");
        assert_eq!(
            (scene.server.requests().len(), fs::read_dir(scene.path("state")).unwrap().count()),
            (0, 0)
        );
    }
    fs::set_permissions(scene.path("state"), fs::Permissions::from_mode(0o755)).unwrap();
    scene.tick().exits(0);
}

#[test]
fn a_folder_for_the_state_that_is_a_link_is_not_used() {
    let scene = Scene::new();
    fs::rename(scene.path("state"), scene.path("elsewhere")).unwrap();
    symlink(scene.path("elsewhere"), scene.path("state")).unwrap();
    scene.tick().ends(3).prints("", "unhang: */state: cannot be used for locks: *");
    assert_eq!(fs::read_dir(scene.path("elsewhere")).unwrap().count(), 0);
}

/// Who could open the lock could hold it, and so keep every run away.
#[test]
fn nobody_else_can_open_a_lock_or_write_a_state() {
    let scene = Scene::new();
    scene.tick().exits(0);
    assert_eq!((mode(&scene, "state/app.lock"), mode(&scene, "state/app.json")), (0o600, 0o644));
}

#[test]
fn nobody_else_can_write_a_pause_or_open_that_of_a_command() {
    let scene = Scene::new();
    scene.run(&["pause", "app"]).ends(0).prints("*", "").logs(&["*"]);
    assert_eq!((mode(&scene, "state"), mode(&scene, "state/app.pause")), (0o755, 0o644));
    // With a wide umask, too; $PPID of the shell is unhang.
    let script = format!("cd {}; stat -c %a app+$PPID.pause", scene.path("state").display());
    let mut command = scene.bare(Path::new("sh"));
    let paused = scene.command(&["paused", "app"]);
    command.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(paused.get_program()).args(paused.get_args());
    let output = command.args(["--", "sh", "-c", &script]).output().unwrap();
    scene.ran(output).ends(0).prints("600\n", "").logs(&["*", "*"]);
}

#[test]
fn neither_a_pipe_nor_a_socket_nor_a_device_holds_a_run_up() {
    for name in ["app.json", "app.lock"] {
        for kind in [FileType::Fifo, FileType::Socket] {
            let scene = Scene::new();
            let path = scene.path("state").join(name);
            let _listener = (kind == FileType::Socket).then(|| UnixListener::bind(&path).unwrap());
            if kind == FileType::Fifo {
                mknodat(CWD, &path, kind, Mode::RUSR | Mode::WUSR, 0).unwrap();
            }
            let began = Instant::now();
            let ran = scene.tick();
            assert!(began.elapsed() < Duration::from_secs(5), "{name} {kind:?}: {:?}", began.elapsed());
            // A state that is none is set aside; without a lock nothing is done.
            let code = if name == "app.json" { 0 } else { 3 };
            ran.ends(code).prints("", "unhang: app: *\n");
        }
    }
    let scene = Scene::new();
    mknodat(CWD, scene.path("app.log"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    scene.server.answers(&[Answer::Status(502)]);
    let began = Instant::now();
    let log = scene.path("app.log");
    let told = format!(
        "unhang: app: cannot write the log {}: is not a regular file; restarts go on\n",
        log.display()
    );
    let mut command = scene.command(&["run"]);
    let output = command.output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(String::from_utf8_lossy(&output.stderr), told);
}

/// /proc/PID/cmdline can be read by everybody.
#[test]
fn what_the_configuration_keeps_secret_is_in_no_list_of_processes() {
    let scene = Scene::new();
    scene.keys("headers = { Authorization = \"Bearer s3cret\" }").server.answers(&[Answer::Hang]);
    // The look at systemd is seen too.
    scene.systemctl("", &format!("tr '\\0' ' ' </proc/$$/cmdline >>{}", scene.path("seen").display()));
    let mut child = scene.command(&["run", "--timeout", "1s"]).stderr(Stdio::null()).spawn().unwrap();
    let path = format!("/proc/{}/cmdline", child.id());
    let mut seen = String::new();
    while scene.server.requests().is_empty() {
        seen += &fs::read_to_string(&path).unwrap_or_default();
        thread::yield_now();
    }
    // While it waits for an answer; it may have been too quick for the loop.
    seen += &fs::read_to_string(&path).unwrap_or_default();
    child.wait().unwrap();
    seen += &fs::read_to_string(scene.path("seen")).unwrap();
    assert!(seen.contains("unhang") && seen.contains("show"), "{seen:?}");
    assert!(!seen.contains("s3cret"), "{seen:?}");
    let state = fs::read_to_string(scene.path("state/app.json")).unwrap();
    let log = fs::read_to_string(scene.path("app.log")).unwrap();
    assert!(!state.contains("s3cret") && !log.contains("s3cret"));
    assert!(scene.server.requests()[0].contains("s3cret"), "it was sent");
}

#[test]
fn no_name_becomes_an_argument_a_path_or_a_command() {
    let scene = Scene::new();
    for unit in
        ["--force", "-H root@host", "a b", "$(touch x)", "../x", "x;reboot", "x\ny", "*", "foo@.service", ""]
    {
        let url = scene.server.url();
        let ran = scene.run(&["run", &format!("--unit={unit}"), "--url", &url]);
        ran.ends(2).prints("", "unhang: --unit: *\n").calls(&[]);
    }
    for name in ["../x", "-x", ".x", "a b", "a/b", "x\\u0000", "x\\n", ""] {
        scene.config(&format!("[service.\"{name}\"]\nurl = \"{}\"\nunit = \"app\"\n", scene.server.url()));
        scene.run(&["run"]).ends(2).prints("", "unhang: *NAME must be *\n").calls(&[]);
    }
    assert_eq!(fs::read_dir(scene.path("state")).unwrap().count(), 0);
}

/// Of systemd's neighbours' names, of an answer, of a file name: what is shown is one harmless line.
#[test]
fn nothing_from_outside_drives_a_terminal() {
    let scene = Scene::new();
    let evil = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}";
    scene.server.answers(&[Answer::Says("\u{1b}]0;owned\u{7}\r\n\r\n")]);
    scene.systemctl("", &format!("printf '%s\\n' '{evil}' >&2; exit 1"));
    let mut shown = Vec::new();
    for arguments in [
        &["run", "-v"][..],
        &["run", "--dry-run"],
        &["status"],
        &["why"],
        &["check", "-v"],
        &["check", "--json"],
    ] {
        let output = scene.command(arguments).output().unwrap();
        shown.extend([output.stdout, output.stderr].concat());
    }
    let escaped: Vec<String> = evil.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let escaped = escaped.concat();
    scene.config(&format!("[service.app]\nurl = \"http://localhost/\"\n\"{escaped}\" = 1\n"));
    shown.extend(scene.command(&["run"]).output().unwrap().stderr);
    shown.extend(fs::read(scene.path("app.log")).unwrap());
    let text = String::from_utf8(shown).unwrap();
    assert!(text.contains("owned"), "it was shown: {text}");
    let bad: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n' || *c == '\u{202e}').collect();
    assert!(bad.is_empty(), "{bad:?} in {text:?}");
}

/// As a log in a folder of another user's might be made to.
#[test]
fn a_log_is_written_to_no_link_and_no_block_device() {
    let scene = Scene::new();
    let precious = scene.path("precious");
    File::create(&precious).unwrap();
    symlink(&precious, scene.path("app.log")).unwrap();
    scene.server.answers(&[Answer::Status(502)]);
    let output = scene.command(&["run"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("is a symbolic link; restarts go on"));
    assert_eq!(precious.metadata().unwrap().len(), 0);
}

//! Hands off, because somebody says so: a person, a command, a file, the service itself.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Answer, Scene};

/// It failed once, and would be restarted at the next failed tick.
fn failed_once() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    scene.pass(120);
    scene
}

#[track_caller]
fn is_counted_anew(scene: &Scene) {
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 2/2: 1 of 2 in a row"]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 502) - Failure 3/2: 2 of 2 in a row", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_paused_service_is_not_restarted_and_gets_a_full_count_afterwards() {
    let scene = failed_once();
    scene
        .env("SUDO_USER", "anna")
        .run(&["pause", "app", "--for", "30m", "--reason", "new disk"])
        .ends(0)
        .prints("app: no restarts until *: by *, \"new disk\"\n", "")
        .logs(&["⏸️ app paused until *: by *, \"new disk\""]);
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (paused): paused by *, \"new disk\"; next restart possible *"]);
    scene.tick().exits(1).logs(&[]);
    scene.pass(120);
    scene.run(&["resume", "app"]).ends(0).prints("app: resumed\n", "").logs(&["▶️ app resumed: by *"]);
    is_counted_anew(&scene);
}

#[test]
fn a_pause_between_two_ticks_starts_a_full_count_too() {
    let scene = failed_once();
    scene
        .run(&["pause", "app"])
        .ends(0)
        .prints("app: no restarts until *\n", "")
        .logs(&["⏸️ app paused until *: by *"]);
    scene.run(&["resume", "app"]).ends(0).prints("app: resumed\n", "").logs(&["▶️ app resumed: by *"]);
    is_counted_anew(&scene);
}

#[test]
fn a_pause_ends_by_itself() {
    let scene = failed_once();
    scene.run(&["pause", "app", "--for", "10m"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.tick().exits(1).logs(&["⏸️*"]);
    scene.pass(601);
    scene.tick().exits(1).logs(&["⚠️*1/2*"]);
}

#[test]
fn status_and_why_say_who_paused_it_why_and_until_when() {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.run(&["pause", "--all", "--reason", "move\u{1b}[2J"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.run(&["status"]).ends(0).prints(
        "app  healthy  restarts 0/5 in 1 h  last tick * ago  paused by *, \"move\\u{1b}[2J\", until *\n",
        "",
    );
    scene.run(&["why"]).ends(0).prints(
        "*\nheld by: paused by *, until *\nearliest restart: when the pause has ended, after 2 counted failures in a row\n",
        "",
    );
    scene.run(&["check", "app"]).ends(0).prints("UNHANG OK*", "");
    scene.run(&["resume", "--all"]).ends(0).prints("app: resumed\n", "").logs(&["▶️*"]);
    scene.run(&["resume", "--all"]).ends(0).prints("app: was not paused\n", "").logs(&[]);
}

#[test]
fn a_pause_is_no_tick() {
    let scene = Scene::new();
    scene.run(&["pause", "app"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.run(&["status"]).ends(0).prints(
        "app  not seen yet  restarts 0/5 in 1 h  no tick yet  paused by *\nno tick yet by *: is cron running?\n",
        "",
    );
}

#[test]
fn a_pause_has_an_end_and_somebody_in_mind() {
    let scene = Scene::new();
    for (arguments, said) in [
        (
            &["pause", "app", "--for", "25h"][..],
            "unhang: --for: no pause lasts longer than 1d, got \"25h\"; nothing was paused\n",
        ),
        (&["pause", "app", "--for", "0s"], "unhang: --for: must be longer than 0s, got \"0s\"; *\n"),
        (&["pause"], "unhang: *NAME*\n"),
        (&["resume"], "unhang: *NAME*\n"),
        (&["pause", "ap"], "unhang: NAME: no service \"ap\"; did you mean app? The services are app\n"),
    ] {
        scene.run(arguments).ends(2).prints("", said).logs(&[]);
    }
    assert!(!scene.path("state/app.pause").exists());
}

#[test]
fn a_file_pauses_while_it_is_young() {
    let scene = failed_once();
    let file = scene.path("deploying");
    scene.keys(&format!("pause_file = \"{}\"\npause_file_max_age = \"20m\"", file.display()));
    fs::write(&file, "").unwrap();
    scene.tick().exits(1).logs(&[
        "⏸️ app not restarted (paused): paused while */deploying is there and young; next restart possible *",
    ]);
    let old = std::time::SystemTime::now() - Duration::from_secs(1201);
    fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    scene.pass(120);
    is_counted_anew(&scene);
}

#[test]
fn where_nobody_can_tell_whether_it_is_paused_nothing_is_restarted() {
    let scene = failed_once();
    let file = scene.path("deploying");
    std::os::unix::fs::symlink(&file, &file).unwrap();
    scene.keys(&format!("pause_file = \"{}\"", file.display()));
    scene.tick().exits(1).logs(&[
        "❓ app not judged (unknown): cannot tell whether it is paused: */deploying: Too many levels of symbolic links",
    ]);
}

#[test]
fn a_service_that_answers_maintenance_is_held_and_does_not_fail() {
    let scene = Scene::new();
    scene.keys("maintenance = { status = \"503\", header = \"X-Maintenance\" }");
    let says = "HTTP/1.1 503 X\r\nx-maintenance: yes\r\ncontent-length: 0\r\n\r\n";
    scene.server.answers(&[Answer::Says(says)]);
    scene.tick().exits(1).logs(&["⏸️ app not restarted (paused): its own answer says maintenance"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]);
    scene.run(&["status"]).ends(0).prints("app  held (paused)  0/2  HTTP 503 (maintenance)  *\n", "");
    scene.run(&["check"]).ends(1).prints("UNHANG WARNING - app*HTTP 503*maintenance*\n", "");
    scene.server.answers(&[Answer::Status(503)]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 503) - Failure 1/2"]);
}

/// `unhang paused app -- sh -c SCRIPT`, which has begun when it says so on stdout.
fn paused(scene: &Scene, script: &str) -> Child {
    let mut command = scene.command(&["paused", "app"]);
    command.args(["--", "sh", "-c", script]);
    begun(command)
}

fn begun(mut command: Command) -> Child {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut begun = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
    child
}

fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn paused_lasts_as_long_as_its_command() {
    let scene = failed_once();
    let gate = scene.path("gate");
    let child =
        paused(&scene, &format!("echo begun; until [ -e {} ]; do sleep 0.05; done; exit 7", gate.display()));
    scene.tick().exits(1).logs(&[
        "⏸️ app paused until *: by *, while sh runs",
        "⏸️ app not restarted (paused): paused by *, while the command of process * runs; next restart possible *",
    ]);
    scene.pass(120);
    scene
        .run(&["resume", "app"])
        .ends(1)
        .prints("app: still paused by *, while the command of process * runs\n", "");
    fs::write(gate, "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(7), &b""[..]));
    scene.tick().exits(1).logs(&[
        "▶️ app resumed: sh: exit status 7 after *",
        "⚠️ app health check failed (HTTP 502) - Failure 2/2: 1 of 2 in a row",
    ]);
}

#[test]
fn a_pause_ends_with_unhang_however_that_ends_and_its_command_goes_on() {
    let scene = failed_once();
    let done = scene.path("done");
    let script = format!("echo begun; sleep 1; touch {}", done.display());
    let mut child = paused(&scene, &script);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    scene.tick().exits(1).logs(&[
        "⏸️ app paused until *",
        "⚠️ app health check failed (HTTP 502) - Failure 2/2: 1 of 2 in a row",
    ]);
    until(|| done.exists());
}

#[test]
fn signals_reach_the_command_and_its_end_is_that_of_unhang() {
    use std::os::unix::process::ExitStatusExt;
    let scene = Scene::new();
    let trapping = paused(&scene, "trap 'exit 9' TERM; echo begun; while :; do sleep 0.05; done");
    kill_process(Pid::from_child(&trapping), Signal::TERM).unwrap();
    assert_eq!(trapping.wait_with_output().unwrap().status.code(), Some(9));
    let dying = paused(&scene, "echo begun; exec sleep 60");
    kill_process(Pid::from_child(&dying), Signal::TERM).unwrap();
    assert_eq!(dying.wait_with_output().unwrap().status.signal(), Some(15));
    scene.tick().exits(0).logs(&[
        "⏸️*",
        "▶️ app resumed: sh: exit status 9 after *",
        "⏸️*",
        "▶️ app resumed: sh: killed by signal 15 after *",
    ]);
}

#[test]
fn a_command_that_cannot_be_paused_for_is_not_begun() {
    let scene = Scene::new();
    let touched = scene.path("touched");
    let touch = ["--", "touch", touched.to_str().unwrap()];
    let run = |arguments: &[&str]| {
        let mut command = scene.command(arguments);
        command.args(touch);
        scene.ran(command.output().unwrap())
    };
    run(&["paused", "ap"]).ends(125).prints("", "unhang: NAME: no service *\n");
    run(&["paused", "app", "--for", "2d"])
        .ends(125)
        .prints("", "unhang: --for: no pause lasts longer than 1d*\n");
    run(&["paused"]).ends(125).prints("", "unhang: *NAME*\n");
    scene.config("[service.app]\n");
    run(&["paused", "app"]).ends(125).prints("", "unhang: *url*\n");
    assert!(!touched.exists());
    scene.keys("");
    run(&["paused", "app"])
        .ends(0)
        .prints("", "")
        .logs(&["⏸️*", "▶️ app resumed: touch: exit status 0 after *"]);
    assert!(touched.exists());
    let mut command = scene.command(&["paused", "app"]);
    command.args(["--", "/nowhere/deploy.sh"]);
    scene
        .ran(command.output().unwrap())
        .ends(127)
        .prints("", "unhang: paused: /nowhere/deploy.sh: *no such program; nothing was run\n")
        .logs(&["⏸️*", "▶️ app resumed: /nowhere/deploy.sh: *no such program after *"]);
}

#[test]
fn a_pause_waits_for_the_run_that_is_under_way() {
    let scene = failed_once();
    scene.on_restart(&format!("sleep 1; {}", crate::harness::RESTARTS));
    let mut command = scene.command(&["run"]);
    let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| fs::read_to_string(scene.path("ledger")).unwrap().contains("restart app.service"));
    let began = Instant::now();
    scene
        .run(&["pause", "app"])
        .ends(0)
        .prints("app: no restarts until *\n", "")
        .logs(&["⚠️*", "🔄*", "⏸️ app paused*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
    assert!(began.elapsed() > Duration::from_millis(500), "it returned before the run had ended");
    run.wait_with_output().unwrap();
}

/// Ends well as soon as the file is there.
fn until_there(gate: &Path) -> String {
    format!("echo begun; until [ -e {} ]; do sleep 0.05; done", gate.display())
}

#[test]
fn of_two_commands_the_last_ends_the_pause() {
    let scene = failed_once();
    let (first, second) = (scene.path("first"), scene.path("second"));
    let (one, other) = (paused(&scene, &until_there(&first)), paused(&scene, &until_there(&second)));
    fs::write(first, "").unwrap();
    assert!(one.wait_with_output().unwrap().status.success());
    scene.tick().exits(1).logs(&[
        "⏸️ app paused until *",
        "⏸️ app paused until *",
        "▶️ app resumed: sh: exit status 0 after *; still paused by *, while the command of process * runs",
        "⏸️ app not restarted (paused): paused by *, while the command of process * runs; *",
    ]);
    scene.pass(120);
    fs::write(second, "").unwrap();
    let output = other.wait_with_output().unwrap();
    scene.ran(output).ends(0).prints("", "").logs(&["▶️ app resumed: sh: exit status 0 after *s"]);
    is_counted_anew(&scene);
}

#[test]
fn the_end_of_a_command_ends_no_pause_of_a_person() {
    let scene = Scene::new();
    scene.run(&["pause", "app", "--reason", "new disk"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    let output = paused(&scene, "echo begun").wait_with_output().unwrap();
    scene
        .ran(output)
        .ends(0)
        .prints("", "")
        .logs(&["⏸️*", "▶️ app resumed: sh: exit status 0 after *; still paused by *, \"new disk\""]);
    scene.run(&["resume", "app"]).ends(0).prints("app: resumed\n", "").logs(&["▶️ app resumed: by *"]);
}

#[test]
fn under_nohup_a_hangup_ends_neither_unhang_nor_the_command() {
    let scene = failed_once();
    let inner = scene.command(&["paused", "app"]);
    let mut command = scene.bare(Path::new("nohup"));
    command.arg(inner.get_program()).args(inner.get_args());
    command.args(["--", "sh", "-c", "trap 'exit 7' TERM; echo begun; while :; do sleep 0.05; done"]);
    let child = begun(command);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    scene.tick().exits(1).logs(&["⏸️ app paused until *", "⏸️ app not restarted (paused): *"]);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.code(), Some(7), "{status:?}");
    scene.tick().ends(1).logs(&["▶️ app resumed: sh: exit status 7 after *", "*"]);
}

/// Writes each signal that it gets, and the process that sent it (0: the terminal), until SIGTERM.
const LISTENS: &str = r#"
import os, signal, sys
wanted = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
with open(sys.argv[1], "w", buffering=1) as told:
    told.write(f"{os.getppid()}\n")
    while True:
        got = signal.sigwaitinfo(wanted)
        told.write(f"{signal.Signals(got.si_signo).name} {got.si_pid}\n")
        if got.si_signo == signal.SIGTERM:
            break
"#;

#[test]
fn ctrl_c_at_a_terminal_reaches_the_command_once() {
    for streams in ["", "</dev/null", "</dev/null >/dev/null 2>&1"] {
        let scene = Scene::new();
        let (program, told) = (scene.path("listens.py"), scene.path("told"));
        fs::write(&program, LISTENS).unwrap();
        let inner = scene.command(&["paused", "app"]);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let line =
            format!("exec {} -- python3 {} {} {streams}", words.join(" "), program.display(), told.display());
        let mut command = scene.bare(Path::new("script"));
        let command = command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped());
        let mut terminal = command.stdout(Stdio::null()).spawn().unwrap();
        let lines = || BufReader::new(fs::File::open(&told).unwrap()).lines().map(Result::unwrap);
        until(|| told.exists() && lines().count() == 1);
        terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
        until(|| lines().count() > 1);
        // Whatever was sent on came before this.
        let unhang: i32 = lines().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(unhang).unwrap(), Signal::TERM).unwrap();
        assert!(terminal.wait().unwrap().success());
        let got: Vec<String> = lines().skip(1).collect();
        assert_eq!(got, ["SIGINT 0".to_owned(), format!("SIGTERM {unhang}")], "{streams}");
    }
}

/// A real full disk, which only root can make.
#[test]
fn on_a_full_disk_nobody_is_told_of_a_pause_that_is_none_and_one_that_is_can_be_ended() {
    let scene = Scene::new();
    let state = scene.path("state");
    let root = |arguments: &[&str]| {
        Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(&state)
            .status()
            .is_ok_and(|ended| ended.success())
    };
    if !root(&["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none"]) {
        return;
    }
    scene.run(&["pause", "app"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    let mut rest = fs::File::create(state.join("rest")).unwrap();
    while rest.write_all(&[0; 4096]).is_ok() {}
    let touched = scene.path("touched");
    scene.run(&["resume", "app"]).ends(0).prints("app: resumed\n", "").logs(&["▶️ app resumed: by *"]);
    while rest.write_all(&[0; 4096]).is_ok() {}
    scene.run(&["resume", "app"]).ends(0).prints("app: was not paused\n", "");
    let none = "cannot write the pause: No space left on device;";
    scene.run(&["pause", "app"]).ends(3).prints("", &format!("unhang: app: {none} it is not paused\n"));
    let mut command = scene.command(&["paused", "app"]);
    let output = command.args(["--", "touch"]).arg(&touched).output().unwrap();
    scene.ran(output).ends(125).prints("", &format!("unhang: app: {none} touch was not begun\n"));
    assert!(!touched.exists());
    assert!(root(&["umount", "-l"]));
}

/// In a name space of its own, where /var/lib/dpkg is a folder of the scene: nobody else's apt waits for us.
/// Only root can make one, and only where there is dpkg.
#[test]
fn while_dpkg_is_at_work_everything_is_held() {
    let scene = failed_once();
    let folder = scene.path("dpkg");
    fs::create_dir(&folder).unwrap();
    let lock = folder.join("lock-frontend");
    fs::write(&lock, "").unwrap();
    let elsewhere = |arguments: &[&str]| {
        let inner = scene.command(arguments);
        let mut command = scene.bare(Path::new("unshare"));
        let bind = format!("mount --bind {} /var/lib/dpkg && exec \"$@\"", folder.display());
        command.args(["-m", "sh", "-c", &bind, "sh"]).arg(inner.get_program()).args(inner.get_args());
        command.output().unwrap()
    };
    if !elsewhere(&["status"]).status.success() {
        return;
    }
    let text = scene.config_text();
    scene.config(&text.replace("[host]\n", "[host]\npause_on_dpkg = true\n"));
    let script = "import fcntl, sys\nf = open(sys.argv[1], 'w')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint('begun', flush=True)\nsys.stdin.read()";
    let mut dpkg = Command::new("python3");
    dpkg.args(["-c", script]).arg(&lock).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut dpkg = dpkg.spawn().unwrap();
    let mut said = [0; 6];
    dpkg.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    scene
        .ran(elsewhere(&["run"]))
        .exits(1)
        .logs(&["⏸️ app not restarted (paused): paused while dpkg or apt is at work"]);
    scene
        .ran(elsewhere(&["status"]))
        .ends(0)
        .prints("app  held (paused)*paused while dpkg or apt is at work*\n", "");
    drop(dpkg.stdin.take());
    dpkg.wait().unwrap();
    scene.pass(120);
    scene
        .ran(elsewhere(&["run"]))
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 502) - Failure 2/2: 1 of 2 in a row"]);
}

#[test]
fn a_run_that_does_not_end_is_told_and_no_command_begins() {
    let scene = Scene::new();
    let text = scene.config_text();
    scene.config(
        &text
            .replace("[host]\n", "[host]\ndeadline = \"40s\"\n")
            .replace("[defaults]\n", "[defaults]\ntimeout = \"1s\"\n"),
    );
    let run = fs::File::create(scene.path("state/app.service.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&run).unwrap();
    let began = Instant::now();
    let spawn = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pause = spawn(scene.command(&["pause", "app"]));
    let touched = scene.path("touched");
    let mut command = scene.command(&["paused", "app"]);
    command.args(["--", "touch"]).arg(&touched);
    let paused = spawn(command);
    let why = "unhang: app: a run is under way and may still restart it;";
    scene
        .ran(pause.wait_with_output().unwrap())
        .ends(1)
        .prints("app: no restarts until *\n", &format!("{why} look again\n"))
        .logs(&["⏸️ app paused until *"]);
    scene
        .ran(paused.wait_with_output().unwrap())
        .ends(125)
        .prints("", &format!("{why} touch was not begun\n"));
    assert!(began.elapsed() >= Duration::from_secs(40) && !touched.exists());
}

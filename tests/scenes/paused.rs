//! `unhang paused`: hands off while a command runs, in whose place it stands.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::Scene;
use crate::needs;
use crate::pause::{failed_once, is_counted_anew, until};

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

#[test]
fn paused_lasts_as_long_as_its_command() {
    let scene = failed_once();
    let gate = scene.path("gate");
    let child =
        paused(&scene, &format!("echo begun; until [ -e {} ]; do sleep 0.05; done; exit 7", gate.display()));
    scene.tick().exits(1).logs(&[
        "⏸️ app paused until *: by *, while sh runs",
        "⏸️ app not restarted (paused): paused by *, while PID * runs; next restart possible *",
    ]);
    scene.pass(120);
    scene.run(&["resume", "app"]).ends(1).prints("app: still paused by *, while PID * runs\n", "");
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
    run(&["paused", "app", "--for", "2d"]).ends(125).prints("", "unhang: --for: must be at most 1d*\n");
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
        "▶️ app resumed: sh: exit status 0 after *; still paused by *, while PID * runs",
        "⏸️ app not restarted (paused): paused by *, while PID * runs; *",
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
    if !needs::has_program("python3") || !needs::has_program("script") {
        return;
    }
    for streams in ["", "</dev/null", "</dev/null >/dev/null 2>&1"] {
        let scene = Scene::new();
        let (program, told) = (scene.path("listens.py"), scene.path("told"));
        fs::write(&program, LISTENS).unwrap();
        let inner = scene.command(&["paused", "app"]);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        // No child of `script` itself, which would stop with it.
        let line = format!(
            "trap : INT; {} -- python3 {} {} {streams}; exit $?",
            words.join(" "),
            program.display(),
            told.display()
        );
        let mut command = scene.bare(Path::new("script"));
        let command = command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped());
        let mut terminal = command.stdout(Stdio::null()).spawn().unwrap();
        let lines = || BufReader::new(fs::File::open(&told).unwrap()).lines().map(Result::unwrap);
        until(|| told.exists() && lines().count() == 1);
        let unhang: i32 = lines().next().unwrap().parse().unwrap();
        let send = |signal| kill_process(Pid::from_raw(unhang).unwrap(), signal).unwrap();
        // It comes to its own SIGINT when the command has had one: of two at once there would be one.
        send(Signal::STOP);
        until(|| fs::read_to_string(format!("/proc/{unhang}/stat")).unwrap().contains(") T "));
        terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
        until(|| lines().count() > 1);
        send(Signal::CONT);
        // Whatever was sent on came before this.
        send(Signal::TERM);
        terminal.wait().unwrap();
        let got: Vec<String> = lines().skip(1).collect();
        assert_eq!(got, ["SIGINT 0".to_owned(), format!("SIGTERM {unhang}")], "{streams}");
    }
}

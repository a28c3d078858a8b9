//! Hands off, because somebody says so: a person, a command, a file, the service itself.

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
    command.args(["--", "sh", "-c", script]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::KILL)
        .unwrap();
    child.wait().unwrap();
    scene.tick().exits(1).logs(&[
        "⏸️ app paused until *",
        "⚠️ app health check failed (HTTP 502) - Failure 2/2: 1 of 2 in a row",
    ]);
    until(|| done.exists());
}

#[test]
fn signals_reach_the_command_and_its_end_is_that_of_unhang() {
    use rustix::process::{Pid, Signal, kill_process};
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

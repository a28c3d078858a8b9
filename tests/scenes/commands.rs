//! Restarts by a command instead of a unit.

use std::fs;
use std::time::{Duration, Instant};

use crate::harness::{Answer, Scene};

/// A service restarted by `restart.sh` of the scene, which failed once.
fn failed_once(script: &str) -> Scene {
    let scene = Scene::new();
    scene.executable("restart.sh", &format!("#!/bin/sh\n{script}\n"));
    scene.keys(&format!("restart = [\"{}\", \"an argument; $(id)\"]", scene.path("restart.sh").display()));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]).calls(&[]);
    scene.pass(120);
    scene
}

fn answers_again(scene: &Scene) {
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
}

#[test]
fn a_command_restarts_without_a_shell_and_without_systemd() {
    let scene = failed_once("");
    scene.executable(
        "restart.sh",
        &format!("#!/bin/sh\necho \"$# $1\" >>{}/ledger\n", scene.dir.path().display()),
    );
    answers_again(&scene);
    scene
        .tick()
        .exits(0)
        .logs(&["⚠️*2/2", "🔄 Restarting app service...", "✅ app restarted successfully: *"])
        .calls(&["1 an argument; $(id)"]);
}

#[test]
fn a_daemon_that_the_command_starts_holds_nothing_up() {
    let scene = failed_once("(sleep 20; echo late) & echo noise; echo noise >&2");
    answers_again(&scene);
    let began = Instant::now();
    scene.tick().exits(0).logs(&["⚠️*2/2", "🔄*", "✅*"]);
    assert!(began.elapsed() < Duration::from_secs(5));
    scene.tick().exits(0);
}

#[test]
fn a_command_that_cannot_be_started_costs_no_budget() {
    let scene = Scene::new();
    scene.keys("restart = [\"/nowhere/restart\"]").server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    let line = "❌ app restart failed (HTTP 502): /nowhere/restart cannot be started: no such program";
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", line]);
    assert_eq!(scene.state()["restarts"].as_array().unwrap().len(), 0);
    assert_eq!(scene.state()["reason"], "not_startable", "nothing was restarted, and nobody says so");
}

#[test]
fn a_run_ends_by_its_deadline_and_leaves_a_slow_command_running() {
    let scene = failed_once("");
    let done = scene.path("done");
    scene.executable(
        "restart.sh",
        &format!("#!/bin/sh\necho began >>{0}\nsleep 41\necho ended >>{0}\n", done.display()),
    );
    let began = Instant::now();
    let line = "⏳ app restart still running: the restart command has not ended; the next run checks again";
    scene.run(&["run", "--deadline", "40s", "--timeout", "2s"]).exits(1).logs(&["⚠️*2/2", "🔄*", line]);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    scene.pass(120);
    scene.tick().exits(1).logs(&["⏸️ app not restarted (unit_busy): *"]);
    await_that(|| fs::read_to_string(&done).unwrap().ends_with("ended\n"));
    scene.pass(120);
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app restarted successfully: *"]);
    assert_eq!(fs::read_to_string(&done).unwrap(), "began\nended\n");
}

#[test]
fn a_command_that_fails_is_judged_by_the_probe() {
    let scene = failed_once("exit 3");
    answers_again(&scene);
    scene.tick().exits(0).logs(&["⚠️*2/2", "🔄*", "✅*"]);
}

#[test]
fn a_command_outlives_a_tick_that_is_killed_and_none_is_started_beside_it() {
    let scene = failed_once("");
    let done = scene.path("done");
    scene.executable(
        "restart.sh",
        &format!("#!/bin/sh\necho began >>{0}\nsleep 3\necho ended >>{0}\n", done.display()),
    );
    let mut tick = scene.command(&["run"]).spawn().unwrap();
    await_that(|| scene.state()["intent"]["pid"].is_u64() && done.exists());
    tick.kill().unwrap();
    tick.wait().unwrap();
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", "⏸️ app not restarted (unit_busy): *"]);
    await_that(|| fs::read_to_string(&done).unwrap().ends_with("ended\n"));
    scene.pass(120);
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app restarted successfully: *"]);
    assert_eq!(fs::read_to_string(&done).unwrap(), "began\nended\n");
}

fn await_that(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_the_command_ended_with_is_told_when_the_restart_did_not_help() {
    let scene = failed_once("exit 3");
    let line = "❌ app restart failed (HTTP 502): still failing * after the restart; the command ended with exit status: 3";
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", line]);
}

#[test]
fn a_plan_of_one_with_a_command_needs_a_name_to_be_kept_under() {
    let scene = Scene::new();
    let message = "unhang: --restart-command: needs a --name of *; count, lock and log are kept under it\n";
    scene
        .run(&["run", "--url", &scene.server.url(), "--restart-command", "true"])
        .ends(2)
        .prints("", message);
}

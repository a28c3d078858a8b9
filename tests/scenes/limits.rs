//! Little of everything: descriptors, processes, threads, memory. A hung service is counted and restarted where
//! systemctl can be started at all; where it cannot, that is said, and nothing is taken for something else.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Answer, Ran, Scene, unit};
use crate::needs;

/// A user without any process: what others run does not count against the limits.
fn nobodys_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    2_000_000_000 + std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Root is above some limits: the run is another user's. Who is not root has their own processes, and counts
/// none of them in a user namespace.
fn under(scene: &Scene, limits: &[&str]) -> Command {
    let run = scene.command(&["run", "--deadline", "40s"]);
    let program = scene.path("unhang");
    if !program.exists() {
        // By a process of its own: another test may fork while a file of ours is open to write, and then it is busy.
        assert!(Command::new("cp").arg(run.get_program()).arg(&program).status().unwrap().success());
    }
    let mut words: Vec<String> = Vec::new();
    if rustix::process::geteuid().is_root() {
        let user = nobodys_number();
        give(scene.dir.path(), user);
        let id = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
        words.push("setpriv".to_owned());
        words.extend(id);
    } else {
        words.extend(["unshare", "--user", "--map-current-user"].map(str::to_owned));
    }
    words.push("prlimit".to_owned());
    words.extend(limits.iter().map(|limit| (*limit).to_owned()));
    words.push(program.display().to_string());
    let mut command = scene.bare(std::path::Path::new(&words[0]));
    command.args(&words[1..]).args(run.get_args());
    command
}

fn give(folder: &std::path::Path, user: u32) {
    chown(folder, Some(user), Some(user)).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { give(&path, user) } else { chown(&path, Some(user), Some(user)).unwrap() }
    }
}

/// In time, whatever there is too little of.
#[track_caller]
fn tick(scene: &Scene, limits: &[&str]) -> Ran {
    let began = Instant::now();
    let ran = scene.ran(under(scene, limits).output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(43), "{limits:?}: {:?}", began.elapsed());
    assert!(ran.output.status.code().is_some(), "{limits:?}: {:?}", ran.output);
    ran
}

fn hung() -> Scene {
    let scene = Scene::new();
    scene.keys("timeout = \"300ms\"").server.answers(&[Answer::Hang]);
    scene
}

#[track_caller]
fn is_counted_and_restarted(limits: &[&str]) {
    let scene = hung();
    tick(&scene, limits).exits(1).logs(&["⚠️*1/2: no answer within 300 ms; the connection was accepted"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Hang, Answer::Hang, Answer::Status(200)]);
    tick(&scene, limits)
        .exits(0)
        .logs(&["⚠️*2/2*", "🔄*", "✅*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn sixteen_descriptors_are_enough_to_restart_a_service() {
    if !needs::has_user_namespace() {
        return;
    }
    is_counted_and_restarted(&["--nofile=16:16"]);
}

#[test]
fn sixteen_processes_are_enough_to_restart_a_service() {
    if !needs::has_user_namespace() {
        return;
    }
    is_counted_and_restarted(&["--nproc=16:16"]);
}

#[test]
fn thirty_two_megabytes_are_enough_to_restart_a_service() {
    if !needs::has_user_namespace() {
        return;
    }
    is_counted_and_restarted(&["--as=33554432:33554432"]);
}

#[test]
fn all_three_together_are_enough_to_restart_a_service() {
    if !needs::has_user_namespace() {
        return;
    }
    is_counted_and_restarted(&["--nofile=16:16", "--nproc=16:16", "--as=33554432:33554432"]);
}

#[test]
fn without_a_process_to_be_had_a_hung_service_is_not_judged_and_that_is_said() {
    if !needs::has_user_namespace() {
        return;
    }
    let scene = hung();
    let none = ["--nproc=1:1"];
    let why = "systemctl cannot be started: Resource temporarily unavailable";
    tick(&scene, &none).exits(1).logs(&[&format!("❓ app not judged (unit_unknown): {why}*")]);
    scene.pass(120);
    tick(&scene, &none).exits(1);
    // What was not known was not counted, and what is known is.
    tick(&scene, &[]).exits(1).logs(&["⚠️*1/2*"]);
    scene.pass(120);
    tick(&scene, &none).exits(1).logs(&["❓*"]);
    assert_eq!(scene.state()["streak"], 1);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(200)]);
    tick(&scene, &none).exits(0).logs(&["✅ app recovered (was 1 failures)"]);
}

#[test]
fn a_restart_command_that_cannot_be_started_for_want_of_processes_costs_nothing() {
    if !needs::has_user_namespace() {
        return;
    }
    let scene = hung();
    let (command, none) = (scene.path("restart-app"), ["--nproc=1:1"]);
    scene.executable("restart-app", "#!/bin/sh\nexit 0\n");
    scene.keys(&format!("timeout = \"300ms\"\nrestart = [\"{}\"]", command.display()));
    tick(&scene, &none).exits(1).logs(&["⚠️*1/2*"]);
    scene.pass(120);
    let failed = "❌ app restart failed (HTTP 000): */restart-app cannot be started: Resource temporarily unavailable*";
    tick(&scene, &none).exits(1).logs(&["⚠️*2/2*", "🔄*", failed]);
    assert_eq!(scene.state()["restarts"].as_array().unwrap().len(), 0);
    scene.pass(120);
    scene.server.answers(&[Answer::Hang, Answer::Hang, Answer::Status(200)]);
    tick(&scene, &[]).exits(0).logs(&["🔄*", "✅*"]);
}

/// With each number of processes either nothing is known, or all is done: systemctl starts some of its own.
#[test]
fn few_processes_lead_to_a_restart_or_to_unknown_and_to_nothing_else() {
    if !needs::has_user_namespace() {
        return;
    }
    let mut restarted = 0;
    for most in 1..=8 {
        let scene = hung();
        tick(&scene, &[]).exits(1).logs(&["⚠️*1/2*"]);
        scene.pass(120);
        scene.server.answers(&[Answer::Hang, Answer::Hang, Answer::Status(200)]);
        let limit = format!("--nproc={most}:{most}");
        let ran = tick(&scene, &[&limit]).prints("", "");
        let log = ran.log.join("\n");
        let asked = ran.only_restarts();
        assert!(
            asked <= 1 && (asked == 1 || log.contains("❓") || log.contains("cannot be started")),
            "{most}: {log}"
        );
        restarted += asked;
        let calls = ran.calls.join("\n");
        ran.logs(&[&log]).calls(&[&calls]);
    }
    assert!(restarted >= 3, "{restarted}");
}

fn many(scene: &Scene, names: &[String]) {
    let log = scene.path("app.log");
    let mut text = String::from(
        "[defaults]\ntimeout = \"300ms\"\ngrace = \"1s\"\nverify = \"1s\"\n[host]\nboot_grace = \"0s\"\n",
    );
    for name in names {
        let (url, log) = (scene.server.url(), log.display());
        let table = format!("[service.{name}]\nurl = \"{url}\"\nlog_file = \"{log}\"\n");
        text += &table;
        let id = format!("{name}.service");
        scene.unit(&id, &unit(&[("Id", &id), ("Names", &id)]));
    }
    scene.config(&text);
}

#[test]
fn thirty_hung_services_are_all_counted_with_sixteen_processes_and_without_threads() {
    if !needs::has_user_namespace() {
        return;
    }
    for limit in ["--nproc=16:16", "--nproc=8:8"] {
        let scene = hung();
        let names: Vec<String> = (0..30).map(|n| format!("s{n:02}")).collect();
        many(&scene, &names);
        let ran = tick(&scene, &[limit]).exits(1);
        let all = ran.log.join("\n");
        assert_eq!(ran.log.iter().filter(|line| line.contains(" - Failure ")).count(), 30, "{limit}: {all}");
        ran.logs(&[&all]);
    }
}

#[test]
fn more_services_than_descriptors_leave_some_alone_and_not_all_unjudged() {
    if !needs::has_user_namespace() {
        return;
    }
    let scene = hung();
    let names: Vec<String> = (0..30).map(|n| format!("s{n:02}")).collect();
    many(&scene, &names);
    let ran = tick(&scene, &["--nofile=24:24"]).ends(3);
    let told = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let left_alone = told.lines().filter(|line| line.ends_with("skipped in this run")).count();
    let counted = ran.log.iter().filter(|line| line.contains(" - Failure ")).count();
    assert!(counted >= 4, "{counted} counted, {left_alone} left alone: {:?}", ran.log);
    assert_eq!(counted + left_alone, 30, "{:?}", ran.log);
    let log = ran.log.join("\n");
    ran.prints("", "*").logs(&[&log]);
}

/// SIGXFSZ ends whoever does not catch it: here between the intent and the restart.
#[test]
fn a_log_that_may_not_grow_does_not_end_the_run() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    let big = scene.path("big.log");
    fs::write(&big, vec![b'\n'; 8192]).unwrap();
    scene.config(&scene.config_text().replace("app.log", "big.log"));
    let run = scene.command(&["run"]);
    let mut command = scene.bare(std::path::Path::new("prlimit"));
    command.arg("--fsize=8192:8192").arg(run.get_program()).args(run.get_args());
    let told =
        format!("unhang: app: cannot write the log {}: File too large; restarts go on\n", big.display());
    scene
        .ran(command.output().unwrap())
        .ends(0)
        .prints("", &told)
        .logs(&[])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

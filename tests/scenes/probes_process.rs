//! `process = ...`: the processes that ought to live.

use std::fs;
use std::process::{Child, Command};

use crate::harness::{Scene, unit};
use crate::view;

const RESTART: &[&str] = &["reset-failed app.service", "restart app.service"];

/// A program of the scene's own, which sleeps.
fn start(scene: &Scene) -> Child {
    let program = scene.path("app");
    if !program.exists() {
        assert!(Command::new("cp").arg("/bin/sleep").arg(&program).status().unwrap().success());
    }
    Command::new(program).arg("60").spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn of_program(scene: &Scene, more: &str) {
    let program = scene.path("app");
    scene.keys(&format!("[service.app.probe.main]\nprocess = \"exe:{}\"\n{more}", program.display()));
}

#[test]
fn a_program_that_nobody_executes_counts_and_leads_to_a_restart() {
    let scene = Scene::new();
    of_program(&scene, "");
    let child = start(&scene);
    scene.tick().exits(0).calls(&["show app.service shutdown.target"]);
    end(child);
    if !view::can_be_set() {
        return;
    }
    // Where it sees all processes, be this host a sandbox.
    let tick = || {
        let run = scene.command(&["run"]);
        let mut command = scene.bare("unshare".as_ref());
        command.args(["--fork", "--pid", "--mount-proc"]).arg(run.get_program()).args(run.get_args());
        scene.ran(command.output().unwrap())
    };
    let none = |count| format!("⚠️*(main) - Failure {count}/2: 0 processes of */app, at least 1 wanted");
    tick().exits(1).logs(&[&none(1)]);
    scene.pass(120);
    tick().exits(1).logs(&[&none(2), "🔄*", "❌*"]).acts(RESTART);
}

#[test]
fn a_program_that_too_many_execute_counts() {
    let scene = Scene::new();
    of_program(&scene, "count.max = 1");
    let (one, two) = (start(&scene), start(&scene));
    scene.tick().exits(1).logs(&["⚠️*1/2: 2 processes of */app, at most 1 wanted"]);
    end(one);
    end(two);
}

#[test]
fn a_user_who_is_not_shown_all_processes_judges_none_that_are_missing() {
    let scene = Scene::new();
    of_program(&scene, "");
    drop(start(&scene).kill());
    if !view::can_be_set() {
        return;
    }
    fs::set_permissions(scene.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    fs::set_permissions(scene.path("state"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let run = scene.command(&["check"]);
    let mut command = scene.bare("setpriv".as_ref());
    command
        .args(["--reuid=65534", "--clear-groups", "--no-new-privs"])
        .arg(run.get_program())
        .args(run.get_args());
    let words = "main: 0 processes of */app seen, but this user may not see them all: run it as root";
    scene.ran(command.output().unwrap()).ends(3).prints(&format!("UNHANG UNKNOWN - app: *{words}*"), "");
}

#[test]
fn a_process_that_its_pid_file_names_in_vain_counts_and_leads_to_a_restart() {
    let scene = Scene::new();
    let file = scene.path("app.pid");
    scene.keys(&format!("[service.app.probe.main]\nprocess = \"pid_file:{}\"", file.display()));
    let child = start(&scene);
    let pid = child.id();
    fs::write(&file, format!("{pid}\n")).unwrap();
    scene.tick().exits(0).calls(&["show app.service shutdown.target"]);
    end(child);
    scene.tick().exits(1).logs(&[&format!("⚠️*1/2: process {pid} of {} is gone", file.display())]);
    scene.pass(120);
    fs::remove_file(&file).unwrap();
    let none = format!("⚠️*2/2: there is no {}", file.display());
    scene.tick().exits(1).logs(&[&none, "🔄*", "❌*"]).acts(RESTART);
}

#[test]
fn a_pid_file_that_cannot_be_read_counts_for_nothing() {
    let scene = Scene::new();
    let file = scene.path("app.pid");
    scene.keys(&format!("[service.app.probe.main]\nprocess = \"pid_file:{}\"", file.display()));
    fs::create_dir(&file).unwrap();
    scene.tick().exits(1).logs(&["❓ app not judged (unknown): main: *is not a regular file"]);
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "starting\n").unwrap();
    let words = "does not begin with the number of a process";
    scene.run(&["check"]).ends(3).prints(&format!("UNHANG UNKNOWN - app: *{words} | *"), "");
    scene.tick().exits(1);
    assert_eq!(scene.state()["failures"], 0);
}

#[test]
fn a_process_that_was_right_stays_so_when_the_clock_is_set() {
    let scene = Scene::new();
    let file = scene.path("app.pid");
    scene.keys(&format!("[service.app.probe.main]\nprocess = \"pid_file:{}\"", file.display()));
    let child = start(&scene);
    fs::write(&file, format!("{}\n", child.id())).unwrap();
    let long_ago = || {
        let file = fs::File::options().write(true).open(&file).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    };
    scene.tick().exits(0);
    // As if the clock had been set on by years.
    long_ago();
    scene.tick().exits(0);
    // The same file, and its number is given to another.
    let other = start(&scene);
    fs::write(&file, format!("{}\n", other.id())).unwrap();
    long_ago();
    scene.tick().exits(1).logs(&["⚠️*began after * was written: it is another one"]);
    end(child);
    end(other);
}

#[test]
fn the_processes_of_the_unit_itself_are_counted_in_its_control_group() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.main]\nprocess = \"unit\"\ncount.min = 2");
    // Its group is not there, and systemd does not say either.
    scene.tick().exits(1).logs(&["❓*: main: systemd does not say where the processes of app.service are"]);
    if !view::can_be_set() {
        return;
    }
    let group = scene.path("groups/system.slice/app.service");
    let (one, two) = (start(&scene), start(&scene));
    fs::create_dir_all(group.join("workers")).unwrap();
    fs::write(scene.path("groups/cgroup.controllers"), "memory pids\n").unwrap();
    fs::write(group.join("cgroup.procs"), format!("{}\n", one.id())).unwrap();
    fs::write(group.join("workers/cgroup.procs"), format!("{}\n", two.id())).unwrap();
    let tick = || view::run(&scene, &[("groups", "/sys/fs/cgroup")], &["run"]);
    scene.pass(120);
    tick().exits(0).logs(&["✅*"]);
    end(two);
    tick().exits(1).logs(&["⚠️*1/2: 1 process of app.service, at least 2 wanted"]);
    end(one);
    // Its group goes with the last of them; under an alias there never was one.
    fs::remove_dir_all(&group).unwrap();
    scene.unit("app.service", &unit(&[("ControlGroup", "/own.slice/real.service")]));
    scene.pass(120);
    tick().exits(1).logs(&["❓*: main: the control groups cannot be read: No such file or directory"]);
    fs::create_dir_all(scene.path("groups/own.slice/real.service")).unwrap();
    fs::write(scene.path("groups/own.slice/real.service/cgroup.procs"), "").unwrap();
    tick()
        .exits(1)
        .logs(&["⚠️*2/2: 0 processes of app.service, at least 2 wanted", "🔄*", "❌*"])
        .acts(RESTART);
}

#[test]
fn a_service_without_a_unit_has_none_of_its_processes() {
    let scene = Scene::new();
    scene.keys("restart = [\"true\"]\n[service.app.probe.main]\nprocess = \"unit\"");
    scene.tick().exits(1).logs(&["❓*: main: the service has no unit: write exe:/PATH or pid_file:/PATH"]);
}

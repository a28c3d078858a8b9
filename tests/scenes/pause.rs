//! Hands off, because somebody says so: a person, a file, dpkg, the service itself.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Answer, Scene};
use crate::needs;

/// It failed once, and would be restarted at the next failed tick.
pub(crate) fn failed_once() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    scene.pass(120);
    scene
}

#[track_caller]
pub(crate) fn is_counted_anew(scene: &Scene) {
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
fn a_log_of_git_as_the_reason_pauses_too_and_can_be_resumed() {
    let scene = failed_once();
    let why = "commit 0123456789abcdef\nAuthor: anna\n\n    Mend the shop\n".repeat(2_000);
    let kept = "by *, \"commit 0123456789abcdef\\nAuthor*\"";
    scene
        .run(&["pause", "app", "--reason", &why])
        .ends(0)
        .prints(&format!("app: no restarts until *: {kept}\n"), "")
        .logs(&[&format!("⏸️ app paused until *: {kept}")]);
    scene.tick().exits(1).logs(&["⏸️ app not restarted (paused): paused by *, \"commit 0123456789abcdef*"]);
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
fn a_shorter_pause_shortens_none_that_lasts_longer() {
    let scene = failed_once();
    scene
        .run(&["pause", "app", "--for", "2h", "--reason", "new disk"])
        .ends(0)
        .prints("*", "")
        .logs(&["⏸️*"]);
    let kept = "app: still paused by *, \"new disk\", until *, which is longer and stays; unhang resume app ends it\n";
    for whom in ["app", "--all"] {
        scene.run(&["pause", whom, "--for", "5m"]).ends(0).prints(kept, "").logs(&[]);
    }
    scene.pass(3_600);
    scene.tick().exits(1).logs(&["⏸️ app not restarted (paused): paused by *, \"new disk\"*"]);
    // One that ends later takes its place, and one after it that does not.
    let until = "app: no restarts until *: by *, \"more disks\"\n";
    scene
        .run(&["pause", "app", "--for", "3h", "--reason", "more disks"])
        .ends(0)
        .prints(until, "")
        .logs(&["⏸️*"]);
    scene.run(&["resume", "app"]).ends(0).prints("app: resumed\n", "").logs(&["▶️*"]);
    scene
        .run(&["pause", "app", "--for", "5m"])
        .ends(0)
        .prints("app: no restarts until *\n", "")
        .logs(&["⏸️*"]);
    // Somebody meant hands off, and did not say until when.
    std::fs::write(scene.path("state/app.pause"), "hands off").unwrap();
    let kept =
        "app: still paused by somebody, until *, which is longer and stays; unhang resume app ends it\n";
    scene.run(&["pause", "app", "--for", "5m"]).ends(0).prints(kept, "").logs(&[]);
}

#[test]
fn a_pause_ends_by_itself() {
    let scene = failed_once();
    scene.run(&["pause", "app", "--for", "10m"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.tick().exits(1).logs(&["⏸️*"]);
    scene.pass(601);
    scene.tick().exits(1).logs(&["⚠️*: 1 of 2 in a row"]);
}

#[test]
fn status_and_why_say_who_paused_it_why_and_until_when() {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.run(&["pause", "--all", "--reason", "move\u{1b}[2J"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.run(&["status"]).ends(0).prints(
        "app  healthy  restarts 0/5 in 1 h  last run * ago  paused by *, \"move\\u{1b}[2J\", until *\n",
        "",
    );
    scene.run(&["why"]).ends(0).prints(
        "*\nheld by: paused by *, until *\nnext restart: when the pause has ended, after 2 counted failures in a row\n",
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
        "app  not seen yet  restarts 0/5 in 1 h  no run yet  paused by *\nno run recorded yet (looked in *); does cron start unhang?\n",
        "",
    );
}

#[test]
fn a_pause_has_an_end_and_somebody_in_mind() {
    let scene = Scene::new();
    for (arguments, said) in [
        (
            &["pause", "app", "--for", "25h"][..],
            "unhang: --for: must be at most 1d, got \"25h\"; nothing was paused\n",
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
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (paused): paused by the file */deploying; next restart possible *"]);
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
    scene.tick().exits(1).logs(&["⏸️ app not restarted (paused): its answer says that it is in maintenance"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]);
    scene.run(&["status"]).ends(0).prints("app  held (paused)  0/2  HTTP 503 (maintenance)  *\n", "");
    scene.run(&["check"]).ends(1).prints("UNHANG WARNING - app*HTTP 503*maintenance*\n", "");
    scene.server.answers(&[Answer::Status(503)]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 503) - Failure 1/2"]);
}

pub(crate) fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(10));
    }
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
    scene.ran(output).ends(125).prints("", &format!("unhang: app: {none} touch was not started\n"));
    assert!(!touched.exists());
    assert!(root(&["umount", "-l"]));
}

/// In a name space of its own, where /var/lib/dpkg is a folder of the scene: nobody else's apt waits for us.
/// Only root can make one, and only where there is dpkg.
#[test]
fn while_dpkg_is_at_work_everything_is_held() {
    if !needs::has_program("python3") {
        return;
    }
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
        .logs(&["⏸️ app not restarted (paused): paused while dpkg or apt is running"]);
    scene
        .ran(elsewhere(&["status"]))
        .ends(0)
        .prints("app  held (paused)*paused while dpkg or apt is running*\n", "");
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
    let run = fs::File::create(scene.path("state/app.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&run).unwrap();
    let began = Instant::now();
    let spawn = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pause = spawn(scene.command(&["pause", "app"]));
    let touched = scene.path("touched");
    let mut command = scene.command(&["paused", "app"]);
    command.args(["--", "touch"]).arg(&touched);
    let paused = spawn(command);
    let paused_but =
        "unhang: app: paused, but a run that began before may still restart it; see unhang status\n";
    let why = "unhang: app: a run that began before the pause may still restart it;";
    scene
        .ran(pause.wait_with_output().unwrap())
        .ends(1)
        .prints("app: no restarts until *\n", paused_but)
        .logs(&["⏸️ app paused until *"]);
    scene
        .ran(paused.wait_with_output().unwrap())
        .ends(125)
        .prints("", &format!("{why} touch was not started\n"));
    assert!(began.elapsed() >= Duration::from_secs(40) && !touched.exists());
}

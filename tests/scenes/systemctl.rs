//! A systemctl that is not what it should be: missing, killed, talkative, mad. Whatever it does, the tick
//! ends in time, and nothing is restarted on what is not understood.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::harness::{Answer, RESTARTS, Scene, unit};

/// Due with the next counted failure.
fn failed_once() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["*Failure 1/2"]);
    scene.pass(120);
    scene
}

/// Then systemctl is well again, and the count goes on where it was.
#[track_caller]
fn heals_when_systemctl_is_well(scene: &Scene) {
    assert_eq!(scene.state()["streak"], 1, "a doubt neither counts nor resets");
    scene.pass(120);
    scene.on_restart(&format!("{RESTARTS}; exit 0"));
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene.tick().exits(0).logs(&["*Failure 2/2", "🔄*", "✅*"]).acts(&["reset-failed *", "restart *"]);
}

#[test]
fn what_it_shows_badly_is_not_judged() {
    for (first, told) in [
        ("exit 1", "unit_unknown): systemctl show: exit status: 1"),
        ("kill -9 $$", "unit_unknown): systemctl show: signal: 9 (SIGKILL)"),
        // What it had said by then may lack the line that matters.
        (
            r#"[ "$1" = show ] && { head -c 300 "$units/app.service"; kill -9 $$; }"#,
            "unit_unknown): *signal: 9*",
        ),
        ("[ $1 = show ] && exit 0", "unit_unknown): systemctl show left the unit out"),
        (
            "[ $1 = show ] && { echo Id=other.service; echo ActiveState=active; exit; }",
            "unit_unknown): *left the unit out",
        ),
        ("[ $1 = show ] && { echo Id=app.service; exit; }", "unit_unknown): *left the unit out"),
        ("head -c 100000 /dev/urandom; exit", "unit_unknown): systemctl show left the unit out"),
        ("yes | head -c 10000000; exit", "unit_unknown): systemctl show said more than it can have to say"),
        (
            r#"[ "$1" = show ] && { cat "$units/app.service"; yes X=y | head -c 10000000; exit; }"#,
            "unit_unknown): *more than*",
        ),
        (
            "echo 'Failed to connect to bus: Connection refused' >&2; exit 1",
            "unit_unknown): Failed to connect to bus: *",
        ),
        ("printf 'a\\033[31mb\\nnot this' >&2; exit 1", "unit_unknown): a\\u{1b}[31mb"),
        (
            "echo 'System has not been booted with systemd as init system' >&2; exit 1",
            "no_systemd): System has not *",
        ),
    ] {
        let scene = failed_once();
        scene.systemctl("", first);
        let began = Instant::now();
        scene.tick().exits(1).logs(&[&format!("❓ app not judged ({told}")]).acts(&[]);
        assert!(began.elapsed() < Duration::from_secs(6), "{first}: {:?}", began.elapsed());
        heals_when_systemctl_is_well(&scene);
    }
}

#[test]
fn without_a_systemctl_that_can_be_started_nothing_is_judged() {
    let scene = failed_once();
    let bin = scene.path("bin");
    scene.env("PATH", &bin.display().to_string());
    fs::set_permissions(scene.path("bin/systemctl"), fs::Permissions::from_mode(0o644)).unwrap();
    scene
        .tick()
        .exits(1)
        .logs(&["❓ app not judged (unit_unknown): systemctl cannot be started: Permission denied"]);
    fs::write(scene.path("bin/systemctl"), "no program").unwrap();
    fs::set_permissions(scene.path("bin/systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    scene.tick().exits(1).logs(&[]);
    fs::remove_file(scene.path("bin/systemctl")).unwrap();
    scene.tick().exits(1).logs(&["❓ app not judged (no_systemd): no systemctl in PATH"]);
    assert_eq!(scene.state()["streak"], 1);
}

/// A newer systemd may have words that we do not know: hands off.
#[test]
fn states_that_nobody_knows_hold_the_restart() {
    for (change, held) in [
        (("ActiveState", "banana"), "unit_busy"),
        (("ActiveState", ""), "unit_busy"),
        (("LoadState", "banana"), "not_startable"),
        (("CanStart", "no"), "not_startable"),
        (("CanStop", "no"), "not_startable"),
        (("FreezerState", "banana"), "frozen"),
        (("Job", "0 banana"), "unit_busy"),
    ] {
        let scene = failed_once();
        scene.unit("app.service", &unit(&[change]));
        scene.tick().exits(1).logs(&[&format!("⏸️ app not restarted ({held}): *")]).acts(&[]);
    }
}

#[test]
fn numbers_that_are_none_change_nothing_for_the_worse() {
    for change in [
        ("NRestarts", "-1"),
        ("NRestarts", "99999999999999999999"),
        ("TimeoutStopUSec", "soon"),
        ("InvocationID", ""),
    ] {
        let scene = failed_once();
        scene.unit("app.service", &unit(&[change]));
        let ran = scene.tick().ends_anyhow().acts(&["*"]);
        assert!(ran.only_restarts() <= 1, "{change:?}");
        drop(ran.logs(&["*"]));
    }
}

#[test]
fn what_becomes_of_a_restart_is_seen_and_not_believed() {
    for (restart, line) in [
        // It did what it should, and died of something else.
        (format!("{RESTARTS}; kill -9 $$"), "✅ app restarted successfully: *"),
        (format!("{RESTARTS}; yes | head -c 10000000; exit 7"), "✅ app restarted successfully: *"),
        (format!("{RESTARTS}; yes E | head -c 10000000 >&2; exit 1"), "✅ app restarted successfully: *"),
        // It said that all is well, or nothing, and did nothing.
        ("exit 0".to_owned(), "❌ app restart failed (HTTP 502): app.service was not restarted"),
        (
            "kill -9 $$".to_owned(),
            "❌ app restart failed (HTTP 502): app.service was not restarted: signal: 9 (SIGKILL)",
        ),
        ("rm \"$0\"; exit 1".to_owned(), "⏳ app restart not verified yet: *"),
    ] {
        let scene = failed_once();
        scene.on_restart(&restart);
        let answers = if line.starts_with('✅') { 200 } else { 502 };
        scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(answers)]);
        if restart.starts_with("rm") {
            scene.env("PATH", &format!("{}:/usr/bin:/bin", scene.path("bin").display()));
        }
        scene.tick().exits(i32::from(answers != 200)).logs(&["*", "🔄*", line]).acts(&["*"]);
    }
}

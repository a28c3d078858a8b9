//! contrib/monitor_django.sh in place of the script it replaces.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::harness::{Answer, RESTARTS, Ran, Scene, unit};

/// The drop-in as installed, but for the port and the place of its log.
fn installed() -> Scene {
    let scene = Scene::new();
    let script =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/monitor_django.sh")).unwrap();
    let script = script
        .replace("http://localhost:8000/health/", &scene.server.url())
        .replace("/var/log/roams-django-monitor.log", &scene.path("app.log").display().to_string());
    scene.executable("monitor_django.sh", &script);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_unhang"), scene.path("bin/unhang")).unwrap();
    scene.unit(
        "roams-django.service",
        &unit(&[("Id", "roams-django.service"), ("Names", "roams-django.service")]),
    );
    for (name, value) in [("VERIFY", "10ms"), ("GRACE", "10ms"), ("MIN_GAP", "0s"), ("BOOT_GRACE", "0s")] {
        scene.env(&format!("UNHANG_{name}"), value);
    }
    let state = scene.path("state").display().to_string();
    scene.env("UNHANG_STATE_DIR", &state);
    scene
}

fn cron(scene: &Scene) -> Ran {
    scene.ran(scene.bare(&scene.path("monitor_django.sh")).output().unwrap())
}

/// Runs of cron that both scripts act alike on: what the service answers, and after a restart.
#[derive(Debug, Clone, Copy)]
enum Stretch {
    Healthy,
    /// One failure, then healthy.
    Blip(u16),
    /// Two failures, and the restart helps.
    Healed(u16),
    /// Two failures, the restart does not help, and later it is healthy.
    NotHealed(u16),
}

/// What monitor_django.sh was seen to write, without its times: its counter, and one probe after a restart.
fn old_lines(stretches: &[Stretch]) -> Vec<String> {
    let mut lines = Vec::new();
    for stretch in stretches {
        let failed =
            |n: u32, code: u16| format!("⚠️ Django health check failed (HTTP {code:03}) - Failure {n}/2");
        let restarting = || "🔄 Restarting Django service...".to_owned();
        let recovered = |n: u32| format!("✅ Django recovered (was {n} failures)");
        match *stretch {
            Stretch::Healthy => {}
            Stretch::Blip(code) => lines.extend([failed(1, code), recovered(1)]),
            Stretch::Healed(code) => lines.extend([
                failed(1, code),
                failed(2, code),
                restarting(),
                "✅ Django restarted successfully".to_owned(),
            ]),
            Stretch::NotHealed(code) => lines.extend([
                failed(1, code),
                failed(2, code),
                restarting(),
                format!("❌ Django restart failed (HTTP {code:03})"),
                recovered(2),
            ]),
        }
    }
    lines
}

fn new_lines(scene: &Scene, stretches: &[Stretch]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tick = |answers: Vec<Answer>| {
        scene.server.answers(&answers);
        let ran = cron(scene);
        assert_eq!(String::from_utf8_lossy(&ran.output.stderr), "");
        lines.extend(ran.log.clone());
        ran.logs(&["*"]).acts(&["*"]);
    };
    let (ok, status) = (|| Answer::Status(200), Answer::Status);
    for stretch in stretches {
        // Of what was never healthy and answers, the old script knew nothing: it restarted.
        tick(vec![ok()]);
        match *stretch {
            Stretch::Healthy => {}
            Stretch::Blip(code) => {
                tick(vec![status(code)]);
                tick(vec![ok()]);
            }
            Stretch::Healed(code) => {
                tick(vec![status(code)]);
                tick(vec![status(code), status(code), ok()]);
            }
            Stretch::NotHealed(code) => {
                tick(vec![status(code)]);
                tick(vec![status(code)]);
                tick(vec![ok()]);
            }
        }
        // So far apart that no backoff and no budget of one stretch reaches into the next.
        let _ = fs::remove_file(scene.path("state/roams-django.json"));
    }
    lines
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let code = prop_oneof![Just(500_u16), Just(502), Just(503), Just(404), Just(301), Just(204)];
    (0..4, code).prop_map(|(kind, code)| match kind {
        0 => Stretch::Healthy,
        1 => Stretch::Blip(code),
        2 => Stretch::Healed(code),
        _ => Stretch::NotHealed(code),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn the_log_lines_are_those_of_the_old_script(stretches in prop::collection::vec(stretch(), 1..6)) {
        let scene = installed();
        scene.on_restart(RESTARTS);
        let new = new_lines(&scene, &stretches);
        let old = old_lines(&stretches);
        prop_assert_eq!(new.len(), old.len(), "{:?}\n{:?}", new, old);
        for (new, old) in new.iter().zip(&old) {
            let same = new == old || new.strip_prefix(old.as_str()).is_some_and(|detail| detail.starts_with(": "));
            prop_assert!(same, "new {:?}, old {:?}", new, old);
        }
    }
}

#[test]
fn it_is_silent_when_healthy_and_exits_with_the_code_of_the_run() {
    let scene = installed();
    cron(&scene).exits(0);
    scene.server.answers(&[Answer::Close]);
    cron(&scene).exits(1).logs(&[
        "⚠️ Django health check failed (HTTP 000) - Failure 1/2: connection closed without an answer",
    ]);
    let line = fs::read_to_string(scene.path("app.log")).unwrap();
    let (date, _) = line.split_once(" - ").unwrap();
    assert!(chrono::NaiveDateTime::parse_from_str(date, "%Y-%m-%d %H:%M:%S").is_ok(), "{line}");
}

#[test]
fn changing_max_failures_at_its_top_still_works() {
    let scene = installed();
    let script = fs::read_to_string(scene.path("monitor_django.sh")).unwrap();
    assert!(script.contains("\nMAX_FAILURES=2\n"));
    scene.executable("monitor_django.sh", &script.replace("\nMAX_FAILURES=2\n", "\nMAX_FAILURES=3\n"));
    scene.server.answers(&[Answer::Status(502)]);
    cron(&scene).exits(1).logs(&["⚠️*1/3"]);
    cron(&scene).exits(1).logs(&["⚠️*2/3"]);
    cron(&scene)
        .exits(1)
        .logs(&["⚠️*3/3", "🔄*", "❌*"])
        .acts(&["reset-failed roams-django.service", "restart roams-django.service"]);
}

#[test]
fn the_command_behind_paused_gets_its_own_words_and_no_others() {
    let scene = installed();
    scene.executable("deploy.sh", "#!/bin/sh\necho deploys \"$@\"\n");
    let mut command = scene.bare(&scene.path("monitor_django.sh"));
    command.args(["paused", "roams-django", "--for", "20m", "--"]).arg(scene.path("deploy.sh")).arg("now");
    scene
        .ran(command.output().unwrap())
        .ends(0)
        .prints("deploys now\n", "")
        .logs(&["⏸️ Django paused until *", "▶️ Django resumed: *"]);
}

#[test]
fn nothing_is_kept_in_tmp_any_more() {
    let scene = installed();
    scene.server.answers(&[Answer::Status(502)]);
    cron(&scene).exits(1).logs(&["*"]);
    assert!(scene.path("state/roams-django.json").exists());
    let script = fs::read_to_string(scene.path("monitor_django.sh")).unwrap();
    let uses = script.lines().filter(|line| line.contains("FAILURE_COUNT_FILE")).count();
    assert_eq!(uses, 1, "it stands there, and is not used");
}

#[test]
fn without_unhang_it_says_so() {
    let scene = installed();
    fs::remove_file(scene.path("bin/unhang")).unwrap();
    let ran = cron(&scene);
    // Unless one is installed on this machine.
    if ran.output.status.code() == Some(127) {
        ran.prints("", "*monitor_django.sh: unhang is not installed in *; nothing was probed\n");
    } else {
        ran.prints("*", "*").logs(&["*"]);
    }
}

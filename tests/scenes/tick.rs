//! One tick after another.

use std::io::Write;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::harness::{Answer, RESTARTS, Scene, unit};

const LOOK: &str = "show app.service shutdown.target";

fn failing() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene
}

/// One failure, two minutes ago.
fn failed_once() -> Scene {
    let scene = failing();
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]).calls(&[LOOK]);
    scene.pass(120);
    scene
}

#[test]
fn a_healthy_service_is_silent_and_costs_no_child_and_no_write() {
    let scene = Scene::new();
    // Once for each boot, to tell of a unit that is gone before it is needed.
    scene.tick().exits(0).logs(&[]).calls(&[LOOK]);
    let written = scene.path("state/app.json").metadata().unwrap().modified().unwrap();
    let stamped = || scene.path("state/app.lock").metadata().unwrap().modified().unwrap();
    let before = stamped();
    scene.tick().exits(0).logs(&[]).calls(&[]);
    assert_eq!(scene.path("state/app.json").metadata().unwrap().modified().unwrap(), written);
    assert!(stamped() > before, "the lock's time is that of the last tick");
    assert_eq!(scene.server.requests().len(), 2);
}

#[test]
fn the_second_failure_in_a_row_restarts_and_proves_it() {
    let scene = failed_once();
    scene.server.answers(&[
        Answer::Status(502),
        Answer::Status(502),
        Answer::Status(503),
        Answer::Status(200),
    ]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (HTTP 502) - Failure 2/2",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: healthy after *",
        ])
        .calls(&[LOOK, LOOK, "reset-failed app.service", "restart app.service", LOOK, LOOK, LOOK]);
    scene.tick().exits(0).logs(&[]).calls(&[]);
    assert_eq!(scene.state()["restarts"][0]["outcome"], "healed");
    assert_eq!(scene.state()["intent"], serde_json::Value::Null);
}

/// The rest of `verify` would be lost, and all other services wait with it.
#[test]
fn a_unit_that_dies_after_its_restart_is_not_waited_for() {
    let scene = failed_once();
    scene.keys("verify = \"60s\"").server.answers(&[Answer::Status(502)]);
    let dies =
        r#"(sleep 1; sed -i "s/^ActiveState=.*/ActiveState=failed/" "$units/$unit") >/dev/null 2>&1 &"#;
    scene.on_restart(&format!("{RESTARTS}\n{dies}"));
    let began = Instant::now();
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⚠️*2/2",
            "🔄 Restarting app service...",
            "❌ app restart failed (HTTP 502): app.service is down",
        ])
        .acts(&["reset-failed app.service", "restart app.service"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

/// Here systemd is slow to answer, elsewhere the disk that the intent is written to.
#[test]
fn a_second_look_that_has_grown_old_is_taken_again() {
    let scene = failed_once();
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    let slow = r#"case "$*" in *show*) echo >>"$ledger.shows"; [ "$(wc -l <"$ledger.shows")" != 2 ] || sleep 4;; esac"#;
    scene.systemctl(r#"echo "restart $unit" >>"$ledger""#, slow);
    scene
        .tick()
        .exits(0)
        .logs(&["⚠️*2/2", "✅ app recovered (was 2 failures): it answered just before the restart"])
        .acts(&[]);
}

/// Ctrl-S, a pager, a pipe that nobody empties.
#[test]
fn a_reader_of_stderr_that_does_not_read_holds_nothing_up() {
    let scene = failed_once();
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    let (_unread, mut full) = std::io::pipe().unwrap();
    full.write_all(&vec![b'.'; 65_536]).unwrap();
    let began = Instant::now();
    let status = scene.command(&["run", "-v"]).stderr(full).status().unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    scene
        .ran(Output { status, stdout: Vec::new(), stderr: Vec::new() })
        .exits(0)
        .logs(&["⚠️*2/2", "🔄 Restarting app service...", "✅ app restarted successfully: healthy after *"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_failure_between_healthy_answers_is_forgiven_and_told() {
    let scene = failed_once();
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app recovered (was 1 failures)"]).calls(&[]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(500)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 500) - Failure 1/2"]).calls(&[LOOK]);
}

#[test]
fn it_is_probed_once_more_right_before_the_restart() {
    let scene = failed_once();
    scene.server.answers(&[Answer::Status(502), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (HTTP 502) - Failure 2/2",
            "✅ app recovered (was 2 failures): it answered just before the restart",
        ])
        .acts(&[]);
}

#[test]
fn who_stops_it_between_the_two_looks_is_respected() {
    let scene = failed_once();
    // The second `show` of this tick finds it stopped.
    let stopped = unit(crate::harness::STOPPED);
    let marker = scene.path("marker");
    let stop = format!(
        "if [ \"$1\" = show ]; then if [ -e {0} ]; then cat >\"$units/app.service\" <<'X'\n{stopped}X\nfi; : >{0}; fi",
        marker.display()
    );
    scene.systemctl("echo restarted >>\"$ledger\"", &stop);
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⚠️ app health check failed (HTTP 502) - Failure 2/2",
            "⏸️ app not restarted (changed_meanwhile): something changed just before the restart: stopped",
        ])
        .acts(&[]);
    assert_eq!(scene.state()["streak"], 0);
}

#[test]
fn a_restart_that_does_not_help_says_so_and_the_count_goes_on() {
    let scene = failed_once();
    let acts = &["reset-failed app.service", "restart app.service"];
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⚠️ app health check failed (HTTP 502) - Failure 2/2",
            "🔄 Restarting app service...",
            "❌ app restart failed (HTTP 502): still failing 1* s after the restart",
        ])
        .acts(acts);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 502) - Failure 3/2: 1 of 2 since the restart at *"])
        .acts(&[]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app recovered (was 3 failures)"]).acts(&[]);
}

#[test]
fn an_answer_of_systemctl_is_not_the_outcome() {
    // As after a daemon-reexec: exit status 1, and restarted all the same.
    let scene = failed_once();
    scene.on_restart(&format!("{RESTARTS}; echo 'Connection reset by peer' >&2; exit 1"));
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene.tick().exits(0).logs(&["*", "🔄*", "✅ app restarted successfully: *"]).acts(&["reset-failed*"]);
    // As with SYSTEMD_OFFLINE: exit status 0, and nothing done.
    let scene = failed_once();
    scene.on_restart("exit 0");
    scene
        .tick()
        .exits(1)
        .logs(&["*", "🔄*", "❌ app restart failed (HTTP 502): app.service was not restarted"])
        .acts(&["*"]);
    // Whom systemd asks about rights cannot be asked.
    let scene = failed_once();
    scene.on_restart("echo 'Failed to restart app.service: Unit polkit.service is masked.' >&2; exit 1");
    scene
        .tick()
        .exits(1)
        .logs(&["*", "🔄*", "❌ app restart failed (HTTP 502): app.service was not restarted: Failed to restart app.service: Unit polkit.service is masked"])
        .acts(&["*"]);
}

#[test]
fn a_unit_that_is_down_after_the_restart_is_not_waited_for() {
    let scene = failed_once();
    scene.on_restart(
        "sed -i 's/^InvocationID=.*/InvocationID=dead/; s/^ActiveState=.*/ActiveState=failed/; s/^Result=.*/Result=exit-code/' \"$units/$unit\"; echo 'Job for app.service failed.' >&2; exit 1",
    );
    let line = "❌ app restart failed (HTTP 502): app.service is down: Job for app.service failed";
    scene.tick().exits(1).logs(&["*", "🔄*", line]).acts(&["*"]);
}

#[test]
fn somebody_elses_job_wins() {
    for words in [
        "Transaction for app.service/restart is destructive (app.service has 'stop' job queued)",
        "Job for app.service canceled.",
    ] {
        let scene = failed_once();
        scene.on_restart(&format!("echo \"{words}\" >&2; exit 4"));
        let line = format!(
            "⏸️ app not restarted (unit_busy): another systemd job was first: {}",
            words.trim_end_matches('.')
        );
        scene.tick().exits(1).logs(&["*", "🔄*", &line]).acts(&["*"]);
        assert_eq!(
            (scene.state()["reason"].as_str(), scene.state()["streak"].as_u64()),
            (Some("unit_busy"), Some(0))
        );
        assert_eq!(scene.state()["backoff"], serde_json::Value::Null);
    }
}

#[test]
fn a_restart_that_outlives_the_wait_is_closed_by_the_next_tick() {
    let scene = failed_once();
    scene.unit("app.service", &unit(&[("TimeoutStopUSec", "50ms"), ("TimeoutStartUSec", "50ms")]));
    scene.on_restart("exec sleep 30");
    scene
        .tick()
        .exits(1)
        .logs(&[
            "*",
            "🔄*",
            "⏳ app restart still running: systemd is still stopping the unit (up to *); the next run checks again",
        ])
        .acts(&["reset-failed app.service", "restart app.service"]);
    // While systemd is at it, nothing is done.
    scene.pass(120);
    scene.unit("app.service", &unit(&[("ActiveState", "deactivating"), ("Job", "77")]));
    scene.tick().exits(1).logs(&["⏸️ app not restarted (unit_busy): *"]).acts(&[]);
    scene.pass(120);
    scene.unit("app.service", &unit(&[("InvocationID", "bbbb")]));
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app restarted successfully: healthy after *"]).acts(&[]);
    scene.pass(120);
    scene.tick().exits(0).logs(&[]).calls(&[]);
}

#[test]
fn mode_observe_does_everything_but_the_restart() {
    let scene = Scene::new();
    scene.keys("mode = \"observe\"").server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]).acts(&[]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2", "⏸️ app not restarted (observe): mode = \"observe\": it would be restarted now"])
        .acts(&[]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]).acts(&[]);
}

#[test]
fn a_recovery_needs_min_successes_in_a_row() {
    let scene = Scene::new();
    scene.keys("min_successes = 2").server.answers(&[Answer::Status(502), Answer::Status(200)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.tick().exits(0).logs(&[]);
    scene.tick().exits(0).logs(&["✅ app recovered (was 1 failures)"]);
}

#[test]
fn verbose_copies_the_log_lines_to_stderr() {
    let scene = failing();
    scene
        .run(&["run", "-v"])
        .ends(1)
        .prints("", "20* - ⚠️ app health check failed (HTTP 502) - Failure 1/2\n")
        .logs(&["⚠️*1/2"]);
}

#[test]
fn a_rehearsal_says_what_a_run_would_do_and_leaves_no_trace() {
    let scene = failed_once();
    let before = scene.state();
    let line = "app: restart (max_failures): HTTP 502; streak 2/2; it would be restarted now\n";
    scene.run(&["run", "--dry-run"]).ends(1).prints(line, "").logs(&[]).calls(&[LOOK]);
    assert_eq!(scene.state(), before);
    let scene = Scene::new();
    std::fs::remove_dir(scene.path("state")).unwrap();
    scene.run(&["run", "--dry-run"]).ends(0).prints("app: healthy (ok)\n", "").logs(&[]);
    assert!(!scene.path("state").exists());
}

#[test]
fn a_unit_that_is_gone_is_told_while_all_is_well() {
    let scene = Scene::new();
    scene.unit("app.service", &unit(&[("LoadState", "not-found"), ("CanStart", "no")]));
    scene
        .tick()
        .ends(0)
        .prints("", "unhang: app: answers, but systemd knows no app.service; a restart would fail\n")
        .logs(&["⏸️ app could not be restarted (not_found): systemd knows no app.service"]);
    scene.tick().exits(0).logs(&[]).calls(&[]);
}

#[test]
fn systemctl_gets_nothing_of_the_environment_but_the_path() {
    let scene = failed_once();
    scene.env("SYSTEMD_OFFLINE", "1").env("SYSTEMD_COLORS", "1").env("LC_ALL", "de_DE.UTF-8");
    scene.systemctl(
        &format!("echo \"restart $unit\" >>\"$ledger\"; {RESTARTS}"),
        "[ \"$SYSTEMD_OFFLINE$SYSTEMD_COLORS$LC_ALL\" = C ] || echo leaked >>\"$ledger\"",
    );
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&["*", "🔄*", "✅*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_service_that_answers_again_without_having_been_restarted_is_no_proof() {
    // A job that was queued, and is gone: the old life answers.
    let scene = failed_once();
    let looks = scene.path("looks").display().to_string();
    scene.systemctl(
        &format!("echo \"restart $unit\" >>\"$ledger\"; echo 0 >{looks}; sed -i 's/^Job=.*/Job=7/' \"$units/$unit\""),
        &format!(
            "if [ \"$1\" = show ] && [ -e {looks} ]; then n=$(cat {looks}); echo $((n + 1)) >{looks}; \
             [ $n -lt 1 ] || sed -i 's/^Job=.*/Job=/' \"$units/app.service\"; fi"
        ),
    );
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    let line = "❌ app restart failed (HTTP 502): app.service was not restarted";
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2", "🔄*", line])
        .acts(&["reset-failed app.service", "restart app.service"]);
    scene.pass(120);
    scene.tick().exits(0).logs(&["✅ app recovered (was 2 failures)"]);
}

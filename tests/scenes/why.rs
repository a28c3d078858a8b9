//! `why` and `check -v` speak of what holds now, and after a pause, an observation, a resume and a stop.

use crate::harness::{Answer, STOPPED, Scene, unit};

/// So many ticks found it failing; with `max_failures` of 2, the second one restarts it in vain.
fn failed(ticks: usize) -> Scene {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.server.answers(&[Answer::Status(502)]);
    for tick in 0..ticks {
        scene.tick().exits(1).logs(&["*"]).acts(if tick < 1 { &[] } else { &["*"] });
        scene.pass(120);
    }
    scene
}

#[track_caller]
fn why(scene: &Scene, held: &str, earliest: &str) {
    let expected = format!("app: *\ncounted: *\nheld by: {held}; *\nnext restart: {earliest}\n");
    scene.run(&["why", "app"]).ends(0).prints(&expected, "");
}

#[track_caller]
fn check(scene: &Scene, code: i32, restart: &str) {
    scene.run(&["check", "-v", "app"]).ends(code).prints(&format!("*app: a restart: {restart}\n*"), "");
}

#[test]
fn a_pause_holds_what_is_healthy_too() {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.run(&["pause", "app", "--for", "2h"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    check(&scene, 0, "held (paused): paused by *; next restart possible *, after a full count");
    why(&scene, "paused by *, until *", "when the pause has ended, after 2 counted failures in a row");
    scene.run(&["resume", "app"]).ends(0).prints("*", "").logs(&["▶️*"]);
    check(&scene, 0, "allowed*");
    why(&scene, "nothing", "after 2 counted failures in a row");
}

#[test]
fn what_failed_before_a_pause_counts_no_more_while_it_lasts_and_after_it() {
    let scene = failed(1);
    why(&scene, "nothing", "after 1 more counted failure");
    scene.run(&["pause", "app"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    why(&scene, "paused by *", "when the pause has ended, after 2 counted failures in a row");
    scene.tick().exits(1).logs(&["⏸️ app not restarted (paused): *, after a full count"]);
    scene.run(&["resume", "app"]).ends(0).prints("*", "").logs(&["▶️*"]);
    why(&scene, "nothing any more (paused at the last run)", "after 2 counted failures in a row");
    // No run has come in between.
    let scene = failed(1);
    scene.run(&["pause", "app"]).ends(0).prints("*", "").logs(&["⏸️*"]);
    scene.run(&["resume", "app"]).ends(0).prints("*", "").logs(&["▶️*"]);
    why(&scene, "nothing", "after 2 counted failures in a row");
}

#[test]
fn a_unit_that_somebody_stopped_waits_for_no_backoff_but_for_its_start() {
    let scene = failed(2);
    scene.keys("backoff = { first = \"30m\" }");
    why(&scene, "backoff (*)", "not before *, after 2 counted failures in a row");
    let now = std::fs::read_to_string(scene.path("units/app.service")).unwrap();
    let id = now.lines().find_map(|line| line.strip_prefix("InvocationID=")).unwrap();
    scene.unit("app.service", &unit(&[STOPPED, &[("InvocationID", id)]].concat()));
    scene.tick().exits(1).logs(&["⏸️ app not restarted (stopped)*"]);
    let stopped = "stopped (a person stopped app.service*)";
    why(&scene, stopped, "when that has ended, after 2 counted failures in a row, not before *");
    scene.pass(3_600);
    scene.tick().exits(1).logs(&["⏸️*"]);
    why(&scene, stopped, "when that has ended, after 2 counted failures in a row");
}

#[test]
fn what_is_observed_no_more_is_due() {
    let scene = failed(1);
    scene.keys("mode = \"observe\"");
    why(&scene, "observe (mode is observe)", "never: mode is observe");
    scene.tick().exits(1).logs(&["⚠️*", "⏸️ app not restarted (observe)*"]);
    why(&scene, "observe (*)", "never: mode is observe");
    scene.keys("mode = \"act\"");
    why(&scene, "nothing any more (observe at the last run)", "at the next failed run");
    scene.keys("restart = []");
    why(&scene, "probe_only (nothing restarts it*)", "never: nothing restarts it");
}

#[test]
fn a_wait_that_is_over_holds_no_more() {
    let scene = failed(2);
    scene.keys("grace = \"0s\"\nbackoff = { first = \"6m\" }");
    scene.tick().exits(1).logs(&["⚠️*"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*", "⏸️ app not restarted (backoff)*"]);
    why(&scene, "backoff (*)", "not before *, at the next failed run");
    scene.pass(300);
    why(&scene, "nothing any more (backoff at the last run)", "at the next failed run");
}

#[test]
fn so_many_more_are_missing_where_some_were_counted() {
    let scene = failed(1);
    for (most, earliest) in [
        (2, "after 1 more counted failure"),
        (3, "after 2 more counted failures"),
        (4, "after 3 more counted failures"),
    ] {
        scene.keys(&format!("max_failures = {most}"));
        why(&scene, "nothing", earliest);
    }
}

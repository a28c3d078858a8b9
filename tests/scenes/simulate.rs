//! `simulate`: the settings of a service, tried on a pattern of answers.

use std::fs;

use crate::harness::Scene;

const COURSE: &str = "\
app: a run every 2 min; max_failures 2, grace 1 s, verify 1 s, budget 5 in 1 h, backoff 2 min to 1 h

+0m to +2m    . 2 times  healthy (ok)
+4m           x          failing (counting)      failure 1 of 2
+6m           x          restart (max_failures)  1 of 5 in the budget; not healed
+8m           x          failing (counting)      failure 1 of 2
+10m          ?          unknown (unknown)       the probe could not run; that says nothing about the service
+12m          x          restart (max_failures)  2 of 5 in the budget; healed
+14m to +16m  . 2 times  healthy (ok)

runs:     9, the last at +16m
restarts: 2 (1 healed, 1 not healed)
failed:   6 min without a restart at the longest, +6m to +12m
budget:   2 of 5 spent within 1 h at the most
next:     after 2 more failures
";

#[test]
fn a_pattern_is_played_with_the_settings_of_the_service() {
    let scene = Scene::new();
    scene.run(&["simulate", "app", "--pattern", "..xxx?x.."]).ends(0).prints(COURSE, "");
    let slower = scene.run(&["simulate", "app", "--pattern", "xxxx", "--max-failures", "5"]);
    slower.ends(0).prints("*failures 1 to 4 of 5*restarts: none*after 1 more failure\n", "");
    scene.keys("max_failures = 1");
    scene.run(&["simulate", "app", "--pattern", "x"]).ends(0).prints("*+0m  x  restart (max_failures)*", "");
}

#[test]
fn a_simulation_probes_nothing_asks_nothing_and_writes_nothing() {
    let scene = Scene::new();
    scene.run(&["simulate", "app", "--pattern", "xxxxs?r."]).ends(0).prints("*", "").logs(&[]).calls(&[]);
    assert_eq!(scene.server.requests().len(), 0);
    assert_eq!(fs::read_dir(scene.path("state")).unwrap().count(), 0);
}

#[test]
fn what_is_remembered_changes_no_simulation() {
    let scene = Scene::new();
    fs::write(scene.path("state/app.json"), "{").unwrap();
    scene.run(&["simulate", "app", "--pattern", "..xxx?x.."]).ends(0).prints(COURSE, "");
    assert_eq!(fs::read_to_string(scene.path("state/app.json")).unwrap(), "{");
}

#[test]
fn a_sign_that_is_none_is_told_with_its_place() {
    let scene = Scene::new();
    let refused = scene.run(&["simulate", "app", "--pattern", "..x!x"]);
    refused.ends(2).prints("", "unhang: --pattern: no sign \"!\" (place 4); the signs are *\n");
}

#[test]
fn all_values_that_are_none_are_told_at_once() {
    let scene = Scene::new();
    let typed =
        ["simulate", "app", "--pattern", "x", "--every", "2", "--repeat", "-1", "--start-takes", "soon"];
    let told = "unhang: --repeat: *\nunhang: --every: *\nunhang: --start-takes: *\n";
    scene.run(&typed).ends(2).prints("", told);
}

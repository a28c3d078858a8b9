//! `unit = "redis.service"`: what systemd says of it.

use crate::harness::{Scene, unit};

fn with_redis(state: &[(&str, &str)]) -> Scene {
    let scene = Scene::new();
    scene.keys("[service.app.probe.redis]\nunit = \"redis.service\"");
    redis(&scene, state);
    scene
}

fn redis(scene: &Scene, state: &[(&str, &str)]) {
    let own = [("Id", "redis.service"), ("Names", "redis.service")];
    scene.unit("redis.service", &unit(&[&own, state].concat()));
}

#[test]
fn a_unit_that_is_not_active_counts_and_leads_to_a_restart() {
    let scene = with_redis(&[("SubState", "running")]);
    // As in [service.NAME]: without a suffix, a service is meant.
    scene.keys("[service.app.probe.redis]\nunit = \"redis\"");
    scene.tick().exits(0).calls(&["show redis.service", "show app.service shutdown.target"]);
    redis(&scene, &[("ActiveState", "failed"), ("SubState", "failed"), ("Result", "exit-code")]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (redis) - Failure 1/2: failed (exit-code)"]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_oneshot_that_a_timer_starts_is_well_when_it_ended_well() {
    let job = |state: &[(&'static str, &'static str)]| {
        [&[("Type", "oneshot"), ("SubState", "dead"), ("TriggeredBy", "redis.timer")], state].concat()
    };
    let scene = with_redis(&job(&[("ActiveState", "inactive")]));
    scene.tick().exits(0).logs(&[]).calls(&["show redis.service", "show app.service shutdown.target"]);
    redis(&scene, &job(&[("ActiveState", "failed"), ("Result", "exit-code")]));
    scene.tick().exits(1).logs(&["⚠️ app health check failed (redis) - Failure 1/2: failed (exit-code)"]);
}

#[test]
fn config_check_finds_a_unit_that_systemd_does_not_know() {
    let scene = with_redis(&[]);
    scene.run(&["config", "check"]).ends(0).prints("ok: *", "").acts(&[]);
    scene.keys("[service.app.probe.redis]\nunit = \"reddis\"");
    let told = "unhang: */unhang.toml:11: service.app.probe.redis.unit: the probe would fail in every run: \
                systemd knows no reddis.service; write its name; this lists them: \
                systemctl list-units --all --type=service\n";
    scene.run(&["config", "check"]).ends(2).prints("", told).acts(&[]);
}

#[test]
fn a_unit_that_starts_warns() {
    let scene = with_redis(&[("ActiveState", "activating"), ("SubState", "start-pre")]);
    scene.tick().exits(0).logs(&["⚠️ app warning: redis: activating (start-pre)"]);
    scene.run(&["check"]).ends(1).prints("UNHANG WARNING - app: *redis: activating (start-pre)*\n", "");
}

#[test]
fn a_unit_that_is_up_at_each_run_and_falls_between_them_is_seen() {
    let up = |restarts: &'static str| [("SubState", "running"), ("NRestarts", restarts)];
    let scene = with_redis(&up("4"));
    scene.tick().exits(0);
    redis(&scene, &up("5"));
    scene.pass(120);
    scene.tick().exits(0).logs(&["⚠️ app warning: redis: restarted once by systemd since the last run"]);
    redis(&scene, &up("19"));
    scene.pass(120);
    scene.tick().exits(1).logs(&[
        "⚠️ app health check failed (redis) - Failure 1/2: restarted 14 times by systemd since the last run",
        "✅ app warning cleared*",
    ]);
}

#[test]
fn what_systemd_does_not_say_of_a_unit_counts_for_nothing() {
    for (said, told) in [
        (
            "echo 'Failed to connect to bus: No such file or directory' >&2; exit 1",
            "*Failed to connect to bus: *",
        ),
        ("echo hello", "*systemctl show: not understood*"),
        ("printf 'LoadState=loaded\\nActiveState=new\\nSubState=x\\n'", "*ActiveState=new*"),
        ("sleep 60", "*no answer from systemctl within 500 ms*"),
    ] {
        let scene = with_redis(&[]);
        scene.keys("[service.app.probe.redis]\nunit = \"redis.service\"\ntimeout = \"500ms\"");
        scene.systemctl("", &format!("{said}; exit"));
        scene.tick().exits(1).logs(&[told]);
        scene.pass(120);
        scene.tick().exits(1).logs(&[]);
        assert_eq!(scene.state()["failures"], 0, "{said}");
    }
    let scene = with_redis(&[]);
    scene.no_systemctl().tick().exits(1).logs(&["*no systemctl in PATH*"]);
}

#[test]
fn what_names_no_single_unit_is_refused() {
    let scene = Scene::new();
    for (bad, why) in [
        ("re dis", "must be the name of a unit: *, got \"re dis\"; nothing was probed"),
        (
            "redis*.service",
            "must name one unit, got the pattern \"redis*.service\"; write a table for each unit",
        ),
        ("pg@.service", "must not be a template, got \"pg@.service\"; write an instance: pg@NAME.service"),
    ] {
        scene.keys(&format!("[service.app.probe.redis]\nunit = \"{bad}\""));
        scene.tick().ends(2).prints("", &format!("unhang: *redis.unit: {why}\n"));
    }
}

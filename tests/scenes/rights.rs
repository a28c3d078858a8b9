//! Without root: what systemd lets the user do that unhang runs as.

use crate::harness::{Answer, RESTARTS, Scene};

/// As measured on systemd 252, with polkit, without it, and with `sudo -n` in front of systemctl.
const REFUSALS: [(&str, u8); 3] =
    [("Interactive authentication required.", 1), ("Access denied", 4), ("sudo: a password is required", 1)];

fn failed_once() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene
}

#[test]
fn a_restart_that_systemd_forbids_is_told_once_and_is_none() {
    for (said, status) in REFUSALS {
        let scene = failed_once();
        let refuse =
            format!("case \"$1\" in reset-failed) echo \"Failed: {said}\" >&2; exit {status};; esac");
        scene.systemctl(RESTARTS, &refuse);
        scene.tick().exits(1).logs(&[
            "⚠️*2/2",
            "⏸️ app not restarted (not_permitted): user * may not restart app.service (Failed: *): *",
        ]);
        for _ in 0..8 {
            scene.pass(120);
            scene.tick().exits(1).logs(&[]).acts(&[]);
        }
        scene.run(&["why", "app"]).ends(0).prints(
            "app: held (not_permitted) since *\ncounted: 2 of 2 *\n\
             held by: not_permitted (no permission to restart it*); 0 of 5 restarts *\n\
             next restart: when that has ended, at the next failed run\n",
            "",
        );
        assert_eq!(scene.state()["restarts"].as_array().map(Vec::len), Some(0));
        // Now it may; nothing is left of the time before.
        scene.on_restart(RESTARTS);
        scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
        scene
            .tick()
            .exits(0)
            .logs(&["🔄 Restarting app service...", "✅ app restarted successfully: *"])
            .acts(&["reset-failed app.service", "restart app.service"]);
    }
}

#[test]
fn a_restart_that_is_forbidden_by_itself_is_none_either() {
    let scene = failed_once();
    scene.on_restart("echo 'Failed to restart app.service: Access denied' >&2; exit 4");
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2", "🔄*", "⏸️ app not restarted (not_permitted): *Access denied*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
    // It is asked for in each run, since it may be allowed meanwhile, and told once.
    for _ in 0..3 {
        scene.pass(120);
        scene.tick().exits(1).logs(&[]).acts(&["reset-failed app.service", "restart app.service"]);
    }
    assert_eq!(scene.state()["restarts"].as_array().map(Vec::len), Some(0));
    scene.pass(120);
    scene.on_restart(RESTARTS);
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&["🔄 Restarting app service...", "✅ app restarted successfully: *"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

/// What spends no budget would go on for ever.
#[test]
fn a_restart_that_took_place_counts_whatever_systemctl_says() {
    let scene = failed_once();
    scene.on_restart(&format!("{RESTARTS}; echo 'Access denied' >&2; exit 4"));
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2", "🔄*", "❌ app restart failed (HTTP 502): still failing *"])
        .acts(&["*"]);
    assert_eq!(scene.state()["restarts"].as_array().map(Vec::len), Some(1));
}

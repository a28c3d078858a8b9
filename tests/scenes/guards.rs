//! It never makes things worse, and says why it does nothing.

use std::fmt::Write;

use crate::harness::{Answer, RESTARTS, Scene, Server};
use crate::needs;

const RESTART: &[&str] = &["reset-failed app.service", "restart app.service"];

/// Due at the next failed tick; `proven`: it was healthy once.
fn due(proven: bool) -> Scene {
    let scene = Scene::new();
    scene.keys("grace = \"0s\"\nverify = \"10ms\"");
    if proven {
        scene.tick().exits(0);
    }
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene
}

#[test]
fn what_was_never_healthy_and_answers_gets_no_restart() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(404)]);
    scene.tick().exits(1).logs(&["⚠️*1/2: page not found*"]);
    scene.pass(120);
    let held = "⏸️ app not restarted (never_healthy): it has never been healthy with this configuration, and it answers, so nothing hangs; check url and status";
    scene.tick().exits(1).logs(&["⚠️*2/2*", held]).acts(&[]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]).acts(&[]);
    let why = "*\nheld by: never_healthy (it has never been healthy*\nnext restart: after it was healthy once, or when it does not answer at all\n";
    scene.run(&["why"]).ends(0).prints(why, "");
    scene.keys("timeout = \"300ms\"\ngrace = \"0s\"\nverify = \"10ms\"");
    scene.server.answers(&[Answer::Hang]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["🔄*", "❌*"]).acts(RESTART);
}

#[test]
fn what_was_never_healthy_as_it_is_asked_gets_one_restart() {
    let scene = due(false);
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", "❌*"]).acts(RESTART);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*3/2*"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[
        "⚠️*4/2*",
        "⏸️ app not restarted (never_healthy): it has never been healthy with this configuration, not even after a restart; check url and status",
    ]);
    // A person who knows better allows one more.
    scene.run(&["reset", "app"]).ends(0).prints("app: cleared*\n", "");
    for (logs, acts) in [(&["⚠️*"][..], &[][..]), (&["⚠️*", "🔄*", "❌*"], RESTART)] {
        scene.pass(120);
        scene.tick().exits(1).logs(logs).acts(acts);
    }
}

#[test]
fn a_page_that_is_not_there_is_not_restarted_for_again_and_again() {
    let scene = due(true);
    scene.server.answers(&[Answer::Status(404)]);
    scene.tick().exits(1).logs(&["⚠️*2/2*", "🔄*", "❌*"]).acts(RESTART);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*3/2*"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[
        "⚠️*4/2*",
        "⏸️ app not restarted (same_answer): it answers 404, the same as before the last restart; check url",
    ]);
    scene.server.answers(&[Answer::Status(502)]);
    scene.pass(240);
    scene.tick().exits(1).logs(&["🔄*", "❌*"]).acts(RESTART);
}

#[test]
fn that_restarting_does_not_help_is_said_once_and_loudly() {
    let scene = due(true);
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", "❌*"]).acts(RESTART);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*3/2*"]);
    scene.pass(120);
    scene
        .tick()
        .ends(1)
        .prints("", "unhang: app: restarting does not help, twice in a row; look at the service itself\n")
        .logs(&["⚠️*4/2*", "🔄*", "❌*", "❌ app restarting does not help: status 502 before and after two restarts in a row; next restart in 1 h at the earliest"])
        .acts(RESTART);
    for logs in [&["⚠️*5/2*"][..], &["⚠️*6/2*", "⏸️ app not restarted (backoff): *"], &[]] {
        scene.pass(120);
        scene.tick().exits(1).logs(logs);
    }
    // It heals after all: all is forgotten.
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅*"]);
}

#[test]
fn a_service_that_comes_and_goes_is_told_to_flap() {
    let scene = Scene::new();
    scene.keys("flapping = { failures = 3, of = 6 }");
    for (status, logs) in [
        (502, &["⚠️*1/2"][..]),
        (200, &["✅*"]),
        (502, &["⚠️*1/2"]),
        (200, &["✅*"]),
        (
            502,
            &[
                "⚠️*1/2",
                "⚠️ app is flapping: 3 of the last 6 runs failed; only reported; flapping.restart = true would restart it",
            ],
        ),
        (200, &["✅*"]),
        (502, &["⚠️*1/2"]),
    ] {
        scene.server.answers(&[Answer::Status(status)]);
        scene.tick().exits(i32::from(status != 200)).logs(logs);
        scene.pass(120);
    }
    scene
        .run(&["why"])
        .ends(0)
        .prints("*; flapping: 3 of the last 6 runs failed (flapping.restart = true would restart it)\n*", "");
}

#[test]
fn a_service_that_flaps_is_restarted_if_that_is_wanted() {
    let scene = Scene::new();
    scene.keys("flapping = { failures = 3, of = 6, restart = true }").on_restart(RESTARTS);
    for status in [502, 200, 502, 200] {
        scene.server.answers(&[Answer::Status(status)]);
        scene.tick().exits(i32::from(status != 200)).logs(&["*"]);
        scene.pass(120);
    }
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️*1/2",
            "⚠️ app is flapping: 3 of the last 6 runs failed; a restart is now due (flapping.restart)",
            "🔄*",
            "✅*",
        ])
        .acts(RESTART);
}

/// Services of one plan, each with a unit and a server of its own, and one log.
fn many(scene: &Scene, names: &[&str], host: &str) -> Vec<Server> {
    let mut text =
        format!("[host]\nboot_grace = \"0s\"\n{host}\n[defaults]\nverify = \"10ms\"\ngrace = \"0s\"\n");
    let log = scene.path("app.log");
    let servers: Vec<Server> = names.iter().map(|_| Server::start()).collect();
    for (name, server) in names.iter().zip(&servers) {
        let unit = format!("{name}.service");
        scene.unit(&unit, &crate::harness::unit(&[("Id", &unit), ("Names", &unit)]));
        let (url, log) = (server.url(), log.display());
        let _ = writeln!(text, "[service.\"{name}\"]\nurl = \"{url}\"\nlog_file = \"{log}\"");
    }
    scene.config(&text);
    servers
}

fn all_answer(servers: &[Server], status: u16) {
    for server in servers {
        server.answers(&[Answer::Status(status)]);
    }
}

#[test]
fn services_that_fall_at_once_are_one_incident_and_share_a_budget() {
    let scene = Scene::new();
    let servers = many(&scene, &["a", "b", "c", "d"], "budget = { restarts = 2, window = \"1h\" }");
    scene.tick().exits(0);
    all_answer(&servers, 502);
    scene.tick().exits(1).logs(&[
        "⚠️ a health check failed*",
        "⚠️ a failed together with b, c, d (4 of 4): nothing in common but this host",
        "⚠️ b health*",
        "⚠️ b failed together*",
        "⚠️ c health*",
        "⚠️ c failed together*",
        "⚠️ d health*",
        "⚠️ d failed together*",
    ]);
    scene.pass(120);
    // One at a time, and no third one while none has helped.
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⚠️ a*2/2", "⚠️ b*2/2", "⚠️ c*2/2", "⚠️ d*2/2", "🔄 Restarting a*", "❌ a*", "🔄 Restarting b*", "❌ b*",
            "⏸️ c not restarted (common_cause): it failed together with others, and restarting some of them did not help; next restart possible *",
            "⏸️ d not restarted (common_cause): *",
        ])
        .acts(&["reset-failed a.service", "restart a.service", "reset-failed b.service", "restart b.service"]);
    scene
        .run(&["why", "c"])
        .ends(0)
        .prints(
        "c: held (common_cause)*; it failed together with a, b, d (4 of 4): nothing in common but this host*\nnext restart: when that has ended, at the next failed run\n",
        "",
    );
    all_answer(&servers, 200);
    scene.tick().exits(0).logs(&["✅ a*", "✅ b*", "✅ c*", "✅ d*"]);
}

#[test]
fn what_they_share_is_named() {
    let (own, changed) = (["a", "b", "c"], &[("NeedDaemonReload", "yes")]);
    let shares = |names: [&str; 3], change: &[(&str, &str)], words: &str, one_server: bool| {
        let scene = Scene::new();
        let servers = many(&scene, &names, "");
        for name in names {
            let unit = format!("{name}.service");
            let said: Vec<_> = [("Id", &*unit), ("Names", &*unit)].iter().chain(change).copied().collect();
            scene.unit(&unit, &crate::harness::unit(&said));
        }
        if one_server {
            let shared = |text: String, server: &Server| text.replace(&server.url(), &servers[0].url());
            scene.config(&servers.iter().fold(scene.config_text(), shared));
        }
        scene.tick().exits(0);
        all_answer(&servers, 502);
        let line =
            format!("⚠️ {0} failed together with {1}, {2} (3 of 3): {words}", names[0], names[1], names[2]);
        scene.tick().exits(1).logs(&["⚠️*1/2", &line, "⚠️*", "⚠️*", "⚠️*", "⚠️*"]);
    };
    shares(own, &[], "nothing in common but this host", false);
    // Whoever listens there may be what fails: here it is this test.
    let listens =
        format!("all are probed at 127.0.0.1:*, where scenes-* (PID {}) listens", std::process::id());
    shares(own, &[], &listens, true);
    shares(own, changed, "their unit files changed; systemctl daemon-reload is missing", false);
    shares(["web@a", "web@b", "web@c"], &[], "all are instances of web@", false);
    shares(["web", "web@a", "web@b"], &[], "nothing in common but this host", false);
}

#[test]
fn restarts_that_help_go_on_until_all_are_healed() {
    let scene = Scene::new();
    let servers = many(&scene, &["a", "b", "c"], "budget = { restarts = 1, window = \"1h\" }");
    scene.tick().exits(0);
    all_answer(&servers, 502);
    scene.tick().exits(1).logs(&["*failed together*"]);
    scene.pass(120);
    for server in &servers {
        server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    }
    // c has healed by itself when its turn comes.
    servers[2].answers(&[Answer::Status(502), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ a*",
            "⚠️ b*",
            "⚠️ c*",
            "🔄*",
            "✅ a*",
            "🔄*",
            "✅ b*",
            "✅ c recovered (was 2 failures): it answered just before the restart",
        ])
        .acts(&[
            "reset-failed a.service",
            "restart a.service",
            "reset-failed b.service",
            "restart b.service",
        ]);
}

#[test]
fn what_all_of_them_require_is_named() {
    let scene = Scene::new();
    let servers = many(&scene, &["a", "b", "c"], "");
    let text = scene.config_text().replace("log_file", "requires = [\"tcp:127.0.0.1:1\"]\nlog_file");
    scene.config(&text);
    all_answer(&servers, 502);
    scene.tick().exits(1).logs(&[
        "⏸️ a not restarted (upstream): it requires tcp:127.0.0.1:1, which fails its probe (refused)",
        "⚠️ a failed together with b, c (3 of 3): all require tcp:127.0.0.1:1",
        "⏸️ b*",
        "⚠️ b failed together*",
        "⏸️ c*",
        "⚠️ c failed together*",
    ]);
}

#[test]
fn a_hold_that_lasts_is_told_again_after_half_an_hour_and_then_hourly() {
    if !needs::is_up_for(93) {
        return;
    }
    let scene = Scene::new();
    scene.unit("app.service", &crate::harness::unit(crate::harness::STOPPED));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⏸️ app not restarted (stopped): *"]);
    for (minutes, told) in [(28, false), (2, true), (58, false), (2, true), (2, false)] {
        scene.pass(minutes * 60);
        let again = ["⏸️ app not restarted (stopped): * (for * now)"];
        scene.tick().exits(1).logs(if told { &again } else { &[] });
    }
}

#[test]
fn what_a_run_has_told_its_second_look_does_not_tell_again() {
    let scene = Scene::new();
    let servers = many(&scene, &["a", "b", "c"], "");
    scene.config(&scene.config_text().replace("[defaults]", "[defaults]\nmax_failures = 1"));
    scene.tick().exits(0);
    for server in &servers {
        server.answers(&[Answer::Status(502), Answer::Status(200)]);
    }
    scene.tick().exits(0).logs(&[
        "⚠️ a health*",
        "⚠️ a failed together*",
        "⚠️ b health*",
        "⚠️ b failed together*",
        "⚠️ c health*",
        "⚠️ c failed together*",
        "✅ a recovered (was 1 failures): it answered just before the restart",
        "✅ b recovered*",
        "✅ c recovered*",
    ]);
}

#[test]
fn what_holds_at_each_second_look_is_told_when_it_begins() {
    let scene = Scene::new();
    let db = Server::start();
    let url = db.url();
    scene.keys(&format!(
        "max_failures = 1\nrequires = [\"db\"]\n[service.db]\nurl = \"{url}\"\nrestart = []\nlog_file = \"/dev/null\""
    ));
    scene.tick().exits(0);
    scene.server.answers(&[Answer::Status(502)]);
    let again = |n: u32| format!("⚠️ app health check failed (HTTP 502) - Failure {n}/1: 1 of 1 in a row");
    let first = [
        "⚠️ app health check failed (HTTP 502) - Failure 1/1",
        "⏸️ app not restarted (changed_meanwhile): *",
    ];
    let (second, third) = (again(2), again(3));
    for logs in [&first[..], &[&second], &[&third]] {
        db.answers(&[Answer::Status(200), Answer::Status(500)]);
        scene.tick().exits(1).logs(logs);
        scene.pass(120);
    }
}

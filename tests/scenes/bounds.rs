//! Bounded, and never for ever.

use crate::harness::{Answer, Scene};

/// Ticks every two minutes while nothing helps, though each restart changes something: what each does.
fn course(scene: &Scene, ticks: usize) -> String {
    scene.tick().exits(0);
    let mut told = String::new();
    for _ in 0..ticks {
        let restarts = u16::try_from(told.matches('R').count()).unwrap();
        scene.server.answers(&[Answer::Status(500 + restarts)]);
        let ran = scene.tick().ends(1).prints("", "");
        let did = if ran.calls.iter().any(|call| call.starts_with("restart ")) {
            'R'
        } else if ran.log.iter().any(|line| line.starts_with("⚠️")) {
            'c'
        } else {
            '.'
        };
        told.push(did);
        let (lines, calls): (Vec<String>, Vec<String>) = (ran.log.clone(), ran.calls.clone());
        ran.logs(&lines.iter().map(String::as_str).collect::<Vec<_>>())
            .calls(&calls.iter().map(String::as_str).collect::<Vec<_>>());
        scene.pass(120);
    }
    told
}

#[test]
fn backoff_doubles_while_restarts_do_not_help() {
    let scene = Scene::new();
    scene.keys("grace = \"0s\"\nverify = \"10ms\"");
    // After 2, 4, 8 and 16 minutes; a full streak is counted meanwhile.
    assert_eq!(course(&scene, 20), "cRcRcRcc.Rcc.....Rcc");
}

#[test]
fn the_budget_holds_and_says_until_when() {
    let scene = Scene::new();
    scene.keys("grace = \"0s\"\nverify = \"10ms\"\nbudget = { restarts = 2, window = \"20m\" }\nbackoff = { first = \"1s\", max = \"1s\" }");
    assert_eq!(course(&scene, 5), "cRcRc");
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*", "⏸️ app not restarted (budget): 2 restarts within 20 min is all the budget allows; next restart possible *"]);
    assert_eq!(scene.state()["restarts"].as_array().unwrap().len(), 2);
    for minutes in (12..=22).step_by(2) {
        scene.pass(120);
        let ran = scene.tick().ends(1).prints("", "");
        let restarted = ran.calls.iter().any(|call| call.starts_with("restart "));
        assert_eq!(restarted, minutes >= 22, "after {minutes} minutes: {:?}", ran.log);
        if restarted {
            ran.logs(&["*"]).acts(&["*"])
        } else {
            ran.logs(&[])
        };
    }
}

#[test]
fn somebodys_restart_starts_the_count_afresh() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene.unit("app.service", &crate::harness::unit(&[("InvocationID", "bbbb")]));
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
}

#[test]
fn an_old_streak_is_stale() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(3 * 24 * 3600);
    let line = "⚠️ app health check failed (HTTP 502) - Failure 1/2: counting starts again: the previous failure was 3 d ago (stale_after 10 min)";
    scene.tick().exits(1).logs(&[line]);
}

#[test]
fn a_restart_that_waits_for_systemd_ends_before_the_deadline_of_a_second_service() {
    // Two are due; the first takes the time of the whole run.
    let scene = Scene::new();
    let (url, log) = (scene.server.url(), scene.path("app.log"));
    let service =
        |name: &str| format!("[service.{name}]\nurl = \"{url}\"\nlog_file = \"{}\"\n", log.display());
    scene.config(&format!(
        "[defaults]\ntimeout = \"2s\"\nmin_gap = \"0s\"\ngrace = \"0s\"\n[host]\nboot_grace = \"0s\"\ndeadline = \"40s\"\n{}{}",
        service("app"),
        service("two")
    ));
    scene.unit("two.service", &crate::harness::unit(&[("Id", "two.service"), ("Names", "two.service")]));
    scene.on_restart("sleep 11; sed -i 's/^InvocationID=.*/InvocationID=new/' \"$units/$unit\"");
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app *", "⚠️ two *"]);
    scene.server.answers(&[
        Answer::Status(502),
        Answer::Status(502),
        Answer::Status(502),
        Answer::Status(200),
        Answer::Status(502),
    ]);
    let began = std::time::Instant::now();
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⚠️ app *",
            "⚠️ two *",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: *",
            "⏸️ two not restarted (deadline): too little time is left in this run; restarted first in the next run",
        ])
        .acts(&["reset-failed app.service", "restart app.service"]);
    assert!(began.elapsed().as_secs() < 40);
}

#[test]
fn what_failed_under_another_url_is_no_evidence_about_this_one() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    let other = scene.config_text().replace("/health/", "/other/");
    scene.config(&other);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", "❌*"]).acts(&["*"]);
}

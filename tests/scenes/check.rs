//! `check`: probes now, touches nothing, and speaks as monitoring plugins do.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Answer, Ran, STOPPED, Scene, unit};
use crate::needs;

/// Nothing that is remembered may change, and nothing be done.
#[track_caller]
fn checks(scene: &Scene, arguments: &[&str]) -> Ran {
    let before = std::fs::read_dir(scene.path("state")).unwrap().count();
    let (state, lock) = (scene.state(), last_tick(scene));
    let ran = scene.run(&[&["check"], arguments].concat()).logs(&[]).acts(&[]);
    assert_eq!((scene.state(), last_tick(scene)), (state, lock), "it touches nothing");
    assert_eq!(std::fs::read_dir(scene.path("state")).unwrap().count(), before, "it leaves nothing");
    ran
}

/// With nothing on stderr.
#[track_caller]
pub(crate) fn printed(ran: Ran) -> String {
    let printed = String::from_utf8_lossy(&ran.output.stdout).into_owned();
    ran.prints("*", "");
    printed
}

fn last_tick(scene: &Scene) -> Option<SystemTime> {
    scene.path("state/app.lock").metadata().and_then(|lock| lock.modified()).ok()
}

#[test]
fn a_healthy_service_is_ok() {
    let scene = Scene::new();
    checks(&scene, &[]).ends(0).prints("UNHANG OK - app: HTTP 200 in * | app=0.*s;;5;0;5\n", "").calls(&[]);
    checks(&scene, &["app", "--timeout", "2500ms"]).ends(0).prints("* | app=0.*s;;2.5;0;2.5\n", "");
    scene.keys("latency = { warn = \"1500ms\", fail = \"3s\" }");
    checks(&scene, &[]).ends(0).prints("* | app=0.*s;1.5;3;0;5\n", "");
}

#[test]
fn an_unhealthy_service_is_critical() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(503)]);
    checks(&scene, &[]).ends(2).prints("UNHANG CRITICAL - app: HTTP 503 in * | app=0.*s;;5;0;5\n", "");
    checks(&scene, &["--status", "503"]).ends(0).prints("UNHANG OK - app: HTTP 503 in * | *\n", "");
    scene.server.answers(&[Answer::Status(200)]);
    checks(&scene, &["--status", "204,503"])
        .ends(2)
        .prints("UNHANG CRITICAL - app: HTTP 200 in *, wanted 204,503 | app=0.*\n", "");
    checks(&scene, &["--url", "http://127.0.0.1:1/", "--unit", "app"])
        .ends(2)
        .prints("UNHANG CRITICAL - app: HTTP 000: connection refused | app=U;;5;0;5\n", "");
    scene.server.answers(&[Answer::Hang]);
    checks(&scene, &["--timeout", "200ms"]).ends(2).prints(
        "UNHANG CRITICAL - app: HTTP 000: no answer within 200 ms; the connection was accepted | app=0.*s;;0.2;0;0.2\n",
        "",
    );
}

/// Engines cut what is longer, and a figure that is cut is a wrong one.
#[test]
fn a_line_about_many_services_is_not_cut_within_a_figure() {
    let scene = Scene::new();
    for (address, exit) in [("127.0.0.1:1", 2), ("no-such-host.invalid:1", 3)] {
        for services in [3, 150, 400] {
            let of_one = |n| format!("[service.a-name-that-is-somewhat-long-{n}]\nurl = \"tcp:{address}\"\n");
            scene.config(&(0..services).map(of_one).collect::<String>());
            let line = printed(scene.run(&["check", "--timeout", "3s"]).ends(exit));
            assert!(line.len() < 8192 && line.lines().count() == 1, "{services}: {}", line.len());
            let (text, figures) = line.trim_end().split_once(" | ").unwrap();
            let figures: Vec<&str> = figures.split(' ').collect();
            assert!(figures.iter().all(|figure| figure.ends_with("=U;;3;0;3")), "{services}: {figures:?}");
            assert!(text.contains(&format!("{services} of {services} not healthy: ")), "{text}");
            let left_out = services - figures.len();
            let told = format!("; {left_out} figures left out for want of room");
            assert_eq!(text.ends_with(&told), left_out > 0, "{services}: {text}");
            assert_eq!(text.contains(" more"), services > 3, "{services}: {text}");
        }
    }
}

/// 0 s would look like the fastest of all.
#[test]
fn what_takes_no_time_has_none() {
    let scene = Scene::new();
    scene
        .config("[service.app]\n[service.app.probe.disk]\ndisk = \"/\"\nfail = \"100%\"\noptional = false\n");
    scene.run(&["check"]).ends(0).prints("UNHANG OK - app: 1 probe healthy | app=U;;5;0;5\n", "");
    let json: Value = serde_json::from_str(&printed(scene.run(&["check", "--json"]).ends(0))).unwrap();
    let service = &json["services"][0];
    assert_eq!(
        (&service["seconds"]["total"], &service["probes"][0]["seconds"]),
        (&Value::Null, &Value::Null)
    );
}

/// A line below the first one may hold figures too, behind a bar.
#[test]
fn no_bar_of_others_stands_in_any_line() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.x]\ncommand = [\"echo\", \"a | b=1\"]");
    let told = printed(scene.run(&["check", "-v"]).ends(0));
    assert!(told.contains("a \\u{7c} b=1"), "{told}");
    assert_eq!(told.matches('|').count(), 1, "{told}");
}

#[test]
fn what_could_not_be_told_is_unknown() {
    let scene = Scene::new();
    let url = "http://no-such-host.invalid/";
    scene.config(&format!("[service.app]\nurl = \"{url}\"\n"));
    checks(&scene, &[])
        .ends(3)
        .prints("UNHANG UNKNOWN - app: not judged: name not resolved: * | app=U;;5;0;5\n", "");
}

#[test]
fn a_healthy_service_that_no_run_looks_after_is_a_warning() {
    // Younger hosts are not expected to have had a run.
    if !needs::is_up_for(7) {
        return;
    }
    let scene = Scene::new();
    scene.tick().exits(0);
    let age = |minutes: u64| {
        let lock = std::fs::File::options().write(true).open(scene.path("state/app.lock")).unwrap();
        lock.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
    };
    // The lock goes with the boot, and no run came since.
    let lock = scene.path("state/app.lock");
    std::fs::rename(&lock, scene.path("lock")).unwrap();
    let boot = "no run since boot; does cron start unhang?";
    checks(&scene, &[]).ends(1).prints(&format!("UNHANG WARNING - app: HTTP 200 in *; {boot} | *\n"), "");
    std::fs::rename(scene.path("lock"), &lock).unwrap();
    age(5);
    checks(&scene, &[]).ends(0).prints("UNHANG OK - app: HTTP 200 in * | *\n", "");
    age(14);
    checks(&scene, &[]).ends(1).prints(
        "UNHANG WARNING - app: HTTP 200 in *; no run for 14 min*; does cron still start unhang? | app=*\n",
        "",
    );
}

#[test]
fn of_several_the_worst_is_told() {
    let scene = Scene::new();
    let (good, bad) = (scene.server.url(), Scene::new());
    bad.server.answers(&[Answer::Status(500)]);
    let config = |third: &str| {
        format!(
            "[service.a]\nurl = \"{good}\"\n[service.b]\nurl = \"{}\"\n[service.c]\nurl = \"{third}\"\n",
            bad.server.url()
        )
    };
    scene.config(&config(&good));
    checks(&scene, &[])
        .ends(2)
        .prints("UNHANG CRITICAL - 1 of 3 not healthy: b: HTTP 500 in * | a=* b=* c=*s;;5;0;5\n", "");
    checks(&scene, &["a", "c"]).ends(0).prints("UNHANG OK - 2 services healthy | a=* c=*\n", "");
    scene.config(&config("http://no-such-host.invalid/"));
    checks(&scene, &[])
        .ends(2)
        .prints("UNHANG CRITICAL - 2 of 3 not healthy: b: *; c: not judged: * | *\n", "");
    checks(&scene, &["a", "c"]).ends(3).prints("UNHANG UNKNOWN - 1 of 2 not healthy: c: * | *\n", "");
}

#[test]
fn a_url_needs_no_configuration() {
    let scene = Scene::new();
    scene.config("this is no TOML");
    let url = scene.server.url();
    checks(&scene, &[&url])
        .ends(0)
        .prints(&format!("UNHANG OK - {url}: HTTP 200 in * | time=0.*s;;5;0;5\n"), "");
    checks(&scene, &[&format!("{url}?token=secret"), "-v", "--status", "204", "--timeout", "3m"]).ends(2).prints(
        &format!("UNHANG CRITICAL - {url}?(hidden): HTTP 200 in * | time=*;;180;0;180\n{url}?(hidden): times: *\n"),
        "",
    );
    // What a unit file or the drop-in hands to `run`.
    scene
        .env("UNHANG_UNIT", "app.service")
        .env("UNHANG_URL", "http://127.0.0.1:1/")
        .env("UNHANG_NAME", "App");
    checks(&scene, &[&url]).ends(0).prints("UNHANG OK - *\n", "");
}

#[test]
fn whatever_is_wrong_with_the_question_is_unknown_and_told_where_a_monitor_reads() {
    let scene = Scene::new();
    for (arguments, told) in [
        (&["ap"][..], "NAME: no service \"ap\"; did you mean app?*"),
        (&["--max-failures", "0"], "--max-failures: must be *"),
        (&["--nonsense"], "--nonsense: no such flag; unhang check --help lists them"),
        (
            &["localhost:8000/health"],
            "URL: must begin with http://, https://, unix:/ or tcp:, such as \"http://localhost:8000/health/\"; nothing was probed",
        ),
        (&["http://localhost/", "app"], "URL: must stand alone; *"),
        (&["http://localhost/", "--unit", "app"], "--unit: cannot stand beside a URL; *"),
        (&["http://localhost/", "--insecure"], "--insecure: only for https*"),
    ] {
        checks(&scene, arguments).ends(3).prints(&format!("UNHANG UNKNOWN - {told}\n"), "");
    }
    scene.config("[service.app]\nurl = 1\n[service.b]\n");
    checks(&scene, &[])
        .ends(3)
        .prints("UNHANG UNKNOWN - *unhang.toml:2: service.app.url: *\n*unhang.toml:3: *\n", "");
    scene.run(&["check", "--help"]).ends(0).prints("*", "");
}

#[test]
fn what_a_server_answers_cannot_forge_figures_or_lines() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Says("evil | app=0s\nUNHANG OK\r\n\r\n")]);
    let told =
        r#"UNHANG CRITICAL - app: HTTP 000: not HTTP: it begins "evil \u{7c} app=0s\nUNHANG OK*" | app=U;*"#;
    checks(&scene, &[]).ends(2).prints(&format!("{told}\n"), "");
}

#[test]
fn more_is_told_of_the_times_the_unit_and_what_comes_next() {
    let scene = Scene::new();
    let v = |scene: &Scene, exit: i32, unit: &str, restart: &str, next: &str| {
        checks(scene, &["-v"]).ends(exit).prints(
            &format!(
                "UNHANG * | *\napp: times: *in all * ms\napp: unit: app.service {unit}\n\
                 app: a restart: {restart}\napp: next run: {next}\n"
            ),
            "",
        );
    };
    // And who else runs the tests is told that polkit has a say.
    let free = "allowed*";
    v(&scene, 0, "is active for *", free, "healthy (ok)");
    scene.server.answers(&[Answer::Status(502)]);
    v(&scene, 2, "is active for *", free, "failing (counting): failure 1 of 2");
    scene.tick().ends(1).logs(&["*Failure 1/2"]);
    // However soon after a tick: the next one keeps its distance.
    v(&scene, 2, "is active for *", free, "would restart (max_failures)");
    scene.unit("app.service", &unit(STOPPED));
    let held = "a person stopped app.service; unhang leaves it stopped";
    v(
        &scene,
        2,
        "was stopped by somebody",
        &format!("held (stopped): {held}"),
        &format!("held (stopped): {held}"),
    );
    scene.unit("app.service", &unit(&[("LoadState", "masked")])).server.answers(&[Answer::Status(200)]);
    // Also while it answers: known before it is needed.
    v(&scene, 0, "is masked", "held (masked): app.service is masked", "recovered (recovered)");
    scene.unit("app.service", &unit(&[("NRestarts", "3"), ("UnitFileState", "disabled")]));
    v(
        &scene,
        0,
        "is active for *, disabled, restarted 3 times by systemd itself",
        free,
        "recovered (recovered)",
    );
    scene.systemctl("true", "exit 1");
    v(&scene, 0, "is not known: *", "cannot be told: *", "recovered (recovered)");
}

#[test]
fn a_state_that_a_run_could_not_use_is_told() {
    let scene = Scene::new();
    scene.tick().exits(0);
    std::fs::write(scene.path("state/app.json"), r#"{"version":999}"#).unwrap();
    checks(&scene, &["-v"]).ends(1).prints(
        "UNHANG WARNING - *; runs skip it: its state file cannot be read (version 999, *app: next run: cannot be told from here\napp: state file unreadable (version 999, *\n",
        "",
    );
}

#[test]
fn for_programs_check_has_json_too() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    let ran = checks(&scene, &["--json"]).ends(2);
    let told: Value = serde_json::from_slice(&ran.output.stdout).unwrap();
    ran.prints("{*}\n", "");
    let app = &told["services"][0];
    assert_eq!(
        (&told["schema"], &told["status"], &app["status"]),
        (&1.into(), &"critical".into(), &"critical".into())
    );
    assert_eq!((&app["http"], &app["cause"]), (&502.into(), &"status 502".into()));
    assert_eq!((&app["unit"]["active"], &app["restart_held_by"]), (&"active".into(), &Value::Null));
    assert_eq!(
        (&app["next_tick"]["verdict"], &app["next_tick"]["reason"]),
        (&"failing".into(), &"counting".into())
    );
    assert!(app["seconds"]["total"].as_f64().unwrap() >= app["seconds"]["first_byte"].as_f64().unwrap());
}

#[test]
fn at_a_terminal_somebody_who_waits_is_told_for_what() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Hang]);
    let shown = scene.on_terminal(&["check", "--timeout", "1500ms"]);
    assert!(shown.contains("probing 1 service (each 1.5 s at most): 1 s"), "{shown:?}");
    assert!(shown.contains("\r\u{1b}[KUNHANG CRITICAL"), "the line is gone before the answer: {shown:?}");
    scene.server.answers(&[Answer::Status(200)]);
    let shown = scene.on_terminal(&["check"]);
    assert!(shown.starts_with("UNHANG OK"), "who need not wait is told nothing: {shown:?}");
}

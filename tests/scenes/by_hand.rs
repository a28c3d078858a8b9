//! What an operator types to see what is wrong.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::harness::{Answer, STOPPED, Scene, unit};

fn failed(times: usize) -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    for _ in 0..times {
        scene.tick().ends(1).prints("", "").logs(&["*"]).acts(if times < 2 { &[] } else { &["*"] });
        scene.pass(120);
    }
    scene
}

#[track_caller]
fn shows(scene: &Scene, arguments: &[&str], expected: &str) {
    let before = scene.state();
    scene.run(arguments).ends(0).prints(expected, "").logs(&[]).calls(&[]);
    assert_eq!(scene.state(), before, "it only looks");
}

#[test]
fn status_tells_each_service_in_a_line() {
    let scene = Scene::new();
    shows(
        &scene,
        &["status"],
        "app  not seen yet  restarts 0/5 in 1 h  no run yet\nno run recorded yet (looked in */state); does cron start unhang?\n",
    );
    scene.tick().exits(0);
    shows(&scene, &["status", "app"], "app  healthy  restarts 0/5 in 1 h  last run * ago\n");
    let requests = scene.server.requests().len();
    let scene_failed = failed(1);
    shows(
        &scene_failed,
        &["status"],
        "app  failing  1/2  HTTP 502  since *  restarts 0/5 in 1 h  last run * ago\n",
    );
    assert_eq!(scene.server.requests().len(), requests, "it probes nothing");
    let held = Scene::new();
    held.unit("app.service", &unit(STOPPED)).server.answers(&[Answer::Hang]);
    held.run(&["run", "--timeout", "300ms"]).exits(1).logs(&["⏸️*"]);
    shows(
        &held,
        &["status"],
        "app  held (stopped)  0/2  HTTP 000 (timeout_waiting)  since *  restarts 0/5 in 1 h  last run * ago\n",
    );
}

#[test]
fn status_says_when_cron_does_not_run() {
    let scene = Scene::new();
    scene.tick().exits(0);
    let lock = std::fs::File::options().write(true).open(scene.path("state/app.lock")).unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(14 * 60);
    lock.set_modified(old).unwrap();
    shows(
        &scene,
        &["status"],
        "app  healthy  restarts 0/5 in 1 h  last run 14 min* ago\nno run for 14 min*; does cron still start unhang?\n",
    );
    shows(
        &scene,
        &["why"],
        "app: healthy (ok): it answers; no run for 14 min*; does cron still start unhang?\n*",
    );
    // A run that was stopped, or that hangs: cron does run.
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    let stuck = "a run of 14 min* ago still holds its lock: look for it (ps -ef) and end it";
    shows(&scene, &["status"], &format!("app  healthy *\n{stuck}\n"));
    shows(&scene, &["why"], &format!("app: healthy (ok): it answers; {stuck}\n*"));
}

/// Cron is running, as the others show.
#[test]
fn a_new_service_beside_others_is_no_doubt_about_cron() {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.config(&format!("{}\n[service.two]\nurl = \"{}\"\n", scene.config_text(), scene.server.url()));
    let rows = "app  healthy       restarts 0/5 in 1 h  last run * ago\ntwo  not seen yet  restarts 0/5 in 1 h  no run yet\n";
    shows(&scene, &["status"], rows);
}

#[test]
fn why_answers_in_four_lines() {
    let scene = failed(1);
    let expected = "app: failing (counting) since *: not due yet; last answer HTTP 502*; last run * ago\n\
        counted: 1 of 2 failures in a row; 1 since the last healthy answer\n\
        held by: nothing; 0 of 5 restarts within 1 h\n\
        next restart: after 1 more counted failure\n";
    shows(&scene, &["why", "app"], expected);
    let scene = failed(2);
    let expected = "app: restart (max_failures) since *: restarted, and not seen healthy since; last answer HTTP 502*; last run * ago\n\
        counted: 0 of 2 failures in a row; 2 since the last healthy answer\n\
        held by: nothing; 1 of 5 restarts within 1 h, the last at *: not healed\n\
        next restart: after 2 counted failures in a row\n";
    shows(&scene, &["why", "app"], expected);
    scene.keys("budget = { restarts = 1, window = \"1h\" }");
    let expected = "app: *\ncounted: *\nheld by: budget (the restart budget is used up); 1 of 1 restarts within 1 h, the last at *: not healed\n\
        next restart: not before *, after 2 counted failures in a row\n";
    shows(&scene, &["why", "app"], expected);
    scene.keys("mode = \"observe\"");
    shows(&scene, &["why", "app"], "app: *next restart: never: mode is observe\n");
}

#[test]
fn for_programs_there_is_json_with_a_schema_number() {
    let scene = failed(2);
    let ran = scene.run(&["why", "app", "--json"]);
    let told: Value = serde_json::from_slice(&ran.output.stdout).unwrap();
    ran.ends(0).prints("{*}\n", "");
    assert_eq!(told["schema"], 1);
    let app = &told["services"][0];
    assert_eq!(
        (&app["service"], &app["verdict"], &app["reason"]),
        (&"app".into(), &"restart".into(), &"max_failures".into())
    );
    assert_eq!(app["restarts"][0]["outcome"], "not_healed");
    assert_eq!(
        (app["streak"].as_u64(), app["failures"].as_u64(), app["budget"]["spent"].as_u64()),
        (Some(0), Some(2), Some(1))
    );
    let unseen: Value = serde_json::from_slice(&{
        let ran = Scene::new().run(&["status", "--json"]);
        let stdout = ran.output.stdout.clone();
        ran.ends(0).prints("{*}\n", "");
        stdout
    })
    .unwrap();
    assert_eq!(unseen["services"][0]["verdict"], Value::Null, "nothing is known, so nothing is claimed");
}

#[test]
fn reset_clears_the_count_the_backoff_and_the_budget_and_says_so() {
    let scene = failed(2);
    scene
        .run(&["reset", "app"])
        .ends(0)
        .prints("app: cleared a streak of 0, 1 restart of the budget, and a backoff of 2 min\n", "")
        .logs(&[]);
    assert_eq!(
        (scene.state()["restarts"].as_array().unwrap().len(), &scene.state()["backoff"]),
        (0, &Value::Null)
    );
    // What held it by that holds it no more.
    let held = failed(2);
    held.keys("budget = { restarts = 1, window = \"3d\" }\nbackoff = { first = \"0s\", max = \"0s\" }");
    held.tick().ends(1).logs(&["*3/2*"]).acts(&[]);
    held.pass(120);
    held.tick().ends(1).logs(&["*4/2*", "*(budget)*next restart possible 20*-* *:*"]).acts(&[]);
    held.run(&["reset", "app"])
        .ends(0)
        .prints("app: cleared a streak of 2, 1 restart of the budget, *\n", "");
    held.run(&["why", "app"]).ends(0).prints(
        "app: failing (counting) *\ncounted: 0 of 2 *; 4 since *\nheld by: nothing; 0 of 1 restarts *\nnext restart: after 2 *\n",
        "",
    );
    // A lock that another run holds is respected.
    let lock = std::fs::File::create(scene.path("state/app.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    scene
        .run(&["reset", "app"])
        .ends(75)
        .prints("", "unhang: reset: a run is using a service*try again in a minute\n");
    scene
        .run(&["reset"])
        .ends(2)
        .prints("", "unhang: reset: needs a NAME or --all; unhang status lists the names\n");
}

#[test]
fn what_is_not_readable_is_said_and_left_as_it_is() {
    let scene = Scene::new();
    scene.tick().exits(0);
    std::fs::write(scene.path("state/app.json"), "{").unwrap();
    scene
        .run(&["status"])
        .ends(0)
        .prints("app  not known  *\napp: state file unreadable (*): left as it is; counting from zero\n", "");
    scene
        .run(&["why", "app"])
        .ends(0)
        .prints("app: not known: state file unreadable (*): left as it is; counting from zero\n", "");
    let ran = scene.run(&["status", "--json"]);
    let told: Value = serde_json::from_slice(&ran.output.stdout).unwrap();
    ran.ends(0).prints("{*}\n", "");
    assert_eq!(
        (&told["services"][0]["verdict"], &told["services"][0]["reason"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(std::fs::read_to_string(scene.path("state/app.json")).unwrap(), "{");
}

#[test]
fn unknown_names_get_the_list_of_the_known() {
    let scene = Scene::new();
    for command in ["status", "why", "reset"] {
        scene
            .run(&[command, "ap"])
            .ends(2)
            .prints("", "unhang: NAME: no service \"ap\"; did you mean app?*\n");
    }
}

#[test]
fn the_drop_in_hands_its_settings_to_the_other_commands() {
    let scene = Scene::new();
    let script = include_str!("../../contrib/monitor_django.sh");
    let script = script.replace("http://localhost:8000/health/", &scene.server.url());
    scene.executable("monitor_django.sh", &script);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_unhang"), scene.path("bin/unhang")).unwrap();
    scene.env("UNHANG_STATE_DIR", &scene.path("state").display().to_string());
    let output = scene.bare(&scene.path("monitor_django.sh")).arg("status").output().unwrap();
    scene.ran(output).ends(0).prints("roams-django  not seen yet  *", "");
    assert!(scene.path("monitor_django.sh").metadata().unwrap().permissions().mode() & 0o111 != 0);
}

#[test]
fn colour_is_for_terminals_only() {
    let scene = Scene::new();
    scene.tick().exits(0);
    scene.env("TERM", "xterm");
    let shown = scene.on_terminal(&["status"]);
    assert!(shown.contains("\u{1b}[32mhealthy"), "{shown:?}");
    scene.env("NO_COLOR", "1");
    let shown = scene.on_terminal(&["status"]);
    assert!(shown.contains("healthy") && !shown.contains('\u{1b}'), "{shown:?}");
    shows(&scene, &["status"], "app  healthy  *");
}

#[test]
fn a_terminal_of_80_columns_is_wide_enough() {
    let scene = Scene::new();
    scene.unit("app.service", &unit(STOPPED)).server.answers(&[Answer::Hang]);
    scene.run(&["run", "--timeout", "300ms"]).exits(1).logs(&["⏸️*"]);
    scene.env("TERM", "xterm");
    let shows = |arguments: &[&str], inner: usize| {
        let shown = scene.on_terminal(arguments);
        let lines: Vec<String> = shown.lines().map(|line| without_colour(line.trim_end())).collect();
        for line in lines.iter().skip(usize::from(arguments[0] == "check")) {
            assert!(line.chars().count() <= 80, "{line:?}");
        }
        assert!(lines.iter().filter(|line| line.starts_with("  ")).count() >= inner, "{lines:#?}");
        lines
    };
    let lines = shows(&["status"], 1);
    assert!(
        lines[0].starts_with("app  held (stopped)  0/2  HTTP 000 (timeout_waiting)  since "),
        "{lines:#?}"
    );
    assert!(lines[1].starts_with("  restarts 0/5 in 1 h  last run "), "{lines:#?}");
    shows(&["why"], 1);
    shows(&["check", "-v", "--timeout", "300ms"], 1);
}

fn without_colour(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

//! Several services, and several runs.

use std::time::{Duration, Instant};

use crate::harness::{Answer, Scene, unit};

fn plan_of(scene: &Scene, names: &[&str], keys: &str) {
    let (url, log) = (scene.server.url(), scene.path("app.log"));
    let mut text = format!("[defaults]\ntimeout = \"1s\"\n{keys}\n[host]\nboot_grace = \"0s\"\n");
    for name in names {
        let table = format!("[service.{name}]\nurl = \"{url}\"\nlog_file = \"{}\"\n", log.display());
        text += &table;
        scene.unit(
            &format!("{name}.service"),
            &unit(&[("Id", &format!("{name}.service")), ("Names", &format!("{name}.service"))]),
        );
    }
    scene.config(&text);
}

#[test]
fn hung_services_are_probed_side_by_side() {
    let scene = Scene::new();
    let names: Vec<String> = (0..40).map(|n| format!("s{n:02}")).collect();
    plan_of(&scene, &names.iter().map(String::as_str).collect::<Vec<_>>(), "");
    scene.server.answers(&[Answer::Hang]);
    let began = Instant::now();
    let ran = scene.tick().exits(1);
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
    assert_eq!(ran.log.len(), 80, "each is counted, and told to fail with the others");
    assert_eq!(ran.calls.len(), 1, "systemd is asked once for all");
    let all = ran.log.join("\n");
    ran.logs(&[&all]);
}

#[test]
fn only_names_the_services_of_a_run() {
    let scene = Scene::new();
    plan_of(&scene, &["app", "two", "three"], "");
    scene
        .run(&["run", "--only", "two", "--only", "app"])
        .exits(0)
        .calls(&["show app.service two.service shutdown.target"]);
    assert_eq!(scene.server.requests().len(), 2);
    assert!(!scene.path("state/three.json").exists());
}

#[test]
fn one_run_at_a_time_and_the_other_says_so_by_its_exit_code() {
    let scene = Scene::new();
    scene.keys("timeout = \"3s\"").server.answers(&[Answer::Hang]);
    let mut first = scene.command(&["run"]).spawn().unwrap();
    let began = Instant::now();
    while scene.server.requests().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.tick().exits(75);
    let told = "unhang: app: another run is working on it; skipped in this run\n";
    scene.run(&["run", "-v"]).ends(75).prints("", told);
    assert_eq!(scene.on_terminal(&["run"]).replace('\r', ""), told);
    assert_eq!(scene.server.requests().len(), 1, "nothing was probed");
    assert_eq!(first.wait().unwrap().code(), Some(1));
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["⚠️*1/2*", "✅*"]);
}

/// Its state has one budget, whichever unit a configuration gives it.
#[test]
fn one_name_with_two_units_has_one_run_at_a_time() {
    let scene = Scene::new();
    plan_of(&scene, &["app"], "");
    scene.server.answers(&[Answer::Hang]);
    let mut first = scene.command(&["run"]).spawn().unwrap();
    let began = Instant::now();
    while scene.server.requests().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = scene.config_text().replace("[service.app]", "[service.app]\nunit = \"two.service\"");
    scene.unit("two.service", &unit(&[("Id", "two.service"), ("Names", "two.service")]));
    scene.config(&text);
    scene.tick().exits(75).calls(&[]);
    assert_eq!(first.wait().unwrap().code(), Some(1));
}

#[test]
fn a_locked_service_does_not_hold_up_the_others() {
    let scene = Scene::new();
    plan_of(&scene, &["app", "two"], "");
    let lock = std::fs::File::create(scene.path("state/two.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    // It is not known to be healthy.
    scene.tick().exits(1).calls(&["show app.service shutdown.target"]);
    drop(lock);
    scene.tick().exits(0).calls(&["show two.service shutdown.target"]);
}

#[test]
fn two_services_with_one_unit_under_two_names_are_not_both_judged() {
    let scene = Scene::new();
    plan_of(&scene, &["app", "two"], "");
    let alias = unit(&[("Id", "app.service"), ("Names", "app.service two.service")]);
    scene.unit("app.service", &alias).unit("two.service", &alias);
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&[
        "⚠️ app *1/2",
        "❓ two not judged (unknown): two.service is app.service, which service app has already",
    ]);
    let fault = "unhang: */unhang.toml:*: service.two.unit: a restart would fail: two.service is app.service, which service app has already; leave one of the two out\n";
    scene.run(&["config", "check"]).ends(2).prints("", fault);
}

#[test]
fn a_unit_is_restarted_under_its_real_name_too() {
    let scene = Scene::new();
    plan_of(&scene, &["two"], "");
    scene.unit("two.service", &unit(&[("Names", "app.service two.service")]));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ two *1/2"]);
    age_of(&scene, "two");
    let lock = std::fs::File::create(scene.path("state/unit+app.service.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    scene.tick().exits(75).logs(&["⚠️ two *2/2"]).acts(&[]);
}

/// Two minutes pass for a service that is not the scene's own.
fn age_of(scene: &Scene, name: &str) {
    let (own, other) = (scene.path("state/app.json"), scene.path(&format!("state/{name}.json")));
    std::fs::rename(&other, &own).unwrap();
    scene.pass(120);
    std::fs::rename(own, other).unwrap();
}

#[test]
fn with_too_few_descriptors_hung_services_are_not_judged_rather_than_late() {
    let scene = Scene::new();
    let names: Vec<String> = (0..30).map(|n| format!("s{n:02}")).collect();
    plan_of(&scene, &names.iter().map(String::as_str).collect::<Vec<_>>(), "");
    scene.server.answers(&[Answer::Hang]);
    let run = scene.command(&["run", "--deadline", "40s"]);
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut command = scene.bare(std::path::Path::new("/bin/sh"));
    command.args(["-c", &format!("ulimit -n 50; exec {}", words.join(" "))]);
    let began = Instant::now();
    let ran = scene.ran(command.output().unwrap()).exits(1);
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let counted = ran.log.iter().filter(|line| line.contains(" - Failure 1/")).count();
    let unjudged = ran.log.iter().filter(|line| line.contains("not probed: ")).count();
    assert!(counted >= 3 && counted + unjudged == 30, "{counted} {unjudged} {:?}", ran.log);
    let all = ran.log.join("\n");
    ran.logs(&[&all]);
}

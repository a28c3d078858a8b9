//! What programs read: every object that `--json` prints is as contrib/schema says, in every state.

use serde_json::Value;
use unhang_core::{Reason, VerdictKind};

use crate::harness::{Answer, STOPPED, Scene, unit};

fn schema(name: &str) -> Value {
    let path = format!("{}/contrib/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn is_as_told(scene: &Scene, arguments: &[&str], name: &str) -> Value {
    let ran = scene.run(arguments);
    let printed: Value = serde_json::from_slice(&ran.output.stdout).unwrap();
    ran.prints("{*}\n", "");
    let schema = schema(name);
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}.json is no schema");
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&printed).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{arguments:?}: {wrong:#?}\n{printed:#}");
    printed
}

#[track_caller]
fn all(scene: &Scene) {
    is_as_told(scene, &["status", "--json"], "status");
    is_as_told(scene, &["why", "app", "--json"], "status");
    is_as_told(scene, &["check", "--json"], "check");
    is_as_told(scene, &["config", "show", "--json"], "config-show");
    is_as_told(scene, &["simulate", "app", "--pattern", "..xxxxxx?rsx..", "--json"], "simulate");
}

#[test]
fn every_object_is_as_its_schema_says() {
    let scene = Scene::new();
    all(&scene);
    scene.tick().exits(0);
    all(&scene);
    scene.server.answers(&[Answer::Status(502)]);
    for acts in [&[][..], &["*"], &[]] {
        scene.tick().ends(1).logs(&["*"]).acts(acts);
        all(&scene);
        scene.pass(120);
    }
    scene.unit("app.service", &unit(STOPPED));
    scene.tick().ends(1).logs(&["*"]);
    all(&scene);
    scene.keys("budget = { restarts = 1, window = \"1h\" }\nheaders = { X-Key = \"a\" }");
    all(&scene);
    std::fs::write(scene.path("state/app.json"), "{").unwrap();
    all(&scene);
    scene.keys("restart = [\"true\"]");
    all(&scene);
    scene.run(&["pause", "app", "--reason", "new disk"]).ends(0).prints("*", "").logs(&["*"]);
    all(&scene);
    scene.keys("restart = []\nrequires = [\"tcp:127.0.0.1:1\"]\nmaintenance = { status = \"502\", header = \"Content-Length\" }");
    all(&scene);
    scene.no_systemctl().keys("");
    all(&scene);
}

#[test]
fn a_url_alone_is_as_the_schema_says_too() {
    let scene = Scene::new();
    is_as_told(&scene, &["check", &scene.server.url(), "--json"], "check");
    is_as_told(&scene, &["check", "http://no-such-host.invalid/", "--json"], "check");
}

#[test]
fn a_pattern_that_heals_or_takes_long_is_as_the_schema_says_too() {
    let scene = Scene::new();
    for arguments in [
        &["--pattern", "."][..],
        &["--pattern", "xx.", "--repeat", "999"],
        &["--pattern", "xx..", "--start-takes", "1500ms"],
    ] {
        is_as_told(&scene, &[&["simulate", "app", "--json"], arguments].concat(), "simulate");
    }
    is_as_told(
        &scene,
        &["simulate", "app", "--json", "--pattern", "xx...", "--grace", "3m", "--start-takes", "3m"],
        "simulate",
    );
}

/// Else a new code would break the schema on some night.
#[test]
fn the_schemas_know_every_code() {
    let sorted = |codes: Vec<Value>| {
        let mut codes: Vec<String> = codes.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        codes.sort();
        codes
    };
    let said = |name: &str, path: &str| {
        sorted(schema(name).pointer(path).unwrap()["enum"].as_array().unwrap().clone())
    };
    let reasons = sorted(Reason::ALL.iter().map(|reason| reason.code().into()).collect());
    let verdicts = sorted(VerdictKind::ALL.iter().map(|kind| kind.code().into()).collect());
    let service = "/properties/services/items/properties";
    assert_eq!(said("status", &format!("{service}/reason")), reasons);
    assert_eq!(said("status", &format!("{service}/verdict")), verdicts);
    let row = "/properties/timeline/items/properties";
    assert_eq!(said("simulate", &format!("{row}/reason")), reasons);
    assert_eq!(said("simulate", &format!("{row}/verdict")), verdicts);
    assert_eq!(said("check", &format!("{service}/restart_held_by")), reasons);
    assert_eq!(said("check", &format!("{service}/next_tick/anyOf/1/properties/reason")), reasons);
    assert_eq!(said("check", &format!("{service}/next_tick/anyOf/1/properties/verdict")), verdicts);
}

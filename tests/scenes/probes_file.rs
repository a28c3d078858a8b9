//! `file`: backups that are made, and backups that are not.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::harness::Scene;

fn written(scene: &Scene, name: &str, hours: u64) {
    let path = scene.path(name);
    fs::write(&path, "x".repeat(4_096)).unwrap();
    let then = SystemTime::now() - Duration::from_secs(hours * 3_600 + 60);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

fn backup(keys: &str) -> Scene {
    let scene = Scene::new();
    fs::create_dir(scene.path("backups")).unwrap();
    let pattern = scene.path("backups/db_*.gz").display().to_string();
    scene.keys(&format!("[service.app.probe.backup]\nfile = \"{pattern}\"\n{keys}"));
    scene
}

#[test]
fn a_backup_that_is_not_made_any_more_is_warned_of_and_restarts_nothing() {
    let scene = backup("age.warn = \"26h\"\nage.fail = \"50h\"\nsize.fail = \"1K\"");
    written(&scene, "backups/db_1.gz", 3);
    scene.tick().exits(0);
    let shown = scene.run(&["check", "-v"]);
    let text = String::from_utf8_lossy(&shown.output.stdout).into_owned();
    assert!(text.contains("backup") && text.contains("3 h 1 min old, 4K: db_1.gz"), "{text}");
    shown.prints("*", "").ends(0);
    written(&scene, "backups/db_1.gz", 27);
    let line = "⚠️ app warning: backup: 27 h 1 min old (age.warn 26 h), 4K: db_1.gz";
    scene.tick().exits(0).logs(&[line]);
    written(&scene, "backups/db_1.gz", 51);
    scene.pass(120);
    scene.tick().exits(0);
    scene.pass(120);
    scene.tick().exits(0).acts(&[]);
    written(&scene, "backups/db_2.gz", 1);
    scene.tick().exits(0).logs(&["✅ app warning cleared: backup: *"]);
}

#[test]
fn a_heartbeat_may_count_like_an_answer() {
    let scene = backup("age.fail = \"10m\"\noptional = false");
    let line = |n: u8, why: &str| format!("⚠️ app health check failed (backup) - Failure {n}/2: {why}");
    scene.tick().exits(1).logs(&[&line(1, "no file matches *db_[*].gz").replace("[*]", "*")]);
    scene.pass(120);
    written(&scene, "backups/db_1.gz", 1);
    let due = line(2, "1 h 1 min old (age.fail 10 min), 4K: db_1.gz");
    scene
        .tick()
        .exits(1)
        .logs(&[&due, "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_folder_that_cannot_be_looked_at_counts_for_nothing() {
    let scene = backup("optional = false");
    // A link to itself.
    fs::remove_dir(scene.path("backups")).unwrap();
    std::os::unix::fs::symlink("backups", scene.path("backups")).unwrap();
    scene
        .tick()
        .exits(1)
        .logs(&["❓ app not judged (unknown): backup: Too many levels of symbolic links: *"]);
    scene.pass(120);
    scene.tick().exits(1).acts(&[]);
    assert_eq!(scene.state()["failures"], 0);
}

#[test]
fn what_a_file_cannot_be_is_refused_before_anything_is_asked() {
    for (keys, fault) in [
        ("file = \"/b*/db\"", "file: takes * in the last part of the path only; nothing was probed"),
        (
            "file = \"/b/db\"\nage.warn = \"2h\"\nage.fail = \"1h\"",
            "age.fail: must be longer than age.warn, which is 2 h, got 1 h; warn first, fail later",
        ),
        (
            "file = \"/b/db\"\nsize = { warn = \"1M\", fail = \"1G\" }",
            "size.fail: must be smaller than size.warn, which is 1M, got 1G; warn first, fail later",
        ),
        ("file = \"db\"", "file: must be an absolute path, such as *, got \"db\"*"),
    ] {
        let scene = Scene::new();
        scene.keys(&format!("[service.app.probe.backup]\n{keys}"));
        let expected = format!("unhang: *: service.app.probe.backup.{fault}\n");
        scene.tick().prints("", &expected).ends(2);
    }
}

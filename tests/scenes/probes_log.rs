//! What a service logs, as a probe of it.

use std::fs::OpenOptions;
use std::io::Write;

use crate::harness::{Answer, RESTARTS, Scene};

const RESTART: &[&str] = &["reset-failed app.service", "restart app.service"];

/// With a log of its own, as it was when the first run had seen it.
fn watched(probe: &str) -> Scene {
    let scene = Scene::new();
    let log = scene.path("shop.log").display().to_string();
    scene.keys(&format!("[service.app.probe.log]\n{}", probe.replace("LOG", &log)));
    says(&scene, "Traceback of yesterday\n");
    scene.tick().exits(0);
    scene
}

fn says(scene: &Scene, text: &str) {
    let file = OpenOptions::new().create(true).append(true).open(scene.path("shop.log"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn new_lines_that_match_are_counted_and_lead_to_a_restart() {
    let scene = watched("log = \"LOG\"\nfail = \"Traceback\"\nlacks = \"harmless\"");
    scene.pass(120);
    scene.tick().exits(0);
    says(&scene, "fine\nharmless Traceback\nTraceback (most recent call last)\nTraceback 2\n");
    scene.pass(120);
    let line = "⚠️ app health check failed (log) - Failure 1/2: 2 lines match \"Traceback\": Traceback (most recent call last)";
    scene.tick().exits(1).logs(&[line]).calls(&["show app.service shutdown.target"]);
    says(&scene, "Traceback 3\n");
    scene.pass(120);
    let line = "⚠️ app health check failed (log) - Failure 2/2: 1 line matches \"Traceback\": Traceback 3";
    scene
        .tick()
        .exits(0)
        .logs(&[line, "🔄 Restarting app service...", "✅ app restarted successfully: *"])
        .acts(RESTART);
    scene.pass(120);
    scene.tick().exits(0);
}

#[test]
fn a_line_is_evidence_of_one_run() {
    let scene = watched("log = \"LOG\"\nfail = \"Traceback\"");
    says(&scene, "Traceback 1\n");
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*1/2: 1 line matches*"]);
    scene.pass(120);
    scene.tick().exits(0).logs(&["✅ app recovered (was 1 failures)"]);
}

#[test]
fn check_tells_what_the_next_run_would_find_and_takes_nothing_away() {
    let scene = watched("log = \"LOG\"\nwarn = \"slow\"\nfail = \"Traceback\"");
    says(&scene, "slow query\n");
    for _ in 0..2 {
        scene.run(&["check"]).ends(1).prints("*log: 1 line matches \"slow\": slow query*", "");
    }
}

#[test]
fn a_log_that_is_not_there_counts_for_nothing() {
    let scene = Scene::new();
    let none = scene.path("shop.log.none").display().to_string();
    scene.keys(&format!("[service.app.probe.log]\nlog = \"{none}\"\nfail = \"Traceback\""));
    let line = "❓ app not judged (unknown): log: *: no such file";
    scene.tick().exits(1).logs(&[line]);
    scene.pass(120);
    scene.tick().exits(1);
    assert_eq!(scene.state()["failures"], 0);
}

#[test]
fn what_unhang_itself_logs_is_no_evidence() {
    let scene = Scene::new();
    scene.keys(&format!(
        "[service.app.probe.log]\nlog = \"{}\"\nfail = \"failed\"",
        scene.path("app.log").display()
    ));
    std::fs::write(scene.path("app.log"), "").unwrap();
    let line = "❓ app not judged (unknown): log: * is what unhang itself logs of this service";
    scene.tick().exits(1).logs(&[line]);
}

/// Answers as journalctl does to those two questions, and nothing else, out of `entries` of the scene.
const JOURNALCTL: &str = r#"#!/bin/sh
case "$*" in
"--lines=1 --output-fields=_COMM --output=json --all --no-pager") tail -n 1 DIR/entries ;;
"--unit=shop.service --cursor="*" --output-fields=MESSAGE,SYSLOG_IDENTIFIER,_COMM --output=json --all --no-pager")
  sed -n "/$(echo "$2" | sed 's/--cursor=//')/,\$p" DIR/entries ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
[ "$LC_ALL$UNHANG_VERBOSE" = C ] || exit 8
"#;

fn logged(scene: &Scene, number: u32, by: &str, message: &str) {
    let entry = format!(
        "{{\"__CURSOR\":\"s=1;i={number};b=2\",\"SYSLOG_IDENTIFIER\":\"{by}\",\"MESSAGE\":\"{message}\"}}\n"
    );
    let file = OpenOptions::new().create(true).append(true).open(scene.path("entries"));
    file.unwrap().write_all(entry.as_bytes()).unwrap();
}

#[test]
fn the_journal_of_a_unit_is_read_from_the_last_run_on() {
    let scene = Scene::new();
    let script = JOURNALCTL.replace("DIR", &scene.dir.path().display().to_string());
    scene.keys("[service.app.probe.log]\nlog = \"journal:shop.service\"\nfail = \"Traceback\"");
    scene.executable("bin/journalctl", &script);
    std::fs::write(scene.path("entries"), "").unwrap();
    let line = "❓ app not judged (unknown): log: the journal has no entry";
    scene.tick().exits(1).logs(&[line]);
    logged(&scene, 10, "shop", "Traceback of yesterday");
    scene.pass(120);
    scene.tick().exits(0).logs(&["✅*"]);
    scene.pass(120);
    scene.tick().exits(0);
    logged(&scene, 11, "shop", "fine");
    logged(&scene, 12, "unhang", "Traceback of our own");
    logged(&scene, 13, "shop", "ok\\nTraceback (most recent call last)");
    scene.pass(120);
    let line = "⚠️*1/2: 1 line matches \"Traceback\"";
    scene.tick().exits(1).logs(&[line]);
    std::fs::rename(scene.path("entries"), scene.path("kept")).unwrap();
    std::fs::write(scene.path("entries"), "").unwrap();
    scene.pass(120);
    scene.tick().exits(1).logs(&["❓*: log: the journal has no entry"]);
    std::fs::rename(scene.path("kept"), scene.path("entries")).unwrap();
    scene.executable("bin/journalctl", "#!/bin/sh\necho 'Failed to open journal: why' >&2; exit 1\n");
    scene.pass(120);
    scene.tick().exits(1);
    scene.run(&["check"]).ends(3).prints("*not judged: log: journalctl: Failed to open journal: why *", "");
    scene.executable("bin/journalctl", &script);
    scene.pass(120);
    scene.tick().exits(0).logs(&["✅*"]);
}

#[test]
fn what_a_journalctl_that_is_too_slow_has_said_is_let_go() {
    let scene = Scene::new();
    scene.keys(
        "[service.app.probe.log]\nlog = \"journal:shop.service\"\nfail = \"Traceback\"\ntimeout = \"500ms\"",
    );
    let script = JOURNALCTL.replace("DIR", &scene.dir.path().display().to_string());
    scene.executable("bin/journalctl", &script);
    logged(&scene, 10, "shop", "fine");
    scene.tick().exits(0);
    logged(&scene, 11, "shop", "Traceback");
    scene.executable(
        "bin/journalctl",
        &script.replace("\n[ \"$LC_ALL", "\n[ $1 = --lines=1 ] || sleep 60\n[ \"$LC_ALL"),
    );
    scene.pass(120);
    scene.tick().exits(1).logs(&["❓*: log: journalctl has not ended within 500 ms"]);
    assert!(scene.state()["memory"]["log"].as_str().unwrap().ends_with(" s=1;i=11;b=2"));
}

#[test]
fn a_journalctl_that_hangs_or_is_missing_is_no_evidence() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.log]\nlog = \"journal:shop.service\"\nfail = \"x\"\ntimeout = \"300ms\"");
    scene.executable("bin/journalctl", "#!/bin/sh\nsleep 60\n");
    let line = "❓ app not judged (unknown): log: journalctl has not ended within 300 ms";
    scene.tick().exits(1).logs(&[line]);
    scene.no_systemctl();
    let missing =
        "UNHANG UNKNOWN - app: not judged: log: journalctl cannot be started: No such file or directory*";
    scene.run(&["check"]).ends(3).prints(missing, "");
}

#[test]
fn the_last_words_of_the_old_life_are_no_evidence_against_the_new_one() {
    let scene = watched("log = \"LOG\"\nfail = \"Traceback\"");
    let log = scene.path("shop.log").display().to_string();
    scene.on_restart(&format!("{RESTARTS}\necho 'Traceback: SIGTERM' >>{log}"));
    for n in ["1", "2"] {
        says(&scene, &format!("Traceback {n}\n"));
        scene.pass(120);
        let ran = scene.tick();
        if n == "1" {
            ran.exits(1).logs(&["⚠️*1/2: *"]);
        } else {
            ran.exits(0)
                .logs(&["⚠️*2/2: *", "🔄 Restarting app service...", "✅ app restarted successfully: *"])
                .acts(RESTART);
        }
    }
    scene.pass(120);
    scene.tick().exits(0);
}

#[test]
fn what_only_warns_goes_on_behind_a_restart_where_it_had_stopped() {
    let scene = watched("log = \"LOG\"\nwarn = \"Traceback\"");
    scene.server.answers(&[Answer::Status(503)]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(503), Answer::Status(503), Answer::Status(200)]);
    scene.tick().exits(0).logs(&["⚠️*2/2", "🔄*", "✅*"]).acts(RESTART);
    says(&scene, "Traceback of the new life\n");
    scene.pass(120);
    scene
        .tick()
        .exits(0)
        .logs(&["⚠️ app warning: log: 1 line matches \"Traceback\": Traceback of the new life"]);
}

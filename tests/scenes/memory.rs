//! Nothing is lost: what a tick remembers when things go wrong around it.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::harness::{Answer, RESTARTS, Scene};

/// The tick is killed while systemctl runs for it.
const DIES_AT_RESET: &str =
    "if [ \"$1\" = reset-failed ]; then echo \"reset-failed $3\" >>\"$ledger\"; kill -9 $PPID; exit; fi";

fn failed_once() -> Scene {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene
}

#[test]
fn the_intent_is_on_disk_before_systemctl_runs() {
    let scene = failed_once();
    let seen = scene.path("seen.json");
    scene.on_restart(&format!(
        "cp {}/state/app.json {}; {RESTARTS}",
        scene.dir.path().display(),
        seen.display()
    ));
    scene.tick().exits(1).logs(&["*"]).acts(&["*"]);
    let state: Value = serde_json::from_str(&fs::read_to_string(seen).unwrap()).unwrap();
    assert_eq!(state["intent"]["incarnation"], "aaaa");
    assert_eq!(state["restarts"][0]["outcome"], "unknown");
    assert_eq!(state["streak"], 0);
}

#[test]
fn a_tick_that_is_killed_costs_one_restart_and_causes_none() {
    // Killed by the fake: at reset-failed, and at restart, before and after systemd does it.
    for (restart, first, lines, healed) in [
        ("", DIES_AT_RESET, &["⚠️*2/2"][..], false),
        ("kill -9 $PPID", "", &["⚠️*2/2", "🔄*"], false),
        (&*format!("{RESTARTS}; kill -9 $PPID"), "", &["⚠️*2/2", "🔄*"], true),
    ] {
        let scene = failed_once();
        scene.systemctl(restart, first);
        let ran = scene.tick();
        assert_eq!(ran.output.status.code(), None, "killed by a signal");
        ran.logs(lines).acts(&["*"]);
        scene.on_restart(RESTARTS);
        scene.pass(120);
        if healed {
            scene.server.answers(&[Answer::Status(200)]);
            scene.tick().exits(0).logs(&["✅ app restarted successfully: *"]);
        } else {
            // It counts as used, and a full streak follows.
            scene.tick().exits(1).logs(&[
                "❌ app restart failed (HTTP 502): the previous run was interrupted before it was carried out",
                "⚠️*3/2: 1 of 2*",
            ]);
            assert_eq!(scene.state()["restarts"].as_array().unwrap().len(), 1);
            scene.pass(120);
            scene
                .tick()
                .exits(1)
                .logs(&["⚠️*4/2*", "🔄*", "*"])
                .acts(&["reset-failed app.service", "restart app.service"]);
        }
    }
}

/// It has fallen, and systemd leaves it so.
const FALLEN: &[(&str, &str)] = &[
    ("ActiveState", "failed"),
    ("Result", "exit-code"),
    ("ActiveExitTimestampMonotonic", "21"),
    ("ExecMainExitTimestampMonotonic", "20"),
];

/// As reset-failed leaves it.
const LEFT_INACTIVE: &[(&str, &str)] = &[
    ("ActiveState", "inactive"),
    ("ActiveExitTimestampMonotonic", "21"),
    ("ExecMainExitTimestampMonotonic", "20"),
];

const STARTS: &str =
    r#"sed -i "s/^InvocationID=.*/InvocationID=new/; s/^ActiveState=.*/ActiveState=active/" "$units/$unit""#;

#[test]
fn a_fallen_unit_that_a_cut_restart_left_looking_well_ended_is_started_again() {
    // Killed between reset-failed and restart; and reset-failed that is carried out but never answers.
    for (first, lines, rest) in [
        (DIES_AT_RESET, &["⚠️*2/2"][..], &["❌*", "⚠️*3/2*"][..]),
        (
            "if [ \"$1\" = reset-failed ]; then echo \"reset-failed $3\" >>\"$ledger\"; exec sleep 8; fi",
            &[
                "⚠️*2/2",
                "🔄*",
                "⏳ app restart not verified yet: systemd does not answer; the next run checks again",
            ],
            &["❌*", "⚠️*3/2*"],
        ),
    ] {
        let scene = failed_once();
        scene.unit("app.service", &crate::harness::unit(FALLEN)).systemctl("", first);
        scene.tick().ends_anyhow().logs(lines).acts(&["reset-failed app.service"]);
        scene.unit("app.service", &crate::harness::unit(LEFT_INACTIVE)).on_restart(STARTS);
        scene.pass(120);
        scene.tick().exits(1).logs(rest);
        scene.pass(120);
        scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
        scene
            .tick()
            .exits(0)
            .logs(&["⚠️*4/2*", "🔄*", "✅*"])
            .acts(&["reset-failed app.service", "restart app.service"]);
    }
}

#[test]
fn who_stops_a_hung_service_while_our_restart_of_it_still_runs_is_respected() {
    let scene = failed_once();
    let short = [("TimeoutStopUSec", "50ms"), ("TimeoutStartUSec", "50ms")];
    scene.unit("app.service", &crate::harness::unit(&short)).on_restart("exec sleep 30");
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", "⏳*"]).acts(&["*"]);
    // The stop canceled our job; recorded as restart-canceled-by-stop.
    scene.unit("app.service", &crate::harness::unit(crate::harness::STOPPED)).on_restart(RESTARTS);
    for lines in [&["⏸️ app not restarted (stopped): *"][..], &[], &[]] {
        scene.pass(120);
        scene.tick().exits(1).logs(lines).acts(&[]);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_not_taken_for_an_empty_one() {
    let scene = failed_once();
    std::fs::set_permissions(scene.path("state"), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .unwrap();
    scene.tick().ends(3).prints(
        "",
        "unhang: *state: cannot be used for locks: others may write to it*; nothing was probed\n",
    );
}

#[test]
fn want_of_descriptors_sets_no_good_state_aside() {
    let scene = failed_once();
    let before = scene.state();
    // Enough to begin, too few for lock, state and socket.
    for limit in 4..12 {
        let run = scene.command(&["run"]);
        let words: Vec<String> = std::iter::once(run.get_program())
            .chain(run.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let mut command = scene.bare(std::path::Path::new("/bin/sh"));
        command.args(["-c", &format!("ulimit -n {limit}; exec {}", words.join(" "))]);
        let ran = scene.ran(command.output().unwrap());
        let (printed, lines) = (String::from_utf8_lossy(&ran.output.stderr).into_owned(), ran.log.join("\n"));
        assert!(!printed.contains("corrupt"), "{limit}: {printed}");
        ran.prints("", "*").logs(&[&lines]).acts(&[]);
        if scene.state()["failures"] != before["failures"] {
            break;
        }
    }
    assert!(
        !std::fs::read_dir(scene.path("state"))
            .unwrap()
            .flatten()
            .any(|entry| { entry.file_name().to_string_lossy().contains("corrupt") })
    );
}

#[test]
fn a_corrupt_state_is_kept_and_told_and_counting_begins_at_zero() {
    for content in
        ["", "{", "null", "[]", "{\"version\":1}", "{\"version\":0}", "\u{0}\u{0}", &"x".repeat(140_000)]
    {
        let scene = failed_once();
        fs::write(scene.path("state/app.json"), content).unwrap();
        scene
            .tick()
            .ends(1)
            .prints(
                "",
                "unhang: app: state file unreadable (*): kept as app.json.corrupt-20*; counting from zero\n",
            )
            .logs(&["⚠️*1/2"]);
        assert_eq!(scene.state()["backoff"]["step"], 1, "no restart before one backoff");
        scene.pass(60);
        scene.tick().exits(1).logs(&["⚠️*2/2", "⏸️ app not restarted (backoff): *"]);
    }
}

#[test]
fn only_the_newest_three_corrupt_states_are_kept() {
    let scene = Scene::new();
    for n in 1..6 {
        fs::write(scene.path(&format!("state/app.json.corrupt-2020010{n}T000000")), "").unwrap();
    }
    fs::write(scene.path("state/app.json"), "no").unwrap();
    scene.tick().ends(0).prints("", "unhang: app: state file unreadable*\n");
    let kept = fs::read_dir(scene.path("state")).unwrap().flatten();
    let mut kept: Vec<String> = kept
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.contains("corrupt"))
        .collect();
    kept.sort();
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[0], "app.json.corrupt-20200104T000000");
}

#[test]
fn a_state_that_is_a_link_is_not_followed() {
    let scene = Scene::new();
    let outside = scene.path("outside");
    fs::write(&outside, "precious").unwrap();
    symlink(&outside, scene.path("state/app.json")).unwrap();
    scene.server.answers(&[Answer::Status(502)]);
    scene
        .tick()
        .ends(1)
        .prints("", "unhang: app: state file unreadable (is a symbolic link): kept as *\n")
        .logs(&["⚠️*1/2"]);
    assert_eq!(fs::read_to_string(outside).unwrap(), "precious");
}

#[test]
fn a_state_of_a_newer_unhang_is_left_alone_and_the_others_go_on() {
    let scene = Scene::new();
    let newer = "{\"version\":9,\"shape\":\"unheard of\"}";
    fs::write(scene.path("state/app.json"), newer).unwrap();
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().ends(3).prints(
        "",
        "unhang: app: */state/app.json was written by a newer unhang (version 9); skipped: install that version, or move the file away\n",
    );
    assert_eq!(fs::read_to_string(scene.path("state/app.json")).unwrap(), newer);
    assert_eq!(scene.server.requests().len(), 0);
}

#[test]
fn without_a_place_for_the_state_nothing_is_restarted() {
    let scene = failed_once();
    // A folder of the file's name: it can be neither read nor replaced nor renamed away from under us.
    fs::remove_file(scene.path("state/app.json")).unwrap();
    fs::create_dir_all(scene.path("state/.app.json.new/x")).unwrap();
    for _ in 0..3 {
        scene
            .tick()
            .ends(3)
            .prints("", "unhang: app: cannot save the state anywhere: *; NOT WATCHED until this is fixed\n")
            .logs(&["⚠️*1/2"])
            .acts(&[]);
    }
}

#[test]
fn a_log_that_cannot_be_written_is_told_once_and_holds_nothing_up() {
    let scene = Scene::new();
    fs::create_dir(scene.path("folder.log")).unwrap();
    let keys = scene.path("folder.log");
    scene
        .run_with_log(&keys, 502)
        .ends(1)
        .prints("", "unhang: app: cannot write the log *folder.log: *; restarts go on\n");
    scene.pass(120);
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
    scene.tick().exits(0).acts(&["reset-failed app.service", "restart app.service"]);
    scene.pass(3_600);
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().ends(1).prints("", "unhang: app: cannot write the log *; restarts go on\n");
}

#[test]
fn neither_a_full_disk_behind_stderr_nor_a_reader_that_is_gone_ends_a_run() {
    let full = || std::process::Stdio::from(fs::File::create("/dev/full").unwrap());
    let gone = || std::process::Stdio::from(std::io::pipe().unwrap().1);
    for stderr in [full(), gone()] {
        let scene = failed_once();
        scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
        let mut command = scene.command(&["run", "-v"]);
        let child = command.stderr(stderr).stdout(std::process::Stdio::piped()).spawn().unwrap();
        scene.ran(child.wait_with_output().unwrap()).exits(0).logs(&["⚠️*2/2", "🔄*", "✅*"]).acts(&["*"]);
    }
}

#[test]
fn a_log_is_never_written_through_a_link() {
    let scene = Scene::new();
    let (outside, link) = (scene.path("outside"), scene.path("link.log"));
    symlink(&outside, &link).unwrap();
    scene
        .run_with_log(&link, 502)
        .ends(1)
        .prints("", "unhang: app: cannot write the log *link.log: is a symbolic link; restarts go on\n");
    assert!(!outside.exists());
}

//! What is left alone, and named.

use crate::harness::{Answer, STOPPED, Scene, unit};

/// Two failed ticks with this unit: held from the first on, told once, nothing done.
#[track_caller]
fn held(changes: &[(&str, &str)], line: &str) {
    let scene = Scene::new();
    scene.unit("app.service", &unit(changes)).server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&[&format!("⏸️ app not restarted {line}")]).acts(&[]);
    for _ in 0..2 {
        scene.pass(120);
        scene.tick().exits(1).logs(&[]).acts(&[]);
    }
    // A full count follows, when it ends.
    scene.unit("app.service", &unit(&[]));
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]).acts(&[]);
}

#[test]
fn a_service_that_somebody_stopped_stays_stopped() {
    held(STOPPED, "(stopped): a person stopped app.service; unhang leaves it stopped");
}

#[test]
fn what_systemd_shows_is_respected() {
    let ended = ("ActiveExitTimestampMonotonic", "21");
    held(&[("LoadState", "masked"), ("CanStart", "no")], "(masked): app.service is masked");
    held(&[("LoadState", "not-found"), ("CanStart", "no")], "(not_found): systemd knows no app.service");
    held(
        &[("LoadState", "bad-setting"), ("CanStart", "no")],
        "(not_startable): systemd cannot start app.service: see systemctl status",
    );
    held(
        &[("CanStop", "no")],
        "(not_startable): systemd refuses to restart app.service, which has RefuseManualStop=",
    );
    held(
        &[("ActiveState", "activating"), ("Job", "7")],
        "(unit_busy): app.service is being started, stopped or reloaded",
    );
    held(
        &[("ActiveState", "a-state-to-come")],
        "(unit_busy): app.service is being started, stopped or reloaded",
    );
    held(&[("FreezerState", "frozen")], "(frozen): app.service is frozen; systemctl thaw ends that");
    // Type=forking without PIDFile=: no main process that systemd knows, whoever ended it.
    let ended_well = [("ActiveState", "inactive"), ("Type", "forking"), ended];
    held(&ended_well, "(exited): app.service ended well, by itself or because a person stopped it");
    held(
        &[ended_well[0], ended_well[1], ended_well[2], ("Restart", "always")],
        "(stopped): a person stopped app.service; unhang leaves it stopped",
    );
    let never = [("ActiveState", "inactive"), ("ActiveEnterTimestampMonotonic", "0"), ("InvocationID", "")];
    held(
        &never,
        "(never_started): app.service has not been started since boot, or it ended and systemd has forgotten it",
    );
    held(
        &[never[0], never[1], never[2], ("ConditionResult", "no")],
        "(condition): a start condition of app.service is not met (Condition...= in the unit file)",
    );
    let crashed =
        [("ActiveState", "failed"), ("Result", "exit-code"), ended, ("ExecMainExitTimestampMonotonic", "20")];
    held(
        &[crashed[0], crashed[1], crashed[2], crashed[3], ("UnitFileState", "disabled")],
        "(disabled): app.service fell and is disabled",
    );
}

#[test]
fn a_restart_must_not_start_or_stop_another_unit_against_somebodys_will() {
    let scene = Scene::new();
    let named = |name, changes: &[(&'static str, &'static str)]| {
        let names = [("Id", name), ("Names", name)];
        unit(&names.iter().chain(changes).copied().collect::<Vec<_>>())
    };
    scene.unit("db.service", &named("db.service", STOPPED));
    scene.unit("app.service", &unit(&[("Wants", "db.service system.slice")]));
    scene.server.answers(&[Answer::Status(502)]);
    scene
        .tick()
        .exits(1)
        .logs(&[
            "⏸️ app not restarted (upstream): a restart would also start db.service, which a person stopped",
        ])
        .calls(&["show app.service shutdown.target", "show db.service"]);
    scene.unit("app.service", &unit(&[("Conflicts", "db.service shutdown.target")]));
    scene.unit("db.service", &named("db.service", &[]));
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (conflict): db.service is active, and app.service conflicts with it"])
        .acts(&[]);
}

/// gunicorn and uvicorn end with 0 on SIGTERM.
const EXITED: [(&str, &str); 3] = [
    ("ActiveState", "inactive"),
    ("ActiveExitTimestampMonotonic", "21"),
    ("ExecMainExitTimestampMonotonic", "20"),
];

#[test]
fn a_service_that_ended_by_itself_is_down_unless_its_operator_wants_it_left_alone() {
    let scene = Scene::new();
    scene.unit("app.service", &unit(&EXITED)).server.answers(&[Answer::Close]);
    scene.on_restart(
        r#"sed -i "s/^InvocationID=.*/InvocationID=another/; s/^ActiveState=.*/ActiveState=active/" "$units/$unit""#,
    );
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 000) - Failure 1/2: connection closed without an answer"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Close, Answer::Close, Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (HTTP 000) - Failure 2/2: connection closed without an answer",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: healthy after *",
        ])
        .acts(&["reset-failed app.service", "restart app.service"]);

    let scene = Scene::new();
    scene.unit("app.service", &unit(&EXITED)).server.answers(&[Answer::Close]);
    scene.keys("when_exited = \"hold\"");
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (exited): app.service ended by itself, and well"])
        .acts(&[]);
}

#[test]
fn what_systemd_starts_again_is_inactive_only_when_somebody_stopped_it() {
    let stopped = "(stopped): a person stopped app.service; unhang leaves it stopped";
    held(&[EXITED[0], EXITED[1], EXITED[2], ("Restart", "always")], stopped);
    held(&[EXITED[0], EXITED[1], EXITED[2], ("Result", "exit-code")], stopped);
}

#[test]
fn a_crash_loop_is_left_to_systemd_and_named() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Close]);
    for (life, lines) in [
        (
            "1",
            &["⚠️ app health check failed (HTTP 000) - Failure 1/2: connection closed without an answer"][..],
        ),
        ("2", &["⚠️ app health check failed (HTTP 000) - Failure 1/2: connection closed without an answer"]),
        (
            "3",
            &[
                "⏸️ app not restarted (crash_loop): systemd restarts it itself, 3 times between our runs, and it still fails",
            ],
        ),
        ("4", &[]),
    ] {
        scene.unit("app.service", &unit(&[("InvocationID", life), ("NRestarts", life)]));
        scene.tick().exits(1).logs(lines).acts(&[]);
        scene.pass(120);
    }
}

#[test]
fn a_host_that_boots_or_goes_down_is_left_alone() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    let stopping =
        "Id=shutdown.target\nNames=shutdown.target\nLoadState=loaded\nActiveState=inactive\nJob=99\n";
    scene.unit("shutdown.target", stopping);
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (host_stopping): the host is shutting down"])
        .acts(&[]);
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene
        .run(&["run", "--boot-grace", "365d"])
        .exits(1)
        .logs(&["⏸️ app not restarted (host_starting): the host is booting; next restart possible *"])
        .acts(&[]);
}

#[test]
fn grace_after_a_start_and_two_runs_at_once_are_not_counted() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene
        .run(&["run", "--grace", "365d"])
        .exits(1)
        .logs(&["⏳ app not answering yet (HTTP 502): started *ago, not counted (grace 365 d)"])
        .acts(&[]);
    scene.run(&["run", "--grace", "365d"]).exits(1).logs(&[]).acts(&[]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]).acts(&[]);
    scene.tick().exits(1).logs(&["⏳ app not answering yet (HTTP 502): *after the last counted failure, not counted (min_gap 45 s)"]).acts(&[]);
    assert_eq!(scene.state()["streak"], 1);
}

#[test]
fn what_cannot_be_told_is_not_down() {
    // systemd says nothing, nonsense, or is not there.
    for (first, line) in [
        ("exit 1", "❓ app not judged (unit_unknown): systemctl show: exit status: 1"),
        (
            "echo 'Failed to connect to bus: No such file' >&2; exit 1",
            "❓ app not judged (unit_unknown): Failed to connect to bus: No such file",
        ),
        ("echo hello; exit 0", "❓ app not judged (unit_unknown): systemctl show left the unit out"),
        ("printf '\\033[31m\\n' >&2; exit 1", "❓ app not judged (unit_unknown): \\u{1b}[31m"),
        (
            "echo 'System has not been booted with systemd as init system' >&2; exit 1",
            "❓ app not judged (no_systemd): System has not been*",
        ),
        ("kill -9 $$", "❓ app not judged (unit_unknown): systemctl show: signal: 9 (SIGKILL)"),
    ] {
        let scene = Scene::new();
        scene.server.answers(&[Answer::Status(502)]);
        scene.systemctl("", first);
        scene.tick().exits(1).logs(&[line]);
        scene.pass(120);
        scene.tick().exits(1).logs(&[]);
        assert_eq!(scene.state()["streak"], 0);
    }
    let scene = Scene::new();
    scene.no_systemctl().server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["❓ app not judged (no_systemd): no systemctl in PATH"]);
}

#[test]
fn a_systemd_that_does_not_answer_costs_five_seconds() {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    scene.systemctl("", "exec sleep 60");
    let began = std::time::Instant::now();
    scene.tick().exits(1).logs(&["❓ app not judged (unit_unknown): no answer from systemctl within 5 s"]);
    assert!(began.elapsed().as_secs_f64() < 7.0, "{:?}", began.elapsed());
}

#[test]
fn a_oneshot_that_has_done_its_work_holds_nothing_back() {
    let scene = Scene::new();
    let done = [
        ("Id", "migrate.service"),
        ("Names", "migrate.service"),
        ("Type", "oneshot"),
        ("ActiveState", "inactive"),
        ("ActiveEnterTimestampMonotonic", "0"),
        ("ActiveExitTimestampMonotonic", "0"),
        ("ExecMainExitTimestampMonotonic", "21"),
    ];
    scene.unit("migrate.service", &unit(&done));
    let mount = "Id=srv.mount\nNames=srv.mount\nLoadState=loaded\nActiveState=inactive\nJob=\nCanStart=yes\n\
        ActiveEnterTimestampMonotonic=10\nActiveExitTimestampMonotonic=20\nInactiveExitTimestampMonotonic=10\n";
    scene.unit("srv.mount", mount);
    scene.unit("app.service", &unit(&[("Wants", "migrate.service"), ("Requires", "srv.mount")]));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]).acts(&[]);
}

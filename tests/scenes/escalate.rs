//! Means beyond a restart: each once an incident, in the order of `escalate`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Answer, HANGS_IN_STOP, RESTARTS, Scene, unit};

const BAD: Answer = Answer::Status(502);
const WELL: Answer = Answer::Status(200);

/// Due at the next failed tick, and no wait between two acts.
fn due(escalate: &str) -> Scene {
    let scene = Scene::new();
    let backoff = "backoff = { first = \"0s\", max = \"0s\" }";
    scene.keys(&format!("grace = \"0s\"\nverify = \"10ms\"\n{backoff}\nescalate = {escalate}"));
    scene.tick().exits(0);
    scene.server.answers(&[BAD]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene
}

/// To the next failed tick that is due.
fn fails_once_more(scene: &Scene) {
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*"]);
    scene.pass(120);
}

#[test]
fn a_reload_that_helps_is_all_that_is_done() {
    let scene = due(r#"["reload", "restart"]"#);
    scene.server.answers(&[BAD, BAD, WELL]);
    let told = &["⚠️*2/2", "🔄 Reloading app service...", "✅ app reloaded successfully: healthy after *"];
    scene.tick().exits(0).logs(told).acts(&["reload app.service"]);
    scene
        .run(&["why"])
        .ends(0)
        .prints("*, the last, a reload, at *: healed\nnext restart: *; next step of escalate: reload\n", "");
    let shown = scene.run(&["status", "--json"]);
    shown.ends(0).prints("*\"act\":\"reload\"*", "");
    // The next incident begins with the first one again.
    scene.pass(120);
    scene.server.answers(&[BAD]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    let told =
        &["⚠️*2/2", "🔄 Reloading*", "❌ app reload failed (HTTP 502): still failing * after the reload"];
    scene.tick().exits(1).logs(told).acts(&["reload app.service"]);
}

#[test]
fn each_means_is_used_once_and_then_a_person_is_needed() {
    let scene = due(r#"["reload", "restart", "kill", ["/bin/sh", "-c", "echo ran >> $0/ledger", "DIR"]]"#);
    let dir = scene.path("");
    let text = scene.config_text().replace("\"DIR\"", &format!("\"{}\"", dir.display()));
    scene.config(&text).on_restart(RESTARTS);
    let reload = &["reload app.service"];
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄 Reloading app service...", "❌*"]).acts(reload);
    fails_once_more(&scene);
    let restart = &["reset-failed app.service", "restart app.service"];
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*4/2*", "🔄 Restarting app service...", "❌ app restart failed*"])
        .acts(restart);
    fails_once_more(&scene);
    let killing = "🔄 Killing and restarting app service...";
    let failed = "❌ app kill and restart failed (HTTP 502): still failing * after the kill and restart";
    scene.on_restart(HANGS_IN_STOP);
    let kill = &["reset-failed app.service", "restart app.service", "kill app.service"];
    scene.tick().exits(1).logs(&["⚠️*6/2*", killing, failed]).acts(kill);
    fails_once_more(&scene);
    let failed = "❌ app command failed (HTTP 502): still failing * after the command";
    scene.tick().exits(1).logs(&["⚠️*8/2*", "🔄 Running /bin/sh for app service...", failed]).acts(&["ran"]);
    fails_once_more(&scene);
    let spent = "⏸️ app not restarted (escalation_exhausted): every escalation step was used in this incident; a restart by hand, or unhang reset app, starts again at the first step";
    let told = "unhang: app: every escalation step was used, and it still fails; a person must look\n";
    scene.tick().ends(1).prints("", told).logs(&["⚠️*10/2*", spent]);
    let earliest = "*\nnext restart: after it was healthy once more, or after unhang reset app\n";
    scene.run(&["why"]).ends(0).prints(earliest, "");
    scene.pass(120);
    scene.tick().exits(1);
    // A person who has looked at it lets it begin anew.
    scene.run(&["reset", "app"]).ends(0).prints("app: cleared*\n", "");
    for (logs, acts) in [(&["⚠️*"][..], &[][..]), (&["⚠️*", "🔄 Reloading*", "❌*"], reload)] {
        scene.pass(120);
        scene.tick().exits(1).logs(logs).acts(acts);
    }
}

#[test]
fn what_does_not_heed_its_stop_is_killed_and_nothing_else() {
    let (restart, kill) = (&["reset-failed app.service", "restart app.service"][..], "kill app.service");
    let with_kill = [restart, &[kill]].concat();
    for (on_restart, acts, told) in [
        (HANGS_IN_STOP, &*with_kill, "✅ app killed and restarted successfully: healthy after *"),
        (RESTARTS, restart, "✅ app killed and restarted successfully: healthy after *"),
        ("true", restart, "❌ app kill and restart failed (HTTP 502): app.service was not restarted"),
    ] {
        let scene = due(r#"["kill"]"#);
        scene.on_restart(on_restart).server.answers(&[BAD, BAD, WELL]);
        let exit = i32::from(on_restart == "true");
        scene.tick().exits(exit).logs(&["⚠️*2/2", "🔄 Killing*", told]).acts(acts);
    }
}

#[test]
fn a_stop_by_somebody_wins_over_a_kill() {
    let scene = due(r#"["kill", "restart"]"#);
    let refused = "echo 'Transaction for app.service/restart is destructive.' >&2; exit 1";
    scene.systemctl(refused, "");
    let told = "⏸️ app not restarted (unit_busy): another systemd job was first: Transaction for app.service/restart is destructive";
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄 Killing*", told]).acts(&["reset-failed app.service"]);
}

#[test]
fn what_restarts_nothing_passes_the_list_of_all_over() {
    let scene = Scene::new();
    scene.keys("restart = []");
    scene.config(&scene.config_text().replace("[defaults]", "[defaults]\nescalate = [\"reload\", \"kill\"]"));
    scene.server.answers(&[BAD]);
    for logs in [&["⚠️*1/2"][..], &["⚠️*2/2", "⏸️ app not restarted (probe_only): *"]] {
        scene.tick().exits(1).logs(logs);
        scene.pass(120);
    }
    scene.run(&["why"]).ends(0).prints("*\nnext restart: never: nothing restarts it\n", "");
}

#[test]
fn what_has_no_way_to_be_reloaded_is_restarted_at_once() {
    let scene = due(r#"["reload", "restart"]"#);
    scene.unit("app.service", &unit(&[("CanReload", "no")])).on_restart(RESTARTS);
    let told = "unhang: */unhang.toml:*: service.app.escalate: this step would be skipped: app.service has no way to be reloaded (ExecReload=); add ExecReload= to the unit, or leave reload out\n";
    scene.run(&["config", "check"]).ends(2).prints("*", told);
    let next = "*would restart (max_failures)*";
    scene.run(&["check", "-v"]).ends(2).prints(next, "");
    let acts = &["reset-failed app.service", "restart app.service"];
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄 Restarting*", "❌*"]).acts(acts);
}

#[test]
fn a_reload_that_is_not_permitted_gives_way_to_what_may_be() {
    let scene = due(r#"["reload", "restart"]"#);
    let denied = "case $* in *' reload '*) echo 'Failed: Access denied' >&2; exit 1;; esac";
    scene.systemctl("echo \"restart $unit\" >>\"$ledger\"", denied);
    let told =
        "⏸️ app not restarted (not_permitted): user * may not reload app.service (Failed: Access denied): *";
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄*", told]);
    scene.pass(120);
    let restart = &["reset-failed app.service", "restart app.service"];
    scene.tick().exits(1).logs(&["🔄 Restarting*", "❌*"]).acts(restart);
}

#[test]
fn a_kill_that_is_not_permitted_is_a_restart() {
    let scene = due(r#"["kill"]"#);
    let denied = "case $* in *' kill '*) echo 'Failed: Access denied' >&2; sed -i 's/=deactivating/=active/' $units/app.service; exit 1;; esac";
    scene.systemctl(&format!("echo \"restart $unit\" >>\"$ledger\"; {HANGS_IN_STOP}"), denied);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2", "🔄 Killing*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_reload_that_complains_is_not_praised() {
    let scene = due(r#"["reload"]"#);
    let failed = "case $* in *' reload '*) echo 'Job for app.service failed.' >&2; exit 1;; esac";
    scene.systemctl("true", failed).server.answers(&[BAD, BAD, WELL]);
    let told = "✅ app is healthy after *, although the reload reported an error: Job for app.service failed";
    scene.tick().exits(0).logs(&["⚠️*2/2", "🔄*", told]);
}

#[test]
fn who_asks_is_told_what_would_be_done() {
    for (escalate, rehearsed, checked) in [
        (r#"["reload"]"#, "it would be reloaded now", "would reload it (max_failures)"),
        (r#"["restart"]"#, "it would be restarted now", "would restart (max_failures)"),
        (r#"["kill"]"#, "it would be killed and restarted now", "would kill and restart it (max_failures)"),
        (r#"[["true"]]"#, "true would be run for it now", "would run true (max_failures)"),
    ] {
        let scene = due(escalate);
        scene.run(&["run", "--dry-run"]).ends(1).prints(&format!("*{rehearsed}*"), "");
        scene.run(&["check", "-v"]).ends(2).prints(&format!("*{checked}*"), "");
    }
}

#[test]
fn a_command_that_still_runs_is_not_met_by_the_next_means() {
    let scene = due(r#"[["SCRIPT"], "restart"]"#);
    let (end, ledger) = (scene.path("end"), scene.path("ledger"));
    scene.executable(
        "failover.sh",
        &format!(
            "#!/bin/sh\necho ran >>{}\nuntil [ -e {} ]; do sleep 0.05; done\n",
            ledger.display(),
            end.display()
        ),
    );
    let script = scene.path("failover.sh").display().to_string();
    scene.config(&scene.config_text().replace("SCRIPT", &script)).on_restart(RESTARTS);
    let mut tick = scene.command(&["run"]).spawn().unwrap();
    let is_running =
        || scene.state()["intent"]["pid"].is_u64() && fs::read_to_string(&ledger).unwrap().contains("ran");
    await_that(is_running);
    tick.kill().unwrap();
    tick.wait().unwrap();
    scene.pass(120);
    let busy = "⏸️ app not restarted (unit_busy): app.service is being started, stopped or reloaded, or an escalation command is still running";
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄 Running*", busy]).acts(&["ran"]);
    fs::write(&end, "").unwrap();
    let pid = scene.state()["intent"]["pid"].as_u64().unwrap();
    await_that(|| !is_alive(pid));
    // It has not helped, as is known now; the restart comes after a full count.
    scene.pass(120);
    scene.tick().exits(1).logs(&["❌ app command failed*", "⚠️*3/2*"]);
    scene.pass(120);
    let acts = &["reset-failed app.service", "restart app.service"];
    scene.tick().exits(1).logs(&["⚠️*4/2*", "🔄 Restarting*", "❌*"]).acts(acts);
}

/// A process that nobody has waited for yet is over all the same.
fn is_alive(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

fn await_that(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "it never came");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_command_that_outlives_its_run_is_not_met_by_the_next_means() {
    let scene = due(r#"[["SCRIPT"], "restart"]"#);
    let end = scene.path("end");
    let script = format!("#!/bin/sh\nuntil [ -e {} ]; do sleep 0.05; done\n", end.display());
    scene.executable("failover.sh", &script);
    let script = scene.path("failover.sh").display().to_string();
    scene.config(&scene.config_text().replace("SCRIPT", &script));
    let slow = ["run", "--deadline", "40s", "--timeout", "2s"];
    let running = "⏳ app command still running: it has not ended; the next run checks again";
    scene.run(&slow).exits(1).logs(&["⚠️*2/2", "🔄 Running*", running]);
    let pid = scene.state()["intent"]["pid"].as_u64().unwrap();
    for logs in [&["⏸️ app not restarted (unit_busy): *"][..], &[]] {
        scene.pass(120);
        scene.tick().exits(1).logs(logs);
    }
    // It answers: the incident is over, whether or not the command ever ends.
    scene.server.answers(&[WELL]);
    scene.tick().exits(0).logs(&["✅ app recovered*"]);
    fs::write(&end, "").unwrap();
    await_that(|| !is_alive(pid));
}

#[test]
fn a_command_that_cannot_be_run_gives_way_to_the_next_means() {
    let scene = due(r#"[["/no/such/program"], "restart"]"#);
    let missing = "/no/such/program cannot be started: no such program";
    let told = "unhang: */unhang.toml:*: service.app.escalate: this step would be skipped: there is no program /no/such/program; install it, or correct the path\n";
    scene.run(&["config", "check"]).ends(2).prints("*", told);
    let failed = format!("❌ app command failed (HTTP 502): {missing}");
    scene.tick().exits(1).logs(&["⚠️*2/2", "🔄 Running /no/such/program for app service...", &failed]);
    scene.pass(120);
    let acts = &["reset-failed app.service", "restart app.service"];
    scene.tick().exits(1).logs(&["🔄 Restarting*", "❌*"]).acts(acts);
}

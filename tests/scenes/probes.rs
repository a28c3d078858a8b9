//! Several probes of one service, and answers that are judged by more than their status.

use std::net::TcpListener;

use crate::harness::{Answer, RESTARTS, Scene};
use crate::needs;

/// A port of 127.0.0.1 where nobody listens, though somebody did.
fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn says(body: &str) -> Answer {
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    Answer::Says(text.leak())
}

const SHOW: &str = "show app.service shutdown.target";
const RESTART: [&str; 6] = [SHOW, SHOW, "reset-failed app.service", "restart app.service", SHOW, SHOW];

#[test]
fn every_probe_that_counts_must_be_well() {
    if !needs::has_program("python3") {
        return;
    }
    let scene = Scene::new();
    let redis = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = redis.local_addr().unwrap().port();
    scene.keys(&format!("[service.app.probe.redis]\ntcp = \"127.0.0.1:{port}\""));
    scene.tick().exits(0).logs(&[]).calls(&[SHOW]);
    scene.tick().exits(0).logs(&[]).calls(&[]);
    drop(redis);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (redis) - Failure 1/2: connection refused"])
        .calls(&[SHOW]);
    assert_eq!(scene.state()["cause"], serde_json::json!({ "probe": "redis", "code": "refused" }));
    scene.pass(120);
    let came_back = format!(
        "{RESTARTS}\npython3 -c 'import socket,time; s=socket.create_server((\"127.0.0.1\",{port})); time.sleep(20)' >/dev/null 2>&1 &\nwhile ! python3 -c 'import socket; socket.create_connection((\"127.0.0.1\",{port}))' 2>/dev/null; do :; done"
    );
    scene.on_restart(&came_back);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (redis) - Failure 2/2: connection refused",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: healthy after *",
        ])
        .calls(&RESTART);
}

/// The hardened service takes rights and system calls away; cron does not.
#[test]
fn a_command_that_was_never_well_in_a_sandbox_says_nothing_there() {
    if !needs::has_program("setpriv") {
        return;
    }
    let scene = Scene::new();
    let broken = scene.path("broken");
    scene.keys(&format!(
        "[service.app.probe.db]\ncommand = [\"test\", \"!\", \"-e\", \"{}\"]",
        broken.display()
    ));
    let in_sandbox = || {
        let run = scene.command(&["run"]);
        let mut command = scene.bare(std::path::Path::new("setpriv"));
        command.args(["--no-new-privs", "--"]).arg(run.get_program()).args(run.get_args());
        scene.ran(command.output().unwrap())
    };
    std::fs::write(&broken, "").unwrap();
    let why = "db: exit status 1; never well in the sandbox of this run: see The sandbox in unhang(8)";
    in_sandbox().exits(1).logs(&[&format!("❓ app not judged (unknown): {why}")]);
    std::fs::remove_file(&broken).unwrap();
    in_sandbox().exits(0).logs(&["✅ app recovered: healthy again"]);
    std::fs::write(&broken, "").unwrap();
    // It was well there: now it is the service that is ill.
    in_sandbox().exits(1).logs(&["⚠️ app health check failed (db) - Failure 1/2: exit status 1"]);
}

/// What one failing probe says of the service is not all that there is to know.
#[test]
fn each_probe_is_shown_also_while_one_fails() {
    let scene = Scene::new();
    let (redis, dead) = (TcpListener::bind("127.0.0.1:0").unwrap(), dead_port());
    let well = format!("tcp = \"127.0.0.1:{}\"", redis.local_addr().unwrap().port());
    scene.keys(&format!(
        "[service.app.probe.redis]\n{well}\n[service.app.probe.queue]\ntcp = \"127.0.0.1:{dead}\"\n\
         [service.app.probe.name]\ntcp = \"no-such-host.invalid:1\"\n\
         [service.app.probe.cache]\ntcp = \"127.0.0.1:{dead}\"\noptional = true"
    ));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app*Failure 1/2", "⚠️ app warning: cache: connection refused"]);
    let told = "app  failing  1/2  HTTP 502  since *\n  url: fails: HTTP 502\n  cache (tcp): warning: connection refused\n  \
                name (tcp): fails: not judged: name not resolved: *\n  queue (tcp): fails: connection refused\n  redis (tcp): well\n";
    scene.run(&["status", "-v"]).ends(0).prints(told, "");
    let json = crate::check::printed(scene.run(&["status", "--json"]).ends(0));
    let others = &serde_json::from_str::<serde_json::Value>(&json).unwrap()["services"][0]["others"];
    assert_eq!(others.as_array().unwrap().len(), 2, "{others}");
    assert_eq!(others[1], "queue: connection refused");
    // None is left when all are well again.
    scene.keys(&format!("[service.app.probe.redis]\n{well}"));
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["*"]);
    assert!(scene.state().get("others").is_none());
}

#[test]
fn an_optional_probe_only_warns_and_that_once() {
    let scene = Scene::new();
    let port = dead_port();
    scene.keys(&format!("[service.app.probe.cache]\ntcp = \"127.0.0.1:{port}\"\noptional = true"));
    scene.tick().exits(0).logs(&["⚠️ app warning: cache: connection refused"]).calls(&[SHOW]);
    for _ in 0..3 {
        scene.pass(120);
        scene.tick().exits(0).logs(&[]).calls(&[]);
    }
    scene
        .run(&["check"])
        .ends(1)
        .prints("UNHANG WARNING - app: 1 probe healthy in *; warning: cache: connection refused | *\n", "");
    scene.run(&["status"]).ends(0).prints("app  healthy  *\n  warning: cache: connection refused\n", "");
    scene
        .run(&["why"])
        .ends(0)
        .prints("app: healthy (ok): it answers; warning: cache: connection refused; *", "");
    let _cache = TcpListener::bind(("127.0.0.1", port)).unwrap();
    scene.tick().exits(0).logs(&["✅ app warning cleared: cache: connection refused"]).calls(&[]);
    scene.run(&["check"]).ends(0).prints("UNHANG OK - app: 1 probe healthy in * | *\n", "");
}

#[test]
fn what_only_warns_does_not_hold_up_the_proof_of_a_restart() {
    let scene = Scene::new();
    scene.keys("min_successes = 3\nverify = \"2500ms\"\n[service.app.probe.slow]\ncommand = [\"sleep\", \"1.6\"]\noptional = true");
    scene.server.answers(&[Answer::Status(503)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(503), Answer::Status(503), Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&["⚠️*2/2", "🔄*", "✅ app restarted successfully: healthy after *"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_probe_that_cannot_be_carried_out_is_unknown_and_counts_nothing() {
    let scene = Scene::new();
    scene.keys("[service.app.probe.db]\ncommand = [\"/no/such/pg_isready\"]");
    let line =
        "❓ app not judged (unknown): db: /no/such/pg_isready cannot be started: No such file or directory";
    scene.tick().exits(1).logs(&[line]).calls(&[]);
    assert_eq!(
        (&scene.state()["streak"], &scene.state()["cause"]),
        (&0.into(), &serde_json::json!({ "probe": "db", "code": "other" }))
    );
    scene.tick().exits(1).logs(&[]).calls(&[]);
    // What fails beside it counts all the same.
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]).calls(&[SHOW]);
}

#[test]
fn a_service_needs_no_url_if_it_has_a_probe_that_counts() {
    let scene = Scene::new();
    let log = scene.path("app.log");
    let file = scene.path("answer");
    std::fs::write(&file, "PONG\n").unwrap();
    let text = format!(
        "[host]\nboot_grace = \"0s\"\n[service.app]\nlog_file = \"{}\"\nverify = \"1s\"\ngrace = \"1s\"\n\
         [service.app.probe.redis]\ncommand = [\"cat\", \"{}\"]\ncontains = \"PONG\"\n",
        log.display(),
        file.display()
    );
    scene.config(&text);
    scene.tick().exits(0).logs(&[]).calls(&[SHOW]);
    std::fs::write(&file, "LOADING Redis is loading the dataset in memory\n").unwrap();
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (redis) - Failure 1/2: its output has no \"PONG\": LOADING Redis is loading the dataset in memory"])
        .calls(&[SHOW]);
    scene.run(&["check", "-v"]).ends(2).prints(
        "UNHANG CRITICAL - app: redis: its output has no \"PONG\": LOADING* | app=U;;5;0;5\n\
         app: probe redis: fails: its output has no \"PONG\": LOADING*\napp: unit: *\napp: a restart: *\napp: next run: *\n",
        "",
    );
    scene.run(&["status", "-v"]).ends(0).prints(
        "app  failing  1/2  redis: command  *\n  redis (command): fails: command: its output has no \"PONG\": LOADING*\n",
        "",
    );
}

#[test]
fn what_a_body_says_of_its_own_health_is_believed_and_named() {
    let scene = Scene::new();
    scene.keys("json = { ignore = [\"cache\"] }");
    scene.server.answers(&[says(r#"{"status":"healthy","checks":{"database":{"status":"ok"}}}"#)]);
    scene.tick().exits(0).logs(&[]).calls(&[SHOW]);
    scene
        .server
        .answers(&[says(r#"{"status":"degraded","services":{"database":"ok","cache":"error: away"}}"#)]);
    scene.tick().exits(0).logs(&[]).calls(&[]);
    scene.server.answers(&[says(
        r#"{"status":"unhealthy","checks":{"database":{"status":"error","error":"connection refused"}}}"#,
    )]);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 200) - Failure 1/2: database: connection refused"])
        .calls(&[SHOW]);
    let last = "last answer HTTP 200 (json): database: connection refused";
    scene.run(&["why"]).ends(0).prints(&format!("app: failing (counting) since *; {last}; *"), "");
    scene
        .run(&["check"])
        .ends(2)
        .prints("UNHANG CRITICAL - app: HTTP 200: database: connection refused | app=0.*\n", "");
    scene.server.answers(&[says(r#"{"status":"degraded"}"#)]);
    scene.tick().exits(0).logs(&["✅ app recovered (was 1 failures)", "⚠️ app warning: it says degraded"]);
    // What it has no word for is no failure.
    scene.server.answers(&[says("<html>Welcome to nginx</html>")]);
    scene.tick().exits(1).logs(&[
        "❓ app not judged (unknown): unknown health word: \"<html>Welcome to nginx</html>\"",
        "✅ app warning cleared: it says degraded",
    ]);
}

#[test]
fn an_error_page_tells_what_fails_too() {
    let scene = Scene::new();
    scene.keys("json = {}");
    let body = r#"{"status":"degraded","checks":{"database":{"status":"error"}}}"#;
    let text = format!("HTTP/1.1 503 X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    scene.server.answers(&[Answer::Says(text.leak())]);
    let line = "⚠️ app health check failed (HTTP 503) - Failure 1/2: database: error";
    scene.tick().exits(1).logs(&[line]).calls(&[SHOW]);
}

#[test]
fn a_body_must_be_what_it_is_to_be_and_come_in_time() {
    let scene = Scene::new();
    scene.keys("body = { contains = \"in stock\", lacks = [\"Traceback\"] }\nlatency = { warn = \"20ms\", fail = \"30s\" }");
    scene.server.answers(&[Answer::Late(20)]);
    scene.tick().exits(0).logs(&["⚠️ app warning: answered in * (latency.warn 20 ms)"]).calls(&[SHOW]);
    scene.server.answers(&[says("in stock\nTraceback (most recent call last)")]);
    scene.tick().exits(1).logs(&[
        "⚠️ app health check failed (HTTP 200) - Failure 1/2: the body has \"Traceback\" in it",
        "✅ app warning cleared: answered in *",
    ]);
    scene.keys("latency = { fail = \"20ms\" }");
    scene.pass(120);
    scene.server.answers(&[Answer::Late(20)]);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 200) - Failure 1/2: answered in * (latency.fail 20 ms)"]);
}

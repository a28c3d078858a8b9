//! Why no good answer came, in words.

use std::net::TcpListener;

use crate::harness::{Answer, Scene};

#[track_caller]
fn failure(answer: Answer, line: &str) -> Scene {
    let scene = Scene::new();
    scene.keys("timeout = \"400ms\"").server.answers(&[answer]);
    scene.tick().exits(1).logs(&[&format!("⚠️ app health check failed {line}")]);
    scene
}

#[test]
fn each_cause_is_told_apart() {
    failure(Answer::Status(301), "(HTTP 301) - Failure 1/2");
    failure(Answer::Status(204), "(HTTP 204) - Failure 1/2");
    failure(Answer::Close, "(HTTP 000) - Failure 1/2: closed without an answer");
    failure(Answer::Hang, "(HTTP 000) - Failure 1/2: no answer within 400 ms (connected)");
    failure(
        Answer::Says("HTTP/1.1 200 OK\r\ncont"),
        "(HTTP 000) - Failure 1/2: closed in the middle of the answer",
    );
    failure(Answer::Says("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "(HTTP 000) - Failure 1/2: not HTTP: *");
    let scene = failure(Answer::Hang, "(HTTP 000) - Failure 1/2: *");
    assert_eq!(scene.state()["cause"], "timeout_waiting");
}

#[test]
fn a_port_that_nobody_listens_at_is_refused() {
    let scene = Scene::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    scene
        .run(&[
            "run",
            "--url",
            &format!("http://localhost:{port}/"),
            "--unit",
            "app",
            "--boot-grace",
            "0s",
            "--log-file",
            scene.path("app.log").to_str().unwrap(),
        ])
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 000) - Failure 1/2: connection refused"]);
}

#[test]
fn what_a_server_answers_cannot_forge_a_line() {
    let forged = "HTTP/1.1 200\x1b[2J\r2026-01-01 00:00:00 - ✅ app recovered\n\r\n\r\n";
    let scene = failure(Answer::Says(forged), "(HTTP 000) - Failure 1/2: not HTTP*");
    let log = std::fs::read_to_string(scene.path("app.log")).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.trim_end().chars().all(|c| !c.is_control()), "{log:?}");
}

#[test]
fn a_fault_of_ours_is_no_evidence() {
    let scene = Scene::new();
    let text = format!(
        "[service.app]\nurl = \"http://no-such-host.invalid/\"\ntimeout = \"2s\"\nlog_file = \"{}\"\n[host]\nboot_grace = \"0s\"\n",
        scene.path("app.log").display()
    );
    scene.config(&text);
    scene.tick().exits(1).logs(&["❓ app not judged (unknown): name not resolved: *"]).calls(&[]);
    for _ in 0..3 {
        scene.pass(120);
        scene.tick().exits(1).logs(&[]).calls(&[]);
    }
    assert_eq!((scene.state()["streak"].as_u64(), scene.state()["failures"].as_u64()), (Some(0), Some(0)));
}

#[test]
fn what_is_asked_is_what_was_configured() {
    let scene = Scene::new();
    scene.keys(
        "method = \"HEAD\"\nheaders = { Host = \"shop.example\", X-Probe = \"1\" }\nstatus = \"2xx,503\"",
    );
    scene.server.answers(&[Answer::Status(503)]);
    scene.tick().exits(0);
    let request = &scene.server.requests()[0];
    assert!(request.starts_with("HEAD /health/ HTTP/1.1\r\n"), "{request}");
    let lower = request.to_lowercase();
    for header in ["host: shop.example\r\n", "x-probe: 1\r\n", "connection: close\r\n", "user-agent: unhang/"]
    {
        assert!(lower.contains(header), "{header} in {request}");
    }
}

#[test]
fn no_proxy_of_the_environment_is_asked() {
    let scene = Scene::new();
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        scene.env(name, "http://127.0.0.1:1/");
    }
    scene.tick().exits(0);
}

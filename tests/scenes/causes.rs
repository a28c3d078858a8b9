//! Why no good answer came, in words.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

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
    failure(
        Answer::Says("HTTP/1.1 301 X\r\nlocation: https://x/\r\n\r\n"),
        "(HTTP 301) - Failure 1/2: redirected to https: set url to https://..., or X-Forwarded-Proto: https in headers",
    );
    failure(
        Answer::Status(400),
        "(HTTP 400) - Failure 1/2: 400 is what Django answers to a Host that is not in ALLOWED_HOSTS: set headers = { Host = \"...\" }",
    );
    failure(Answer::Status(404), "(HTTP 404) - Failure 1/2: no such page: is the path of the url right?");
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
fn a_service_behind_a_unix_socket() {
    let scene = Scene::new();
    let (socket, log) = (scene.path("app.sock"), scene.path("app.log"));
    scene.config(&format!(
        "[host]\nboot_grace = \"0s\"\n[service.app]\nurl = \"unix:{}:/health/\"\nlog_file = \"{}\"\n",
        socket.display(),
        log.display()
    ));
    let missing = "⚠️ app health check failed (HTTP 000) - Failure 1/2: no such socket";
    scene.tick().exits(1).logs(&[missing]);
    assert_eq!(scene.state()["cause"], "no_socket");
    let listener = UnixListener::bind(socket).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let read = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    scene.tick().exits(0).logs(&["✅ app recovered (was 1 failures)"]);
    let head = server.join().unwrap();
    assert!(
        head.starts_with("GET /health/ HTTP/1.1\r\n") && head.contains("\r\nhost: localhost\r\n"),
        "{head}"
    );
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

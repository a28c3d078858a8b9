//! Why no good answer came, in words.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use crate::harness::{Answer, STOPPED, Scene, unit};

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
    let nginx = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
    failure(
        Answer::Says(
            format!(
                "HTTP/1.1 400 Bad Request\r\nserver: nginx\r\ncontent-length: {}\r\n\r\n{nginx}",
                nginx.len()
            )
            .leak(),
        ),
        "(HTTP 400) - Failure 1/2: plain HTTP was sent to a port for HTTPS: set url to https://...",
    );
    failure(
        Answer::Says(
            "HTTP/1.0 400 Bad Request\r\ncontent-length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        ),
        "(HTTP 400) - Failure 1/2: plain HTTP was sent to a port for HTTPS: set url to https://...",
    );
    failure(
        Answer::Says("HTTP/1.1 301 X\r\nlocation: /health/?token=1\r\ncontent-length: 0\r\n\r\n"),
        "(HTTP 301) - Failure 1/2: redirected to /health/: set url to that, or redirects = 1",
    );
    failure(Answer::Status(404), "(HTTP 404) - Failure 1/2: page not found; check the path in url");
    failure(Answer::Status(204), "(HTTP 204) - Failure 1/2");
    failure(Answer::Close, "(HTTP 000) - Failure 1/2: connection closed without an answer");
    failure(Answer::Hang, "(HTTP 000) - Failure 1/2: no answer within 400 ms; the connection was accepted");
    failure(
        Answer::Says("HTTP/1.1 200 OK\r\ncont"),
        "(HTTP 000) - Failure 1/2: connection closed in the middle of the answer",
    );
    failure(Answer::Says("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "(HTTP 000) - Failure 1/2: not HTTP: *");
    let scene = failure(Answer::Hang, "(HTTP 000) - Failure 1/2: *");
    assert_eq!(scene.state()["cause"]["code"], "timeout_waiting");
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
    assert_eq!(scene.state()["cause"]["code"], "no_socket");
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

/// Answers that are no text, for ever: clears the screen, rings, turns the writing round.
fn hostile(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
        }
    });
    url
}

const EVERYTHING_THAT_SHOWS: &[&[&str]] = &[
    &["run", "--dry-run"],
    &["run", "-v"],
    &["status"],
    &["status", "--json"],
    &["why"],
    &["why", "--json"],
    &["check"],
    &["check", "-v"],
    &["check", "--json"],
    &["config", "show"],
    &["config", "show", "--json"],
    &["config", "check"],
];

#[track_caller]
fn shows_nothing_harmful(scene: &Scene) {
    let harmful = |c: char| {
        c.is_control() && c != '\n' || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for arguments in EVERYTHING_THAT_SHOWS {
        let output = scene.command(arguments).output().unwrap();
        for shown in [output.stdout, output.stderr] {
            let shown = String::from_utf8(shown).unwrap();
            assert!(!shown.contains(harmful), "{arguments:?}: {shown:?}");
        }
        scene.pass(120);
    }
    let log = std::fs::read_to_string(scene.path("app.log")).unwrap();
    assert!(!log.contains(harmful), "{log:?}");
    assert!(log.lines().all(|line| line.contains(" - ") && line.chars().count() <= 500), "{log}");
}

#[test]
fn nothing_from_outside_drives_a_terminal_wherever_it_is_shown() {
    for answer in [
        &b"\x1b[2J\x07\r\nunhang: forged\n\xc2\x9b2J\xe2\x80\xae\n\n"[..],
        b"HTTP/1.1 302 \x1b[2J\r\nlocation: x\xff\t\xc2\x9b2J\xe2\x80\xae\r\n\r\n",
        b"HTTP/1.1 2\x1b[2J OK\r\nx\x1b[2J: y\r\n\r\n",
    ] {
        let scene = Scene::new();
        let text = scene.config_text().replace(&scene.server.url(), &hostile(answer));
        let keys = "redirects = 1\nname = \"A\u{202e}p\"\nheaders = { X = \"\u{202e}\" }\n";
        scene.config(&format!("{text}{keys}"));
        scene.systemctl("printf 'Job failed: \\033[2J\\007\\nforged\\n' >&2; exit 1", "");
        shows_nothing_harmful(&scene);
    }
}

#[test]
fn neither_do_systemd_a_command_and_a_state_file() {
    let scene = Scene::new();
    let other = "e\x1b[2J\u{202e}.service";
    scene.unit(other, &unit(STOPPED).replace("app.service", other));
    scene.unit("app.service", &unit(&[("Requires", other)]));
    scene.server.answers(&[Answer::Close]);
    shows_nothing_harmful(&scene);
    let state = std::fs::read_to_string(scene.path("state/app.json")).unwrap();
    let forged = state.replace("\"closed\"", "\"\\u001b[2J\\n\u{202e}\"");
    assert_ne!(forged, state, "{state}");
    std::fs::write(scene.path("state/app.json"), &forged).unwrap();
    for arguments in [&["status"][..], &["why"], &["status", "--json"]] {
        let shown = String::from_utf8(scene.command(arguments).output().unwrap().stdout).unwrap();
        assert!(!shown.contains(['\x1b', '\u{202e}']) && shown.contains("[2J"), "{shown:?}");
    }
    std::fs::write(scene.path("state/app.json"), "{\"version\":1,\"\\u001b[2J\x1b[2J").unwrap();
    shows_nothing_harmful(&scene);
    scene.keys("restart = [\"true\", \"\\u001b[2J\\n\\u202e\"]");
    shows_nothing_harmful(&scene);
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
    scene.pass(120);
    scene.tick().exits(1).logs(&[]).calls(&[]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["❓ app not judged (unknown): name not resolved: * (for 4 min now)"])
        .calls(&[]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]).calls(&[]);
    assert_eq!((scene.state()["streak"].as_u64(), scene.state()["failures"].as_u64()), (Some(0), Some(0)));
}

/// A static program knows DNS and /etc/hosts; what else the host knows, getent tells.
#[test]
fn a_name_that_only_getent_knows_is_told_with_its_address() {
    let scene = Scene::new();
    let getent = |body: &str| scene.executable("bin/getent", &format!("#!/bin/sh\n{body}\n"));
    let url = |host: &str| {
        let text = format!(
            "[host]\nboot_grace = \"0s\"\n[service.app]\nurl = \"http://{host}:1/\"\nlog_file = \"{}\"\n",
            scene.path("app.log").display()
        );
        scene.config(&text);
    };
    let asked = format!("echo \"$*\" >>{}", scene.path("asked").display());
    getent(&format!("{asked}\necho '192.0.2.7     STREAM printer.invalid'\necho '192.0.2.7     DGRAM'"));
    url("printer.invalid");
    let told = "❓ app not judged (unknown): name not resolved: getent finds 192.0.2.7, by a source of /etc/nsswitch.conf that unhang cannot ask: *";
    scene.tick().exits(1).logs(&[told]).calls(&[]);
    assert_eq!(std::fs::read_to_string(scene.path("asked")).unwrap(), "ahosts printer.invalid\n");
    assert_eq!(scene.state()["streak"], 0);
    // Nobody asks who needs no lookup, or has an answer.
    std::fs::remove_file(scene.path("asked")).unwrap();
    url("localhost");
    scene.tick().exits(1).logs(&["⚠️ app*connection refused"]);
    assert!(!scene.path("asked").exists());
    // What getent does not find, or says in words of its own, changes nothing.
    for body in ["exit 2", "echo nonsense", "echo 192.0.2.7; exit 1"] {
        let scene = Scene::new();
        scene.executable("bin/getent", &format!("#!/bin/sh\n{body}\n"));
        scene.config(&format!(
            "[service.app]\nurl = \"http://printer.invalid:1/\"\nlog_file = \"{}\"\n",
            scene.path("app.log").display()
        ));
        let ran = scene.tick();
        ran.exits(1).logs(&["❓ app not judged (unknown): name not resolved: failed to lookup *"]);
    }
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

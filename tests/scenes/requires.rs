//! What a service requires: while that fails, a restart would help nobody.

use std::net::TcpListener;

use crate::harness::{Answer, Scene, Server};

fn with_postgres(scene: &Scene, extra: &str) -> Server {
    let postgres = Server::start();
    scene.keys(&format!(
        "requires = [\"postgres\"]\n[service.postgres]\nurl = \"tcp:127.0.0.1:{}\"\nrestart = []\nlog_file = \"{}\"\n{extra}",
        postgres.port,
        scene.path("postgres.log").display()
    ));
    postgres
}

fn nobody_listens() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_service_whose_requirement_fails_is_held_and_the_requirement_is_named() {
    let scene = Scene::new();
    let port = nobody_listens();
    let postgres = |port: u16| {
        scene.keys(&format!(
            "requires = [\"postgres\"]\n[service.postgres]\nurl = \"tcp:127.0.0.1:{port}\"\nrestart = []\nlog_file = \"{}\"",
            scene.path("app.log").display()
        ));
    };
    postgres(port);
    scene.server.answers(&[Answer::Status(500)]);
    scene.tick().exits(1).logs(&[
        "⏸️ app not restarted (upstream): it requires postgres, which fails its probe (refused)",
        "⚠️ postgres health check failed (HTTP 000) - Failure 1/2: connection refused",
    ]);
    for _ in 0..3 {
        scene.pass(120);
        scene.tick().ends(1).prints("", "").logs(&["*"]);
    }
    scene.run(&["status", "app"]).ends(0).prints("app  held (upstream)  0/2  HTTP 500  *\n", "");
    scene.run(&["why", "app"]).ends(0).prints("app: held (upstream)*\n*\nheld by: upstream (it requires postgres, which fails its probe (*)); *\nnext restart: when that has ended, after 2 counted failures in a row\n", "");
    // Back: a full count.
    let back = Server::start();
    postgres(back.port);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 500) - Failure 1/2", "✅ postgres recovered*"]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app*2/2", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn what_nothing_restarts_is_counted_told_and_left_alone() {
    let scene = Scene::new();
    scene.keys("restart = []");
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&["⚠️*2/2", "⏸️ app not restarted (probe_only): probed only (restart = [])"]);
    scene.pass(120);
    scene.tick().exits(1).logs(&[]);
    scene.run(&["why"]).ends(0).prints("*next restart: never: nothing restarts it\n", "");
    scene.server.answers(&[Answer::Status(200)]);
    scene.tick().exits(0).logs(&["✅ app recovered (was 2 failures)"]);
}

#[test]
fn an_address_is_asked_only_when_the_service_fails() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    scene.keys(&format!("requires = [\"tcp:127.0.0.1:{}\"]", listener.local_addr().unwrap().port()));
    scene.tick().exits(0);
    assert!(listener.accept().is_err(), "all is well: nobody knocks");
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    assert!(listener.accept().is_ok() && listener.accept().is_err(), "once");
}

#[test]
fn a_requirement_that_falls_right_before_the_restart_is_seen() {
    let scene = Scene::new();
    let first = Server::start();
    scene.keys(&format!(
        "requires = [\"db\"]\n[service.db]\nurl = \"{}\"\nrestart = []\nlog_file = \"/dev/null\"",
        first.url()
    ));
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️*1/2"]);
    scene.pass(120);
    first.answers(&[Answer::Status(200), Answer::Status(500)]);
    scene.tick().exits(1).logs(&[
        "⚠️*2/2",
        "⏸️ app not restarted (changed_meanwhile): something changed just before the restart: upstream",
    ]);
}

#[test]
fn only_one_service_is_asked_for_and_what_it_requires_is_asked_all_the_same() {
    let scene = Scene::new();
    let postgres = with_postgres(&scene, "");
    scene.server.answers(&[Answer::Status(500)]);
    scene
        .run(&["run", "--only", "app"])
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 500) - Failure 1/2"]);
    let text = scene.config_text();
    let port = postgres.port.to_string();
    scene.config(&text.replace(&port, &nobody_listens().to_string()));
    scene.pass(120);
    scene
        .run(&["run", "--only", "app"])
        .exits(1)
        .logs(&["⏸️ app not restarted (upstream): it requires postgres, which fails its probe (refused)"]);
    scene.run(&["check", "-v", "app"]).ends(2).prints("*upstream*", "");
}

#[test]
fn an_address_can_be_checked_by_itself() {
    let scene = Scene::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp:{}", listener.local_addr().unwrap());
    scene
        .run(&["check", &address])
        .ends(0)
        .prints(&format!("UNHANG OK - {address}: connected in * | time=0.*s;;5;0;5\n"), "");
    let nobody = format!("tcp:127.0.0.1:{}", nobody_listens());
    scene
        .run(&["check", &nobody])
        .ends(2)
        .prints(&format!("UNHANG CRITICAL - {nobody}: HTTP 000: connection refused | time=U;;5;0;5\n"), "");
}

//! `certificate`: told before the browsers tell it.

use crate::harness::Scene;
use crate::https::server;

fn shown(place: &str, keys: &str) -> Scene {
    let scene = Scene::new();
    scene.keys(&format!("[service.app.probe.tls]\ncertificate = \"{place}\"\n{keys}"));
    scene
}

#[test]
fn a_certificate_that_ends_is_warned_of_and_restarts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fullchain.pem");
    let places = |until| [format!("localhost:{}", server(&file, until)), file.display().to_string()];
    for place in places(2120) {
        let scene = shown(&place, "");
        scene.tick().exits(0);
        let seen = scene.run(&["check", "-v"]);
        assert!(String::from_utf8_lossy(&seen.output.stdout).contains("ends in "), "{:?}", seen.output);
        seen.prints("*", "").ends(0);
    }
    for place in places(2021) {
        let scene = shown(&place, "");
        scene.tick().exits(0).logs(&["⚠️ app warning: tls: expired * d* ago"]);
        scene.pass(120);
        scene.tick().exits(0).acts(&[]);
    }
}

#[test]
fn one_that_counts_restarts_what_has_not_loaded_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let port = server(&dir.path().join("pem"), 2021);
    let scene = shown(&format!("localhost:{port}"), "optional = false\nserver_name = \"shop.example\"");
    scene.tick().exits(1).logs(&["⚠️ app health check failed (tls) - Failure 1/2: expired * ago"]);
    scene.pass(120);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️*2/2*", "🔄*", "❌*"])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_certificate_that_cannot_be_seen_counts_for_nothing() {
    let scene = Scene::new();
    let file = scene.path("none.pem").display().to_string();
    let plain = format!("127.0.0.1:{}", scene.server.port);
    for (place, why) in [(&file, "No such file or directory: *none.pem"), (&plain, "*")] {
        let scene = shown(place, "optional = false");
        scene.tick().exits(1).logs(&[&format!("❓ app not judged (unknown): tls: {why}")]);
        scene.pass(120);
        scene.tick().exits(1).acts(&[]);
        assert_eq!(scene.state()["failures"], 0);
    }
}

#[test]
fn what_a_certificate_cannot_be_is_refused_before_anything_is_asked() {
    for (keys, fault) in [
        (
            "certificate = \"shop.example\"",
            "certificate: must be HOST:PORT or the absolute path of a file, *",
        ),
        (
            "certificate = \"/c.pem\"\nfail = \"30d\"",
            "fail: must be shorter than warn, which is 21 d, got 30 d; warn first, fail later",
        ),
        (
            "certificate = \"/c.pem\"\nserver_name = \"a.example\"",
            "server_name: has no meaning for a file; leave it out",
        ),
    ] {
        let scene = Scene::new();
        scene.keys(&format!("[service.app.probe.tls]\n{keys}"));
        let expected = format!("unhang: *: service.app.probe.tls.{fault}\n");
        scene.tick().prints("", &expected).ends(2);
    }
}

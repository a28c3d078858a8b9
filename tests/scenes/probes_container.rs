//! `container`: with a docker that says what it is told to. What the real ones say is recorded where it is read.

use std::fs;

use crate::harness::Scene;

/// `docker` and `podman` give this answer to the one question that they are asked.
fn engine(scene: &Scene, stdout: &str, stderr: &str, code: u8) {
    fs::write(scene.path("stdout"), stdout).unwrap();
    fs::write(scene.path("stderr"), stderr).unwrap();
    let dir = scene.dir.path().display();
    let script = format!(
        r#"#!/bin/sh
case "$(basename "$0") $*" in
"docker container inspect -- shop-db" | "podman container inspect -- shop-db") ;;
"docker container ls --all --no-trunc --filter label=com.docker.compose.service=db --format "*working_dir*) printf '1 {dir}/project\n2 {dir}/project\n3 /srv\n'; exit ;;
"docker container inspect -- 1 2") ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
cat {dir}/stdout; cat {dir}/stderr >&2; exit {code}
"#
    );
    scene.executable("bin/docker", &script).executable("bin/podman", &script);
}

fn inspected(state: &str) -> String {
    format!(r#"[{{"Id":"5c255a9d5a21","State":{{{state}}},"Name":"/shop-db","Config":{{}}}}]"#)
}

const RUNS: &str = r#""Status":"running","Running":true,"ExitCode":0"#;
const ENDED: &str = r#""Status":"exited","Running":false,"ExitCode":137"#;

fn scene(keys: &str) -> Scene {
    let scene = Scene::new();
    fs::create_dir(scene.path("project")).unwrap();
    let keys = keys.replace("PROJECT", &format!("project = \"{}\"", scene.path("project").display()));
    scene.keys(&format!("[service.app.probe.db]\n{keys}"));
    scene
}

#[test]
fn a_container_that_exited_counts_and_one_that_cannot_be_asked_about_does_not() {
    for keys in ["container = \"shop-db\"", "container = \"shop-db\"\nruntime = \"podman\""] {
        let scene = scene(keys);
        engine(&scene, &inspected(RUNS), "", 0);
        scene.tick().exits(0);
        engine(&scene, "[]", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", 1);
        scene
            .tick()
            .exits(1)
            .logs(&["❓ app not judged (unknown): db: *: Cannot connect to the Docker daemon*"]);
        scene.pass(120);
        scene.tick().exits(1);
        assert_eq!(scene.state()["failures"], 0);
        engine(&scene, &inspected(ENDED), "", 0);
        scene.tick().exits(1).logs(&["⚠️ app health check failed (db) - Failure 1/2: exited (137)"]);
        scene.pass(120);
        scene
            .tick()
            .exits(1)
            .logs(&["⚠️*2/2*", "🔄*", "❌*"])
            .acts(&["reset-failed app.service", "restart app.service"]);
    }
}

#[test]
fn a_service_of_compose_is_found_by_its_labels() {
    let scene = scene("container = \"db\"\nruntime = \"compose\"\nPROJECT");
    let two = |second: &str| {
        let one = |name: &str, state: &str| {
            format!(r#"{{"Id":"{name}","Name":"/shop-{name}","State":{{{state}}},"Config":{{}}}}"#)
        };
        let first = r#""Status":"running","Running":true,"Health":{"Status":"healthy"}"#;
        format!("[{},{}]", one("db-1", first), one("db-2", second))
    };
    let health = |word: &str| format!(r#""Status":"running","Running":true,"Health":{{"Status":"{word}"}}"#);
    engine(&scene, &two(&health("healthy")), "", 0);
    scene.tick().exits(0);
    engine(&scene, &two(&health("starting")), "", 0);
    scene.tick().exits(0).logs(&["⚠️ app warning: db: shop-db-2: running (health: starting)"]);
    engine(&scene, &two(r#""Status":"exited","Running":false,"ExitCode":1"#), "", 0);
    let line = "⚠️ app health check failed (db) - Failure 1/2: shop-db-2: exited (1)";
    scene.tick().exits(1).logs(&[line, "✅ app warning cleared: *"]);
}

#[test]
fn an_engine_that_does_not_answer_is_ended_in_time_and_counts_for_nothing() {
    let scene = scene("container = \"shop-db\"\ntimeout = \"1s\"");
    scene.executable("bin/docker", "#!/bin/sh\nsleep 60\n");
    let began = std::time::Instant::now();
    scene.tick().exits(1).logs(&["❓ app not judged (unknown): db: docker did not answer within 1 s"]);
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn what_a_container_cannot_be_is_refused_before_anything_is_asked() {
    for (keys, fault) in [
        (
            "container = \"--help\"",
            "container: must be the name of a container: letters, digits and _.-, got *",
        ),
        (
            "container = \"a\"\nruntime = \"lxc\"",
            "runtime: must be one of \"docker\", \"podman\", \"compose\", got *",
        ),
        (
            "container = \"a\"\nruntime = \"compose\"",
            "project: must be given with runtime = \"compose\"; name the folder of compose.yaml",
        ),
        (
            "container = \"a\"\nproject = \"/opt/shop\"",
            "project: belongs to runtime = \"compose\"; leave it out",
        ),
    ] {
        let scene = Scene::new();
        scene.keys(&format!("[service.app.probe.db]\n{keys}"));
        let expected = format!("unhang: *: service.app.probe.db.{fault}\n");
        scene.tick().prints("", &expected).ends(2);
    }
}

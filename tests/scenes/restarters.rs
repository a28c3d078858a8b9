//! Means of restarting besides systemd's units and commands: containers, supervisord, hooks. The programs are played,
//! in the words that the real ones were recorded to use; tests/services tries the real supervisord.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{Answer, Scene, Server};

/// `docker` and `podman`, which tell of one container and restart it.
fn with_runtime(keys: &str) -> Scene {
    let scene = Scene::new();
    scene.keys(keys);
    let dir = scene.dir.path().display().to_string();
    for program in ["docker", "podman"] {
        scene.executable(
            &format!("bin/{program}"),
            &format!(
                r#"#!/bin/sh
dir={dir}
[ -e $dir/away ] && {{ echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1; }}
# A look is no act.
case "$*" in *restart*) echo "{program} $*" ;; *) echo "show {program} $*" ;; esac >>$dir/ledger
case "$*" in
"container inspect -- shop"|"container inspect -- 0a1b") [ -e $dir/container ] || {{ echo "Error response from daemon: No such container: shop" >&2; exit 1; }}; cat $dir/container ;;
"container restart -- shop"|"container restart -- 0a1b") sed -i "s/T16:58:20/T$(date +%H:%M:%S)/; s/\"exited\"/\"running\"/" $dir/container; echo shop ;;
"container ls --all --no-trunc --filter label=com.docker.compose.service=web --format "*working_dir*) echo "0a1b /usr"; echo "5c25 /srv" ;;
"events "*) cat $dir/events ;;
*) echo "unexpected $*" >&2; exit 9 ;;
esac
"#
            ),
        );
    }
    container(&scene, r#""Status":"running","ExitCode":0"#, "no");
    scene
}

fn container(scene: &Scene, state: &str, policy: &str) {
    let text = format!(
        r#"[{{"Id":"0a1b","Name":"/shop","RestartCount":0,"State":{{{state},"StartedAt":"2026-02-07T16:58:20.123456789Z"}},"HostConfig":{{"RestartPolicy":{{"Name":"{policy}"}}}}}}]"#
    );
    fs::write(scene.path("container"), text).unwrap();
}

fn fails_twice(scene: &Scene) {
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 502) - Failure 1/2"]);
    scene.pass(120);
    scene.server.answers(&[Answer::Status(502), Answer::Status(502), Answer::Status(200)]);
}

const HEALED: [&str; 3] = [
    "⚠️ app health check failed (HTTP 502) - Failure 2/2",
    "🔄 Restarting app service...",
    "✅ app restarted successfully: healthy after *",
];

#[test]
fn a_container_is_restarted_and_its_next_life_proves_it() {
    for (means, restart) in [
        ("docker = \"shop\"", "docker container restart -- shop"),
        ("podman = \"shop\"", "podman container restart -- shop"),
        ("compose = \"web\", project = \"/usr\"", "docker container restart -- 0a1b"),
    ] {
        let scene = with_runtime(&format!("restart = {{ {means} }}"));
        scene.tick().exits(0).logs(&[]);
        fails_twice(&scene);
        scene.tick().exits(0).logs(&HEALED).acts(&[restart]);
        assert_eq!(scene.state()["restarts"][0]["outcome"], "healed");
    }
}

#[test]
fn a_container_that_somebody_stopped_or_paused_is_left_alone() {
    for (state, policy, line) in [
        (
            r#""Status":"exited","ExitCode":1"#,
            "unless-stopped",
            "⏸️ app not restarted (stopped): a person stopped shop; unhang leaves it stopped",
        ),
        (
            r#""Status":"exited","ExitCode":137"#,
            "no",
            "⏸️ app not restarted (stopped): a person stopped shop; unhang leaves it stopped",
        ),
        (
            r#""Status":"exited","ExitCode":0"#,
            "no",
            "⏸️ app not restarted (exited): shop ended well, by itself or because a person stopped it",
        ),
        (
            r#""Status":"created","ExitCode":0"#,
            "no",
            "⏸️ app not restarted (never_started): nobody has started shop",
        ),
        (
            r#""Status":"paused","ExitCode":0"#,
            "no",
            "⏸️ app not restarted (frozen): shop is paused; docker unpause ends that",
        ),
        (
            r#""Status":"restarting","ExitCode":1"#,
            "always",
            "⏸️ app not restarted (unit_busy): shop is being started, stopped or reloaded",
        ),
    ] {
        let scene = with_runtime("restart = { docker = \"shop\" }\nmax_failures = 1");
        scene.tick().exits(0).logs(&[]);
        container(&scene, state, policy);
        scene.server.answers(&[Answer::Close]);
        scene.tick().exits(1).logs(&[line]);
    }
}

/// `kill -9` from outside and the host's OOM killer leave the same exit status as `docker stop`; the events differ.
#[test]
fn a_container_that_something_killed_is_started() {
    for (events, is_stopped) in [
        ("1 5c25 start\n90 0a1b die\n", false),
        ("1 5c25 start\n80 0a1b kill\n90 0a1b die\n90 0a1b stop\n", true),
        ("", true),
    ] {
        let scene = with_runtime("restart = { docker = \"shop\" }\nmax_failures = 1");
        scene.tick().exits(0).logs(&[]);
        container(&scene, r#""Status":"exited","ExitCode":137"#, "no");
        fs::write(scene.path("events"), events).unwrap();
        if is_stopped {
            scene.server.answers(&[Answer::Close]);
            scene.tick().exits(1).logs(&["⏸️ app not restarted (stopped): *"]).acts(&[]);
        } else {
            scene.server.answers(&[Answer::Close, Answer::Close, Answer::Status(200)]);
            scene
                .tick()
                .exits(0)
                .logs(&["⚠️*1/1*", "🔄*", "✅*"])
                .acts(&["docker container restart -- shop"]);
        }
    }
}

#[test]
fn a_container_that_docker_could_not_start_is_started() {
    let scene = with_runtime("restart = { docker = \"shop\" }\nmax_failures = 1");
    scene.tick().exits(0).logs(&[]);
    container(&scene, r#""Status":"exited","ExitCode":128,"Error":"port is already allocated""#, "always");
    scene.server.answers(&[Answer::Close, Answer::Close, Answer::Status(200)]);
    scene.tick().exits(0).logs(&["⚠️*1/1*", "🔄*", "✅*"]).acts(&["docker container restart -- shop"]);
}

#[test]
fn a_container_that_fell_is_started() {
    let scene = with_runtime("restart = { docker = \"shop\" }\nmax_failures = 1");
    scene.tick().exits(0).logs(&[]);
    container(&scene, r#""Status":"exited","ExitCode":1"#, "no");
    scene.server.answers(&[Answer::Close, Answer::Close, Answer::Status(200)]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (HTTP 000) - Failure 1/1: connection closed without an answer",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: healthy after *",
        ])
        .acts(&["docker container restart -- shop"]);
}

#[test]
fn a_runtime_that_cannot_be_asked_leaves_the_service_unknown() {
    let scene = with_runtime("restart = { docker = \"shop\" }\nmax_failures = 1");
    fs::write(scene.path("away"), "").unwrap();
    scene.server.answers(&[Answer::Status(502)]);
    scene
        .tick()
        .exits(1)
        .logs(&["❓ app not judged (unit_unknown): Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"]);
    assert_eq!(scene.state()["streak"], 0);
    fs::remove_file(scene.path("away")).unwrap();
    fs::remove_file(scene.path("container")).unwrap();
    scene.tick().exits(1).logs(&["⏸️ app not restarted (not_found): docker knows no shop"]);
    scene
        .run(&["config", "check"])
        .ends(2)
        .prints("", "*unhang: */unhang.toml:10: service.app.restart.docker: a restart would fail: docker knows no shop; write its name; this lists them: docker ps --all\n");
}

/// Each is where the caller's PATH leads, and not cron's; then it is nowhere.
#[test]
fn config_check_finds_the_program_of_a_method_that_cron_would_not_find() {
    for (keys, key, program) in [
        ("restart = { docker = \"shop\" }", "restart.docker", "docker"),
        ("restart = { podman = \"shop\" }", "restart.podman", "podman"),
        ("restart = { compose = \"web\", project = \"/usr\" }", "restart.compose", "docker"),
        ("restart = { supervisor = \"web\" }", "restart.supervisor", "supervisorctl"),
        ("[service.app.probe.x]\ncontainer = \"shop\"\nruntime = \"podman\"", "probe.x.container", "podman"),
    ] {
        if fs::exists(format!("/usr/bin/{program}")).unwrap()
            || fs::exists(format!("/bin/{program}")).unwrap()
        {
            continue;
        }
        let scene = with_runtime(keys);
        scene.executable("bin/supervisorctl", "#!/bin/sh\necho web RUNNING pid 1, uptime 0:00:01\n");
        let told = format!(
            "unhang: */unhang.toml:1*: service.app.{key}: *: cron would not find {program} (its PATH is /usr/bin:/bin); type ln -s */bin/{program} /usr/bin/\n"
        );
        scene.run(&["config", "check"]).ends(2).prints("", &told).acts(&[]);
    }
}

#[test]
fn who_could_not_be_asked_is_called_by_name() {
    let scene = with_runtime("restart = { podman = \"shop\" }\nmax_failures = 1");
    fs::write(scene.path("away"), "").unwrap();
    let ran = scene.run(&["config", "check"]);
    let stderr = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    assert!(!stderr.contains("systemd"), "{stderr}");
    if stderr.is_empty() {
        let told = "ok: 1 service(s): app\nwhether app can be restarted is not known, for podman could not be asked: *\n";
        ran.prints(told, "").ends(0).acts(&[]);
    } else {
        ran.prints("", "*cron would not find podman*").ends(2).acts(&[]);
    }
}

#[test]
fn a_program_of_supervisord_is_restarted_and_one_that_was_stopped_stays_so() {
    let scene = Scene::new();
    scene.keys("restart = { supervisor = \"shop:web\" }");
    let dir = scene.dir.path().display().to_string();
    scene.executable(
        "bin/supervisorctl",
        &format!(
            r#"#!/bin/sh
case $1 in
status) echo "show $*" >>{dir}/ledger; cat {dir}/program ;;
restart) echo "supervisorctl $*" >>{dir}/ledger; sleep 30 >/dev/null 2>&1 & echo "shop:web   RUNNING   pid $!, uptime 0:00:01" >{dir}/program; echo "shop:web: stopped"; echo "shop:web: started" ;;
esac
"#
        ),
    );
    let says = |line: &str| fs::write(scene.path("program"), format!("{line}\n")).unwrap();
    // Of a process that is there.
    says(&format!("shop:web                         RUNNING   pid {}, uptime 0:10:04", std::process::id()));
    scene.tick().exits(0).logs(&[]);
    fails_twice(&scene);
    scene.tick().exits(0).logs(&HEALED).acts(&["supervisorctl restart shop:web"]);
    scene.pass(3_600);
    says("shop:web                         STOPPED   Nov 22 01:42 PM");
    scene.server.answers(&[Answer::Close]);
    scene
        .tick()
        .exits(1)
        .logs(&["⏸️ app not restarted (stopped): a person stopped shop:web; unhang leaves it stopped"]);
    says("unix:///var/run/supervisor.sock no such file");
    scene.tick().exits(1).logs(&["❓ app not judged (unit_unknown): supervisorctl status: unix:///var/run/supervisor.sock no such file"]);
}

#[test]
fn a_hook_is_posted_to_and_its_secret_shows_nowhere() {
    let scene = Scene::new();
    let hook = Server::start();
    let file = scene.path("hook");
    fs::write(&file, format!("{}?key=s3cret\nX-Token: t0ken\n", hook.url())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    scene.keys(&format!("restart = {{ hook = \"{}\" }}", file.display()));
    scene.tick().exits(0).logs(&[]).calls(&[]);
    fails_twice(&scene);
    scene.tick().exits(0).logs(&HEALED).calls(&[]);
    let [asked] = hook.requests().try_into().unwrap();
    assert!(asked.starts_with("POST /health/?key=s3cret HTTP/1.1\r\n") && asked.contains("t0ken"), "{asked}");
    for arguments in [&["config", "show"][..], &["status"], &["why", "--json"], &["check", "-v"]] {
        let told = scene.run(arguments);
        let all = [told.output.stdout.clone(), told.output.stderr.clone()].concat();
        let all = String::from_utf8(all).unwrap();
        assert!(!all.contains("s3cret") && !all.contains("t0ken"), "{all}");
        told.prints("*", "*").ends(0);
    }
    assert!(!scene.state().to_string().contains("s3cret"));
}

#[test]
fn a_hook_that_refuses_is_told_and_one_that_is_not_there_spends_nothing() {
    let scene = Scene::new();
    let hook = Server::start();
    hook.answers(&[Answer::Status(401)]);
    let file = scene.path("hook");
    fs::write(&file, hook.url()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    scene.keys(&format!("restart = {{ hook = \"{}\" }}\nmax_failures = 1\nbackoff.first = \"0s\"\nverify = \"1s\"\ngrace = \"0s\"", file.display()));
    scene.tick().exits(0).logs(&[]);
    scene.server.answers(&[Answer::Status(502)]);
    scene.tick().exits(1).logs(&[
        "⚠️ app health check failed (HTTP 502) - Failure 1/1",
        "🔄 Restarting app service...",
        "❌ app restart failed (HTTP 502): still failing * after the restart; the hook was not carried out: HTTP 401",
    ]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    scene.run(&["config", "check"]).ends(2).prints(
        "",
        "unhang: */unhang.toml:10: service.app.restart.hook: a restart would fail: * others may read or write it (chmod 600); mend that file, or name another one\n",
    );
    scene.pass(120);
    let spent = scene.state()["restarts"].as_array().unwrap().len();
    scene.tick().exits(1).logs(&[
        "⚠️ app health check failed (HTTP 502) - Failure 2/1: 1 of 1 since the restart at *",
        "🔄 Restarting app service...",
        "❌ app restart failed (HTTP 502): * others may read or write it (chmod 600)",
    ]);
    assert_eq!(scene.state()["restarts"].as_array().unwrap().len(), spent);
}

#[test]
fn what_somebody_else_restarts_is_refused_to_two_services() {
    let scene = Scene::new();
    for (keys, told) in [
        ("restart = { docker = \"a b\" }", "must be the name of a container: *"),
        ("restart = { compose = \"web\" }", "needs a project beside it; *"),
        (
            "restart = { docker = \"a\", project = \"/x\" }",
            "only together with restart.compose; leave it out",
        ),
        (
            "restart = { docker = \"a\", podman = \"b\" }",
            "cannot stand together with restart.podman (*); leave one of them out",
        ),
        ("restart = { supervisor = \"all\" }", "must be one program of supervisord's, *"),
        ("restart = { supervisor = \"shop:\" }", "must be one program of supervisord's, *"),
        ("restart = { docker = \"a\" }\nscope = \"user\"", "only for systemd units; leave it out"),
        ("scope = \"mine\"", "must be one of \"system\", \"user\", got \"mine\"; nothing was probed"),
        (
            "restart = { docker = \"a\" }\n[service.b]\nurl = \"http://x\"\nrestart = { docker = \"a\" }",
            "restarts a, which service.app (*) already does; one container or program, one service",
        ),
        ("restart = { docker = \"a\" }\nescalate = [\"kill\"]", "works for systemd units only: kill; *"),
    ] {
        scene.keys(keys);
        scene.run(&["config", "check"]).ends(2).prints("", &format!("unhang: *: {told}\n"));
    }
}

#[test]
fn a_service_that_falls_asleep_is_woken_by_being_asked_again() {
    let scene = Scene::new();
    scene.keys("wake = { pings = 4, every = \"20ms\", timeout = \"2s\" }\nrestart = []");
    scene.tick().exits(0).logs(&[]).calls(&[]);
    fails_twice(&scene);
    let asleep = Answer::Status(503);
    scene.server.answers(&[
        asleep.clone(),
        asleep.clone(),
        asleep.clone(),
        asleep.clone(),
        Answer::Status(200),
    ]);
    scene
        .tick()
        .exits(0)
        .logs(&[
            "⚠️ app health check failed (HTTP 503) - Failure 2/2",
            "🔄 Waking app...",
            "✅ app woke up: healthy after *",
        ])
        .calls(&[]);
    assert_eq!(scene.state()["restarts"][0]["act"], "wake");
    scene.run(&["why"]).ends(0).prints("*, the last, a wake-up, at *: healed\n*", "");
    scene.keys("wake = { pings = 2, every = \"20ms\", timeout = \"2s\" }\nmax_failures = 1\nbudget = { restarts = 1, window = \"1h\" }");
    scene.pass(1_800);
    scene.server.answers(&[asleep]);
    scene
        .tick()
        .exits(1)
        .logs(&["⚠️ app health check failed (HTTP 503) - Failure 1/1", "⏸️ app not restarted (budget): *"]);
    scene.pass(3_600);
    scene.tick().exits(1).logs(&[
        "⚠️ app health check failed (HTTP 503) - Failure 1/1: counting starts again: *",
        "🔄 Waking app...",
        "❌ app wake-up failed (HTTP 503): still failing * after the wake-up; no good answer to 2 pings",
    ]);
    scene.keys("wake = { pings = 2, every = \"20ms\", timeout = \"2s\" }\nmax_failures = 1");
    scene.pass(540);
    scene
        .tick()
        .ends(1)
        .prints("", "unhang: app: waking does not help, twice in a row; look at the service itself\n")
        .logs(&[
            "⚠️*",
            "🔄*",
            "❌*",
            "❌ app waking does not help: status 503 before and after two restarts in a row; *",
        ]);
    scene.keys("wake = { pings = 5, every = \"30s\" }");
    scene.run(&["config", "check"]).ends(2).prints(
        "",
        "unhang: *: service.app.wake.pings: too long: 5 pings may take 2m30s, and with 31s for the rest they must fit in host.deadline (1m50s); make host.deadline longer, or the pings fewer\n",
    );
}

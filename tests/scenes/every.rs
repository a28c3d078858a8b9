//! `run --every`: a process that stays, where there is no cron.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Answer, Scene, unit};

struct Staying {
    child: Child,
    heard: UnixDatagram,
}

impl Staying {
    fn begin(scene: &Scene, arguments: &[&str]) -> Self {
        let socket = scene.path("notify");
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = scene.command(&[&["run"], arguments].concat());
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, heard }
    }

    fn hears(&self, line: &str) {
        let over = Instant::now() + Duration::from_secs(20);
        let mut seen = Vec::new();
        let mut text = [0; 256];
        while Instant::now() < over {
            let n = self.heard.recv(&mut text).unwrap_or_else(|error| panic!("{error}: {seen:?}"));
            let told = String::from_utf8_lossy(&text[..n]).into_owned();
            if told.lines().any(|told| told == line) {
                return;
            }
            seen.push(told);
        }
        panic!("{line}: {seen:?}");
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its exit code, and what it said on stderr.
    fn ends(mut self) -> (Option<i32>, String) {
        let over = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > over {
                self.child.kill().unwrap();
                panic!("it never ended");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

fn until(what: impl Fn() -> bool) {
    let over = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < over, "it never came");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_run_follows_the_other_until_somebody_ends_it() {
    let scene = Scene::new();
    let staying = Staying::begin(&scene, &["--every", "50ms"]);
    staying.hears("READY=1");
    staying.hears("STATUS=1 services healthy");
    until(|| scene.server.requests().len() >= 5);
    scene.server.answers(&[Answer::Status(502)]);
    for _ in 0..2 {
        staying.hears("STATUS=not all services are healthy: unhang status");
    }
    staying.send(Signal::TERM);
    staying.hears("STOPPING=1");
    assert_eq!(staying.ends(), (Some(0), String::new()));
    scene.run(&["status"]).ends(0).prints("app  failing (too_soon)  1/2  HTTP 502  *\n", "").logs(&[
        "⚠️ app health check failed (HTTP 502) - Failure 1/2",
        "⏳ app not answering yet (HTTP 502): * not counted (min_gap 45 s)",
    ]);
}

#[test]
fn a_configuration_is_read_anew_and_a_bad_one_is_told_and_left_out() {
    let scene = Scene::new();
    let staying = Staying::begin(&scene, &["--every", "50ms"]);
    staying.hears("STATUS=1 services healthy");
    let good = scene.config_text();
    let file = scene.path("unhang.toml");
    std::fs::write(&file, good.replace("[service.app]", "[service.app]\nmax_failures = 0")).unwrap();
    staying.send(Signal::HUP);
    staying.hears("RELOADING=1");
    staying.hears("STATUS=1 services healthy");
    std::fs::write(
        &file,
        format!("{good}[service.b]\nurl = \"{}\"\nlog_file = \"/dev/null\"\n", scene.server.url()),
    )
    .unwrap();
    staying.send(Signal::HUP);
    staying.hears("STATUS=2 services healthy");
    staying.send(Signal::INT);
    let (code, said) = staying.ends();
    let told: Vec<&str> = said.lines().collect();
    assert_eq!((code, told.len()), (Some(0), 3), "{said}");
    assert!(
        told[0].ends_with("service.app.max_failures: must be 1 or more, got 0; nothing was probed"),
        "{said}"
    );
    assert_eq!(told[1], "unhang: run: configuration not reloaded; the previous one stays in use");
    assert_eq!(told[2], "unhang: b: answers, but systemd knows no b.service; a restart would fail");
}

#[test]
fn runs_so_far_apart_that_no_failures_add_up_are_refused() {
    let scene = Scene::new();
    let told = "unhang: --every: must be shorter than stale_after of app, which is 10m; no failures would add up; nothing was probed\n";
    let staying = Staying::begin(&scene, &["--every", "10m"]);
    assert_eq!(staying.ends(), (Some(2), told.to_owned()));
    assert!(scene.server.requests().is_empty());
}

#[test]
fn whoever_watches_it_hears_of_it_between_two_runs() {
    let scene = Scene::new();
    let staying = Staying::begin(&scene, &["--every", "9m"]);
    staying.hears("STATUS=1 services healthy");
    for _ in 0..3 {
        staying.hears("WATCHDOG=1");
    }
    assert_eq!(scene.server.requests().len(), 1);
    staying.send(Signal::TERM);
    assert_eq!(staying.ends().0, Some(0));
}

#[test]
fn a_restart_that_was_begun_is_ended_and_none_is_begun_after_that() {
    let scene = Scene::new();
    let (url, log) = (scene.server.url(), scene.path("app.log"));
    scene.unit("b.service", &unit(&[("Id", "b.service"), ("Names", "b.service")]));
    scene.keys(&format!(
        "max_failures = 1\nverify = \"3s\"\ngrace = \"0s\"\n\
         [service.b]\nurl = \"{url}\"\nlog_file = \"{}\"\nmax_failures = 1",
        log.display()
    ));
    scene.on_restart(
        "touch \"$units/begun\"; sleep 0.5; sed -i 's/^InvocationID=.*/InvocationID=bbbb/' \"$units/$unit\"",
    );
    scene.tick().exits(0).logs(&[]);
    scene.server.answers(&[
        Answer::Status(502),
        Answer::Status(502),
        Answer::Status(502),
        Answer::Status(200),
    ]);
    let staying = Staying::begin(&scene, &["--every", "9m"]);
    until(|| scene.path("units/begun").exists());
    staying.send(Signal::TERM);
    assert_eq!(staying.ends(), (Some(0), String::new()));
    scene
        .run(&["status"])
        .ends(0)
        .prints("app  healthy  *\nb    held (deadline)  *\n", "")
        .logs(&[
            "⚠️ app health check failed (HTTP 502) - Failure 1/1",
            "⚠️ b health check failed (HTTP 502) - Failure 1/1",
            "🔄 Restarting app service...",
            "✅ app restarted successfully: healthy after *",
            "⏸️ b not restarted (deadline): too little time is left in this run; restarted first in the next run",
        ])
        .acts(&["reset-failed app.service", "restart app.service"]);
}

#[test]
fn a_length_that_is_none_is_refused() {
    let scene = Scene::new();
    scene
        .run(&["run", "--every", "0s"])
        .ends(2)
        .prints("", "unhang: --every: must be longer than 0s, got \"0s\"; nothing was probed\n");
    scene.run(&["run", "--every", "60s", "--dry-run"]).ends(2).prints("", "unhang: *--every*\n");
}

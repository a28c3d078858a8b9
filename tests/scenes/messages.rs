//! The faults of tests/messages/faults.rs, met with the real binary. Every line that any scene prints or
//! logs is held against the tables too.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use crate::harness::{Answer, Scene, matches};

#[path = "../messages/faults.rs"]
mod faults;
#[expect(dead_code, reason = "tests/messages holds the details against the source")]
#[path = "../messages/log_lines.rs"]
mod log_lines;

#[expect(dead_code, reason = "when they come and what to do is for readers")]
struct Row(&'static str, &'static str, &'static str);

/// Cannot be met by everybody on every host, with where it is met or why nowhere.
#[rustfmt::skip]
const ELSEWHERE: &[(&str, &str)] = &[
    ("*: cannot parse the command line; see * --help", "for what the reader of the command line may say one day"),
    ("*: no such file, nor *;", "root has no file of its own: src/config/tests/files.rs"),
    ("*: writable by others (mode *)", "for root only: bad_input.rs, src/config/tests/files.rs"),
    ("*: owned by user *", "for root only: src/config/tests/files.rs"),
    ("*: is also defined at *;", "needs /etc/unhang/conf.d: src/config/tests/files.rs"),
    ("*: may stand in the main file only;", "needs /etc/unhang/conf.d: src/config/tests/files.rs"),
    ("*: * has no default;", "a fault of unhang itself"),
    ("*: does not fit this machine;", "needs a machine of 16 bits"),
    ("run: signals cannot be caught", "needs a process without threads"),
    ("run: configuration not reloaded", "needs a process that stays: every.rs"),
    ("no folder for the state:", "root has one always: src/places.rs"),
    ("*: another run is working on it;", "needs a run that lasts: many.rs"),
    ("*: cannot read *; skipped", "needs a host without descriptors: causes.rs"),
    ("*: state file unreadable (*): *; going on", "needs /run/unhang: src/store/mod.rs"),
    ("*: cannot save the state to disk: *; kept in memory", "needs /run/unhang: src/store/mod.rs"),
    ("run: stopped after its deadline of *;", "needs a disk that hangs: bounds.rs"),
    ("*: * does not help,", "needs two restarts: guards.rs"),
    ("*: every escalation step was used", "needs all of them to be done: escalate.rs"),
    ("host.hold_when: has no effect", "needs a kernel without /proc/pressure"),
    ("*: paused, but a run that began before", "needs a run that lasts: pause.rs"),
    ("*: a run that began before the pause may still restart it;", "needs a run that lasts: pause.rs"),
    ("*: cannot save the pause to disk: *; kept in memory", "needs /run/unhang: src/store/pause.rs"),
];

/// The one row that tells this line of stderr, without `unhang: `.
#[track_caller]
fn row_of(line: &str) -> &'static str {
    let told: Vec<&str> = faults::FAULTS.iter().map(|row| row.0).filter(|row| matches(row, line)).collect();
    assert_eq!(told.len(), 1, "of tests/messages/faults.rs one row should tell: {line}\n{told:?}");
    told[0]
}

/// Of whatever a scene printed and logged.
#[track_caller]
pub(crate) fn all_stand_in_the_tables(output: &Output, log: &[String]) {
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        if let Some(fault) = line.strip_prefix("unhang: ") {
            row_of(fault);
        }
    }
    for line in log {
        let is_told = log_lines::LINES.iter().any(|row| matches(row.0, line));
        assert!(is_told, "no row of tests/messages/log_lines.rs tells: {line}");
    }
}

/// The rows met so far.
struct Met(BTreeSet<&'static str>);

impl Met {
    #[track_caller]
    fn by(&mut self, scene: &Scene, arguments: &[&str]) {
        let output = scene.command(arguments).output().unwrap();
        self.told(&output, &format!("{arguments:?} {}", scene.config_text()));
    }

    #[track_caller]
    fn told(&mut self, output: &Output, by: &str) {
        // `check` tells its faults where a monitor reads.
        let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
        assert!(!said.is_empty(), "nothing was said: {by}");
        for line in said.lines() {
            let fault = line
                .strip_prefix("unhang: ")
                .or_else(|| line.strip_prefix("UNHANG UNKNOWN - "))
                .unwrap_or_else(|| panic!("not a fault: {line}"));
            self.0.insert(row_of(fault));
        }
    }
}

#[test]
fn every_fault_is_met_as_it_stands_in_the_table() {
    let mut met = Met(BTreeSet::new());
    command_lines(&mut met);
    variables(&mut met);
    values(&mut met);
    probes(&mut met);
    tables(&mut met);
    files(&mut met);
    what_the_plan_rests_on(&mut met);
    runs(&mut met);
    let missing: Vec<&str> =
        faults::FAULTS.iter().map(|row| row.0).filter(|row| !met.0.contains(row)).collect();
    let known = |row: &&str| ELSEWHERE.iter().any(|(start, _)| row.starts_with(start));
    let (_, unmet): (Vec<&str>, Vec<&str>) = missing.iter().partition(|row| known(row));
    assert!(unmet.is_empty(), "never met: {unmet:#?}");
    for (start, _) in ELSEWHERE {
        assert!(missing.iter().any(|row| row.starts_with(start)), "met, or gone: {start}");
    }
}

fn variables(met: &mut Met) {
    let scene = Scene::new();
    let pipe = scene.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    scene.env("TZ", &format!(":{}", pipe.display()));
    let mut command = scene.bare(Path::new(env!("CARGO_BIN_EXE_unhang")));
    met.told(&command.args(["run", "--unit", "a", "--url", "http://x"]).output().unwrap(), "TZ");
    for (name, value) in [("UNHANG_CONFIG", ""), ("UNHANG_STATE_DIR", "here"), ("UNHANG_MDOE", "observe")] {
        let scene = Scene::new();
        scene.env(name, value);
        let mut command = scene.bare(Path::new(env!("CARGO_BIN_EXE_unhang")));
        let output = command.args(["run", "--unit", "a", "--url", "http://x"]).output().unwrap();
        met.told(&output, name);
    }
}

fn command_lines(met: &mut Met) {
    let mut broken = Scene::new().command(&["status"]);
    met.told(&broken.env("UNHANG_STATUS", OsStr::from_bytes(b"\xff")).output().unwrap(), "UNHANG_STATUS");
    let scene = Scene::new();
    scene.config("[service.app]\nurl = \"http://x\"\nname = \"My App\"\nunit = \"gunicorn\"\n");
    for line in [
        "statsu",
        "nonsense",
        "config",
        "run --timeuot 5s",
        "run --nonsense",
        "run --every 10m",
        "status --only app",
        "--url x run",
        "run --timeout",
        "run --dry-run=yes",
        "run --insecure yes",
        "run app",
        "demo app",
        "reset",
        "completions",
        "completions tcsh",
        "simulate app --pattern ",
        "simulate app --pattern xy",
        "simulate app --pattern x --every 0s",
        "simulate app --pattern x --repeat 1000001",
        "run --timeout 1s --timeout 2s",
        "pause --all app",
        "why nobody",
        "why appp",
        "why gunicorn",
        "run --url http://x --restart-command true",
        "run --url http://x --unit a --restart-command b",
        "run --url http://x",
        "run --unit x",
        "run --name x",
        "run --header secret",
        "check http://x app",
        "check http://x --unit y",
        "run --url http://x --name a --restart-command a'b",
        "pause app --for 25h",
        "pause app --for 30",
        "pause app --for 0s",
        "pause app --for 900d",
        "paused app ls",
    ] {
        met.by(&scene, &line.split(' ').collect::<Vec<_>>());
    }
    met.by(&scene, &["why", "my app"]);
}

fn values(met: &mut Met) {
    let scene = Scene::new();
    for line in [
        "max_failures = \"2\"",
        "max_failures = 0",
        "max_failures = 4294967296",
        "redirects = 21",
        "timeout = 5",
        "timeout = \"0s\"",
        "timeout = { s = 5 }",
        "timeout = \"40s\"",
        "mode = \"on\"",
        "when_exited = \"on\"",
        "insecure = 1",
        "insecure = true",
        "name = 5",
        "name = \"\"",
        "budget = 5",
        "backoff = 5",
        "backoff.first = \"2h\"",
        "backoff.max = \"1m\"",
        "min_gap = \"10m\"",
        "stale_after = \"45s\"",
        "headers = 5",
        "headers.A = 5",
        "headers.A.B = \"x\"",
        "headers.\"a b\" = \"x\"",
        "headers.Connection = \"x\"",
        "headers.Upgrade = \"websocket\"",
        "headers.A = \"a\\nb\"",
        "headers = { A = \"x\", a = \"y\" }",
        "method = \"GE T\"",
        "status = 99",
        "ca_file = \"x.pem\"",
        "redirects = 1\nca_file = \"/nowhere.pem\"",
        "redirects = 1\nclient_cert = \"/nowhere.pem\"",
        "redirects = 1\nclient_key = \"/nowhere.key\"",
        "request_body = \"x\"",
        "method = \"POST\"\nrequest_body = \"\"",
        "restart = \"a b\"",
        "restart = [\"a\", 5]",
        "restart = 5",
        "restart = [\"\"]",
        "requires = \"postgres\"",
        "requires = [\"postgres\"]",
        "requires = [\"app\"]",
        "requires = [\"tcp:localhost\"]",
        "flapping = 5",
        "escalate = [\"reboot\"]",
        "escalate = [\"kill\", \"kill\"]",
        "escalate = [\"kill\"]\nrestart = [\"a\"]",
        "escalate = [\"restart\"]\nrestart = []",
        "flapping = { failures = 12, of = 12 }",
        "maintenance = 5",
        "maintenance.header = \"X-Maintenance\"",
        "maintenance = { status = 503, header = \"a b\" }",
        "restart = [\"./a\"]",
        "unit = \"/a\"",
        "unit = \"a*\"",
        "unit = \"a@\"",
        "unit = \"a\"\nrestart = [\"b\"]",
        "max_failure = 3",
        "interval = 3",
        "shop.url = \"x\"",
        "grace = \"1s\"\ngrace = \"2s\"",
    ] {
        scene.keys(line);
        met.by(&scene, &["config", "check"]);
    }
    for host in ["hold_when = 5", "hold_when = { memory_full_avg60 = 40 }"] {
        scene.keys("");
        scene.config(&scene.config_text().replace("[host]", &format!("[host]\n{host}")));
        met.by(&scene, &["config", "check"]);
    }
    let long = format!("http://x/{}", "a".repeat(4096));
    let socket = format!("unix:/{}", "a".repeat(108));
    for url in [
        "localhost:8000/health/",
        "http://x/a b",
        "http://me:secret@x/",
        "http://x:0/",
        "http://*/",
        "http://unix:/run/x.sock",
        "unix:run",
        "unix:/run/x:health",
        &long,
        &socket,
    ] {
        scene.config(&format!("[service.app]\nurl = \"{url}\"\n"));
        met.by(&scene, &["config", "check"]);
    }
}

fn probes(met: &mut Met) {
    let scene = Scene::new();
    let many = (0..21).map(|n| format!("probe.p{n}.tcp = \"x:1\"")).collect::<Vec<_>>().join("\n");
    let long = format!("probe.{}.tcp = \"x:1\"", "p".repeat(65));
    for line in [
        "body = 5",
        "json = 5",
        "latency = 5",
        "probe = 5",
        "body.contains = \"\"",
        "json.fail_on = \"never\"",
        "body.max = \"9M\"",
        "json.at = \"data\"",
        "json = { at = \"/a\", is = [[]] }",
        "json = { at = \"/a\", min = \"1\" }",
        "json = { at = \"/a\", min = 2, max = 1 }",
        "json.is = \"ready\"",
        "probe.x = { tcp = \"x:1\", body.max = \"9M\" }",
        "body.regex = \"(\"",
        "latency = { warn = \"2s\", fail = \"1s\" }",
        "method = \"HEAD\"\njson = {}",
        "restart = { docker = \"a b\" }",
        "restart = { compose = \"web\" }",
        "restart = { compose = \"web\", project = \"x\" }",
        "restart = { docker = \"a\", project = \"/x\" }",
        "restart = { supervisor = \"all\" }",
        "restart = { docker = \"a\" }\nscope = \"user\"",
        "restart = { docker = \"a\" }\n[service.b]\nurl = \"http://x\"\nrestart = { docker = \"a\" }",
        "restart.hook = \"/nowhere/hook\"",
        "wake = { pings = 5 }",
        "wake = 3",
        "probe.x = { file = \"/x\", age = \"26h\" }",
        "probe.x = { file = \"/x\", size = \"1M\" }",
        "probe.x = { process = \"unit\", count = 5 }",
        "probe.x = { unit = \"x\", crash_loop = 5 }",
        "wake = { pings = 1 }\nescalate = [\"restart\"]",
        "scope = \"mine\"",
        "probe.x = {}",
        "probe.x = { tcp = \"x:1\", disk = \"/\" }",
        "probe.x.disk = \"var\"",
        "probe.x = { disk = \"/\", warn = \"90%\", fail = \"80%\" }",
        "probe.x.command = []",
        "probe.x = { command = [\"x\"], exits = \"no\" }",
        "probe.x = { command = [\"x\"], contains = \"\" }",
        "probe.x.tcp = \"localhost\"",
        "probe.x.log = \"/x\"",
        "probe.x = { log = \"x.log\", fail = \"x\" }",
        "probe.x = { file = \"/x\", size.warn = \"5X\" }",
        "probe.x = { load = \"1m\", warn = \"many\" }",
        "probe.x = { process = \"unit\", count.min = -1 }",
        "probe.x = { file = \"/x\", age.warn = \"2h\", age.fail = \"1h\" }",
        "probe.x = { file = \"/x\", size.warn = \"1M\", size.fail = \"2M\" }",
        "probe.x.file = \"/x*/y\"",
        "probe.x.file = \"/x/\"",
        "probe.x.certificate = \"x\"",
        "probe.x = { certificate = \"x:1\", fail = \"30d\" }",
        "probe.x = { certificate = \"x:1\", server_name = \"a b\" }",
        "probe.x = { certificate = \"/x\", server_name = \"x\" }",
        "probe.x.container = \"-x\"",
        "probe.x = { container = \"x\", runtime = \"compose\" }",
        "probe.x = { container = \"x\", project = \"/x\" }",
        "probe.x.unit = \"redis*\"",
        "probe.x.process = \"mongod\"",
        "probe.x = { process = \"unit\", count.min = 0 }",
        "probe.x = { cgroup = \"x.service\", optional = false }",
        "probe.x = { process = \"unit\", count = { min = 2, max = 1 } }",
        "probe.x = { process = \"pid_file:/x\", count.max = 1 }",
        &many,
        &long,
    ] {
        scene.keys(line);
        met.by(&scene, &["config", "check"]);
    }
    scene.config("[service.app]\nurl = \"tcp:x:1\"\nbody.contains = \"x\"\n");
    met.by(&scene, &["config", "check"]);
}

fn tables(met: &mut Met) {
    let scene = Scene::new();
    for text in [
        "",
        "[service.a]",
        "[service]\nurl = \"http://x\"",
        "[[service]]",
        "[services.a]",
        "url = \"http://x\"",
        "x = 5",
        "[service.a",
        "[service.\"a b\"]\nurl = \"http://x\"",
        "[service.a]\nurl = \"http://x\"\n[service.a]\nurl = \"http://x\"",
        "[service.a]\nurl = \"http://x\"\n[service.b]\nurl = \"http://x\"\nunit = \"a\"",
        "[host]\ndeadline = \"1s\"",
        "[defaults]\nurl = \"http://x\"\nunit = \"x\"\nrestart = [\"x\"]\nlog_file = \"/x\"\nrequires = [\"x\"]",
    ] {
        scene.config(text);
        met.by(&scene, &["run", "--dry-run"]);
    }
}

fn files(met: &mut Met) {
    let scene = Scene::new();
    let file = scene.path("file.toml");
    let mut refused = |content: Option<&[u8]>| {
        let _ = content.map(|content| fs::write(&file, content).unwrap());
        scene.env("UNHANG_CONFIG", &file.display().to_string());
        let output =
            scene.bare(std::path::Path::new(env!("CARGO_BIN_EXE_unhang"))).arg("run").output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        met.0.insert(row_of(line.strip_prefix("unhang: ").unwrap().trim_end()));
    };
    refused(None);
    refused(Some(b"\xff"));
    refused(Some(&vec![b'\n'; 1024 * 1024 + 1]));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused(None);
}

fn what_the_plan_rests_on(met: &mut Met) {
    let scene = Scene::new();
    for keys in ["unit = \"gone\"", "restart = [\"/nowhere/restart\"]", "escalate = [[\"/nowhere/restart\"]]"]
    {
        scene.keys(keys);
        met.by(&scene, &["config", "check"]);
    }
    scene.keys("probe.x.command = [\"/nowhere/check\"]\nprobe.y.unit = \"reddis\"");
    met.by(&scene, &["config", "check"]);
    scene.keys("unit = \"gone\"");
    met.by(&scene, &["run"]);
    scene.keys("");
    met.by(&scene, &["config", "check", "--log-file", "/nowhere/app.log"]);
}

fn runs(met: &mut Met) {
    let scene = Scene::new();
    scene.server.answers(&[Answer::Status(502)]);
    met.by(&scene, &["run", "--log-file", "/dev/full"]);
    for state in ["{", "{ \"version\": 9 }"] {
        fs::write(scene.path("state/app.json"), state).unwrap();
        met.by(&scene, &["run"]);
    }
    fs::remove_file(scene.path("state/app.json")).unwrap();
    fs::create_dir_all(scene.path("state/.app.json.new/in the way")).unwrap();
    met.by(&scene, &["run"]);
    let lock = scene.path("state/app.lock");
    let held = fs::File::create(&lock).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    met.by(&scene, &["reset", "app"]);
    fs::remove_file(&lock).unwrap();
    symlink("/nowhere", &lock).unwrap();
    met.by(&scene, &["run"]);
    pauses(met);
    fs::remove_dir_all(scene.path("state")).unwrap();
    fs::write(scene.path("state"), "").unwrap();
    met.by(&scene, &["run"]);
    met.by(&scene, &["pause", "app"]);
    met.by(&scene, &["reset", "app"]);
    scene.env("TMPDIR", "/nowhere");
    met.by(&scene, &["demo"]);
}

fn pauses(met: &mut Met) {
    let scene = Scene::new();
    let mut paused = |rest: &[&str]| {
        let mut command = scene.command(&["paused", "app"]);
        let output = command.args(rest).output().unwrap();
        met.told(&output, &format!("{rest:?}"));
    };
    paused(&["--", "/nowhere/deploy.sh"]);
    paused(&["--for", "1ms", "--", "sleep", "0.01"]);
    fs::create_dir_all(scene.path("state/app+1.pause")).unwrap();
    paused(&["--", "true"]);
    fs::create_dir_all(scene.path("state/.app.pause.new/in the way")).unwrap();
    met.by(&scene, &["pause", "app"]);
    fs::create_dir(scene.path("state/app.pause")).unwrap();
    met.by(&scene, &["resume", "app"]);
}

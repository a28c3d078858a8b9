//! A host with services: the real binary, real sockets, and a fake `systemctl` on PATH that answers as
//! systemd was measured to (tests/host/recorded) and writes down what it was asked. What was not
//! announced is a failure: output, log lines and calls alike.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What a server does with one request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Status(u16),
    /// 200, after so many milliseconds.
    Late(u64),
    /// Takes the connection and stays silent.
    Hang,
    Close,
    Says(&'static str),
}

/// Answers on a port of its own, request by request; the last answer is given for ever.
pub(crate) struct Server {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
}

struct Script {
    answers: Vec<Answer>,
    requests: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script { answers: vec![Answer::Status(200)], requests: vec![] }));
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &script));
            }
        });
        Self { port, script }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/health/", self.port)
    }

    pub(crate) fn answers(&self, answers: &[Answer]) {
        self.script.lock().unwrap().answers = answers.to_vec();
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.script.lock().unwrap().requests.clone()
    }
}

fn serve(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return, // whoever only knocked asked nothing
        }
    }
    let answer = {
        let mut script = script.lock().unwrap();
        script.requests.push(String::from_utf8_lossy(&head).into_owned());
        if script.answers.len() > 1 { script.answers.remove(0) } else { script.answers[0].clone() }
    };
    match answer {
        Answer::Status(status) => {
            let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
        Answer::Late(wait) => {
            thread::sleep(Duration::from_millis(wait));
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 8\r\n\r\nin stock");
        }
        Answer::Hang => thread::sleep(Duration::from_secs(60)),
        Answer::Close => {}
        Answer::Says(text) => {
            let _ = stream.write_all(text.as_bytes());
        }
    }
}

pub(crate) struct Scene {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) server: Server,
    /// Keys of `[service.app]`, and whole tables after them.
    config: RefCell<String>,
    env: RefCell<Vec<(String, String)>>,
    read: Cell<(usize, usize)>,
    with_systemctl: Cell<bool>,
}

/// What one run did. Whatever of it no check has named must be nothing at all.
pub(crate) struct Ran {
    pub(crate) output: Output,
    /// Without their times.
    pub(crate) log: Vec<String>,
    pub(crate) calls: Vec<String>,
    unchecked: Unchecked,
}

#[derive(Clone, Copy)]
struct Unchecked {
    output: bool,
    log: bool,
    acts: bool,
}

/// The unit `app.service`, active for as long as the machine is up, unless changed.
pub(crate) fn unit(changes: &[(&str, &str)]) -> String {
    let mut properties: BTreeMap<&str, &str> = [
        ("Id", "app.service"),
        ("Names", "app.service"),
        ("LoadState", "loaded"),
        ("ActiveState", "active"),
        ("Result", "success"),
        ("UnitFileState", "enabled"),
        ("CanStart", "yes"),
        ("Job", ""),
        ("InvocationID", "aaaa"),
        ("NRestarts", "0"),
        ("FreezerState", "running"),
        ("Type", "notify"),
        ("RemainAfterExit", "no"),
        ("ConditionResult", "yes"),
        ("ConditionTimestampMonotonic", "1"),
        ("InactiveExitTimestampMonotonic", "1"),
        ("ActiveEnterTimestampMonotonic", "1"),
        ("ActiveExitTimestampMonotonic", "0"),
        ("ExecMainExitTimestampMonotonic", "0"),
        ("RuntimeMaxUSec", "infinity"),
        ("TimeoutStartUSec", "1min 30s"),
        ("TimeoutStopUSec", "30s"),
        ("Wants", ""),
        ("Requires", ""),
        ("Requisite", ""),
        ("BindsTo", ""),
        ("Conflicts", "shutdown.target"),
        ("ConflictedBy", ""),
    ]
    .into();
    properties.extend(changes.iter().copied());
    properties.iter().fold(String::new(), |block, (key, value)| block + key + "=" + value + "\n")
}

/// As a hung service ends that somebody stops.
pub(crate) const STOPPED: &[(&str, &str)] = &[
    ("ActiveState", "failed"),
    ("Result", "timeout"),
    ("ActiveExitTimestampMonotonic", "20"),
    ("ExecMainExitTimestampMonotonic", "21"),
];

/// The restart goes well: another life.
pub(crate) const RESTARTS: &str =
    r#"sed -i "s/^InvocationID=.*/InvocationID=$$-$(date +%N)/" "$units/$unit""#;

/// The unit does not heed its stop; killed, it starts.
pub(crate) const HANGS_IN_STOP: &str =
    r#"sed -i "s/^ActiveState=.*/ActiveState=deactivating/" "$units/$unit""#;

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
            server: Server::start(),
            config: RefCell::default(),
            env: RefCell::default(),
            read: Cell::default(),
            with_systemctl: Cell::new(true),
        };
        for folder in ["bin", "units", "state"] {
            fs::create_dir(scene.path(folder)).unwrap();
        }
        fs::write(scene.path("ledger"), "").unwrap();
        scene.unit("app.service", &unit(&[]));
        scene.on_restart(RESTARTS);
        scene.keys("");
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `[service.app]` with these keys besides its url; waits of no length unless said otherwise.
    pub(crate) fn keys(&self, keys: &str) -> &Self {
        let log = self.path("app.log");
        let text = format!(
            "[host]\nboot_grace = \"0s\"\n[defaults]\nverify = \"1s\"\ngrace = \"1s\"\n\n[service.app]\nurl = \"{}\"\nlog_file = \"{}\"\n{keys}\n",
            self.server.url(),
            log.display()
        );
        *self.config.borrow_mut() = text;
        self
    }

    pub(crate) fn config_text(&self) -> String {
        self.config.borrow().clone()
    }

    pub(crate) fn config(&self, text: &str) -> &Self {
        text.clone_into(&mut self.config.borrow_mut());
        self
    }

    pub(crate) fn env(&self, name: &str, value: &str) -> &Self {
        self.env.borrow_mut().push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn unit(&self, name: &str, block: &str) -> &Self {
        fs::write(self.path("units").join(name), block).unwrap();
        self
    }

    pub(crate) fn no_systemctl(&self) -> &Self {
        self.with_systemctl.set(false);
        self
    }

    /// What `systemctl restart` does: a line of sh, with `$unit` and `$units`.
    pub(crate) fn on_restart(&self, body: &str) -> &Self {
        self.systemctl(&format!("echo \"restart $unit\" >>\"$ledger\"\n{body}"), "")
    }

    /// A body for `restart`, and one that comes before everything else.
    pub(crate) fn systemctl(&self, restart: &str, first: &str) -> &Self {
        let dir = self.dir.path().display();
        self.executable(
            "bin/systemctl",
            &format!(
                r#"#!/bin/sh
units={dir}/units ledger={dir}/ledger
{first}
case "$1 $3" in
show*)
  while [ "$1" != -- ]; do shift; done; shift
  echo "show $*" >>"$ledger"
  for name; do
    if [ -e "$units/$name" ]; then cat "$units/$name"
    elif [ "$name" = shutdown.target ]; then printf 'Id=%s\nNames=%s\nLoadState=loaded\nActiveState=inactive\nJob=\n' $name $name
    else printf 'Id=%s\nNames=%s\nLoadState=not-found\nActiveState=inactive\nCanStart=no\nJob=\n' "$name" "$name"
    fi
    echo
  done ;;
reset-failed*) [ "$2" = -- ] || exit 9; echo "reset-failed $3" >>"$ledger" ;;
"--no-ask-password restart")
  [ "$2 $4" = "--job-mode=fail --" ] || exit 9
  unit=$5
  {restart}
  ;;
"--no-ask-password reload") [ "$2 $4" = "--job-mode=fail --" ] || exit 9; echo "reload $5" >>"$ledger" ;;
"--no-ask-password --job-mode=fail")
  [ "$2 $4 $5" = "--no-block restart --" ] || exit 9
  unit=$6
  {restart}
  ;;
"--no-ask-password --signal=SIGKILL")
  [ "$2 $4" = "kill --" ] || exit 9
  echo "kill $5" >>"$ledger"
  if grep -q =deactivating "$units/$5"; then
    sed -i "s/^ActiveState=.*/ActiveState=active/; s/^InvocationID=.*/InvocationID=$$-$(date +%N)/" "$units/$5"
  fi ;;
*) echo "unexpected: $*" >>"$ledger"; exit 9 ;;
esac
"#
            ),
        )
    }

    pub(crate) fn executable(&self, name: &str, text: &str) -> &Self {
        // Written beside and renamed: a process of another test may just be forking with the file open.
        let beside = self.path(&format!("{name}.new"));
        fs::write(&beside, text).unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(beside, self.path(name)).unwrap();
        self
    }

    /// `unhang run` with the scene's configuration.
    #[track_caller]
    pub(crate) fn tick(&self) -> Ran {
        self.run(&["run"])
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        self.ran(output)
    }

    /// One tick with another log file, whose probe finds this status.
    #[track_caller]
    pub(crate) fn run_with_log(&self, log: &Path, status: u16) -> Ran {
        let text = self
            .config
            .borrow()
            .replace(&self.path("app.log").display().to_string(), &log.display().to_string());
        *self.config.borrow_mut() = text;
        self.server.answers(&[Answer::Status(status)]);
        self.tick()
    }

    /// What a person sees who types it: stdout and stderr of a terminal.
    pub(crate) fn on_terminal(&self, arguments: &[&str]) -> String {
        let command = self.command(arguments);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let line = format!("stty cols 80; {}", words.join(" "));
        let output = self.bare(Path::new("script")).args(["-qec", &line, "/dev/null"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let config = self.path("unhang.toml");
        fs::write(&config, &*self.config.borrow()).unwrap();
        let mut command = self.bare(Path::new(env!("CARGO_BIN_EXE_unhang")));
        command.args(arguments).arg("--config").arg(config).arg("--state-dir").arg(self.path("state"));
        command
    }

    /// With the scene's PATH and nothing else of this process's environment.
    pub(crate) fn bare(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = match self.with_systemctl.get() {
            true => format!("{}:/usr/bin:/bin", self.path("bin").display()),
            false => "/nowhere".to_owned(),
        };
        command.env_clear().env("PATH", path).env("TZ", "UTC");
        for (name, value) in &*self.env.borrow() {
            command.env(name, value);
        }
        command
    }

    #[track_caller]
    pub(crate) fn ran(&self, output: Output) -> Ran {
        let (log_from, calls_from) = self.read.get();
        let log = read(&self.path("app.log"));
        let calls = read(&self.path("ledger"));
        self.read.set((log.len(), calls.len()));
        let untimed = |line: &str| line.split_once(" - ").map_or(line, |(_, text)| text).to_owned();
        let log: Vec<String> = log[log_from..].lines().map(untimed).collect();
        crate::messages::all_stand_in_the_tables(&output, &log);
        Ran {
            output,
            log,
            calls: calls[calls_from..].lines().map(str::to_owned).collect(),
            unchecked: Unchecked { output: true, log: true, acts: true },
        }
    }

    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&read(&self.path("state/app.json"))).unwrap_or(Value::Null)
    }

    /// All that is remembered becomes so much older.
    pub(crate) fn pass(&self, seconds: i64) {
        for entry in fs::read_dir(self.path("state")).unwrap() {
            let path = entry.unwrap().path();
            let kept = path.extension().is_some_and(|kind| kind == "json" || kind == "pause");
            let Some(mut value) = serde_json::from_str::<Value>(&read(&path)).ok().filter(|_| kept) else {
                continue;
            };
            age(&mut value, seconds);
            fs::write(path, value.to_string()).unwrap();
        }
    }
}

/// Every stamp in it, on both clocks; one from before the machine's start is of another boot.
pub(crate) fn age(value: &mut Value, seconds: i64) {
    match value {
        Value::Object(map) => {
            if let Some(wall) = map.get("wall").and_then(Value::as_str) {
                let wall =
                    chrono::DateTime::parse_from_rfc3339(wall).unwrap() - chrono::TimeDelta::seconds(seconds);
                map.insert("wall".into(), wall.to_rfc3339().into());
                let boottime = map["boottime_ms"].as_i64().unwrap() - seconds * 1000;
                map.insert("boottime_ms".into(), boottime.max(0).into());
                if boottime < 0 {
                    map.insert("boot_id".into(), "an earlier boot".into());
                }
            }
            map.values_mut().for_each(|inner| age(inner, seconds));
        }
        Value::Array(values) => values.iter_mut().for_each(|inner| age(inner, seconds)),
        _ => {}
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

impl Ran {
    /// The exit code, and nothing printed.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        self.prints("", "").ends(code)
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "exit code; log {:?}", self.log);
        self
    }

    /// With any code, or by a signal.
    #[track_caller]
    pub(crate) fn ends_anyhow(self) -> Self {
        self.prints("", "")
    }

    /// `*` stands for anything.
    #[track_caller]
    pub(crate) fn prints(mut self, stdout: &str, stderr: &str) -> Self {
        same("stderr", stderr, &String::from_utf8_lossy(&self.output.stderr));
        same("stdout", stdout, &String::from_utf8_lossy(&self.output.stdout));
        self.unchecked.output = false;
        self
    }

    #[track_caller]
    pub(crate) fn logs(mut self, lines: &[&str]) -> Self {
        same("log", &lines.join("\n"), &self.log.join("\n"));
        self.unchecked.log = false;
        self
    }

    #[track_caller]
    pub(crate) fn calls(mut self, calls: &[&str]) -> Self {
        same("calls", &calls.join("\n"), &self.calls.join("\n"));
        self.unchecked.acts = false;
        self
    }

    /// Calls but for those that only ask.
    #[track_caller]
    pub(crate) fn acts(mut self, calls: &[&str]) -> Self {
        same("acts", &calls.join("\n"), &self.only_acts().join("\n"));
        self.unchecked.acts = false;
        self
    }

    pub(crate) fn only_restarts(&self) -> usize {
        self.calls.iter().filter(|call| call.starts_with("restart ")).count()
    }

    fn only_acts(&self) -> Vec<&str> {
        self.calls.iter().map(String::as_str).filter(|call| !call.starts_with("show ")).collect()
    }
}

impl Drop for Ran {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let Unchecked { output, log, acts } = self.unchecked;
        let printed = [&self.output.stdout[..], &self.output.stderr[..]].concat();
        assert!(!output || printed.is_empty(), "printed: {}", String::from_utf8_lossy(&printed));
        assert!(!log || self.log.is_empty(), "logged: {:?}", self.log);
        assert!(!acts || self.only_acts().is_empty(), "called: {:?}", self.calls);
    }
}

#[track_caller]
fn same(what: &str, expected: &str, found: &str) {
    assert!(matches(expected, found), "{what}:\nexpected: {expected}\nfound:    {found}");
}

/// `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
        }),
    }
}

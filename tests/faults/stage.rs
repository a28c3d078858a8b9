//! A host on which one run after another can be failed: places for the state on a disk and in memory, a fake
//! systemctl, and a server that is well again when it was restarted. Used again and again, each time from
//! the same beginning.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::calls::{self, Call, Fault};
use crate::harness::{self, Scene};

/// Longer than any run here takes by itself, and shorter than its deadline.
pub(crate) const IN_TIME: Duration = Duration::from_secs(20);

/// The folders of root's states and locks, `$0` the stage.
const MOUNT: &str = r#"mount --rbind "$0/disk" /var/lib && mount --rbind "$0/memory" /run && exec "$@""#;

pub(crate) struct Stage {
    scene: Scene,
    pub(crate) program: PathBuf,
    port: u16,
    /// As a first failed run left it, and when that was.
    counted: (Value, Instant),
}

/// What one run did.
pub(crate) struct Ticked {
    /// `None`: it did not end in time.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    pub(crate) trace: String,
}

/// What stands on the stage after a run.
pub(crate) struct Facts {
    pub(crate) restarts: usize,
    pub(crate) log: String,
    /// Disk and memory.
    pub(crate) copies: [Option<Vec<u8>>; 2],
    pub(crate) aside: Vec<Vec<u8>>,
    pub(crate) leftovers: Vec<String>,
    pub(crate) healthy: bool,
    /// What was remembered when the last restart was asked for.
    pub(crate) at_restart: [Option<Vec<u8>>; 2],
}

/// The places of the state below the stage, on a disk and in memory.
pub(crate) const DISK: &str = "disk/unhang";
pub(crate) const MEMORY: &str = "memory/unhang";

impl Stage {
    pub(crate) fn new(program: &Path) -> Self {
        let scene = Scene::new();
        for folder in ["disk", "memory", "healthy"] {
            fs::create_dir(scene.path(folder)).unwrap();
        }
        // Where others' folders are closed to nobody.
        if fs::hard_link(program, scene.path("unhang")).is_err() {
            fs::copy(program, scene.path("unhang")).unwrap();
        }
        let port = serve(scene.path("healthy"));
        let program = scene.path("unhang");
        let stage = Self { scene, program, port, counted: (Value::Null, Instant::now()) };
        stage.keys("");
        stage.empty();
        stage
    }

    /// After one failure.
    pub(crate) fn count_once(&mut self) {
        self.clear();
        let ticked = self.tick();
        assert_eq!(ticked.status.and_then(|status| status.code()), Some(1), "{}", ticked.stderr);
        let read = fs::read(self.path(DISK).join("app.json")).unwrap();
        let mut counted: Value = serde_json::from_slice(&read).unwrap();
        // Else one restart would be all that it gets.
        counted["evidence"] = "healthy".into();
        self.put(&format!("{DISK}/app.json"), counted.to_string().as_bytes());
        self.counted = (counted, Instant::now());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scene.path(name)
    }

    /// Besides url and log, of `[service.app]`.
    pub(crate) fn keys(&self, keys: &str) {
        self.keys_within(Duration::from_secs(40), keys);
    }

    /// With another deadline.
    pub(crate) fn keys_within(&self, deadline: Duration, keys: &str) {
        let deadline = deadline.as_secs();
        self.config(&format!(
            "[host]\nboot_grace = \"0s\"\ndeadline = \"{deadline}s\"\n\
             [defaults]\nverify = \"200ms\"\ngrace = \"200ms\"\ntimeout = \"2s\"\n\n\
             [service.app]\nurl = \"http://127.0.0.1:PORT/app\"\nlog_file = \"HERE/app.log\"\n{keys}\n"
        ));
    }

    /// Another configuration, of which `PORT` and `HERE` are known here.
    pub(crate) fn config(&self, text: &str) {
        let here = self.scene.dir.path().display().to_string();
        self.scene.config(&text.replace("PORT", &self.port.to_string()).replace("HERE", &here));
    }

    pub(crate) fn write_config(&self) {
        fs::write(self.path("unhang.toml"), self.scene.config_text()).unwrap();
    }

    pub(crate) fn executable(&self, name: &str, text: &str) {
        self.scene.executable(name, text);
    }

    /// What `systemctl restart` does, besides noting it and what is remembered at that moment.
    pub(crate) fn on_restart(&self, body: &str) {
        self.systemctl(body, "");
    }

    /// `first`: what systemctl does before everything else.
    pub(crate) fn systemctl(&self, restart: &str, first: &str) {
        self.scene.systemctl(&self.noted(restart), first);
    }

    /// What the restart command does, noted in the same way.
    pub(crate) fn on_command(&self, body: &str) {
        let here = self.scene.dir.path().display();
        let noted = self.noted(body);
        self.scene.executable(
            "restart-app",
            &format!("#!/bin/sh\nunits={here}/units ledger={here}/ledger unit=app.service\n{noted}\n"),
        );
    }

    fn noted(&self, body: &str) -> String {
        let here = self.scene.dir.path().display();
        // What is noted has been done: a run that cannot watch systemctl ends it, at any moment.
        format!(
            "cat {here}/{DISK}/app.json >{here}/at-restart.disk 2>/dev/null\n\
             cat {here}/{MEMORY}/app.json >{here}/at-restart.memory 2>/dev/null\n\
             {body}\necho \"restart $unit\" >>\"$ledger\""
        )
    }

    /// No folder of unhang's, no log, nothing asked, all hung.
    pub(crate) fn clear(&self) {
        for folder in [DISK, MEMORY] {
            let path = self.path(folder);
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
        }
        for file in ["app.log", "at-restart.disk", "at-restart.memory"] {
            let _ = fs::remove_file(self.path(file));
        }
        fs::write(self.path("ledger"), "").unwrap();
        self.scene.unit("app.service", &harness::unit(&[]));
        self.healthy(false);
        self.write_config();
    }

    /// The same, with folders.
    pub(crate) fn empty(&self) {
        self.clear();
        for folder in [DISK, MEMORY] {
            fs::create_dir(self.path(folder)).unwrap();
        }
    }

    pub(crate) fn healthy(&self, is: bool) {
        let flag = self.path("healthy/app");
        if is {
            fs::write(flag, "").unwrap();
        } else {
            let _ = fs::remove_file(flag);
        }
    }

    /// The state after one failure two minutes ago.
    pub(crate) fn counted(&self) -> Vec<u8> {
        self.aged().to_string().into_bytes()
    }

    /// The same of a service that is restarted by a command.
    pub(crate) fn counted_without_unit(&self) -> Vec<u8> {
        let mut state = self.aged();
        for key in ["incarnation", "looked", "fingerprint"] {
            state.as_object_mut().unwrap().remove(key);
        }
        state.to_string().into_bytes()
    }

    /// What was counted was counted of a service that a command restarts.
    pub(crate) fn forget_unit(&self) {
        self.put(&format!("{DISK}/app.json"), &self.counted_without_unit());
    }

    fn aged(&self) -> Value {
        let (state, taken) = &self.counted;
        let mut state = state.clone();
        let since = i64::try_from(taken.elapsed().as_secs()).unwrap();
        harness::age(&mut state, 120 - since);
        state
    }

    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path(file), bytes).unwrap();
    }

    /// All that is remembered becomes so much older.
    pub(crate) fn pass(&self, seconds: i64) {
        for folder in [DISK, MEMORY] {
            let path = self.path(folder).join("app.json");
            // Neither a link nor a pipe that a scene put there.
            if !fs::symlink_metadata(&path).is_ok_and(|facts| facts.is_file() && facts.len() < 1 << 20) {
                continue;
            }
            let Ok(bytes) = fs::read(&path) else { continue };
            let Ok(mut state) = serde_json::from_slice::<Value>(&bytes) else { continue };
            harness::age(&mut state, seconds);
            let _ = fs::write(path, state.to_string()); // the disk may be read-only
        }
    }

    pub(crate) fn tick(&self) -> Ticked {
        self.ended(self.unhang(&[], "").spawn().unwrap(), "")
    }

    pub(crate) fn traced(&self) -> Ticked {
        self.ended(self.unhang(&["-e".to_owned(), "trace=all".to_owned()], "").spawn().unwrap(), "")
    }

    pub(crate) fn faulty(&self, call: &Call, fault: Fault) -> Ticked {
        self.ended(self.unhang(&calls::strace(call, fault), "").spawn().unwrap(), "")
    }

    /// `unhang run`, under strace if there are words for it. `which` of several at once.
    pub(crate) fn unhang(&self, strace: &[String], which: &str) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if !strace.is_empty() {
            words.extend(["strace".into(), "-o".into(), self.path("trace").into()]);
            words.extend(strace.iter().map(Into::into));
        }
        self.under(&words, which)
    }

    /// Begun by another program, that makes way for it or stays beside it.
    pub(crate) fn under(&self, other: &[OsString], which: &str) -> Command {
        let _ = fs::remove_file(self.path("trace"));
        let mut words: Vec<OsString> = Vec::new();
        if is_root() {
            // Root's places are fixed: they are the stage's for this run.
            words.extend(["unshare", "-m", "--propagation", "private", "sh", "-c", MOUNT].map(Into::into));
            words.push(self.scene.dir.path().into());
        }
        words.extend_from_slice(other);
        words.push(self.program.clone().into());
        let mut command = self.scene.bare(Path::new(&words[0]));
        command.args(&words[1..]);
        command.arg("run").arg("--config").arg(self.path("unhang.toml"));
        command.env("HOME", "/nowhere").env("XDG_STATE_HOME", self.path("disk"));
        command.env("XDG_RUNTIME_DIR", self.path("memory")).current_dir(self.scene.dir.path());
        command.stdin(Stdio::null());
        for (name, is_error) in [("stdout", false), ("stderr", true)] {
            let file = fs::File::create(self.path(&format!("{name}{which}"))).unwrap();
            if is_error {
                command.stderr(file)
            } else {
                command.stdout(file)
            };
        }
        command
    }

    /// Waits for it, and for what it started: between two runs of cron's that has ended too.
    pub(crate) fn ended(&self, child: Child, which: &str) -> Ticked {
        let ticked = self.ended_alone(child, which);
        if ticked.code() != Some(0) {
            self.await_orphans();
        }
        ticked
    }

    /// Where another may still run.
    pub(crate) fn ended_alone(&self, child: Child, which: &str) -> Ticked {
        self.ended_within(child, which, IN_TIME)
    }

    /// A call that strace (`-D`) holds up keeps a run that was ended by its guard from going away.
    pub(crate) fn ended_under_strace(&self, child: Child, limit: Duration) -> Ticked {
        let pid = child.id();
        let began = Instant::now();
        let mut was_guarded = false;
        while !has_ended(pid) && began.elapsed() < limit {
            let is_guarded = guard_of(pid).is_some();
            if was_guarded && !is_guarded {
                break;
            }
            was_guarded = is_guarded;
            thread::sleep(Duration::from_millis(5));
        }
        let took = began.elapsed();
        // Of an ordinary end the guard is told a little before.
        while !has_ended(pid) && began.elapsed() < took + Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(5));
        }
        if let Some(tracer) = status_of(pid, "TracerPid:").and_then(|pid| pid.parse().ok())
            && let Some(tracer) = Pid::from_raw(tracer)
        {
            let _ = kill_process(tracer, Signal::KILL);
        }
        let ticked = self.ended(child, "");
        let of_the_run = |line: &&str| !line.starts_with("strace: ");
        let stderr = ticked.stderr.lines().filter(of_the_run).flat_map(|line| [line, "\n"]).collect();
        Ticked { took, stderr, ..ticked }
    }

    pub(crate) fn ended_within(&self, mut child: Child, which: &str, limit: Duration) -> Ticked {
        let began = Instant::now();
        let mut status = child.try_wait().unwrap();
        while status.is_none() && began.elapsed() < limit {
            thread::sleep(Duration::from_millis(2));
            status = child.try_wait().unwrap();
        }
        let took = began.elapsed();
        if status.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned();
        Ticked {
            status,
            stdout: text(&format!("stdout{which}")),
            stderr: text(&format!("stderr{which}")),
            took,
            trace: text("trace"),
        }
    }

    /// Known by the folder they are in.
    pub(crate) fn await_orphans(&self) {
        let here = fs::canonicalize(self.scene.dir.path()).unwrap();
        let began = Instant::now();
        while anybody_in(&here) && began.elapsed() < IN_TIME {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        let ledger = String::from_utf8(fs::read(self.path("ledger")).unwrap()).unwrap();
        let mut aside = Vec::new();
        let mut leftovers = Vec::new();
        for folder in [DISK, MEMORY] {
            for entry in fs::read_dir(self.path(folder)).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().unwrap();
                if name.contains(".corrupt-") {
                    aside.push(read(&entry.path()).unwrap_or_default());
                } else if name != "app.json" && !name.ends_with(".lock") {
                    leftovers.push(format!("{folder}/{name}"));
                }
            }
        }
        Facts {
            restarts: ledger.lines().filter(|line| line.starts_with("restart ")).count(),
            log: String::from_utf8_lossy(&read(&self.path("app.log")).unwrap_or_default()).into_owned(),
            copies: [DISK, MEMORY].map(|folder| read(&self.path(folder).join("app.json"))),
            aside,
            leftovers,
            healthy: self.path("healthy/app").exists(),
            at_restart: ["disk", "memory"].map(|place| read(&self.path(&format!("at-restart.{place}")))),
        }
    }
}

impl Ticked {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.and_then(|status| status.signal())
    }
}

/// Of whatever lies there; what cannot be a file of unhang's is no state either.
fn read(path: &Path) -> Option<Vec<u8>> {
    let facts = fs::symlink_metadata(path).ok()?;
    let is_ours = facts.is_file() && facts.len() < 1 << 20;
    Some(if is_ours { fs::read(path).unwrap_or_default() } else { b"no file of unhang's".to_vec() })
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn has_ended(pid: u32) -> bool {
    status_of(pid, "State:").is_none_or(|state| state.starts_with('Z'))
}

/// The thread that watches over the deadline of this run.
pub(crate) fn guard_of(run: u32) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{run}/task")).ok()?.flatten();
    let is_guard = |thread: &fs::DirEntry| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name == "guard\n")
    };
    let guard = threads.into_iter().find(is_guard)?;
    guard.file_name().into_string().ok()?.parse().ok()
}

/// A line of proc(5)'s `status`.
fn status_of(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

fn anybody_in(folder: &Path) -> bool {
    let is_there =
        |entry: fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
    fs::read_dir("/proc").unwrap().flatten().any(is_there)
}

/// Longer than any question lasts.
const HANGS: Duration = Duration::from_secs(10);

/// Asked for `/NAME` it is well when there is a file of that name, and hangs when there is `NAME.hangs`.
fn serve(healthy: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &healthy);
        }
    });
    port
}

fn answer(mut stream: std::net::TcpStream, healthy: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let (mut head, mut some) = (Vec::new(), [0; 512]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Ok(()),
            n => head.extend_from_slice(&some[..n]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let name = head.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
    if healthy.join(format!("{name}.hangs")).exists() {
        thread::spawn(move || {
            thread::sleep(HANGS);
            drop(stream);
        });
        return Ok(());
    }
    let status = if !name.is_empty() && healthy.join(name).exists() { 200 } else { 502 };
    // In one piece, so that runs take the same calls.
    stream.write_all(
        format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes(),
    )
}

//! Very many ticks of the real program, one after another: a healthy service that now and then hangs and is
//! restarted. Nothing may be left of them but the lines of the log. Plain `cargo test` leaves this alone:
//!
//! ```text
//! cargo test --test endurance                              some seconds
//! cargo test --test endurance -- --ticks 100000            a quarter of an hour
//! cargo test --test endurance -- --program FILE            another unhang than cargo's
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails says where"
)]

#[allow(dead_code, clippy::match_bool, reason = "what the scenes need besides")]
#[path = "../scenes/harness.rs"]
mod harness;
#[allow(dead_code, reason = "what the faults need besides")]
#[path = "../faults/messages.rs"]
mod messages;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use harness::{Answer, RESTARTS, Scene};

/// A service hangs in one tick of so many.
const HANG_EVERY: usize = 50;

/// What there is, is looked at so often.
const LOOK_EVERY: usize = 500;

/// What one hung service leaves in the log.
const LINES_OF_A_HANG: usize = 4;

struct Wanted {
    ticks: usize,
    program: PathBuf,
    /// The folder that stands in the place of root's, once it does.
    apart: Option<PathBuf>,
}

impl Wanted {
    fn typed() -> Self {
        let mut wanted = Self { ticks: 1_000, program: env!("CARGO_BIN_EXE_unhang").into(), apart: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
            match word.as_str() {
                "--ticks" => wanted.ticks = value().parse().unwrap(),
                "--program" => wanted.program = fs::canonicalize(value()).unwrap(),
                APART => wanted.apart = Some(value().into()),
                _ => panic!("{word}: unknown; there are --ticks N, --program FILE"),
            }
        }
        wanted
    }
}

const APART: &str = "--apart";

/// Root's places are fixed: they are ours for this process and what it starts. `$0` is the folder.
const MOUNT: &str = r#"mount --rbind "$0/disk" /var/lib && mount --rbind "$0/run" /run && exec "$@""#;

/// In a process of its own, whose mounts go away with it.
fn apart(places: &Path) -> ! {
    let own = std::env::current_exe().unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new(if is_root { "unshare" } else { "env" });
    if is_root {
        command.args(["-m", "--propagation", "private", "sh", "-c", MOUNT]).arg(places);
    }
    let error = command.arg(own).args(std::env::args_os().skip(1)).arg(APART).arg(places).exec();
    panic!("{error}");
}

fn main() {
    let wanted = Wanted::typed();
    let Some(places) = wanted.apart.clone() else {
        let places = tempfile::tempdir().unwrap().keep();
        for folder in ["disk", "run", "log"] {
            fs::create_dir(places.join(folder)).unwrap();
        }
        apart(&places)
    };
    Life { scene: Scene::new(), places: places.clone(), program: wanted.program.clone(), lines: 0 }
        .live(wanted.ticks);
    fs::remove_dir_all(places).unwrap();
}

struct Life {
    scene: Scene,
    places: PathBuf,
    program: PathBuf,
    /// That the log should have by now.
    lines: usize,
}

/// What can be left behind, on this host and in our folders.
#[derive(Debug)]
struct Left {
    /// Names, and how large each is.
    files: BTreeMap<PathBuf, u64>,
    lines: usize,
    processes: usize,
    /// Open on the whole host: other work changes it too.
    open: i64,
}

impl Life {
    fn live(&mut self, ticks: usize) {
        let log = self.places.join("log/app.log");
        self.scene.on_restart(RESTARTS).config(&format!(
            "[host]\nboot_grace = \"0s\"\n[service.app]\nurl = \"{}\"\nlog_file = \"{}\"\ngrace = \"1s\"\nverify = \"1s\"\n",
            self.scene.server.url(),
            log.display()
        ));
        fs::write(self.scene.path("unhang.toml"), self.scene.config_text()).unwrap();
        self.hang();
        let first = self.left();
        let mut names: Vec<_> = first.files.keys().filter_map(|path| path.file_name()).collect();
        names.sort();
        assert_eq!(names, ["app.json", "app.lock", "app.log", "unit+app.service.lock"]);
        let began = Instant::now();
        let mut at = 0;
        while at < ticks {
            if at % HANG_EVERY == HANG_EVERY - 1 {
                at += self.hang();
            } else {
                self.tick(0);
                at += 1;
            }
            if at % LOOK_EVERY == 0 {
                self.look(&first, at);
            }
        }
        let last = self.look(&first, at);
        self.stays(ticks);
        let took = began.elapsed();
        println!(
            "{at} ticks in {:.0} s, {:.2} ms each",
            took.as_secs_f64(),
            took.as_secs_f64() * 1e3 / f64::from(u32::try_from(at).unwrap())
        );
        println!("at first {first:?}\nat last  {last:?}");
    }

    /// As many again in one process, which must not grow.
    fn stays(&self, ticks: usize) {
        let mut process = self.run().args(["--every", "1ms"]).stderr(Stdio::piped()).spawn().unwrap();
        let begun = self.scene.server.requests().len();
        let after = |ticks: usize| {
            while self.scene.server.requests().len() < begun + ticks {
                assert!(process_lives(process.id()), "it ended by itself");
                thread::sleep(Duration::from_millis(20));
            }
            resident(process.id())
        };
        let (first, last) = (after(ticks / 10), after(ticks));
        println!("--every: {first} KiB after {} ticks, {last} KiB after {ticks}", ticks / 10);
        assert!(last <= first + MAY_GROW, "it has grown");
        kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
        assert!(process.wait().unwrap().success());
    }

    fn run(&self) -> Command {
        let mut command = self.scene.bare(&self.program);
        command.args(["run", "--config"]).arg(self.scene.path("unhang.toml")).stdin(Stdio::null());
        command.env("HOME", "/nowhere").env("XDG_STATE_HOME", self.places.join("disk"));
        command.env("XDG_RUNTIME_DIR", self.places.join("run")).current_dir(&self.places);
        command
    }

    fn tick(&self, code: i32) {
        let ran = self.run().output().unwrap();
        let printed = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), printed.as_ref(), ran.stdout.len()), (Some(code), "", 0));
    }

    /// Counted, restarted, healed; and a day goes by, so that neither budget nor backoff hold the next. Returns the
    /// ticks that this took.
    fn hang(&mut self) -> usize {
        let bad = Answer::Status(502);
        self.scene.server.answers(std::slice::from_ref(&bad));
        self.tick(1);
        self.pass(Duration::from_secs(120));
        self.scene.server.answers(&[bad.clone(), bad, Answer::Status(200)]);
        self.tick(0);
        self.pass(Duration::from_secs(24 * 3_600));
        self.lines += LINES_OF_A_HANG;
        2
    }

    fn pass(&self, time: Duration) {
        let path = self.places.join("disk/unhang/app.json");
        let mut state = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        harness::age(&mut state, i64::try_from(time.as_secs()).unwrap());
        fs::write(path, state.to_string()).unwrap();
    }

    fn left(&self) -> Left {
        let log = fs::read_to_string(self.places.join("log/app.log")).unwrap_or_default();
        Left {
            files: files(&self.places),
            lines: log.lines().count(),
            processes: processes_in(&self.places),
            open: fs::read_to_string("/proc/sys/fs/file-nr")
                .unwrap()
                .split('\t')
                .next()
                .unwrap()
                .parse()
                .unwrap(),
        }
    }

    fn look(&self, first: &Left, ticks: usize) -> Left {
        let left = self.left();
        assert!(left.files.keys().eq(first.files.keys()), "after {ticks} ticks: {:?}", left.files);
        for (name, size) in left.files.iter().filter(|(name, _)| !name.ends_with("app.log")) {
            assert!(*size < 2_048, "{} has {size} bytes after {ticks} ticks", name.display());
        }
        assert_eq!(left.lines, self.lines, "lines of the log after {ticks} ticks");
        assert_eq!(left.processes, 0, "processes after {ticks} ticks");
        let grown = left.open - first.open;
        let most = i64::try_from(ticks / 2).unwrap().max(2_000);
        assert!(grown < most, "{grown} more files are open on this host after {ticks} ticks");
        left
    }
}

/// In KiB: what its next page of memory may take, and a second thread's.
const MAY_GROW: u64 = 64;

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn process_lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| !status.contains("State:\tZ"))
}

fn files(below: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(below).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path, entry.metadata().unwrap().len());
        }
    }
    found
}

/// Each run, and all that it starts, has this folder as its own.
fn processes_in(folder: &Path) -> usize {
    let here = fs::canonicalize(folder).unwrap();
    let is_there =
        |entry: &fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == here);
    fs::read_dir("/proc").unwrap().flatten().filter(is_there).count()
}

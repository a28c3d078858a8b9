//! Every system call of a run, failed and killed; every state file there can be; two runs at once; a run that is
//! stopped and goes on. After each, the laws (`laws`) must hold. Plain `cargo test` leaves this alone:
//!
//! ```text
//! cargo test --test faults                      a fixed part, some minutes
//! cargo test --test faults -- --full            everything
//! cargo test --test faults -- --only heals      a scene; a failure prints the word for its one case
//! cargo test --test faults -- --program FILE    another unhang than cargo's
//! ```
//!
//! It takes strace; as root it tries what only root can (mounts, owners, devices), and says so where it cannot.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails says where"
)]

#[allow(dead_code, clippy::match_bool, reason = "what the scenes need besides")]
#[path = "../scenes/harness.rs"]
mod harness;

mod calls;
mod deadline;
mod injected;
mod laws;
mod memory;
mod messages;
mod stage;
mod state_file;
mod table;
mod together;

use std::os::unix::process::CommandExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use laws::Laws;
use stage::Stage;
use table::Table;

/// For each core: most wait, for a fake systemctl or for each other.
const WORKERS: usize = 3;

/// That do nothing but wait for a stopped run.
const WAITING: usize = 48;

struct Wanted {
    full: bool,
    only: Option<String>,
    program: PathBuf,
}

impl Wanted {
    fn typed() -> Self {
        let mut wanted = Self { full: false, only: None, program: env!("CARGO_BIN_EXE_unhang").into() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
            match word.as_str() {
                "--full" => wanted.full = true,
                "--only" => wanted.only = Some(value()),
                "--program" => wanted.program = value().into(),
                APART => {}
                _ => panic!("{word}: unknown; there are --full, --only WORD, --program FILE"),
            }
        }
        wanted
    }

    /// A case is named by its scene, and the way there: `heals/openat/4/EIO`.
    fn takes(&self, name: &str) -> bool {
        let Some(only) = &self.only else { return true };
        name == only || name.starts_with(&format!("{only}/")) || only.starts_with(&format!("{name}/"))
    }

    /// A single case may be one that the fixed part leaves out.
    fn everything(&self) -> bool {
        self.full || self.only.is_some()
    }
}

type Act<'a> = Box<dyn Fn(&Stage) -> Option<Laws> + Send + Sync + 'a>;

/// One thing to try.
struct Case<'a> {
    scene: &'static str,
    name: String,
    /// For people.
    shown: String,
    act: Act<'a>,
}

/// Already among mounts of our own.
const APART: &str = "--apart";

/// What the scenes mount goes away with this process, however it ends.
fn go_apart() {
    if stage::is_root() && !std::env::args().any(|word| word == APART) {
        let own = std::env::current_exe().unwrap();
        let words = ["-m", "--propagation", "private"];
        let error =
            Command::new("unshare").args(words).arg(own).args(std::env::args_os().skip(1)).arg(APART).exec();
        panic!("unshare: {error}");
    }
}

fn main() -> ExitCode {
    go_apart();
    let wanted = Wanted::typed();
    let began = Instant::now();
    let table = Mutex::new(Table::default());
    let first = stage(&wanted);
    let mut cases = injected(&wanted, &first, &table);
    cases.extend(state_files(&wanted, &table));
    cases.extend(two_at_once(&wanted));
    cases.extend(little_memory(&wanted, &first));
    let mut waiting = past_the_deadline(&wanted, &first);
    waiting.extend(stopped(&wanted, &first));
    for some in [&mut cases, &mut waiting] {
        some.retain(|case| wanted.takes(&case.name));
    }
    thread::scope(|scope| {
        scope.spawn(|| run(&wanted, &waiting, WAITING, &table));
        run(&wanted, &cases, thread::available_parallelism().map_or(2, usize::from) * WORKERS, &table);
    });
    let table = table.into_inner().unwrap();
    table.print(began.elapsed());
    if table.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn stage(wanted: &Wanted) -> Stage {
    let mut stage = Stage::new(&wanted.program);
    stage.count_once();
    stage
}

/// Side by side, each worker on a stage of its own.
fn run(wanted: &Wanted, cases: &[Case<'_>], workers: usize, table: &Mutex<Table>) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut own = stage(wanted);
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            let laws = panic::catch_unwind(AssertUnwindSafe(|| (case.act)(&own))).unwrap_or_else(|_| {
                own = stage(wanted);
                let mut laws = Laws::default();
                laws.hold("the scene can be played", false, || "it broke down, see above".to_owned());
                Some(laws)
            });
            let mut table = table.lock().unwrap();
            table.row(case.scene).add(&case.name, &case.shown, laws, began.elapsed());
            table.progress(cases.len());
        }
    };
    thread::scope(|scope| (0..workers.min(cases.len())).for_each(|_| drop(scope.spawn(work))));
}

fn injected<'a>(wanted: &Wanted, stage: &Stage, table: &Mutex<Table>) -> Vec<Case<'a>> {
    let mut all = Vec::new();
    for play in injected::PLAYS.iter().filter(|play| wanted.takes(play.name)) {
        // A user's locks are on the disk.
        if play.name == "through-memory" && !stage::is_root() {
            table.lock().unwrap().left_out.push(format!("{}: for root only", play.name));
            continue;
        }
        let (calls, found) = injected::cases(stage, play, wanted.everything());
        table.lock().unwrap().row(play.name).calls = calls;
        all.extend(found.into_iter().map(|(call, fault)| Case {
            scene: play.name,
            name: format!("{}/{}/{}/{}", play.name, call.name, call.nth, fault.name()),
            shown: call.shown.clone(),
            act: Box::new(move |stage| injected::play(stage, play, &call, fault)),
        }));
    }
    all
}

/// Services of one run, each with another damage.
const TOGETHER: usize = 300;

fn state_files<'a>(wanted: &Wanted, table: &Mutex<Table>) -> Vec<Case<'a>> {
    let mut all = Vec::new();
    for shape in state_file::SHAPES {
        if !wanted.takes("state-file") {
            break;
        }
        if !shape.only.are_we() {
            table
                .lock()
                .unwrap()
                .left_out
                .push(format!("state-file/{}: for {:?} only", shape.name, shape.only));
            continue;
        }
        all.push(Case {
            scene: "state-file",
            name: format!("state-file/{}", shape.name),
            shown: String::new(),
            act: Box::new(|stage| Some(state_file::shape(stage, shape))),
        });
    }
    for (at, some) in state_file::damages(wanted.full).chunks(TOGETHER).enumerate() {
        for (word, is_well) in [("well", true), ("hung", false)] {
            let some = some.to_vec();
            all.push(Case {
                scene: "damaged-state",
                name: format!("damaged-state/{at}/{word}"),
                shown: format!("{} to {}", some[0].0, some[some.len() - 1].0),
                act: Box::new(move |stage| Some(state_file::damage(stage, &some, is_well))),
            });
        }
    }
    all
}

/// Longer than one run takes.
const SPREAD_MS: u64 = 120;

fn two_at_once<'a>(wanted: &Wanted) -> Vec<Case<'a>> {
    let mut dice = together::Dice(0x9e37_79b9_7f4a_7c15);
    let case = |at: usize| {
        let delay = Duration::from_micros(dice.below(SPREAD_MS * 1000));
        Case {
            scene: "two-at-once",
            name: format!("two-at-once/{at}"),
            shown: format!("the second {delay:?} later"),
            act: Box::new(move |stage: &Stage| Some(together::two(stage, delay))) as Act<'a>,
        }
    };
    (0..if wanted.everything() { 1000 } else { 200 }).map(case).collect()
}

fn little_memory<'a>(wanted: &Wanted, stage: &Stage) -> Vec<Case<'a>> {
    if !wanted.takes("little-memory") {
        return Vec::new();
    }
    let case = |kib: usize| Case {
        scene: "little-memory",
        name: format!("little-memory/{kib}"),
        shown: format!("{kib} KiB"),
        act: Box::new(move |stage: &Stage| Some(memory::little(stage, kib))) as Act<'a>,
    };
    memory::limits(stage, wanted.everything()).map(case).collect()
}

fn past_the_deadline<'a>(wanted: &Wanted, stage: &Stage) -> Vec<Case<'a>> {
    let mut all = Vec::new();
    if ["held", "guard"].iter().any(|scene| wanted.takes(scene)) {
        let calls = together::calls(stage);
        for step in deadline::STEPS {
            let call = step.find(&calls);
            let (name, shown) = (format!("held/{}", step.name), call.shown.clone());
            let act: Act<'_> = Box::new(move |stage| Some(deadline::held(stage, step, &call)));
            all.push(Case { scene: "held", name, shown, act });
        }
        let held = deadline::STEPS.iter().find(|step| step.name == "intent").unwrap().find(&calls);
        for (call, fault) in deadline::of_the_guard(wanted.everything()) {
            let held = held.clone();
            all.push(Case {
                scene: "guard",
                name: format!("guard/{}/{}", call.name, fault.name()),
                shown: call.shown.clone(),
                act: Box::new(move |stage| deadline::guard_failed(stage, &held, &call, fault)),
            });
        }
    }
    for hang in deadline::HANGS {
        let (name, shown) = (format!("hangs/{}", hang.name), String::new());
        all.push(Case {
            scene: "hangs",
            name,
            shown,
            act: Box::new(|stage| Some(deadline::hung(stage, hang))),
        });
    }
    let silent: Act<'_> = Box::new(|stage| Some(deadline::silent_log(stage)));
    let (name, shown) = ("silent-log".to_owned(), String::new());
    all.push(Case { scene: "silent-log", name, shown, act: silent });
    for slow in deadline::SLOW {
        let (name, shown) = (format!("slow-disk/{}", slow.name), String::new());
        all.push(Case {
            scene: "slow-disk",
            name,
            shown,
            act: Box::new(|stage| Some(deadline::slow(stage, slow))),
        });
    }
    all
}

/// The fixed part stops at each of so many calls.
const EACH: usize = 9;

fn stopped<'a>(wanted: &Wanted, stage: &Stage) -> Vec<Case<'a>> {
    if !wanted.takes("stopped") {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (at, call) in together::calls(stage).into_iter().enumerate() {
        for (which, (word, span)) in together::STOPS.into_iter().enumerate() {
            // For longer at fewer.
            if wanted.everything() && (which == 0 || at % 4 == 0) || at % (EACH * (1 + 4 * which)) == 0 {
                let call = call.clone();
                all.push(Case {
                    scene: "stopped",
                    name: format!("stopped/{}/{}/{word}", call.name, call.nth),
                    shown: call.shown.clone(),
                    act: Box::new(move |stage| together::stopped(stage, &call, span)),
                });
            }
        }
    }
    all.sort_by_key(|case| case.name.ends_with("a-while"));
    all
}

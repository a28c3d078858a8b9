//! Each step of a run held up past the deadline: by a disk that does not answer, by systemctl or a server that
//! hangs, and by a disk that is slow at everything. And each call of the guard that ends such a run, failed.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::calls::{self, Call, Fault};
use crate::injected::{self, HEAL, heals};
use crate::laws::Laws;
use crate::stage::{self, Facts, Stage, Ticked};

/// Of the stage's runs; the shortest there can be.
const DEADLINE: Duration = Duration::from_secs(40);

/// The guard's own wait after the deadline.
const SPARE: Duration = Duration::from_secs(3);

/// For a test machine that has other work.
const BUSY: Duration = Duration::from_secs(3);

/// How long a call is held up.
const HELD: Duration = Duration::from_secs(60);

/// One step of a run that restarts and heals.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// The step's own call: its name, what strace shows of it, and which of those it is.
    call: (&'static str, &'static str, usize),
    /// Before the guard is set, a run ends when the disk answers again.
    is_guarded: bool,
    /// Restarts asked for by then.
    restarts: usize,
}

const fn unguarded(name: &'static str, call: (&'static str, &'static str, usize)) -> Step {
    Step { name, call, is_guarded: false, restarts: 0 }
}

const fn before(name: &'static str, call: (&'static str, &'static str, usize)) -> Step {
    Step { name, call, is_guarded: true, restarts: 0 }
}

const fn after(name: &'static str, call: (&'static str, &'static str, usize)) -> Step {
    Step { name, call, is_guarded: true, restarts: 1 }
}

/// Each save flushes the file and its folder; each program that is started gets two pipes. The log is written on a
/// thread of its own: see `silent_log`.
pub(crate) const STEPS: &[Step] = &[
    unguarded("lock", ("flock", "LOCK_EX", 1)),
    unguarded("load", ("openat", "\"app.json\"", 1)),
    before("probe", ("recvfrom", "HTTP/", 1)),
    before("look", ("pipe2", "", 1)),
    before("count", ("fsync", "", 1)),
    before("second-probe", ("recvfrom", "HTTP/", 2)),
    before("second-look", ("pipe2", "", 3)),
    before("intent", ("fsync", "", 3)),
    before("reset-failed", ("pipe2", "", 5)),
    before("restart", ("pipe2", "", 7)),
    after("look-after", ("pipe2", "", 9)),
    after("verify", ("recvfrom", "HTTP/", 3)),
    after("last-look", ("pipe2", "", 11)),
    after("settle", ("fsync", "", 5)),
];

impl Step {
    pub(crate) fn find(&self, calls: &[Call]) -> Call {
        let (name, shown, nth) = self.call;
        let is_it = |call: &&Call| call.name == name && call.shown.contains(shown);
        let found = calls.iter().filter(is_it).nth(nth - 1);
        found.cloned().unwrap_or_else(|| panic!("{}: no such call in a run", self.name))
    }
}

fn begin(stage: &Stage) {
    stage.keys("");
    stage.on_restart(HEAL);
    injected::failed_once(stage);
}

pub(crate) fn held(stage: &Stage, step: &Step, call: &Call) -> Laws {
    begin(stage);
    let (_, ticked) = hold(stage, call, |_| None);
    let mut laws = Laws::default();
    let limit = if step.is_guarded { DEADLINE + SPARE } else { HELD } + BUSY;
    laws.hold("a held run is held", ticked.took > DEADLINE, || format!("{:?}", ticked.took));
    ends_by(&mut laws, &ticked, limit);
    let told = ticked.stderr.contains("stopped after its deadline of 40 s");
    laws.hold("who is ended at the deadline says so", told == step.is_guarded, || ticked.stderr.clone());
    let restarts = stage.facts().restarts;
    laws.hold("it ended in this step", restarts == step.restarts, || format!("{restarts} restarts"));
    goes_on(stage, &mut laws, &ticked);
    laws
}

/// A call of the main thread held up, and what is to be done to the guard meanwhile.
fn hold(stage: &Stage, call: &Call, meanwhile: impl Fn(u32) -> Option<Child>) -> (Option<String>, Ticked) {
    let mut words = vec!["-D".to_owned()];
    words.extend(calls::words(call, &format!("delay_enter={}s", HELD.as_secs())));
    let child = stage.unhang(&words, "").spawn().unwrap();
    let beside = meanwhile(child.id());
    let ticked = stage.ended_under_strace(child, HELD + BUSY + BUSY);
    let said = beside.map(|mut beside| {
        let _ = beside.wait();
        fs::read_to_string(stage.path("trace.guard")).unwrap_or_default()
    });
    (said, ticked)
}

fn ends_by(laws: &mut Laws, ticked: &Ticked, limit: Duration) {
    laws.hold("it ends by its deadline", ticked.status.is_some() && ticked.took <= limit, || {
        format!("{:?}, {limit:?} allowed", ticked.took)
    });
}

/// Nothing was restarted twice, and the next runs are ordinary ones.
fn goes_on(stage: &Stage, laws: &mut Laws, ticked: &Ticked) {
    laws.of_a_run_cut_short(ticked);
    laws.of_the_stage(ticked, &stage.facts(), 1);
    heals(stage, laws, &[], 3);
}

/// What the guard does at its end, in each way that it can fail. The fixed part takes one way and the kill.
pub(crate) fn of_the_guard(full: bool) -> Vec<(Call, Fault)> {
    let faults_of = |name: &'static str| {
        let errnos = calls::errnos(name).unwrap();
        let errnos = errnos.iter().take(if full { errnos.len() } else { 1 });
        let faults = errnos.map(|errno| Fault::Errno(errno)).chain([Fault::Kill]);
        faults.map(move |fault| (Call { name: name.to_owned(), nth: 1, shown: "guard".to_owned() }, fault))
    };
    ["flock", "write", "munmap"].into_iter().flat_map(faults_of).collect()
}

/// While the main thread is held up. `None`: the guard's call did not come by.
pub(crate) fn guard_failed(stage: &Stage, held: &Call, call: &Call, fault: Fault) -> Option<Laws> {
    begin(stage);
    let attach = |run| {
        let guard = await_guard(run)?;
        let mut strace = Command::new("strace");
        strace.args(["-o".into(), stage.path("trace.guard"), "-p".into(), guard.to_string().into()]);
        strace.args(calls::strace(call, fault)).stdin(Stdio::null()).stderr(Stdio::null());
        Some(strace.spawn().unwrap())
    };
    let (trace, ticked) = hold(stage, held, attach);
    if !calls::hit(&trace?, fault) {
        return None;
    }
    let mut laws = Laws::default();
    ends_by(&mut laws, &ticked, DEADLINE + SPARE + BUSY);
    let ended = if fault == Fault::Kill { ticked.signal() == Some(9) } else { ticked.code() == Some(1) };
    laws.hold("a run ends with a code of the manual", ended, || format!("{:?}", ticked.status));
    goes_on(stage, &mut laws, &ticked);
    Some(laws)
}

fn await_guard(run: u32) -> Option<u32> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE / 2 {
        if let Some(guard) = stage::guard_of(run) {
            return Some(guard);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Something outside that hangs for longer than a run may take.
pub(crate) struct Hang {
    pub(crate) name: &'static str,
    keys: &'static str,
    /// On a service that failed once.
    begin: fn(&Stage),
    /// A run takes so long at the least, or the step was not come to.
    least: Duration,
    most: Duration,
    /// How many restarts were asked for by its end.
    restarts: usize,
}

const HANGS_AT_SHOW: &str = r#"if [ "$1" = show ]; then exec sleep 100; fi"#;
const HANGS_AT_SECOND_SHOW: &str =
    r#"if [ "$1" = show ]; then [ ! -e "$units/../seen" ] || exec sleep 100; : >"$units/../seen"; fi"#;
const HANGS_AT_RESET: &str = r#"if [ "$1" = reset-failed ]; then exec sleep 100; fi"#;
const HANGS_AT_LOOK_AFTER: &str =
    r#"if [ "$1" = show ] && [ -s "$ledger" ] && grep -q ^restart "$ledger"; then exec sleep 100; fi"#;
const RESTARTS_AND_HANGS: &str = r#"sed -i "s/^InvocationID=.*/InvocationID=$$-$(date +%N)/" "$units/$unit"; : >"$units/../healthy/app.hangs""#;

pub(crate) const HANGS: &[Hang] = &[
    Hang {
        name: "server",
        keys: "timeout = \"4s\"",
        begin: |stage| stage.put("healthy/app.hangs", b""),
        least: Duration::from_secs(8),
        most: Duration::from_secs(14),
        restarts: 1,
    },
    Hang {
        name: "show",
        keys: "",
        begin: |stage| stage.systemctl(HEAL, HANGS_AT_SHOW),
        least: Duration::from_secs(5),
        most: Duration::from_secs(6),
        restarts: 0,
    },
    Hang {
        name: "second-show",
        keys: "",
        begin: |stage| stage.systemctl(HEAL, HANGS_AT_SECOND_SHOW),
        least: Duration::from_secs(5),
        most: Duration::from_secs(6),
        restarts: 0,
    },
    Hang {
        name: "reset-failed",
        keys: "",
        begin: |stage| stage.systemctl(HEAL, HANGS_AT_RESET),
        least: Duration::from_secs(5),
        most: Duration::from_secs(6),
        restarts: 0,
    },
    Hang {
        name: "restart",
        keys: "",
        begin: |stage| stage.on_restart("exec sleep 100"),
        least: Duration::from_secs(30),
        most: DEADLINE,
        restarts: 0,
    },
    Hang {
        name: "look-after",
        keys: "verify = \"60s\"",
        begin: |stage| stage.systemctl(HEAL, HANGS_AT_LOOK_AFTER),
        least: Duration::from_secs(10),
        most: DEADLINE,
        restarts: 1,
    },
    Hang {
        name: "verify",
        keys: "verify = \"60s\"\ntimeout = \"4s\"",
        begin: |stage| stage.on_restart(RESTARTS_AND_HANGS),
        least: Duration::from_secs(30),
        most: DEADLINE,
        restarts: 1,
    },
    Hang {
        name: "command",
        keys: "restart = [\"HERE/restart-app\"]",
        begin: |stage| {
            stage.on_command("sleep 50");
            stage.forget_unit();
        },
        least: Duration::from_secs(30),
        most: DEADLINE,
        restarts: 0,
    },
];

pub(crate) fn hung(stage: &Stage, hang: &Hang) -> Laws {
    begin(stage);
    stage.keys(hang.keys);
    stage.write_config();
    (hang.begin)(stage);
    let child = stage.unhang(&[], "").spawn().unwrap();
    let ticked = stage.ended_within(child, "", DEADLINE + SPARE + BUSY);
    let mut laws = Laws::default();
    laws.hold("a held run is held", ticked.took >= hang.least, || format!("{:?}", ticked.took));
    ends_by(&mut laws, &ticked, hang.most + BUSY);
    laws.hold("who is held up from outside says so in the log alone", ticked.stderr.is_empty(), || {
        ticked.stderr.clone()
    });
    let Facts { restarts, log, .. } = stage.facts();
    laws.hold("what was asked for was asked for once", restarts == hang.restarts, || {
        format!("{restarts} restarts; {log}")
    });
    stage.await_orphans();
    laws.of_the_stage(&ticked, &stage.facts(), 1);
    for sign in ["healthy/app.hangs", "seen"] {
        let _ = fs::remove_file(stage.path(sign));
    }
    stage.keys("");
    stage.on_restart(HEAL);
    stage.write_config();
    healed_in_the_end(stage, &mut laws);
    laws
}

/// Where a restart did not heal, the backoff comes before the next.
fn healed_in_the_end(stage: &Stage, laws: &mut Laws) {
    for _ in 0..6 {
        stage.pass(120);
        let ticked = stage.tick();
        laws.of_a_later(&ticked, &[]);
        if stage.facts().healthy {
            return;
        }
    }
    laws.hold("it is healed in the end", false, || stage.facts().log);
}

/// A disk that takes so long for everything that is written.
pub(crate) struct Slow {
    pub(crate) name: &'static str,
    each: Duration,
    deadline: Duration,
    /// There is time to restart.
    heals: bool,
}

pub(crate) const SLOW: &[Slow] = &[
    Slow {
        name: "2-s-of-110",
        each: Duration::from_secs(2),
        deadline: Duration::from_secs(110),
        heals: true,
    },
    // There is time when the intent is begun, and not when it is kept.
    Slow { name: "1-s-of-40", each: Duration::from_secs(1), deadline: DEADLINE, heals: false },
    Slow { name: "2-s-of-40", each: Duration::from_secs(2), deadline: DEADLINE, heals: false },
    Slow { name: "6-s-of-40", each: Duration::from_secs(6), deadline: DEADLINE, heals: false },
];

/// A log on a file system that does not answer: each line is given up, and the run goes on.
pub(crate) fn silent_log(stage: &Stage) -> Laws {
    begin(stage);
    stage.write_config();
    let log = stage.path("app.log").display().to_string();
    let how = format!("inject=write:delay_enter={}s", HELD.as_secs());
    let words = ["-D", "-f", "-P", &log, "-e", "trace=write", "-e", &how].map(str::to_owned);
    let child = stage.unhang(&words, "").spawn().unwrap();
    let ticked = stage.ended_under_strace(child, HELD + BUSY);
    let mut laws = Laws::default();
    ends_by(&mut laws, &ticked, Duration::from_secs(10) + BUSY);
    let told = ticked.stderr.contains("app.log: the file system does not answer; restarts go on");
    laws.hold("a log that is not written is told", told, || ticked.stderr.clone());
    let facts = stage.facts();
    laws.hold("a log that hangs holds no restart up", facts.healthy && facts.restarts == 1, || {
        format!("{} restarts", facts.restarts)
    });
    laws
}

/// The calls that change a disk.
const WRITES: &str = "write,fsync,fchmod,renameat,unlinkat,mkdirat";

pub(crate) fn slow(stage: &Stage, slow: &Slow) -> Laws {
    begin(stage);
    stage.keys_within(slow.deadline, "");
    stage.write_config();
    let how = format!("inject={WRITES}:delay_enter={}s", slow.each.as_secs());
    let words = ["-D".to_owned(), "-e".to_owned(), format!("trace={WRITES}"), "-e".to_owned(), how];
    let child = stage.unhang(&words, "").spawn().unwrap();
    let ticked = stage.ended_under_strace(child, slow.deadline + SPARE + BUSY);
    let mut laws = Laws::default();
    ends_by(&mut laws, &ticked, slow.deadline + SPARE + BUSY);
    let facts = stage.facts();
    laws.hold("a slow disk holds no restart up that has time", facts.healthy == slow.heals, || {
        format!("after {:?}: {}", ticked.took, facts.log)
    });
    stage.keys("");
    stage.write_config();
    goes_on(stage, &mut laws, &ticked);
    laws
}

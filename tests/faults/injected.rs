//! Every system call of a run, failed and killed, and the ordinary runs that follow.

use std::fs;

use crate::calls::{self, Call, Fault};
use crate::harness::RESTARTS;
use crate::laws::{self, Laws};
use crate::stage::{DISK, Facts, MEMORY, Stage};

/// What becomes of the service after the run that was failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// A restart helps; it is healthy after so many more runs at the most.
    Heals(usize),
    /// No restart helps; the budget is one an hour.
    StaysHung,
    /// It is well by itself.
    IsWell,
}

/// What restarts the service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Systemctl,
    /// Likewise, by the first rung of escalate.
    Rung,
    /// One of the operator's own (`restart = [...]`).
    Command,
}

pub(crate) struct Play {
    pub(crate) name: &'static str,
    by: By,
    /// What the restart does.
    restart: &'static str,
    /// Of `[service.app]`.
    keys: &'static str,
    /// On an empty stage.
    begin: fn(&Stage),
    after: After,
    /// What runs that nothing is done to may say.
    says: &'static [&'static str],
}

pub(crate) const HEAL: &str =
    r#"sed -i "s/^InvocationID=.*/InvocationID=$$-$(date +%N)/" "$units/$unit"; : >"$units/../healthy/app""#;
const IN_VAIN: &str = RESTARTS;
const NOTHING: &str = ":";

const ONE_AN_HOUR: &str = "budget = { restarts = 1, window = \"1h\" }";

/// What was asked for and not carried out uses up its rung: the second one heals then.
const RUNGS: &str = "escalate = [\"kill\", \"restart\"]";

const COMMAND: &str = "restart = [\"HERE/restart-app\", \"now\"]";
const COMMAND_ONE_AN_HOUR: &str =
    "restart = [\"HERE/restart-app\", \"now\"]\nbudget = { restarts = 1, window = \"1h\" }";

/// Of the second restart in one incident, an hour later.
const NO_HELP: &str = "unhang: app: * does not help, twice in a row; look at the service itself";
const KEPT_IN_MEMORY: &str =
    "unhang: app: cannot save the state to disk: *; kept in memory until the disk works (a reboot loses it)";
const SET_ASIDE: &str = "unhang: app: state file unreadable (*): *; counting from zero";
/// Where the run that was failed could not see the disk, and went on in memory.
const OTHER_COPY: &str = "unhang: app: state file unreadable (*): *; going on with the other copy";

pub(crate) const PLAYS: &[Play] = &[
    Play {
        name: "heals",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: failed_once,
        after: After::Heals(3),
        says: &[],
    },
    Play {
        name: "in-vain",
        by: By::Systemctl,
        restart: IN_VAIN,
        keys: ONE_AN_HOUR,
        begin: failed_once,
        after: After::StaysHung,
        says: &[NO_HELP],
    },
    Play {
        name: "recovers",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: well_again,
        after: After::IsWell,
        says: &[],
    },
    Play {
        name: "first-run",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: Stage::clear,
        after: After::Heals(3),
        says: &[],
    },
    Play {
        name: "through-memory",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: disk_broken,
        after: After::Heals(3),
        says: &[KEPT_IN_MEMORY],
    },
    Play {
        name: "moves-back",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: disk_well_again,
        after: After::Heals(3),
        says: &[],
    },
    Play {
        name: "unreadable",
        by: By::Systemctl,
        restart: HEAL,
        keys: "",
        begin: unreadable,
        after: After::Heals(3),
        says: &[SET_ASIDE, OTHER_COPY],
    },
    Play {
        name: "escalates",
        by: By::Rung,
        restart: HEAL,
        keys: RUNGS,
        begin: failed_once,
        after: After::Heals(3),
        says: &[],
    },
    Play {
        name: "command-heals",
        by: By::Command,
        restart: HEAL,
        keys: COMMAND,
        begin: command_failed_once,
        after: After::Heals(3),
        says: &[],
    },
    Play {
        name: "command-in-vain",
        by: By::Command,
        restart: NOTHING,
        keys: COMMAND_ONE_AN_HOUR,
        begin: command_failed_once,
        after: After::StaysHung,
        says: &[NO_HELP],
    },
];

pub(crate) fn failed_once(stage: &Stage) {
    stage.empty();
    stage.put(&format!("{DISK}/app.json"), &stage.counted());
}

fn command_failed_once(stage: &Stage) {
    stage.empty();
    stage.forget_unit();
}

fn well_again(stage: &Stage) {
    failed_once(stage);
    stage.healthy(true);
}

fn disk_broken(stage: &Stage) {
    stage.empty();
    stage.put(&format!("{MEMORY}/app.json"), &stage.counted());
    fs::remove_dir(stage.path(DISK)).unwrap();
    stage.put(DISK, b"");
}

/// Memory has the newer copy: without any failure, the older.
fn disk_well_again(stage: &Stage) {
    failed_once(stage);
    stage.put(&format!("{MEMORY}/app.json"), &stage.counted());
    stage.put(&format!("{DISK}/app.json"), OLDER);
}

const OLDER: &[u8] = br#"{"version": 1, "sequence": 0, "verdict": "healthy", "reason": "ok", "streak": 0, "failures": 0, "restarts": []}"#;

const GARBAGE: &[u8] = b"{\"version\": 1, \"seq";

fn unreadable(stage: &Stage) {
    stage.empty();
    stage.put(&format!("{DISK}/app.json"), GARBAGE);
}

/// Every call of the run of this play, killed and failed in each way that fits. The fixed part fails each in one
/// way: in turn, so that each way comes by.
pub(crate) fn cases(stage: &Stage, play: &Play, full: bool) -> (usize, Vec<(Call, Fault)>) {
    prepare(stage, play);
    (play.begin)(stage);
    let ticked = stage.traced();
    assert!(!ticked.trace.is_empty(), "strace does not run: {}", ticked.stderr);
    let calls = calls::of_trace(&ticked.trace);
    let faults_of = |(at, call): (usize, &Call)| {
        let errnos = calls::errnos(&call.name).unwrap_or_default();
        let in_turn =
            errnos.iter().cycle().skip(at).take(if full { errnos.len() } else { errnos.len().min(1) });
        let faults = in_turn.map(|errno| Fault::Errno(errno)).chain([Fault::Kill]);
        faults.map(|fault| (call.clone(), fault)).collect::<Vec<_>>()
    };
    let first = if full { 0 } else { play.first_new(&calls) };
    let each = if full { 1 } else { play.each() };
    (calls.len(), calls.iter().enumerate().skip(first).step_by(each).flat_map(faults_of).collect())
}

impl Play {
    /// Up to where the command is started, the fixed part has had the same calls of other plays.
    fn first_new(&self, calls: &[Call]) -> usize {
        let starts = |call: &Call| ["fork", "vfork", "clone", "clone3"].contains(&call.name.as_str());
        match self.by {
            By::Systemctl => 0,
            // A kill comes before the restart.
            By::Rung => {
                let last = calls.iter().rposition(starts).unwrap_or(0);
                calls.get(..last).and_then(|before| before.iter().rposition(starts)).unwrap_or(0)
            }
            // The guard's thread is begun likewise, and first.
            By::Command => calls.iter().rposition(starts).unwrap_or(0),
        }
    }

    /// The fixed part takes one call of so many.
    fn each(&self) -> usize {
        match (self.by, self.after) {
            (By::Rung, _) => 2,
            (By::Command, After::StaysHung) => 4,
            _ => 1,
        }
    }
}

fn prepare(stage: &Stage, play: &Play) {
    stage.keys(play.keys);
    match play.by {
        By::Systemctl | By::Rung => stage.on_restart(play.restart),
        By::Command => stage.on_command(play.restart),
    }
}

/// `None`: the call did not come by, three times.
pub(crate) fn play(stage: &Stage, play: &Play, call: &Call, fault: Fault) -> Option<Laws> {
    prepare(stage, play);
    (0..3).find_map(|_| once(stage, play, call, fault))
}

fn once(stage: &Stage, play: &Play, call: &Call, fault: Fault) -> Option<Laws> {
    (play.begin)(stage);
    let before = stage.facts().copies;
    let failed = stage.faulty(call, fault);
    if !calls::hit(&failed.trace, fault) {
        return None;
    }
    let mut laws = Laws { found: before.clone(), ..Laws::default() };
    let facts = stage.facts();
    laws.of_the_failed(&failed, call, fault, play.says);
    laws.of_the_stage(&failed, &facts, 1);
    let was_set_aside = facts.aside.len();
    laws.hold(
        "nothing is set aside for a want of ours",
        was_set_aside == 0 || play.says.contains(&SET_ASIDE) || !fault.is_want(),
        || failed.stderr.clone(),
    );
    let from_zero = failed.stderr.contains("counting from zero");
    laws.hold(
        "nothing is forgotten for a want of ours",
        !from_zero || play.says.contains(&SET_ASIDE) || !fault.is_want(),
        || failed.stderr.clone(),
    );
    laws.hold(
        "what is set aside is kept whole",
        facts.aside.iter().all(|kept| before.iter().flatten().any(|whole| whole == kept)),
        || format!("{:?}", facts.aside),
    );
    laws.found = [None, None];
    match play.after {
        After::Heals(within) => heals(stage, &mut laws, play.says, within),
        After::StaysHung => stays_hung(stage, &mut laws, play.says),
        After::IsWell => is_well(stage, &mut laws, play.says),
    }
    let leftovers = stage.facts().leftovers;
    laws.hold("nothing is left beside the state", leftovers.is_empty(), || format!("{leftovers:?}"));
    Some(laws)
}

/// After so many ordinary runs at the most.
pub(crate) fn heals(stage: &Stage, laws: &mut Laws, says: &[&str], within: usize) {
    let mut took = 0;
    while took < within && !stage.facts().healthy {
        later(stage, laws, says, 120, 1);
        took += 1;
    }
    let facts = stage.facts();
    laws.hold("it is healed within the runs it needs", facts.healthy, || format!("not within {within}"));
    let ticked = later(stage, laws, says, 120, 1);
    laws.hold("a healed service ends a run with 0", ticked == Some(0), || format!("{ticked:?}"));
    closed(stage, laws);
}

/// It comes to its next restart after the budget's hour, and not before.
fn stays_hung(stage: &Stage, laws: &mut Laws, says: &[&str]) {
    for _ in 0..3 {
        later(stage, laws, says, 120, 1);
    }
    let facts = stage.facts();
    laws.hold("it is restarted once", facts.restarts == 1 || facts.restarts == 0 && spent(&facts), || {
        format!("{} restarts; {}", facts.restarts, facts.texts())
    });
    let (before, most) = (facts.restarts, facts.restarts + 1);
    later(stage, laws, says, 3_600, most);
    for _ in 0..2 {
        later(stage, laws, says, 120, most);
    }
    let after = stage.facts().restarts;
    laws.hold("no bound is for ever", after == before + 1, || format!("{before} restarts, then {after}"));
}

/// An intent that was never carried out has cost the one restart there was.
fn spent(facts: &Facts) -> bool {
    laws::newest(&facts.copies).is_some_and(|state| state.restarts == 1)
}

fn is_well(stage: &Stage, laws: &mut Laws, says: &[&str]) {
    let ended = later(stage, laws, says, 120, 1);
    laws.hold("a healthy service ends a run with 0", ended == Some(0), || format!("{ended:?}"));
    let restarts = stage.facts().restarts;
    laws.hold("a healthy service is never restarted", restarts == 0, || format!("{restarts} restarts"));
    closed(stage, laws);
}

fn closed(stage: &Stage, laws: &mut Laws) {
    let facts = stage.facts();
    let is_open = laws::newest(&facts.copies).is_some_and(|state| state.is_open);
    laws.hold("a healthy service has no open incident", !is_open, || facts.texts());
}

/// One ordinary run, so much later.
fn later(stage: &Stage, laws: &mut Laws, says: &[&str], seconds: i64, most: usize) -> Option<i32> {
    stage.pass(seconds);
    let ticked = stage.tick();
    laws.of_a_later(&ticked, says);
    laws.of_the_stage(&ticked, &stage.facts(), most);
    ticked.code()
}

//! Two runs at once, in random timings; and a run that is stopped at a call, while others come by, and goes on.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::calls::{self, Call, Fault};
use crate::injected::{HEAL, failed_once, heals};
use crate::laws::{self, Laws};
use crate::messages;
use crate::stage::Stage;

/// Past the 30 s that a restart needs of the 40 of the deadline; and past all of it.
pub(crate) const STOPS: [(&str, Duration); 2] =
    [("a-while", Duration::from_secs(11)), ("for-ever", Duration::from_secs(44))];

fn begin(stage: &Stage) {
    stage.keys("");
    stage.on_restart(HEAL);
    failed_once(stage);
}

/// The second run begins so much later.
pub(crate) fn two(stage: &Stage, delay: Duration) -> Laws {
    begin(stage);
    let mut laws = Laws::default();
    let one = stage.unhang(&[], "").spawn().unwrap();
    thread::sleep(delay);
    let other = stage.unhang(&[], "-2").spawn().unwrap();
    let ran = [stage.ended_alone(one, ""), stage.ended_alone(other, "-2")];
    stage.await_orphans();
    for ticked in &ran {
        laws.hold("a run ends with a code of the manual", matches!(ticked.code(), Some(0 | 1 | 75)), || {
            format!("{:?}", ticked.status)
        });
        laws.hold("nothing printed", ticked.stderr.is_empty(), || ticked.stderr.clone());
    }
    let facts = stage.facts();
    let codes = ran.each_ref().map(|ticked| ticked.code());
    laws.hold("one of two acts", codes.iter().any(|code| *code != Some(75)), || format!("{codes:?}"));
    laws.hold("one failure is counted once", facts.log.matches("⚠️").count() <= 1, || facts.log.clone());
    laws.of_the_stage(&ran[0], &facts, 1);
    heals(stage, &mut laws, &[], 3);
    laws
}

/// Every call of a run that heals.
pub(crate) fn calls(stage: &Stage) -> Vec<Call> {
    begin(stage);
    calls::of_trace(&stage.traced().trace)
}

/// What is left to do of a save when the intent can be read already.
const REST_OF_SAVE: [&str; 2] = ["fsync", "unlinkat"];

/// `None`: the call did not come by.
pub(crate) fn stopped(stage: &Stage, call: &Call, span: Duration) -> Option<Laws> {
    begin(stage);
    let mut words = vec!["-D".to_owned()];
    words.extend(calls::strace(call, Fault::Stop));
    // With -D strace is the one beside: the child is the run itself.
    let child = stage.unhang(&words, "").spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    if !is_stopped(stage, Duration::from_secs(5)) {
        let _ = kill_process(pid, Signal::CONT);
        stage.ended(child, "");
        return None;
    }
    let mut laws = Laws::default();
    // The restart is as good as asked for, or was.
    let is_intended = laws::newest(&stage.facts().copies).is_some_and(|state| state.restarts > 0);
    let begun = is_intended && !REST_OF_SAVE.contains(&call.name.as_str());
    thread::sleep(span / 2);
    let other = stage.unhang(&[], "-2").spawn().unwrap();
    let other = stage.ended_alone(other, "-2");
    laws.hold("a run beside a stopped one ends", matches!(other.code(), Some(0 | 1 | 75)), || {
        format!("{:?}", other.status)
    });
    laws.hold("it prints nothing", other.stderr.is_empty(), || other.stderr.clone());
    let before = stage.facts();
    thread::sleep(span / 2);
    let _ = kill_process(pid, Signal::CONT);
    let ticked = stage.ended(child, "");
    laws.hold("a run that goes on ends in time", ticked.status.is_some(), || format!("{:?}", ticked.took));
    let unknown = messages::unknown(&ticked.stderr, &[]);
    laws.hold("nothing printed but what the manual lists", unknown.is_none(), || format!("{unknown:?}"));
    let facts = stage.facts();
    laws.hold("who was held up restarts nothing", begun || facts.restarts == before.restarts, || {
        format!("{} restarts, {}", facts.restarts, facts.log)
    });
    laws.of_the_stage(&ticked, &facts, 1);
    heals(stage, &mut laws, &[], 3);
    Some(laws)
}

fn is_stopped(stage: &Stage, within: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < within {
        let trace = std::fs::read_to_string(stage.path("trace")).unwrap_or_default();
        if calls::hit(&trace, Fault::Stop) {
            return true;
        }
        if trace.contains("+++ exited") {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Numbers that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

//! Little memory, from hardly enough to begin to plenty: for the run, and for systemctl, which inherits the limit.

use std::process::Command;

use crate::calls::{Call, Fault};
use crate::injected::{HEAL, failed_once, heals};
use crate::laws::Laws;
use crate::stage::Stage;

/// In KiB: from what the program needs to say that it has no plan, to plenty for all that a run starts.
pub(crate) fn limits(stage: &Stage, full: bool) -> impl Iterator<Item = usize> {
    let (mut too_little, mut enough) = (0, ENOUGH);
    while enough - too_little > 4 {
        let some = usize::midpoint(too_little, enough);
        if can_begin(stage, some) { enough = some } else { too_little = some }
    }
    (enough..enough + 6_000).step_by(if full { 12 } else { 100 })
}

/// For a program that is not static, too.
const ENOUGH: usize = 256 * 1024;

fn can_begin(stage: &Stage, kib: usize) -> bool {
    let words = ["run", "--config", "/nowhere/unhang.toml"];
    let ran = Command::new("prlimit").arg(limit(kib)).arg(&stage.program).args(words).output();
    ran.unwrap().status.code() == Some(2)
}

fn limit(kib: usize) -> String {
    let bytes = kib * 1024;
    format!("--as={bytes}:{bytes}")
}

pub(crate) fn little(stage: &Stage, kib: usize) -> Laws {
    stage.keys("");
    stage.on_restart(HEAL);
    failed_once(stage);
    let under = ["prlimit".into(), limit(kib).into()];
    let ticked = stage.ended(stage.under(&under, "").spawn().unwrap(), "");
    let mut laws = Laws::default();
    let refused = Call { name: "mmap".to_owned(), nth: 1, shown: String::new() };
    laws.of_the_failed(&ticked, &refused, Fault::Errno("ENOMEM"), &[]);
    laws.of_the_stage(&ticked, &stage.facts(), 1);
    heals(stage, &mut laws, &[], 3);
    laws
}

//! How the host is when something fails: told by `why`, and where the operator says so a reason to restart
//! nothing. Looked for only then.

use std::path::Path;

use crate::os::disk::read_disk;
use crate::os::proc::load::load_per_processor;
use crate::os::proc::memory::{Memory, Store, read_memory};
use crate::os::proc::pressure::{Pressure, read_pressure};
use crate::plan::{Plan, Stall};
use crate::words;

/// Shares in percent from which a person wants to know. Below them is what a busy host shows every day.
const STALLED: u32 = 10;
/// In hundredths.
const LOADED: u64 = 400;
const LITTLE: u64 = 5;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Distress {
    /// For people.
    pub(crate) words: Option<String>,
    /// Beyond the operator's own bounds.
    pub(crate) holds: Option<String>,
}

/// `folders`: whose disks matter.
pub(crate) fn of_host(plan: &Plan, folders: &[&Path]) -> Distress {
    let [memory, cpu, io] =
        ["memory", "cpu", "io"].map(|resource| read_pressure(resource).unwrap_or_default());
    let holds = plan.host.hold_when.iter().find_map(|(stall, most)| {
        let now = share(*stall, memory, cpu, io);
        (now >= *most).then(|| format!("{} is {now}%, hold_when says {most}%", stall.key()))
    });
    let stalled = [("memory", memory), ("the processors", cpu), ("disks", io)]
        .into_iter()
        .filter(|(_, stalls)| stalls.some >= STALLED)
        .map(|(what, stalls)| format!("tasks wait for {what} ({}% of the last minute)", stalls.some));
    let mut said: Vec<String> = stalled.collect();
    said.extend(
        load_per_processor()
            .ok()
            .filter(|load| *load >= LOADED)
            .map(|load| format!("the load is {} on each processor", load / 100)),
    );
    let Memory { ram, swap } = read_memory().unwrap_or_default();
    let little = |store: Option<Store>| store.and_then(Store::percent_left).filter(|left| *left < LITTLE);
    said.extend(little(ram).map(|left| format!("{left}% of the memory is available")));
    said.extend(little(swap).map(|left| format!("{left}% of the swap is free")));
    said.extend(folders.iter().filter_map(|folder| of_disk(folder)));
    let words = said.join("; ").chars().take(words::TOLD).collect::<String>();
    Distress { words: Some(words).filter(|words| !words.is_empty()), holds }
}

/// Does the kernel count what `hold_when` names?
pub(crate) fn can_be_told() -> bool {
    read_pressure("memory").is_ok()
}

fn of_disk(folder: &Path) -> Option<String> {
    let disk = read_disk(folder).ok()?;
    let shown = folder.display();
    match (disk.read_only, disk.is_full()) {
        (true, _) => Some(format!("{shown} is on a disk that is read-only")),
        (false, true) => Some(format!("the disk of {shown} is full")),
        (false, false) => None,
    }
}

const fn share(stall: Stall, memory: Pressure, cpu: Pressure, io: Pressure) -> u32 {
    match stall {
        Stall::MemorySome => memory.some,
        Stall::MemoryFull => memory.full,
        Stall::CpuSome => cpu.some,
        Stall::IoSome => io.some,
        Stall::IoFull => io.full,
    }
}

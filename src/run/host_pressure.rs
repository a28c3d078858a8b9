//! How the host is when something fails: told by `why`, and where the operator says so a reason to restart
//! nothing. Looked for only then.

use std::path::Path;

use crate::os::load::{self, Stalls};
use crate::plan::{Plan, Stall};
use crate::words;

/// Shares in percent from which a person wants to know. Below them is what a busy host shows every day.
const STALLED: u32 = 10;
const LOADED: u32 = 400;
const LITTLE: u32 = 5;

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
        ["memory", "cpu", "io"].map(|resource| load::stalls(resource).unwrap_or_default());
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
        load::load_per_processor()
            .ok()
            .filter(|load| *load >= LOADED)
            .map(|load| format!("the load is {} on each processor", load / 100)),
    );
    if let Ok(memory) = load::memory() {
        if memory.available < LITTLE {
            said.push(format!("{}% of the memory is available", memory.available));
        }
        said.extend(
            memory.swap.filter(|swap| *swap < LITTLE).map(|swap| format!("{swap}% of the swap is free")),
        );
    }
    said.extend(folders.iter().filter_map(|folder| of_disk(folder)));
    let words = said.join("; ").chars().take(words::TOLD).collect::<String>();
    Distress { words: Some(words).filter(|words| !words.is_empty()), holds }
}

/// Does the kernel count what `hold_when` names?
pub(crate) fn can_be_told() -> bool {
    load::stalls("memory").is_ok()
}

fn of_disk(folder: &Path) -> Option<String> {
    let disk = load::disk(folder).ok()?;
    let shown = folder.display();
    match (disk.read_only, disk.left) {
        (true, _) => Some(format!("{shown} is on a disk that is read-only")),
        (false, 0) => Some(format!("the disk of {shown} is full")),
        (false, _) => None,
    }
}

const fn share(stall: Stall, memory: Stalls, cpu: Stalls, io: Stalls) -> u32 {
    match stall {
        Stall::MemorySome => memory.some,
        Stall::MemoryFull => memory.full,
        Stall::CpuSome => cpu.some,
        Stall::IoSome => io.some,
        Stall::IoFull => io.full,
    }
}

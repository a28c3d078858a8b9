//! How the host is when something fails: told by `why`, and where the operator says so a reason to restart
//! nothing. Looked for only then.

use std::path::Path;

use crate::os::disk::read_disk;
use crate::os::proc::load::load_per_processor;
use crate::os::proc::memory::{MemoryStore, MemoryUse, read_memory};
use crate::os::proc::pressure::{Pressure, read_pressure};
use crate::plan::{Plan, PressureKind};
use crate::words;

/// Shares in percent from which a person wants to know. Below them is what a busy host shows every day.
const PRESSURE_PERCENT: u32 = 10;
/// In hundredths.
const LOAD_PER_CPU_PERCENT: u64 = 400;
const FREE_MEMORY_PERCENT: u64 = 5;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostPressure {
    /// For people.
    pub(crate) words: Option<String>,
    /// Beyond the operator's own bounds.
    pub(crate) holds: Option<String>,
}

/// `folders`: whose disks matter.
pub(crate) fn measure_host_pressure(plan: &Plan, folders: &[&Path]) -> HostPressure {
    let [memory, cpu, io] =
        ["memory", "cpu", "io"].map(|resource| read_pressure(resource).unwrap_or_default());
    let holds = plan.host.hold_when.iter().find_map(|(stall, most)| {
        let now = pressure_percent(*stall, memory, cpu, io);
        (now >= *most).then(|| format!("{} is {now}%, hold_when says {most}%", stall.key()))
    });
    let stalled = [("memory", memory), ("the processors", cpu), ("disks", io)]
        .into_iter()
        .filter(|(_, stalls)| stalls.some >= PRESSURE_PERCENT)
        .map(|(what, stalls)| format!("tasks wait for {what} ({}% of the last minute)", stalls.some));
    let mut said: Vec<String> = stalled.collect();
    said.extend(
        load_per_processor()
            .ok()
            .filter(|load| *load >= LOAD_PER_CPU_PERCENT)
            .map(|load| format!("the load is {} on each processor", load / 100)),
    );
    let MemoryUse { ram, swap } = read_memory().unwrap_or_default();
    let little = |store: Option<MemoryStore>| {
        store.and_then(MemoryStore::percent_left).filter(|left| *left < FREE_MEMORY_PERCENT)
    };
    said.extend(little(ram).map(|left| format!("{left}% of the memory is available")));
    said.extend(little(swap).map(|left| format!("{left}% of the swap is free")));
    said.extend(folders.iter().filter_map(|folder| disk_problem(folder)));
    let words = said.join("; ").chars().take(words::MAX_STATE_TEXT_CHARS).collect::<String>();
    HostPressure { words: Some(words).filter(|words| !words.is_empty()), holds }
}

/// Does the kernel count what `hold_when` names?
pub(crate) fn kernel_has_pressure() -> bool {
    read_pressure("memory").is_ok()
}

fn disk_problem(folder: &Path) -> Option<String> {
    let disk = read_disk(folder).ok()?;
    let shown = folder.display();
    match (disk.read_only, disk.is_full()) {
        (true, _) => Some(format!("{shown} is on a disk that is read-only")),
        (false, true) => Some(format!("the disk of {shown} is full")),
        (false, false) => None,
    }
}

const fn pressure_percent(stall: PressureKind, memory: Pressure, cpu: Pressure, io: Pressure) -> u32 {
    match stall {
        PressureKind::MemorySome => memory.some,
        PressureKind::MemoryFull => memory.full,
        PressureKind::CpuSome => cpu.some,
        PressureKind::IoSome => io.some,
        PressureKind::IoFull => io.full,
    }
}

//! `[host]`, and what must fit its deadline.

use std::time::Duration;

use unhang_core::Budget;

use super::layers::{Reading, Refused, Said};
use super::settings::{Fault, Origin, Table, Value, Wrong};
use super::values;
use crate::keys::{self, Key};
use crate::plan::{Bounds, HostPlan, Stall};
use crate::toml_text::format_duration;

#[derive(Debug)]
pub(super) struct Host<'a> {
    pub(super) deadline: Said<'a, Duration>,
    plan: HostPlan,
}

impl Host<'_> {
    pub(super) fn plan(&self) -> HostPlan {
        self.plan.clone()
    }
}

/// Reads `[host]`. `table`: the one layer whose unknown keys are faults.
pub(super) fn host<'a>(layers: Vec<&'a Table>, table: &Table) -> (Result<Host<'a>, Refused>, Vec<Fault>) {
    let mut reading = Reading::new(layers);
    let deadline = reading.need(&keys::DEADLINE, deadline);
    let boot_grace = reading.get(&keys::BOOT_GRACE);
    let pause_on_dpkg = reading.get(&keys::PAUSE_ON_DPKG);
    let budget =
        Budget { restarts: reading.get(&keys::HOST_RESTARTS), window: reading.get(&keys::HOST_WINDOW) };
    let hold_when = hold_when(&mut reading);
    let host = deadline.and_then(|deadline| {
        reading.sound()?;
        let plan = HostPlan { deadline: deadline.value, boot_grace, pause_on_dpkg, budget, hold_when };
        Ok(Host { deadline, plan })
    });
    (host, reading.faults(table))
}

/// Two probes lead to a restart, which begins only with 30 s of the deadline left.
pub(super) fn fits_twice(reading: &Reading<'_>, host: Option<&Host<'_>>) -> Option<Fault> {
    let (timeout, deadline) = (reading.strongest(&keys::TIMEOUT.row)?, &host?.deadline);
    let span = values::span(&timeout.value).ok()?;
    let needed = span.saturating_mul(2).saturating_add(TO_RESTART);
    (needed >= deadline.value).then(|| {
        let by_default = timeout.origin == Origin::Default;
        let what = format!(
            "leaves no time to restart: two probes of {} and the 30s that a restart needs do not fit a deadline of {}",
            format_duration(span),
            format_duration(deadline.value)
        );
        let told = if by_default { &deadline.setting } else { &timeout };
        told.fault(Wrong::cure(what, "make host.deadline longer, or timeout shorter"))
    })
}

/// Of the deadline: `core` begins no restart with less, and a look comes before.
const TO_RESTART: Duration = Duration::from_secs(31);

/// `hold_when = { memory_full_avg60 = "40%" }`
fn hold_when(reading: &mut Reading<'_>) -> Bounds {
    let bound = |(stall, key)| Some((stall, reading.get_if_any(key)?.value));
    STALLS.into_iter().filter_map(bound).collect()
}

const STALLS: [(Stall, &Key<u32>); 5] = [
    (Stall::MemorySome, &keys::HOLD_MEMORY_SOME),
    (Stall::MemoryFull, &keys::HOLD_MEMORY_FULL),
    (Stall::CpuSome, &keys::HOLD_CPU_SOME),
    (Stall::IoSome, &keys::HOLD_IO_SOME),
    (Stall::IoFull, &keys::HOLD_IO_FULL),
];

fn deadline(value: &Value) -> Result<Duration, Wrong> {
    let span = values::span(value)?;
    if span < SHORTEST_DEADLINE {
        let what = format!("must be {} or more, got {value}", format_duration(SHORTEST_DEADLINE));
        return Err(Wrong::cure(what, "a restart begins only with 30s of it left"));
    }
    Ok(span)
}

const SHORTEST_DEADLINE: Duration = Duration::from_secs(40);

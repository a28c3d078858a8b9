//! `[host]`, and what must fit its deadline.

use std::time::Duration;

use unhang_core::BudgetRule;

use super::layers::{AlreadyReported, LayeredReader, Sourced};
use super::settings::{ConfigFault, Origin, Problem, SettingTable, SettingValue};
use super::values;
use crate::keys::{self, Key};
use crate::plan::{HostSettings, PressureKind, PressureLimits};
use crate::toml_text::format_duration;

#[derive(Debug)]
pub(super) struct HostReader<'a> {
    pub(super) deadline: Sourced<'a, Duration>,
    plan: HostSettings,
}

impl HostReader<'_> {
    pub(super) fn host_settings(&self) -> HostSettings {
        self.plan.clone()
    }
}

/// Reads `[host]`. `table`: the one layer whose unknown keys are faults.
pub(super) fn read_host<'a>(
    layers: Vec<&'a SettingTable>,
    table: &SettingTable,
) -> (Result<HostReader<'a>, AlreadyReported>, Vec<ConfigFault>) {
    let mut reading = LayeredReader::new(layers);
    let deadline = reading.read_required(&keys::DEADLINE, parse_deadline);
    let boot_grace = reading.read_key(&keys::BOOT_GRACE);
    let pause_on_dpkg = reading.read_key(&keys::PAUSE_ON_DPKG);
    let budget = BudgetRule {
        restarts: reading.read_key(&keys::HOST_RESTARTS),
        window: reading.read_key(&keys::HOST_WINDOW),
    };
    let hold_when = read_hold_when(&mut reading);
    let host = deadline.and_then(|deadline| {
        reading.check_sound()?;
        let plan = HostSettings { deadline: deadline.value, boot_grace, pause_on_dpkg, budget, hold_when };
        Ok(HostReader { deadline, plan })
    });
    (host, reading.into_faults(table))
}

/// Two probes lead to a restart, which begins only with 30 s of the deadline left.
pub(super) fn check_deadline_fits_two_probes(
    reading: &LayeredReader<'_>,
    host: Option<&HostReader<'_>>,
) -> Option<ConfigFault> {
    let (timeout, deadline) = (reading.strongest_setting(&keys::TIMEOUT.row)?, &host?.deadline);
    let span = values::parse_duration(&timeout.value).ok()?;
    let needed = span.saturating_mul(2).saturating_add(TIME_TO_RESTART);
    (needed >= deadline.value).then(|| {
        let by_default = timeout.origin == Origin::Default;
        let what = format!(
            "too long: two probes of {} and the 30s that a restart needs must fit in host.deadline ({})",
            format_duration(span),
            format_duration(deadline.value)
        );
        let told = if by_default { &deadline.setting } else { &timeout };
        told.fault(Problem::with_cure(what, "shorten timeout or raise host.deadline"))
    })
}

/// Of the deadline: `core` begins no restart with less, and a look comes before.
const TIME_TO_RESTART: Duration = Duration::from_secs(31);

/// `hold_when = { memory_full_avg60 = "40%" }`
fn read_hold_when(reading: &mut LayeredReader<'_>) -> PressureLimits {
    let bound = |(stall, key)| Some((stall, reading.get_if_any(key)?.value));
    STALLS.into_iter().filter_map(bound).collect()
}

const STALLS: [(PressureKind, &Key<u32>); 5] = [
    (PressureKind::MemorySome, &keys::HOLD_MEMORY_SOME),
    (PressureKind::MemoryFull, &keys::HOLD_MEMORY_FULL),
    (PressureKind::CpuSome, &keys::HOLD_CPU_SOME),
    (PressureKind::IoSome, &keys::HOLD_IO_SOME),
    (PressureKind::IoFull, &keys::HOLD_IO_FULL),
];

fn parse_deadline(value: &SettingValue) -> Result<Duration, Problem> {
    let span = values::parse_duration(value)?;
    if span < MIN_DEADLINE {
        let what = format!("must be {} or more, got {value}", format_duration(MIN_DEADLINE));
        return Err(Problem::with_cure(what, "a restart begins only with 30s of it left"));
    }
    Ok(span)
}

const MIN_DEADLINE: Duration = Duration::from_secs(40);

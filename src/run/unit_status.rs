//! What was said of the things that would be restarted, as `core` wants it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use unhang_core::{ActiveState, Counts, Doubt, LoadState, Reason, UnitFacts, UnitSnapshot};

use crate::managers::{UnitStatus, systemd};
use crate::os::clock;
use crate::plan::{Service, Shows, SystemdScope};
use crate::restart::{self, command};
use crate::words;

/// One look for all that systemd runs, and one for each other that can be asked about.
#[derive(Debug, Default)]
pub(crate) struct UnitStatuses {
    /// By the keys of the services.
    status: BTreeMap<String, UnitStatus>,
    stopping: bool,
    /// The first service that each real unit belongs to: another is an alias of it.
    owners: BTreeMap<(SystemdScope, String), String>,
}

impl UnitStatuses {
    pub(crate) fn query_all(services: &[&Service], monotonic: Duration, time_left: Duration) -> Self {
        let (began, mut statuses) = (Instant::now(), Self::default());
        for scope in [SystemdScope::System, SystemdScope::User] {
            statuses.query_systemd(scope, services, monotonic, time_left.saturating_sub(began.elapsed()));
        }
        for service in services {
            let left = time_left.saturating_sub(began.elapsed());
            if let Some(status) = restart::query_container(&service.restarter, clock::now().wall, left) {
                statuses.status.insert(service.key.clone(), status);
            }
        }
        statuses
    }

    fn query_systemd(
        &mut self,
        scope: SystemdScope,
        services: &[&Service],
        monotonic: Duration,
        time_left: Duration,
    ) {
        let is_own = |service: &&&Service| service.scoped_unit().is_some_and(|(_, own)| own == scope);
        let own: Vec<&&Service> = services.iter().filter(is_own).collect();
        if own.is_empty() {
            return;
        }
        let names: Vec<&str> = own.iter().map(|service| service.restarter.label()).collect();
        let look = systemd::query_units(scope, &names, monotonic, time_left);
        self.stopping |= look.stopping;
        for service in own {
            if let Some(status) = look.units.get(service.restarter.label()) {
                self.owners.entry((scope, status.id.clone())).or_insert_with(|| service.key.clone());
                self.status.insert(service.key.clone(), status.clone());
            }
        }
    }

    pub(crate) const fn host_is_stopping(&self) -> bool {
        self.stopping
    }

    /// Two services with one unit under two names would have two counts and two budgets: the second is
    /// not judged at all.
    pub(crate) fn get(&self, service: &Service) -> Option<UnitStatus> {
        let status = self.status.get(&service.key)?.clone();
        let Some((unit, scope)) = service.scoped_unit() else { return Some(status) };
        match self.owners.get(&(scope, status.id.clone())) {
            Some(owner) if *owner != service.key && !status.id.is_empty() => {
                let why = format!("{unit} is {}, which service {owner} has already", status.id);
                Some(UnitStatus { unit: UnitFacts::QueryFailed(Doubt::Other(why)), ..status })
            }
            Some(_) | None => Some(status),
        }
    }
}

/// `status` is none where nobody asked.
pub(crate) fn unit_facts(service: &Service, state: &Counts, status: Option<&UnitStatus>) -> UnitFacts {
    match (service.restarter.shows(), status) {
        (Shows::Process, _) => {
            let process = state.intent.as_ref().and_then(|intent| intent.process);
            UnitFacts::Command { running: process.is_some_and(command::is_process_running) }
        }
        (Shows::Nothing, _) => UnitFacts::ProbeOnly,
        (Shows::Life, Some(status)) => with_running_command(&status.unit, state),
        (Shows::Life, None) => UnitFacts::NotQueried,
    }
}

/// A command of `escalate` that has not ended may still be at work on the unit.
fn with_running_command(unit: &UnitFacts, state: &Counts) -> UnitFacts {
    let process = state.intent.as_ref().and_then(|intent| intent.process);
    match unit {
        UnitFacts::Known(life) if process.is_some_and(command::is_process_running) => {
            UnitFacts::Known(UnitSnapshot { active: ActiveState::Changing, ..life.clone() })
        }
        UnitFacts::Known(_)
        | UnitFacts::QueryFailed(_)
        | UnitFacts::NotQueried
        | UnitFacts::ProbeOnly
        | UnitFacts::Command { .. } => unit.clone(),
    }
}

/// Why a restart of this healthy service would fail or mislead, told before it is needed.
pub(crate) fn find_restart_obstacle(status: &UnitStatus, service: &Service) -> Option<(Reason, String)> {
    let unit = service.restarter.label();
    match &status.unit {
        UnitFacts::QueryFailed(Doubt::NoSystemd(why)) => Some((Reason::NoSystemd, why.clone())),
        UnitFacts::QueryFailed(Doubt::Other(why)) => Some((Reason::Unknown, why.clone())),
        UnitFacts::Known(life) => match life.load {
            LoadState::NotFound => Some((Reason::NotFound, words::not_found_text(&service.restarter))),
            LoadState::Masked => Some((Reason::Masked, format!("{unit} is masked"))),
            LoadState::NotStartable => Some((Reason::NotStartable, format!("systemd cannot start {unit}"))),
            LoadState::NotStoppable => Some((Reason::NotStartable, words::not_stoppable(unit))),
            LoadState::Loaded if status.is_passing_oneshot => Some((
                Reason::Exited,
                format!("{unit} is a oneshot without RemainAfterExit=, inactive when all is well"),
            )),
            LoadState::Loaded => None,
        },
        UnitFacts::QueryFailed(_)
        | UnitFacts::NotQueried
        | UnitFacts::ProbeOnly
        | UnitFacts::Command { .. } => None,
    }
}

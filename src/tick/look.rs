//! What systemd said of the services asked about, as `core` wants it.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::{Active, Doubt, Life, Load, Reason, State, Unit};

use crate::plan::{Restarter, Service};
use crate::restart::command;
use crate::restart::{self, Look, Looked};

/// One look for all, or none where nobody needed it.
#[derive(Debug)]
pub(super) struct Looks {
    look: Option<Look>,
    /// The first service that each real unit belongs to: another is an alias of it.
    owners: BTreeMap<String, String>,
}

impl Looks {
    pub(super) fn at(services: &[&Service], monotonic: Duration, time_left: Duration) -> Self {
        let units: Vec<(&str, &str)> = services
            .iter()
            .filter_map(|service| match &service.restarter {
                Restarter::Unit(unit) => Some((unit.as_str(), service.key.as_str())),
                Restarter::Command(_) | Restarter::Nothing => None,
            })
            .collect();
        if units.is_empty() {
            return Self { look: None, owners: BTreeMap::new() };
        }
        let names: Vec<&str> = units.iter().map(|(unit, _)| *unit).collect();
        let look = restart::unit::look(&names, monotonic, time_left);
        let mut owners = BTreeMap::new();
        for (unit, key) in units {
            if let Some(looked) = look.units.get(unit) {
                owners.entry(looked.id.clone()).or_insert_with(|| key.to_owned());
            }
        }
        Self { look: Some(look), owners }
    }

    pub(super) fn stopping(&self) -> bool {
        self.look.as_ref().is_some_and(|look| look.stopping)
    }

    /// Two services with one unit under two names would have two counts and two budgets: the second is
    /// not judged at all.
    pub(super) fn of(&self, service: &Service) -> Option<Looked> {
        let Restarter::Unit(unit) = &service.restarter else { return None };
        let looked = self.look.as_ref()?.units.get(unit)?.clone();
        match self.owners.get(&looked.id) {
            Some(owner) if *owner != service.key && !looked.id.is_empty() => {
                let why = format!("{unit} is {}, which service {owner} has already", looked.id);
                Some(Looked { unit: Unit::Unanswered(Doubt::Other(why)), ..looked })
            }
            Some(_) | None => Some(looked),
        }
    }
}

/// `looked` is none where nobody asked.
pub(super) fn unit(service: &Service, state: &State, looked: Option<&Looked>) -> Unit {
    match (&service.restarter, looked) {
        (Restarter::Command(_), _) => {
            let process = state.intent.as_ref().and_then(|intent| intent.process);
            Unit::Command { running: process.is_some_and(command::is_running) }
        }
        (Restarter::Nothing, _) => Unit::ProbeOnly,
        (Restarter::Unit(_), Some(looked)) => while_a_command_runs(&looked.unit, state),
        (Restarter::Unit(_), None) => Unit::NotAsked,
    }
}

/// A command of `escalate` that has not ended may still be at work on the unit.
fn while_a_command_runs(unit: &Unit, state: &State) -> Unit {
    let process = state.intent.as_ref().and_then(|intent| intent.process);
    match unit {
        Unit::Seen(life) if process.is_some_and(command::is_running) => {
            Unit::Seen(Life { active: Active::Busy, ..life.clone() })
        }
        Unit::Seen(_) | Unit::Unanswered(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } => {
            unit.clone()
        }
    }
}

/// Why a restart of this healthy service would fail or mislead, told before it is needed.
pub(super) fn obstacle(looked: &Looked, service: &Service) -> Option<(Reason, String)> {
    let unit = service.restarter.words();
    match &looked.unit {
        Unit::Unanswered(Doubt::NoSystemd(why)) => Some((Reason::NoSystemd, why.clone())),
        Unit::Unanswered(Doubt::Other(why)) => Some((Reason::Unknown, why.clone())),
        Unit::Seen(life) => match life.load {
            Load::NotFound => Some((Reason::NotFound, format!("systemd knows no {unit}"))),
            Load::Masked => Some((Reason::Masked, format!("{unit} is masked"))),
            Load::NotStartable => Some((Reason::NotStartable, format!("systemd cannot start {unit}"))),
            Load::Loaded if looked.is_passing_oneshot => Some((
                Reason::Exited,
                format!("{unit} is a oneshot without RemainAfterExit=, inactive when all is well"),
            )),
            Load::Loaded => None,
        },
        Unit::Unanswered(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } => None,
    }
}

//! What a plan needs of this host and would be missed only when it is needed, at night: found before by
//! `config check`. Probes nothing, takes no lock, writes nothing.

use std::io;

use unhang_core::{Doubt, Reason, Reload, Rung, Unit};

use crate::os::{clock, files};
use crate::plan::{Owner, Plan, Service};
use crate::restart::{self, command};
use crate::words;

use crate::run::host_pressure;
use crate::run::unit_status::{self, UnitStatuses};

/// What was found, a line for each, without `unhang: `.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) obstacles: Vec<String>,
    /// Why nothing can be said of the units.
    pub(crate) not_asked: Option<String>,
}

pub(crate) fn survey(plan: &Plan) -> Found {
    let services: Vec<&Service> = plan.services.iter().collect();
    let statuses = UnitStatuses::query_all(&services, clock::monotonic(), plan.host.deadline);
    let not_asked = services.iter().find_map(|service| match statuses.get(service)?.unit {
        Unit::Unanswered(Doubt::NoSystemd(why) | Doubt::UnitUnknown(why)) => Some(why),
        Unit::Unanswered(_) | Unit::NotAsked | Unit::ProbeOnly | Unit::Command { .. } | Unit::Seen(_) => None,
    });
    let of_one = |service: &&Service| {
        let key = &service.key;
        let by = service.restarter.key();
        let restart = of_unit(&statuses, service)
            .or_else(|| restart::obstacle(&service.restarter))
            .map(|why| format!("service.{key}.{by}: {why}; a restart would fail"));
        let rungs = service.policy.escalate.iter().filter_map(|rung| of_rung(&statuses, service, rung));
        let escalate =
            rungs.map(|why| format!("service.{key}.escalate: {why}; the others are done without it"));
        let log = of_log(service, plan.owner)
            .map(|why| format!("service.{key}.log_file: {why}; no act of it would be logged"));
        restart.into_iter().chain(escalate).chain(log).collect::<Vec<_>>()
    };
    let not_told = (!plan.host.hold_when.is_empty() && !host_pressure::can_be_told())
        .then(|| "host.hold_when: this kernel has no /proc/pressure; nothing is ever held for it".to_owned());
    Found { obstacles: services.iter().flat_map(of_one).chain(not_told).collect(), not_asked }
}

fn of_unit(statuses: &UnitStatuses, service: &Service) -> Option<String> {
    let (reason, why) = unit_status::find_restart_obstacle(&statuses.get(service)?, service)?;
    (reason != Reason::NoSystemd).then_some(why)
}

fn of_rung(statuses: &UnitStatuses, service: &Service, rung: &Rung) -> Option<String> {
    let unit = statuses.get(service).map(|status| status.unit);
    match (rung, unit) {
        (Rung::Command(command), _) => command::obstacle(command),
        (Rung::Reload, Some(Unit::Seen(life))) if life.reload == Reload::NoWay => {
            Some(format!("{} has no way to be reloaded (ExecReload=)", service.restarter.words()))
        }
        (Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake, _) => None,
    }
}

/// What is root's to write is no fault where somebody else asks.
fn of_log(service: &Service, owner: Owner) -> Option<String> {
    let path = &service.log_file;
    let error = files::may_append(path).err()?;
    let is_for_root = owner == Owner::System && error.kind() == io::ErrorKind::PermissionDenied;
    (!is_for_root).then(|| format!("{} cannot be written: {}", path.display(), words::io(&error)))
}

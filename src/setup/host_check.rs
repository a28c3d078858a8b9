//! What a plan needs of this host and would be missed only when it is needed, at night: found before by
//! `config check`. Probes nothing, takes no lock, writes nothing.

use std::io;

use unhang_core::{Doubt, LoadState, Reason, ReloadSupport, Step, UnitFacts, UnitSnapshot};

use crate::config::KeyPlace;
use crate::os::{clock, files};
use crate::plan::{Invoker, Plan, Probe, ProbeTarget, Program, Service, SystemdScope};
use crate::probe::{self, KINDS};
use crate::restart;
use crate::words;

use super::programs::describe_obstacle;
use crate::run::host_pressure;
use crate::run::unit_status::{self, UnitStatuses};

/// What was found on this host.
#[derive(Debug)]
pub(crate) struct HostCheckReport<'a> {
    pub(crate) obstacles: Vec<SettingObstacle<'a>>,
    /// What the host itself lacks; one line each, without `unhang: `.
    pub(crate) of_host: Vec<String>,
    /// What could not be found out; a line for each.
    pub(crate) not_asked: Vec<String>,
}

/// What a setting of a service needs and this host does not have.
#[derive(Debug)]
pub(crate) struct SettingObstacle<'a> {
    pub(crate) place: KeyPlace<'a>,
    pub(crate) what: String,
    pub(crate) cure: String,
}

pub(crate) fn check_host(plan: &Plan) -> HostCheckReport<'_> {
    let services: Vec<&Service> = plan.services.iter().collect();
    let statuses = UnitStatuses::query_all(&services, clock::monotonic_time(), plan.host.deadline);
    let of_host = (!plan.host.hold_when.is_empty() && !host_pressure::kernel_has_pressure()).then(|| {
        "host.hold_when: has no effect: this kernel has no /proc/pressure; boot with psi=1".to_owned()
    });
    HostCheckReport {
        obstacles: plan
            .services
            .iter()
            .flat_map(|service| of_service(service, &statuses, plan.owner))
            .collect(),
        of_host: of_host.into_iter().collect(),
        not_asked: not_asked(&services, &statuses),
    }
}

/// Services whose manager could not be asked, by manager and reason.
fn not_asked(services: &[&Service], statuses: &UnitStatuses) -> Vec<String> {
    let mut found: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for service in services {
        let why = match statuses.get(service).map(|status| status.unit) {
            Some(UnitFacts::QueryFailed(Doubt::NoSystemd(why) | Doubt::UnitUnknown(why))) => why,
            Some(
                UnitFacts::QueryFailed(_)
                | UnitFacts::NotQueried
                | UnitFacts::ProbeOnly
                | UnitFacts::Command { .. }
                | UnitFacts::Known(_),
            )
            | None => continue,
        };
        let manager = service.restarter.method.manager;
        match found.iter_mut().find(|(known, known_why, _)| *known == manager && *known_why == why) {
            Some((_, _, keys)) => keys.push(&service.key),
            None => found.push((manager, why, vec![&service.key])),
        }
    }
    let line = |(manager, why, keys): &(&str, String, Vec<&str>)| {
        let keys = keys.join(", ");
        format!("whether {keys} can be restarted is not known, for {manager} could not be asked: {why}")
    };
    found.iter().map(line).collect()
}

fn of_service<'a>(service: &'a Service, statuses: &UnitStatuses, owner: Invoker) -> Vec<SettingObstacle<'a>> {
    let at = |key| KeyPlace { service: &service.key, probe: None, key };
    let no_restart = |(why, cure): (String, String)| SettingObstacle {
        place: at(service.restarter.key()),
        what: format!("a restart would fail: {why}"),
        cure,
    };
    let program = (service.restarter.method.program)(&service.restarter.given).and_then(describe_obstacle);
    let unit = check_unit(statuses, service);
    let file = restart::restart_obstacle(&service.restarter)
        .map(|why| (why, "mend that file, or name another one".to_owned()));
    let restart = program.into_iter().chain(unit).chain(file).map(no_restart);
    let steps = service.policy.escalate.iter().filter_map(|rung| of_step(statuses, service, rung)).map(
        |(why, cure)| SettingObstacle {
            place: at("escalate"),
            what: format!("this step would be skipped: {why}"),
            cure,
        },
    );
    let log = check_log_file(service, owner).map(|why| SettingObstacle {
        place: at("log_file"),
        what: format!("nothing would be logged: {why}"),
        cure: "make the folder, or name another file".to_owned(),
    });
    let probes = service.probes.iter().filter_map(|probe| of_probe(service, probe));
    restart.chain(steps).chain(log).chain(probes).collect()
}

fn of_probe<'a>(service: &'a Service, asked: &'a Probe) -> Option<SettingObstacle<'a>> {
    let ProbeTarget::Kind { kind, given } = &asked.asks else { return None };
    let spec = KINDS.iter().map(|kind| &kind.spec).find(|spec| spec.main_key.name == *kind)?;
    let place = KeyPlace { service: &service.key, probe: asked.name.as_deref(), key: kind };
    if let Some((why, cure)) = (spec.program)(given).and_then(describe_obstacle) {
        return Some(SettingObstacle { place, what: format!("the probe would tell nothing: {why}"), cure });
    }
    let (unit, scope) = probe::find_unknown_unit(&asked.asks, asked.timeout)?;
    let what = format!("the probe would fail in every run: systemd knows no {unit}");
    Some(SettingObstacle { place, what, cure: list_cure(&list_units(unit, scope)) })
}

/// What is wrong with what would be restarted, and what helps.
fn check_unit(statuses: &UnitStatuses, service: &Service) -> Option<(String, String)> {
    let (reason, why) = unit_status::find_restart_obstacle(&statuses.get(service)?, service)?;
    let name = service.restarter.label();
    let user = service.scoped_unit().map_or("", |(_, scope)| user_flag(scope));
    let cure = if reason == Reason::NoSystemd {
        return None;
    } else if reason == Reason::NotFound {
        list_cure(&list_command(service))
    } else if reason == Reason::Masked {
        format!("if it is to run, type systemctl{user} unmask {name}")
    } else if reason == Reason::Exited {
        "name the unit that runs all the time".to_owned()
    } else if service.unit_name().is_none() {
        "write it as it is".to_owned()
    } else if reason == Reason::Unknown {
        "leave one of the two out".to_owned()
    } else if is_not_stoppable(statuses, service) {
        "write restart = [...], or take that out of the unit".to_owned()
    } else {
        format!("see systemctl{user} status {name}")
    };
    Some((why, cure))
}

fn is_not_stoppable(statuses: &UnitStatuses, service: &Service) -> bool {
    matches!(
        statuses.get(service).map(|status| status.unit),
        Some(UnitFacts::Known(UnitSnapshot { load: LoadState::NotStoppable, .. }))
    )
}

fn list_cure(list: &str) -> String {
    format!("write its name; this lists them: {list}")
}

/// Who else could be meant is listed by the program that knows them.
fn list_command(service: &Service) -> String {
    let program = (service.restarter.method.program)(&service.restarter.given);
    match (program, service.scoped_unit()) {
        (Some(Program::Fixed(runtime)), _) if runtime != "supervisorctl" => format!("{runtime} ps --all"),
        (_, Some((unit, scope))) => list_units(unit, scope),
        (_, None) => "supervisorctl status".to_owned(),
    }
}

fn list_units(unit: &str, scope: SystemdScope) -> String {
    let kind = unit.rsplit_once('.').map_or("service", |(_, kind)| kind);
    format!("systemctl{} list-units --all --type={kind}", user_flag(scope))
}

fn user_flag(scope: SystemdScope) -> &'static str {
    if scope == SystemdScope::User { " --user" } else { "" }
}

fn of_step(statuses: &UnitStatuses, service: &Service, rung: &Step) -> Option<(String, String)> {
    let unit = statuses.get(service).map(|status| status.unit);
    match (rung, unit) {
        (Step::Command(command), _) => describe_obstacle(Program::Configured(command.first()?)),
        (Step::Reload, Some(UnitFacts::Known(life))) if life.reload == ReloadSupport::Unsupported => Some((
            format!("{} has no way to be reloaded (ExecReload=)", service.restarter.label()),
            "add ExecReload= to the unit, or leave reload out".to_owned(),
        )),
        (Step::Reload | Step::Restart | Step::Kill | Step::Wake, _) => None,
    }
}

/// What is root's to write is no fault where somebody else asks.
fn check_log_file(service: &Service, owner: Invoker) -> Option<String> {
    let path = &service.log_file;
    let error = files::may_append(path).err()?;
    let is_for_root = owner == Invoker::Root && error.kind() == io::ErrorKind::PermissionDenied;
    (!is_for_root).then(|| format!("{} cannot be written: {}", path.display(), words::io_error_text(&error)))
}

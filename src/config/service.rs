//! The keys of a service: tables of settings become a `Service` of the plan.

use std::borrow::Cow;
use std::time::Duration;

use unhang_core::{BackoffLimits, Budget, Flapping, OnFlapping, Policy, Rung, Weight};

use super::host::{self, Host};
use super::http_options::Asking;
use super::layers::{Reading, Refused, Said};
use super::requirements::Guards;
use super::settings::{Fault, Origin, Setting, Table, Value, Wrong};
use super::tables::ServiceTables;
use super::{escalation, names, params, probes, restart_method, target, values};
use crate::keys::{self, Key, Stands};
use crate::plan::{Asks, NOTHING, Params, Probe, Question, Restarter, SCOPE, Service, Target, UNIT};
use crate::toml_text::format_duration;

/// The faults of `[defaults]` by itself, also of what every service overrides; and every key there is.
pub(super) fn defaults(defaults: &Table) -> (Vec<&'static str>, Vec<Fault>) {
    let mut reading = Reading::new(vec![defaults]);
    let _ = Asking::read(&mut reading);
    let _ = Shared::read(&mut reading);
    let _ = Guards::read(&mut reading);
    let _ = reading.find("log_file", values::log_file);
    let _ = reading.find(SCOPE.name, |value| params::read(&SCOPE, value));
    for row in keys::all() {
        if let Stands::Service(why) = row.stands {
            let wrong = |_: &Value| Err::<(), _>(Wrong::cure("makes no sense for all services", why));
            let _ = reading.find(row.name, wrong);
        }
    }
    for key in restart_method::own_keys() {
        let why = restart_method::OF_ONE_SERVICE;
        let _ = reading.find(key.name, |_| Err::<(), _>(Wrong::cure("makes no sense for all services", why)));
    }
    (reading.asked().to_vec(), reading.faults(defaults))
}

/// `typed`: what is above its own table. `host`: absent when it was refused.
pub(super) fn service(
    name: &str,
    tables: &ServiceTables,
    (defaults, typed): (&Table, &Table),
    host: Option<&Host<'_>>,
) -> (Result<Service, Refused>, Vec<Fault>) {
    let (own, mut faults) = (&tables.own, Vec::new());
    let mut reading = Reading::new(vec![defaults, own, typed]);
    let key = names::check_key(name).map_err(|wrong| reading.refuse(own.itself(wrong)));
    let deadline = host.map(|host| host.deadline.value);
    let restarter = restart_method::restarter(&mut reading, key.map(|()| name), own, deadline);
    let shown = reading.find("name", values::name);
    let log_file = reading.find("log_file", values::log_file);
    let asking = Asking::read(&mut reading);
    let shared = Shared::read(&mut reading);
    let guards = Guards::read(&mut reading);
    let url =
        if tables.probes.is_empty() { url(&mut reading, own).map(Some) } else { url_if_any(&mut reading) };
    let clashes = in_order(&mut reading, host);
    let probes = probes::probes(&tables.probes, defaults, host, &mut faults);
    let service = key.and_then(|()| {
        let (asking, shared, guards, restarter) = (asking?, shared?, guards?, restarter?);
        clashes?;
        let own_url = url?.map(|url| asking.at(url, &mut reading)).transpose()?;
        let own_url = own_url.map(|question| own_probe(question, shared.timeout));
        let probes: Vec<Probe> = own_url.into_iter().chain(probes?).collect();
        let only_warns = probes.iter().all(|probe| probe.weight == Weight::Warns);
        // Nothing of it can fail: that no unit is called after it is no fault.
        let restarter = if only_warns && restarter.unit().is_some() && reading.said(UNIT.name).is_none() {
            Restarter { method: NOTHING, given: Params::default() }
        } else {
            restarter
        };
        escalation::fits(&shared.escalate, &restarter).map_err(|fault| reading.refuse(fault))?;
        reading.sound()?;
        let means = (restarter.method.step)();
        let mut policy = Policy { means, escalate: shared.escalate.value, ..shared.policy };
        escalation::keep_what_fits(&mut policy.escalate, &restarter);
        Ok(Service {
            key: name.to_owned(),
            name: shown?.map_or_else(|| name.to_owned(), |said| said.value),
            restarter,
            log_file: match log_file? {
                Some(said) => said.value,
                None => keys::LOG_FILE.row.default_of(name).unwrap_or_default().into(),
            },
            verify: shared.verify,
            requires: guards.requires,
            pause_file: guards.pause_file,
            policy,
            probes,
        })
    });
    faults.extend(reading.faults(own));
    (service, faults)
}

/// What a probe needs, of a URL that is no service's.
pub(super) fn question_alone(typed: &Table) -> (Result<Probe, Refused>, Vec<Fault>) {
    let mut reading = Reading::new(vec![typed]);
    let nothing = Table::new(&[], Origin::Default);
    let url = url(&mut reading, &nothing);
    let _ = Guards::read(&mut reading);
    let (asking, shared) = (Asking::read(&mut reading), Shared::read(&mut reading));
    let probe = asking.and_then(|asking| {
        let question = asking.at(url?, &mut reading)?;
        Ok(own_probe(question, shared?.timeout))
    });
    (probe, reading.faults(&nothing))
}

/// The service's own url.
fn own_probe(question: Question, timeout: Duration) -> Probe {
    Probe { name: None, weight: Weight::Counts, timeout, asks: Asks::Url(Box::new(question)) }
}

fn url(reading: &mut Reading<'_>, own: &Table) -> Result<Target, Refused> {
    if let Some(target) = url_if_any(reading)? {
        return Ok(target);
    }
    let cure = "add url = \"http://localhost:8000/health/\"";
    Err(reading.refuse(own.fault("url", Wrong::cure("is missing", cure))))
}

fn url_if_any(reading: &mut Reading<'_>) -> Result<Option<Target>, Refused> {
    Ok(reading.find("url", target::parse_url)?.map(|said| said.value))
}

/// What `[defaults]` and the flags may give to all services at once.
struct Shared<'a> {
    timeout: Duration,
    verify: Duration,
    /// `means` and what fits it are the service's own.
    policy: Policy,
    escalate: Said<'a, Vec<Rung>>,
}

impl<'a> Shared<'a> {
    fn read(reading: &mut Reading<'a>) -> Result<Self, Refused> {
        let timeout = reading.get(&keys::TIMEOUT);
        let verify = reading.get(&keys::VERIFY);
        let policy = Policy {
            max_failures: reading.get(&keys::MAX_FAILURES),
            min_successes: reading.get(&keys::MIN_SUCCESSES),
            grace: reading.get(&keys::GRACE),
            min_gap: reading.get(&keys::MIN_GAP),
            stale_after: reading.get(&keys::STALE_AFTER),
            budget: Budget {
                restarts: reading.get(&keys::BUDGET_RESTARTS),
                window: reading.get(&keys::BUDGET_WINDOW),
            },
            backoff: BackoffLimits {
                first: reading.get(&keys::BACKOFF_FIRST),
                max: reading.get(&keys::BACKOFF_MAX),
            },
            mode: reading.get(&keys::MODE),
            held_too_long: reading.get(&keys::HELD_TOO_LONG),
            flapping: flapping(reading),
            when_exited: reading.get(&keys::WHEN_EXITED),
            escalate: Vec::new(),
            means: Rung::Restart,
        };
        let escalate = reading.need(&keys::ESCALATE, escalation::rungs)?;
        Ok(Self { timeout, verify, policy, escalate })
    }
}

/// `flapping = { failures = 5, of = 12, restart = false }`
fn flapping(reading: &mut Reading<'_>) -> Flapping {
    let then = if reading.get(&keys::FLAPPING_RESTART) { OnFlapping::Restart } else { OnFlapping::Tell };
    let (failures, of) = (reading.get(&keys::FLAPPING_FAILURES), reading.get(&keys::FLAPPING_OF));
    let said = reading.good(&keys::FLAPPING_FAILURES).zip(reading.good(&keys::FLAPPING_OF));
    if let Some((failures, of)) = said.filter(|(failures, of)| failures.value >= of.value) {
        let wrong = format!("must be less than flapping.of, which is {}, got {}", of.value, failures.value);
        reading.refuse(failures.setting.fault(wrong));
    }
    Flapping { failures, of, then }
}

struct Limit<'a> {
    key: &'static str,
    span: Duration,
    setting: Cow<'a, Setting>,
}

/// What single values cannot show.
fn in_order(reading: &mut Reading<'_>, host: Option<&Host<'_>>) -> Result<(), Refused> {
    let limit = |key: &'static Key<Duration>| {
        let setting = reading.strongest(&key.row)?;
        Some(Limit { key: key.row.name, span: values::span(&setting.value).ok()?, setting })
    };
    let clashes = [
        shorter(limit(&keys::MIN_GAP), limit(&keys::STALE_AFTER)),
        host::fits_twice(reading, host),
        not_longer(limit(&keys::BACKOFF_FIRST), limit(&keys::BACKOFF_MAX)),
    ];
    let refused: Vec<_> = clashes.into_iter().flatten().map(|fault| reading.refuse(fault)).collect();
    refused.into_iter().next().map_or(Ok(()), Err)
}

fn shorter(small: Option<Limit<'_>>, big: Option<Limit<'_>>) -> Option<Fault> {
    let (small, big) = small.zip(big)?;
    (small.span >= big.span).then(|| clash(&small, &big, "must be shorter than", "must be longer than"))
}

fn not_longer(small: Option<Limit<'_>>, big: Option<Limit<'_>>) -> Option<Fault> {
    let (small, big) = small.zip(big)?;
    (small.span > big.span)
        .then(|| clash(&small, &big, "must not be longer than", "must not be shorter than"))
}

/// Told where the operator said something: a default cannot be wrong.
fn clash(small: &Limit<'_>, big: &Limit<'_>, down: &str, up: &str) -> Fault {
    let by_default = small.setting.origin == Origin::Default;
    let (told, words, other) = if by_default { (big, up, small) } else { (small, down, big) };
    let limit = format!("{}, which is {} ({})", other.key, format_duration(other.span), other.setting.origin);
    told.setting.fault(format!("{words} {limit}, got {}", told.setting.value))
}

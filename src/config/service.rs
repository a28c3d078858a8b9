//! The keys of a service: tables of settings become a `Service` of the plan.

use std::borrow::Cow;
use std::time::Duration;

use unhang_core::{BackoffRule, BudgetRule, FlappingAction, FlappingRule, Policy, ProbeRole, Step};

use super::host::{self, HostReader};
use super::http_options::HttpOptions;
use super::layers::{AlreadyReported, LayeredReader, Sourced};
use super::requirements::HoldSettings;
use super::settings::{ConfigFault, Origin, Problem, Setting, SettingTable, SettingValue};
use super::tables::ServiceTables;
use super::{escalation, names, params, probes, restart_method, target, values};
use crate::keys::{self, Key, TablesAllowed};
use crate::plan::{
    HttpRequest, NOTHING, Params, Probe, ProbeTarget, RestartMethod, SCOPE, Service, UNIT, UrlTarget,
};
use crate::toml_text::format_duration;

/// The faults of `[defaults]` by itself, also of what every service overrides; and every key there is.
pub(super) fn read_defaults(defaults: &SettingTable) -> (Vec<&'static str>, Vec<ConfigFault>) {
    let mut reading = LayeredReader::new(vec![defaults]);
    let _ = HttpOptions::read_http_options(&mut reading);
    let _ = SharedSettings::read_shared(&mut reading);
    let _ = HoldSettings::read_hold_settings(&mut reading);
    let _ = reading.read_optional("log_file", values::parse_log_file);
    let _ = reading.read_optional(SCOPE.name, |value| params::parse_param(&SCOPE, value));
    for row in keys::all_keys() {
        if let TablesAllowed::Service(why) = row.stands {
            let wrong = |_: &SettingValue| Err::<(), _>(Problem::with_cure("not allowed in [defaults]", why));
            let _ = reading.read_optional(row.name, wrong);
        }
    }
    for key in restart_method::own_keys() {
        let why = restart_method::OF_ONE_SERVICE;
        let _ = reading
            .read_optional(key.name, |_| Err::<(), _>(Problem::with_cure("not allowed in [defaults]", why)));
    }
    (reading.requested_keys().to_vec(), reading.into_faults(defaults))
}

/// `typed`: what is above its own table. `host`: absent when it was refused.
pub(super) fn read_service(
    name: &str,
    tables: &ServiceTables,
    (defaults, typed): (&SettingTable, &SettingTable),
    host: Option<&HostReader<'_>>,
) -> (Result<Service, AlreadyReported>, Vec<ConfigFault>) {
    let (own, mut faults) = (&tables.own, Vec::new());
    let mut reading = LayeredReader::new(vec![defaults, own, typed]);
    let key = names::check_service_name(name).map_err(|wrong| reading.report(own.table_fault(wrong)));
    let deadline = host.map(|host| host.deadline.value);
    let restarter = restart_method::read_restart_method(&mut reading, key.map(|()| name), own, deadline);
    let shown = reading.read_optional("name", values::parse_log_name);
    let log_file = reading.read_optional("log_file", values::parse_log_file);
    let asking = HttpOptions::read_http_options(&mut reading);
    let shared = SharedSettings::read_shared(&mut reading);
    let guards = HoldSettings::read_hold_settings(&mut reading);
    let url = if tables.probes.is_empty() {
        read_url(&mut reading, own).map(Some)
    } else {
        read_optional_url(&mut reading)
    };
    let clashes = check_order(&mut reading, host);
    let probes = probes::read_probes(&tables.probes, defaults, host, &mut faults);
    let service = key.and_then(|()| {
        let (asking, shared, guards, restarter) = (asking?, shared?, guards?, restarter?);
        clashes?;
        let own_url = url?.map(|url| asking.into_request(url, &mut reading)).transpose()?;
        let own_url = own_url.map(|question| url_probe(question, shared.timeout));
        let probes: Vec<Probe> = own_url.into_iter().chain(probes?).collect();
        let only_warns = probes.iter().all(|probe| probe.weight == ProbeRole::Optional);
        // Nothing of it can fail: that no unit is called after it is no fault.
        let restarter =
            if only_warns && restarter.unit().is_some() && reading.explicit_setting(UNIT.name).is_none() {
                RestartMethod { method: NOTHING, given: Params::default() }
            } else {
                restarter
            };
        escalation::check_steps_supported(&shared.escalate, &restarter)
            .map_err(|fault| reading.report(fault))?;
        reading.check_sound()?;
        let means = (restarter.method.step)();
        let mut policy = Policy { means, escalate: shared.escalate.value, ..shared.policy };
        escalation::drop_unsupported_steps(&mut policy.escalate, &restarter);
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
    faults.extend(reading.into_faults(own));
    (service, faults)
}

/// What a probe needs, of a URL that is no service's.
pub(super) fn read_url_only(typed: &SettingTable) -> (Result<Probe, AlreadyReported>, Vec<ConfigFault>) {
    let mut reading = LayeredReader::new(vec![typed]);
    let nothing = SettingTable::new(&[], Origin::Default);
    let url = read_url(&mut reading, &nothing);
    let _ = HoldSettings::read_hold_settings(&mut reading);
    let (asking, shared) =
        (HttpOptions::read_http_options(&mut reading), SharedSettings::read_shared(&mut reading));
    let probe = asking.and_then(|asking| {
        let question = asking.into_request(url?, &mut reading)?;
        Ok(url_probe(question, shared?.timeout))
    });
    (probe, reading.into_faults(&nothing))
}

/// The service's own url.
fn url_probe(question: HttpRequest, timeout: Duration) -> Probe {
    Probe { name: None, weight: ProbeRole::Required, timeout, asks: ProbeTarget::Http(Box::new(question)) }
}

fn read_url(reading: &mut LayeredReader<'_>, own: &SettingTable) -> Result<UrlTarget, AlreadyReported> {
    if let Some(target) = read_optional_url(reading)? {
        return Ok(target);
    }
    let cure = "add url = \"http://localhost:8000/health/\"";
    Err(reading.report(own.key_fault("url", Problem::with_cure("is missing", cure))))
}

fn read_optional_url(reading: &mut LayeredReader<'_>) -> Result<Option<UrlTarget>, AlreadyReported> {
    Ok(reading.read_optional("url", target::parse_url)?.map(|said| said.value))
}

/// What `[defaults]` and the flags may give to all services at once.
struct SharedSettings<'a> {
    timeout: Duration,
    verify: Duration,
    /// `means` and what fits it are the service's own.
    policy: Policy,
    escalate: Sourced<'a, Vec<Step>>,
}

impl<'a> SharedSettings<'a> {
    fn read_shared(reading: &mut LayeredReader<'a>) -> Result<Self, AlreadyReported> {
        let timeout = reading.read_key(&keys::TIMEOUT);
        let verify = reading.read_key(&keys::VERIFY);
        let policy = Policy {
            max_failures: reading.read_key(&keys::MAX_FAILURES),
            min_successes: reading.read_key(&keys::MIN_SUCCESSES),
            grace: reading.read_key(&keys::GRACE),
            min_gap: reading.read_key(&keys::MIN_GAP),
            stale_after: reading.read_key(&keys::STALE_AFTER),
            budget: BudgetRule {
                restarts: reading.read_key(&keys::BUDGET_RESTARTS),
                window: reading.read_key(&keys::BUDGET_WINDOW),
            },
            backoff: BackoffRule {
                first: reading.read_key(&keys::BACKOFF_FIRST),
                max: reading.read_key(&keys::BACKOFF_MAX),
            },
            mode: reading.read_key(&keys::MODE),
            held_too_long: reading.read_key(&keys::HELD_TOO_LONG),
            flapping: read_flapping(reading),
            when_exited: reading.read_key(&keys::WHEN_EXITED),
            escalate: Vec::new(),
            means: Step::Restart,
        };
        let escalate = reading.read_required(&keys::ESCALATE, escalation::parse_steps)?;
        Ok(Self { timeout, verify, policy, escalate })
    }
}

/// `flapping = { failures = 5, of = 12, restart = false }`
fn read_flapping(reading: &mut LayeredReader<'_>) -> FlappingRule {
    let then = if reading.read_key(&keys::FLAPPING_RESTART) {
        FlappingAction::Restart
    } else {
        FlappingAction::ReportOnly
    };
    let (failures, of) = (reading.read_key(&keys::FLAPPING_FAILURES), reading.read_key(&keys::FLAPPING_OF));
    let said = reading.sound_value(&keys::FLAPPING_FAILURES).zip(reading.sound_value(&keys::FLAPPING_OF));
    if let Some((failures, of)) = said.filter(|(failures, of)| failures.value >= of.value) {
        let wrong = format!("must be less than flapping.of, which is {}, got {}", of.value, failures.value);
        reading.report(failures.setting.fault(wrong));
    }
    FlappingRule { failures, of, then }
}

struct NamedDuration<'a> {
    key: &'static str,
    span: Duration,
    setting: Cow<'a, Setting>,
}

/// What single values cannot show.
fn check_order(
    reading: &mut LayeredReader<'_>,
    host: Option<&HostReader<'_>>,
) -> Result<(), AlreadyReported> {
    let limit = |key: &'static Key<Duration>| {
        let setting = reading.strongest_setting(&key.row)?;
        Some(NamedDuration { key: key.row.name, span: values::parse_duration(&setting.value).ok()?, setting })
    };
    let clashes = [
        check_shorter(limit(&keys::MIN_GAP), limit(&keys::STALE_AFTER)),
        host::check_deadline_fits_two_probes(reading, host),
        check_not_longer(limit(&keys::BACKOFF_FIRST), limit(&keys::BACKOFF_MAX)),
    ];
    let refused: Vec<_> = clashes.into_iter().flatten().map(|fault| reading.report(fault)).collect();
    refused.into_iter().next().map_or(Ok(()), Err)
}

fn check_shorter(small: Option<NamedDuration<'_>>, big: Option<NamedDuration<'_>>) -> Option<ConfigFault> {
    let (small, big) = small.zip(big)?;
    (small.span >= big.span).then(|| order_fault(&small, &big, "must be shorter than", "must be longer than"))
}

fn check_not_longer(small: Option<NamedDuration<'_>>, big: Option<NamedDuration<'_>>) -> Option<ConfigFault> {
    let (small, big) = small.zip(big)?;
    (small.span > big.span)
        .then(|| order_fault(&small, &big, "must not be longer than", "must not be shorter than"))
}

/// Told where the operator said something: a default cannot be wrong.
fn order_fault(small: &NamedDuration<'_>, big: &NamedDuration<'_>, down: &str, up: &str) -> ConfigFault {
    let by_default = small.setting.origin == Origin::Default;
    let (told, words, other) = if by_default { (big, up, small) } else { (small, down, big) };
    let limit = format!("{}, which is {} ({})", other.key, format_duration(other.span), other.setting.origin);
    told.setting.fault(format!("{words} {limit}, got {}", told.setting.value))
}

//! The keys of a service and of the host, with every default: tables of settings become parts of the plan.

use std::path::PathBuf;
use std::time::Duration;

use unhang_core::{BackoffLimits, Budget, Flapping, Mode, Policy, Rung, Weight};

use super::asking::Asking;
use super::guards::Guards;
use super::question::Address;
use super::reading::{Reading, Refused, Said};
use super::settings::{Fault, Origin, Setting, Table, Value, Wrong};
use super::{escalate, guards, probes, question, restarts, units, words};
use crate::plan::{Asks, Bounds, HostPlan, Probe, Question, Restarter, Service, Wake};

/// What holds where nobody said anything else.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) defaults: Table,
    pub(super) host: Table,
}

/// In the order in which they are asked for. Every default there is, but for what is made from NAME: the name, the unit NAME.service, and the log.
pub(super) fn built_in() -> BuiltIn {
    let text = |text: &'static str| Value::Text(text.into());
    let defaults = [
        ("scope", text("system")),
        ("method", text("GET")),
        ("headers", Value::EmptyTable),
        ("status", text("200")),
        ("redirects", Value::Whole(0)),
        ("ca_file", text("")),
        ("insecure", Value::Truth(false)),
        ("timeout", text("5s")),
        ("max_failures", Value::Whole(2)),
        ("min_successes", Value::Whole(1)),
        ("grace", text("30s")),
        ("verify", text("30s")),
        ("min_gap", text("45s")),
        ("stale_after", text("10m")),
        ("budget.restarts", Value::Whole(5)),
        ("budget.window", text("1h")),
        ("backoff.first", text("2m")),
        ("backoff.max", text("1h")),
        ("mode", text("act")),
        ("escalate", Value::List(Vec::new())),
        ("held_too_long", text("30m")),
        ("flapping.failures", Value::Whole(5)),
        ("flapping.of", Value::Whole(12)),
        ("flapping.restart", Value::Truth(false)),
        ("pause_file", text("")),
        ("pause_file_max_age", text("1h")),
    ];
    let host = [
        ("deadline", text("110s")),
        ("boot_grace", text("2m")),
        ("pause_on_dpkg", Value::Truth(false)),
        ("budget.restarts", Value::Whole(3)),
        ("budget.window", text("1h")),
    ];
    BuiltIn { defaults: Table::built_in("defaults", defaults), host: Table::built_in("host", host) }
}

fn log_file_of(name: &str) -> PathBuf {
    PathBuf::from(format!("/var/log/{name}-monitor.log"))
}

/// What only one service can have, and why it makes no sense for all.
const OWN: [(&str, &str); 5] = [
    ("url", "every service has its own"),
    ("name", "every service has its own"),
    ("unit", "one unit belongs to one service"),
    ("log_file", "every service has its own log; write it in [service.NAME]"),
    ("requires", "a service cannot require itself; write it in [service.NAME]"),
];

#[derive(Debug)]
pub(super) struct Host<'a> {
    pub(super) deadline: Said<'a, Duration>,
    pub(super) boot_grace: Said<'a, Duration>,
    pub(super) pause_on_dpkg: Said<'a, bool>,
    restarts: Said<'a, usize>,
    window: Said<'a, Duration>,
    hold_when: Bounds,
}

impl Host<'_> {
    pub(super) fn plan(&self) -> HostPlan {
        HostPlan {
            deadline: self.deadline.value,
            boot_grace: self.boot_grace.value,
            pause_on_dpkg: self.pause_on_dpkg.value,
            budget: Budget { restarts: self.restarts.value, window: self.window.value },
            hold_when: self.hold_when.clone(),
        }
    }
}

/// `table`: the one layer whose unknown keys are faults.
pub(super) fn host<'a>(
    built_in: &'a Table,
    layers: Vec<&'a Table>,
    table: &Table,
) -> (Result<Host<'a>, Refused>, Vec<Fault>) {
    let mut reading = Reading::new(built_in, layers);
    let deadline = reading.need("deadline", deadline);
    let boot_grace = reading.need("boot_grace", words::span);
    let pause_on_dpkg = reading.need("pause_on_dpkg", words::truth);
    let restarts = reading.need("budget.restarts", restarts);
    let window = reading.need("budget.window", words::span_above_zero);
    let hold_when = guards::hold_when(&mut reading);
    let host = deadline.and_then(|deadline| {
        Ok(Host {
            deadline,
            boot_grace: boot_grace?,
            pause_on_dpkg: pause_on_dpkg?,
            restarts: restarts?,
            window: window?,
            hold_when: hold_when?,
        })
    });
    (host, reading.faults(table))
}

/// The faults of `[defaults]` by itself, also of what every service overrides; and every key there is.
pub(super) fn defaults(built_in: &Table, defaults: &Table) -> (Vec<&'static str>, Vec<Fault>) {
    let mut reading = Reading::new(built_in, vec![defaults]);
    let _ = Asking::read(&mut reading);
    let _ = Shared::read(&mut reading);
    let _ = Guards::read(&mut reading);
    let _ = reading.need("scope", restarts::scope);
    let means = restarts::OWN.map(|key| (key, "what is restarted belongs to one service"));
    for (key, why) in OWN.into_iter().chain(means) {
        let _ = reading.find(key, |_| Err::<(), _>(Wrong::cure("makes no sense for all services", why)));
    }
    (reading.asked().to_vec(), reading.faults(defaults))
}

/// `own`: the service's own table. `typed`: what is above it. `host`: absent when it was refused.
pub(super) fn service(
    name: &str,
    own: &Table,
    (built_in, defaults, typed): (&Table, &Table, &Table),
    host: Option<&Host<'_>>,
) -> (Result<Service, Refused>, Vec<Fault>) {
    let (rest, probes, mut faults) = probes::apart(own);
    let mut reading = Reading::new(built_in, vec![defaults, &rest, typed]);
    let key = units::check_key(name).map_err(|wrong| reading.refuse(own.itself(wrong)));
    let restarter = restarts::restarter(&mut reading, key.map(|()| name), own);
    let shown = reading.find("name", words::name);
    let log_file = reading.find("log_file", words::log_file);
    let asking = Asking::read(&mut reading);
    let shared = Shared::read(&mut reading);
    let guards = Guards::read(&mut reading);
    let url = if probes.is_empty() { url(&mut reading, own).map(Some) } else { url_if_any(&mut reading) };
    let clashes = in_order(&mut reading, host);
    let probes = probes::probes(&probes, (built_in, defaults), host, &mut faults);
    let service = key.and_then(|()| {
        let (asking, shared, guards, restarter) = (asking?, shared?, guards?, restarter?);
        clashes?;
        escalate::fits(&shared.escalate, &restarter).map_err(|fault| reading.refuse(fault))?;
        let own_url = url?.map(|url| asking.at(url, &mut reading)).transpose()?;
        let own_url = own_url.map(|question| own_probe(question, shared.timeout.value));
        let probes: Vec<Probe> = own_url.into_iter().chain(probes?).collect();
        if probes.iter().all(|probe| probe.weight == Weight::Warns) {
            return Err(reading.refuse(probes::none_counts(own)));
        }
        let wakes = if let Restarter::Wake(wake) = &restarter { Some(wake) } else { None };
        if let Some(fault) = wakes.and_then(|wake| wakes_in_time(wake, &reading, host)) {
            return Err(reading.refuse(fault));
        }
        let means = if wakes.is_some() { Rung::Wake } else { Rung::Restart };
        let mut policy = shared.policy(means);
        escalate::keep_what_fits(&mut policy.escalate, &restarter);
        Ok(Service {
            key: name.to_owned(),
            name: shown?.map_or_else(|| name.to_owned(), |said| said.value),
            restarter,
            log_file: log_file?.map_or_else(|| log_file_of(name), |said| said.value),
            verify: shared.verify.value,
            requires: guards.requires,
            pause_file: guards.pause_file,
            policy,
            probes,
        })
    });
    faults.extend(reading.faults(&rest));
    (service, faults)
}

/// What a probe needs, of a URL that is no service's.
pub(super) fn question_alone(built_in: &Table, typed: &Table) -> (Result<Probe, Refused>, Vec<Fault>) {
    let mut reading = Reading::new(built_in, vec![typed]);
    let nothing = Table::new(&[], Origin::Default);
    let url = url(&mut reading, &nothing);
    let _ = Guards::read(&mut reading);
    let (asking, shared) = (Asking::read(&mut reading), Shared::read(&mut reading));
    let probe = asking.and_then(|asking| {
        let question = asking.at(url?, &mut reading)?;
        Ok(own_probe(question, shared?.timeout.value))
    });
    (probe, reading.faults(&nothing))
}

/// The service's own url.
fn own_probe(question: Question, timeout: Duration) -> Probe {
    Probe { name: None, weight: Weight::Counts, timeout, asks: Asks::Url(Box::new(question)) }
}

fn url(reading: &mut Reading<'_>, own: &Table) -> Result<Address, Refused> {
    if let Some(address) = url_if_any(reading)? {
        return Ok(address);
    }
    let cure = "add url = \"http://localhost:8000/health/\"";
    Err(reading.refuse(own.fault("url", Wrong::cure("is missing", cure))))
}

fn url_if_any(reading: &mut Reading<'_>) -> Result<Option<Address>, Refused> {
    Ok(reading.find("url", question::url)?.map(|said| said.value))
}

/// What `[defaults]` and the flags may give to all services at once.
struct Shared<'a> {
    timeout: Said<'a, Duration>,
    max_failures: Said<'a, u32>,
    min_successes: Said<'a, u32>,
    grace: Said<'a, Duration>,
    verify: Said<'a, Duration>,
    min_gap: Said<'a, Duration>,
    stale_after: Said<'a, Duration>,
    restarts: Said<'a, usize>,
    window: Said<'a, Duration>,
    first: Said<'a, Duration>,
    max: Said<'a, Duration>,
    mode: Said<'a, Mode>,
    held_too_long: Said<'a, Duration>,
    flapping: Flapping,
    escalate: Said<'a, Vec<Rung>>,
}

impl<'a> Shared<'a> {
    /// All are read before the first that was refused ends it: every fault is told at once.
    fn read(reading: &mut Reading<'a>) -> Result<Self, Refused> {
        let timeout = reading.need("timeout", words::span_above_zero);
        let max_failures = reading.need("max_failures", words::count);
        let min_successes = reading.need("min_successes", words::count);
        let grace = reading.need("grace", words::span);
        let verify = reading.need("verify", words::span);
        let min_gap = reading.need("min_gap", words::span);
        let stale_after = reading.need("stale_after", words::span_above_zero);
        let restarts = reading.need("budget.restarts", restarts);
        let window = reading.need("budget.window", words::span_above_zero);
        let first = reading.need("backoff.first", words::span);
        let max = reading.need("backoff.max", words::span);
        let mode = reading.need("mode", words::mode);
        let held_too_long = reading.need("held_too_long", words::span_above_zero);
        let flapping = guards::flapping(reading);
        let escalate = reading.need("escalate", escalate::rungs);
        Ok(Self {
            timeout: timeout?,
            max_failures: max_failures?,
            min_successes: min_successes?,
            grace: grace?,
            verify: verify?,
            min_gap: min_gap?,
            stale_after: stale_after?,
            restarts: restarts?,
            window: window?,
            first: first?,
            max: max?,
            mode: mode?,
            held_too_long: held_too_long?,
            flapping: flapping?,
            escalate: escalate?,
        })
    }

    fn policy(&self, means: Rung) -> Policy {
        Policy {
            max_failures: self.max_failures.value,
            min_successes: self.min_successes.value,
            grace: self.grace.value,
            min_gap: self.min_gap.value,
            stale_after: self.stale_after.value,
            budget: Budget { restarts: self.restarts.value, window: self.window.value },
            backoff: BackoffLimits { first: self.first.value, max: self.max.value },
            mode: self.mode.value,
            held_too_long: self.held_too_long.value,
            flapping: self.flapping.clone(),
            escalate: self.escalate.value.clone(),
            means,
        }
    }
}

struct Limit<'a> {
    key: &'static str,
    span: Duration,
    setting: &'a Setting,
}

/// What single values cannot show.
fn in_order(reading: &mut Reading<'_>, host: Option<&Host<'_>>) -> Result<(), Refused> {
    let limit = |key| {
        let setting = reading.strongest(key)?;
        Some(Limit { key, span: words::span(&setting.value).ok()?, setting })
    };
    let clashes = [
        shorter(limit("min_gap"), limit("stale_after")),
        fits_twice(reading, host),
        not_longer(limit("backoff.first"), limit("backoff.max")),
    ];
    let refused: Vec<_> = clashes.into_iter().flatten().map(|fault| reading.refuse(fault)).collect();
    refused.into_iter().next().map_or(Ok(()), Err)
}

fn shorter(small: Option<Limit<'_>>, big: Option<Limit<'_>>) -> Option<Fault> {
    let (small, big) = small.zip(big)?;
    (small.span >= big.span).then(|| clash(&small, &big, "must be shorter than", "must be longer than"))
}

/// Two probes lead to a restart, which begins only with 30 s of the deadline left.
pub(super) fn fits_twice(reading: &Reading<'_>, host: Option<&Host<'_>>) -> Option<Fault> {
    let (timeout, deadline) = (reading.strongest("timeout")?, &host?.deadline);
    let span = words::span(&timeout.value).ok()?;
    let needed = span.saturating_mul(2).saturating_add(TO_RESTART);
    (needed >= deadline.value).then(|| {
        let by_default = timeout.origin == Origin::Default;
        let what = format!(
            "leaves no time to restart: two probes of {} and the 30s that a restart needs do not fit a deadline of {}",
            words::spell(span),
            words::spell(deadline.value)
        );
        let told = if by_default { deadline.setting } else { timeout };
        told.fault(Wrong::cure(what, "make host.deadline longer, or timeout shorter"))
    })
}

/// All pings fit one run.
fn wakes_in_time(wake: &Wake, reading: &Reading<'_>, host: Option<&Host<'_>>) -> Option<Fault> {
    let (said, deadline) = (reading.strongest("wake.pings")?, host?.deadline.value);
    let needed = wake.longest().saturating_add(TO_RESTART);
    (needed >= deadline).then(|| {
        let what = format!(
            "leaves no time to end: {} pings may take {}, and 31s are needed besides; the deadline is {}",
            wake.pings,
            words::spell(wake.longest()),
            words::spell(deadline)
        );
        said.fault(Wrong::cure(what, "make host.deadline longer, or the pings fewer"))
    })
}

/// Of the deadline: `core` begins no restart with less, and a look comes before.
const TO_RESTART: Duration = Duration::from_secs(31);

fn not_longer(small: Option<Limit<'_>>, big: Option<Limit<'_>>) -> Option<Fault> {
    let (small, big) = small.zip(big)?;
    (small.span > big.span)
        .then(|| clash(&small, &big, "must not be longer than", "must not be shorter than"))
}

/// Told where the operator said something: a default cannot be wrong.
fn clash(small: &Limit<'_>, big: &Limit<'_>, down: &str, up: &str) -> Fault {
    let by_default = small.setting.origin == Origin::Default;
    let (told, words, other) = if by_default { (big, up, small) } else { (small, down, big) };
    let limit = format!("{}, which is {} ({})", other.key, words::spell(other.span), other.setting.origin);
    told.setting.fault(format!("{words} {limit}, got {}", told.setting.value))
}

fn restarts(value: &Value) -> Result<usize, Wrong> {
    let number = words::number::<1, 100>(value)?;
    usize::try_from(number).map_err(|_| "does not fit this machine".into())
}

fn deadline(value: &Value) -> Result<Duration, Wrong> {
    let span = words::span(value)?;
    if span < SHORTEST_DEADLINE {
        let what = format!("must be {} or more, got {value}", words::spell(SHORTEST_DEADLINE));
        return Err(Wrong::cure(what, "a restart begins only with 30s of it left"));
    }
    Ok(span)
}

const SHORTEST_DEADLINE: Duration = Duration::from_secs(40);

//! `check`: probes now and touches nothing. No lock, no write, no restart.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::{Facts, Observation, State, blocking_hold, forecast_next_run};

use crate::cli::{CheckArgs, Sources};
use crate::config;
use crate::exit::PluginLevel;
use crate::log::Echo;
use crate::os::{clock, limits};
use crate::places::StatePlaces;
use crate::plan::{Invoker, Plan, Probe, Service};
use crate::probe::ProbeAnswer;
use crate::report;
use crate::report::{CheckedProbe, CheckedService, Detail, Forecast, Permission, RunCoverage};
use crate::store::Store;

use super::context::{Refusal, check_variables, detect_screen, load_plan_and_places};
use super::service_status::{age_in_seconds, load_state};
use crate::run::context::RunContext;
use crate::run::hands_off::{self, HoldContext, HoldFacts};
use crate::run::host_pressure;
use crate::run::probing::{self, ServiceAnswers, ServiceProbes};
use crate::run::progress;
use crate::run::unit_status::{self, UnitStatuses};

/// Probes what was asked for and answers a monitor. Whatever goes wrong is UNKNOWN, and said where a monitor reads.
pub(super) fn check_services(sources: &Sources<'_>, args: &CheckArgs) -> PluginLevel {
    let depth = if args.verbose || args.json { Detail::Full } else { Detail::Short };
    let checked = match args.single_url() {
        Some(url) => check_one_url(sources, args, depth, url),
        None => load_plan_and_places(sources)
            .map(|(plan, places)| print_checked(args, depth, &evaluate_services(&plan, &places, depth))),
    };
    checked.unwrap_or_else(|refusal| refuse_check(&refusal))
}

fn check_one_url(
    sources: &Sources<'_>,
    args: &CheckArgs,
    depth: Detail,
    url: &str,
) -> Result<PluginLevel, Refusal> {
    check_variables()?;
    let (shown, probe) = config::request_for_url(sources, url)?;
    Ok(print_checked(args, depth, &[check_url(&shown, &probe)]))
}

/// UNKNOWN, with what is wrong on stdout, where a monitor reads it.
pub(super) fn refuse_check(refusal: &Refusal) -> PluginLevel {
    report::check_fault_lines(&refusal.0).iter().for_each(report::print_line);
    PluginLevel::Unknown
}

fn print_checked(args: &CheckArgs, depth: Detail, checked: &[CheckedService<'_>]) -> PluginLevel {
    if args.json {
        report::print_json(&report::check_json(checked));
    } else {
        let mut lines = report::check_lines(checked, depth).into_iter();
        // A monitor reads it as one line.
        lines.next().iter().for_each(report::print_line);
        let screen = detect_screen();
        lines.flat_map(|line| screen.wrap(&line)).for_each(report::print_line);
    }
    report::worst_level(checked)
}

/// Every service of the plan.
fn evaluate_services<'a>(plan: &'a Plan, places: &StatePlaces, depth: Detail) -> Vec<CheckedService<'a>> {
    let tick = RunContext::new(plan, Echo::Silent);
    let store = Store::open_read_only(places);
    let widest = limits::make_room_for(plan.services.iter().map(|service| service.probes.len()).sum());
    let memories: Vec<Cursors> =
        plan.services.iter().map(|service| last_cursors(service, &store, &tick)).collect();
    let inquiries: Vec<ServiceProbes<'_>> = plan
        .services
        .iter()
        .zip(&memories)
        .map(|(service, memory)| ServiceProbes::for_service(service, Some(memory)))
        .collect();
    let waiting = progress::show_probing(plan);
    let replies = probing::probe_services(&inquiries, &tick.now, widest, tick.probing_deadline());
    drop(waiting);
    let prospects = match depth {
        Detail::Short => Vec::new(),
        Detail::Full => forecasts(&tick, &store, &replies, widest),
    };
    let mut prospects = prospects.into_iter();
    let of_one = |(service, reply): (&'a Service, ServiceAnswers)| {
        let watched = coverage(service, &store, &tick);
        CheckedService {
            watched,
            prospect: prospects.next(),
            ..checked_service(&service.key, &service.probes, reply)
        }
    };
    plan.services.iter().zip(replies).map(of_one).collect()
}

type Cursors = BTreeMap<String, String>;

/// Of the last run: what it has seen of a log is no news.
fn last_cursors(service: &Service, store: &Store, tick: &RunContext<'_>) -> Cursors {
    store.load(&service.key, &tick.now).map(|loaded| loaded.record.memory).unwrap_or_default()
}

/// A URL that is no service's.
fn check_url<'a>(shown: &'a str, probe: &'a Probe) -> CheckedService<'a> {
    let probes = std::slice::from_ref(probe);
    let inquiry = ServiceProbes { probes, unit: None, own_log: None, memory: None };
    let waiting = progress::show_probing_of(1, probe.timeout);
    let reply = probing::probe_service(inquiry, &clock::now());
    drop(waiting);
    checked_service(shown, probes, reply)
}

/// Does who asks have the same rights as the runs?
fn same_rights_as_runs(owner: Invoker) -> bool {
    owner == Invoker::User || rustix::process::geteuid().is_root()
}

/// polkit tells nobody but root what it allows: a user learns it from the first restart.
fn restart_permission(owner: Invoker, service: &Service) -> Permission {
    let user = rustix::process::geteuid();
    let asks_polkit = owner == Invoker::User && service.unit_name().is_some() && !user.is_root();
    if asks_polkit { Permission::AskPolkit(user.as_raw()) } else { Permission::Granted }
}

fn checked_service<'a>(label: &'a str, probes: &'a [Probe], reply: ServiceAnswers) -> CheckedService<'a> {
    let warnings = reply.stored_warnings(probes);
    let of_one = |(probe, answer)| CheckedProbe { probe, answer };
    let probes = probes.iter().zip(reply.answers.into_iter().map(checked_answer)).map(of_one).collect();
    CheckedService {
        label,
        probes,
        seen: reply.seen.observation,
        warnings,
        watched: RunCoverage::NoRunSeen,
        prospect: None,
    }
}

/// In the words of who tells it.
fn checked_answer(answer: ProbeAnswer) -> report::CheckedAnswer {
    let ProbeAnswer { observation, near, said, status, times, memory: _ } = answer;
    report::CheckedAnswer { observation, near, said, status, times }
}

/// The lock's time is that of the last tick, and goes with the boot, which the state does not.
fn coverage(service: &Service, store: &Store, tick: &RunContext<'_>) -> RunCoverage {
    // Two runs of cron, and the deadline of one that hangs.
    const TIME_TO_COME: Duration = Duration::from_secs(360);
    let (state, unreadable) = load_state(service, store, &tick.now);
    let last_tick = store.last_run_age(&service.key).map(|at| age_in_seconds(at, &tick.now));
    match (last_tick, state, unreadable) {
        // Root's runs may read what whoever asks may not.
        (Some(_), None, Some(why)) if same_rights_as_runs(tick.plan.owner) => {
            RunCoverage::StateUnreadable(why)
        }
        (Some(last_tick), _, _) => RunCoverage::LastRun { last_tick },
        (None, Some(state), _) if state != State::default() && tick.now.since_boot > TIME_TO_COME => {
            RunCoverage::NotSinceBoot
        }
        (None, _, _) => RunCoverage::NoRunSeen,
    }
}

/// What comes next for each service: the judgement of a tick, which nobody acts upon.
fn forecasts<'a>(
    tick: &RunContext<'a>,
    store: &Store,
    replies: &[ServiceAnswers],
    widest: usize,
) -> Vec<Forecast<'a>> {
    let services: Vec<&Service> = tick.plan.services.iter().collect();
    let statuses = UnitStatuses::query_all(&services, clock::monotonic_time(), tick.time_left());
    let host = tick
        .host_facts(statuses.host_is_stopping(), host_pressure::measure_host_pressure(tick.plan, &[]).holds);
    let pairs: Vec<_> =
        services.iter().copied().zip(replies.iter().map(|reply| &reply.seen.observation)).collect();
    let hands_off = hands_off::collect_hold_facts(HoldContext::new(tick, store, widest, 0), &pairs);
    // What is healthy may be paused all the same.
    let pauses = hands_off::current_pauses(tick.plan, store, &tick.now);
    let of_pause = |service| HoldFacts { pause: pauses(service), ..HoldFacts::default() };
    let of_one = |(service, reply): (&'a Service, &ServiceAnswers)| {
        let (state, unreadable) = load_state(service, store, &tick.now);
        let goes_on = state.is_some();
        let State { counts, account } = state.unwrap_or_default();
        let before = counts.for_fingerprint(service.fingerprint());
        let unit = unit_status::unit_facts(service, &before, statuses.get(service).as_ref());
        let (now, policy, seen) = (&tick.now, &service.policy, &reply.seen.observation);
        let HoldFacts { pause, upstream, doubt } =
            hands_off.get(&service.key).cloned().unwrap_or_else(|| of_pause(service));
        let doubt = doubt.map(Observation::Unknown);
        let (seen, upstream) = (doubt.as_ref().unwrap_or(seen), upstream.as_ref());
        let case = Facts {
            now,
            host: &host,
            policy,
            before: &before,
            seen,
            unit: &unit,
            pause: &pause,
            upstream,
            common_cause: None,
        };
        let (hold, next_tick) = (blocking_hold(&case), goes_on.then(|| forecast_next_run(&case, &account)));
        let leave = restart_permission(tick.plan.owner, service);
        Forecast { service, now: tick.now.clone(), unit, hold, leave, next_tick, unreadable }
    };
    tick.plan.services.iter().zip(replies).map(of_one).collect()
}

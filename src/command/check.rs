//! `check`: probes now and touches nothing. No lock, no write, no restart.

use std::collections::BTreeMap;
use std::time::Duration;

use unhang_core::{Case, Observation, State, foresee, in_the_way};

use crate::cli::{Check, Sources};
use crate::config;
use crate::exit::Level;
use crate::log::Echo;
use crate::os::{clock, limits};
use crate::places::Places;
use crate::plan::{Owner, Plan, Probe, Service};
use crate::probe::Answer;
use crate::report;
use crate::report::{Checked, CheckedProbe, Depth, Leave, Prospect, Watched};
use crate::store::Store;

use super::context::{Refusal, check_variables, detect_screen, load_plan_and_places};
use super::service_status::{ago, remembered};
use crate::run::context::Tick;
use crate::run::hands_off::{self, Ground, HandsOff};
use crate::run::host_pressure;
use crate::run::probing::{self, Inquiry, Reply};
use crate::run::progress;
use crate::run::unit_status::{self, UnitStatuses};

/// Probes what was asked for and answers a monitor. Whatever goes wrong is UNKNOWN, and said where a monitor reads.
pub(super) fn check_services(sources: &Sources<'_>, args: &Check) -> Level {
    let depth = if args.verbose || args.json { Depth::Everything } else { Depth::Probe };
    let checked = match args.url() {
        Some(url) => check_one_url(sources, args, depth, url),
        None => load_plan_and_places(sources)
            .map(|(plan, places)| print_checked(args, depth, &check(&plan, &places, depth))),
    };
    checked.unwrap_or_else(|refusal| refuse(&refusal))
}

fn check_one_url(sources: &Sources<'_>, args: &Check, depth: Depth, url: &str) -> Result<Level, Refusal> {
    check_variables()?;
    let (shown, probe) = config::question(sources, url)?;
    Ok(print_checked(args, depth, &[check_url(&shown, &probe)]))
}

/// UNKNOWN, with what is wrong on stdout, where a monitor reads it.
pub(super) fn refuse(refusal: &Refusal) -> Level {
    report::check_refused(&refusal.0).iter().for_each(report::line);
    Level::Unknown
}

fn print_checked(args: &Check, depth: Depth, checked: &[Checked<'_>]) -> Level {
    if args.json {
        report::object(&report::check_json(checked));
    } else {
        let mut lines = report::check(checked, depth).into_iter();
        // A monitor reads it as one line.
        lines.next().iter().for_each(report::line);
        let screen = detect_screen();
        lines.flat_map(|line| screen.fold(&line)).for_each(report::line);
    }
    report::level(checked)
}

/// Every service of the plan.
fn check<'a>(plan: &'a Plan, places: &Places, depth: Depth) -> Vec<Checked<'a>> {
    let tick = Tick::begin(plan, Echo::Silent);
    let store = Store::open_to_read(places);
    let widest = limits::make_room_for(plan.services.iter().map(|service| service.probes.len()).sum());
    let memories: Vec<Memory> = plan.services.iter().map(|service| memory(service, &store, &tick)).collect();
    let inquiries: Vec<Inquiry<'_>> = plan
        .services
        .iter()
        .zip(&memories)
        .map(|(service, memory)| Inquiry::of(service, Some(memory)))
        .collect();
    let waiting = progress::show_probing(plan);
    let replies = probing::all(&inquiries, &tick.now, widest, tick.until());
    drop(waiting);
    let prospects = match depth {
        Depth::Probe => Vec::new(),
        Depth::Everything => prospects(&tick, &store, &replies, widest),
    };
    let mut prospects = prospects.into_iter();
    let of_one = |(service, reply): (&'a Service, Reply)| {
        let watched = watched(service, &store, &tick);
        Checked { watched, prospect: prospects.next(), ..checked(&service.key, &service.probes, reply) }
    };
    plan.services.iter().zip(replies).map(of_one).collect()
}

type Memory = BTreeMap<String, String>;

/// Of the last run: what it has seen of a log is no news.
fn memory(service: &Service, store: &Store, tick: &Tick<'_>) -> Memory {
    store.load(&service.key, &tick.now).map(|loaded| loaded.record.memory).unwrap_or_default()
}

/// A URL that is no service's.
fn check_url<'a>(shown: &'a str, probe: &'a Probe) -> Checked<'a> {
    let probes = std::slice::from_ref(probe);
    let inquiry = Inquiry { probes, unit: None, own_log: None, memory: None };
    let waiting = progress::show_probing_of(1, probe.timeout);
    let reply = probing::one(inquiry, &clock::now());
    drop(waiting);
    checked(shown, probes, reply)
}

/// Does who asks have the same rights as the runs?
fn is_ours(owner: Owner) -> bool {
    owner == Owner::Caller || rustix::process::geteuid().is_root()
}

/// polkit tells nobody but root what it allows: a user learns it from the first restart.
fn leave(owner: Owner, service: &Service) -> Leave {
    let user = rustix::process::geteuid();
    let asks_polkit = owner == Owner::Caller && service.unit().is_some() && !user.is_root();
    if asks_polkit { Leave::OfPolkit(user.as_raw()) } else { Leave::OfItself }
}

fn checked<'a>(label: &'a str, probes: &'a [Probe], reply: Reply) -> Checked<'a> {
    let warnings = reply.warnings(probes);
    let of_one = |(probe, answer)| CheckedProbe { probe, answer };
    let probes = probes.iter().zip(reply.answers.into_iter().map(answered)).map(of_one).collect();
    Checked { label, probes, seen: reply.seen.observation, warnings, watched: Watched::Never, prospect: None }
}

/// In the words of who tells it.
fn answered(answer: Answer) -> report::Answered {
    let Answer { observation, near, said, status, times, memory: _ } = answer;
    report::Answered { observation, near, said, status, times }
}

/// The lock's time is that of the last tick, and goes with the boot, which the state does not.
fn watched(service: &Service, store: &Store, tick: &Tick<'_>) -> Watched {
    // Two runs of cron, and the deadline of one that hangs.
    const TIME_TO_COME: Duration = Duration::from_secs(360);
    let (state, unreadable) = remembered(service, store, &tick.now);
    let last_tick = store.last_tick(&service.key).map(|at| ago(at, &tick.now));
    match (last_tick, state, unreadable) {
        // Root's runs may read what whoever asks may not.
        (Some(_), None, Some(why)) if is_ours(tick.plan.owner) => Watched::NotWith(why),
        (Some(last_tick), _, _) => Watched::By { last_tick },
        (None, Some(state), _) if state != State::default() && tick.now.since_boot > TIME_TO_COME => {
            Watched::NotSinceBoot
        }
        (None, _, _) => Watched::Never,
    }
}

/// What comes next for each service: the judgement of a tick, which nobody acts upon.
fn prospects<'a>(tick: &Tick<'a>, store: &Store, replies: &[Reply], widest: usize) -> Vec<Prospect<'a>> {
    let services: Vec<&Service> = tick.plan.services.iter().collect();
    let statuses = UnitStatuses::query_all(&services, clock::monotonic(), tick.time_left());
    let host = tick.host(statuses.host_is_stopping(), host_pressure::of_host(tick.plan, &[]).holds);
    let pairs: Vec<_> =
        services.iter().copied().zip(replies.iter().map(|reply| &reply.seen.observation)).collect();
    let hands_off = hands_off::look_for(Ground::of(tick, store, widest, 0), &pairs);
    // What is healthy may be paused all the same.
    let pauses = hands_off::pauses(tick.plan, store, &tick.now);
    let of_pause = |service| HandsOff { pause: pauses(service), ..HandsOff::default() };
    let of_one = |(service, reply): (&'a Service, &Reply)| {
        let (state, unreadable) = remembered(service, store, &tick.now);
        let goes_on = state.is_some();
        let State { counts, account } = state.unwrap_or_default();
        let before = counts.for_fingerprint(service.fingerprint());
        let unit = unit_status::unit_facts(service, &before, statuses.get(service).as_ref());
        let (now, policy, seen) = (&tick.now, &service.policy, &reply.seen.observation);
        let HandsOff { pause, upstream, doubt } =
            hands_off.get(&service.key).cloned().unwrap_or_else(|| of_pause(service));
        let doubt = doubt.map(Observation::Unknown);
        let (seen, upstream) = (doubt.as_ref().unwrap_or(seen), upstream.as_ref());
        let case = Case {
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
        let (hold, next_tick) = (in_the_way(&case), goes_on.then(|| foresee(&case, &account)));
        let leave = leave(tick.plan.owner, service);
        Prospect { service, now: tick.now.clone(), unit, hold, leave, next_tick, unreadable }
    };
    tick.plan.services.iter().zip(replies).map(of_one).collect()
}

//! A restart, from the second look to the settled end. Every wait in it ends before the deadline; what came
//! of it is settled by `core`, or left open for the next tick.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use unhang_core::{
    Ended, Event, Reason, Rung, State, TIME_TO_RESTART, Weight, events_of_decision, events_of_no_help,
    give_way, intend, next_rung, put_off as leave_to_next_run, settle,
};

use crate::exit::Exit;
use crate::managers::{RestartResponse, UnitStatus, systemd};
use crate::os::clock;
use crate::plan::{Asks, Probe, Question, Scope};
use crate::probe;
use crate::report::Progress;
use crate::restart::hook::{self, HookRequest};
use crate::restart::{self, Course, command};
use crate::words;

use super::context::{Tick, by_hand, exit_of};
use super::evaluated::Judged;
use super::hands_off::Ground;
use super::kill::restart_and_kill;
use super::locked_service::Kept;
use super::second_look::{Due, look_once_more};
use super::verify::{Proof, TO_FINISH};
use super::wake::woken;

/// Beyond what systemd itself waits for stop and start.
const MARGIN: Duration = Duration::from_secs(5);

/// `held`: by the restarts of those that failed together.
pub(super) fn restart(tick: &Tick<'_>, ground: Ground<'_>, held: Option<Duration>, judged: &mut Judged<'_>) {
    let service = judged.watch.service;
    // Before the second look: a run of a service by another name may restart the same unit.
    let Ok(_unit) = judged.watch.lock_unit(judged.status.as_ref()) else {
        judged.exit = Exit::Locked;
        return;
    };
    let Some(due) = look_once_more(tick, ground, held, judged) else { return };
    let counted = judged.decision.next.clone();
    let Some(rung) = next_rung(&service.policy, &counted.counts, &due.unit).map(|next| next.rung) else {
        return;
    };
    let counts = intend(&counted.counts, &due.cause, &service.policy, &due.unit, &tick.now, &clock::now());
    let intended = State { counts, ..counted.clone() };
    if judged.watch.keep(intended.clone()) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
        return;
    }
    if tick.time_left() < TIME_TO_RESTART {
        put_off(tick, judged);
        return;
    }
    // Between a look and its restart lies nothing but the intent.
    let due = if due.is_stale() { look_once_more(tick, ground, held, judged) } else { Some(due) };
    let Some(Due { status, unit, cause, .. }) = due else { return };
    let waiting = by_hand(tick).then(|| Progress::begin(words::doing(rung, service)));
    let began = Instant::now();
    let (asked, intended) = carry_out(tick, judged, rung, intended, status.as_ref());
    let proof = Proof {
        tick,
        service,
        act: rung.act(),
        began,
        before: &counted.counts,
        intended: &intended.counts,
        cause,
        status: status.as_ref(),
        memory: RefCell::new(judged.watch.record.memory.clone()),
    };
    let (end, last) = proof.of(asked);
    let memory = proof.memory.into_inner();
    judged.watch.record.memory = memory;
    drop(waiting);
    let ended = end.ended();
    let settled = settle(&counted, &intended.counts, ended, &last, &clock::now());
    let settled = give_way(settled, &intended.counts, ended, &service.policy, &unit);
    let after = settled.clone();
    if judged.watch.keep(settled) == Kept::Nowhere {
        judged.exit = Exit::StateUnusable;
    } else if ended == Ended::Healed {
        judged.exit = Exit::Well;
    }
    // Nothing that a run does ends that: it is told once.
    let gave_way = after.counts.rungs != counted.counts.rungs;
    if ended != Ended::Forbidden || judged.before.account.reason != Reason::NotPermitted || gave_way {
        judged.watch.report(tick, [Event::RestartEnded { act: rung.act(), end }]);
    }
    judged.watch.report(tick, events_of_no_help(&service.policy, &counted, &after));
}

/// A run that was stopped, or whose disk took long, has seen what may no longer be so; and one that is to end
/// begins nothing.
pub(super) fn put_off(tick: &Tick<'_>, judged: &mut Judged<'_>) {
    let before = judged.decision.next.clone();
    judged.decision = leave_to_next_run(&before);
    judged.exit = match judged.watch.keep(judged.decision.next.clone()) {
        Kept::Safely => exit_of(&judged.decision.verdict),
        Kept::Nowhere => Exit::StateUnusable,
    };
    let policy = &judged.watch.service.policy;
    let events = events_of_decision(policy, &before, &judged.decision, &judged.seen, &tick.now);
    judged.watch.report(tick, events);
}

/// Tells what is being done, but where that turns out to be forbidden.
fn carry_out(
    tick: &Tick<'_>,
    judged: &mut Judged<'_>,
    rung: &Rung,
    intended: State,
    status: Option<&UnitStatus>,
) -> (RestartResponse, State) {
    let service = judged.watch.service;
    let (given, time) = (&service.restarter.given, time_to_act(tick));
    let course = restart::method(&service.restarter).map(|method| method.course);
    let begin = |judged: &mut Judged<'_>| judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    let asked = match (rung, course) {
        (Rung::Command(words), _) => return run_command(tick, judged, rung, words, intended),
        (_, Some(Course::Process(words))) => {
            return run_command(tick, judged, rung, words(given), intended);
        }
        (_, Some(Course::Systemd)) => match service.scoped_unit() {
            Some(unit) => ask_systemd(tick, judged, rung, unit, status),
            None => nothing(),
        },
        (_, Some(Course::Ask(ask))) => {
            begin(judged);
            ask(given, time)
        }
        (_, Some(Course::Post(request))) => {
            begin(judged);
            post(request(given), time)
        }
        (_, Some(Course::Pings(pings))) => {
            begin(judged);
            woken(tick, service, pings(given), &judged.watch.record.memory, time)
        }
        // `core` holds what nothing restarts.
        (_, None) => nothing(),
    };
    (asked, intended)
}

/// A process that may outlive this run goes into the intent as soon as it is known.
fn run_command(
    tick: &Tick<'_>,
    judged: &mut Judged<'_>,
    rung: &Rung,
    command: &[String],
    intended: State,
) -> (RestartResponse, State) {
    judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    match command::start(command) {
        Err(asked) => (asked, intended),
        Ok(mut started) => {
            let mut intended = intended;
            if let Some(intent) = &mut intended.counts.intent {
                intent.process = started.process();
            }
            judged.watch.keep(intended.clone());
            (started.wait(time_to_act(tick)), intended)
        }
    }
}

const fn nothing() -> RestartResponse {
    RestartResponse::NotStarted(String::new())
}

/// The answer to it is no outcome: what it sets going may take minutes.
fn post(request: Result<HookRequest, String>, time: Duration) -> RestartResponse {
    let HookRequest { target, headers } = match request {
        Ok(request) => request,
        Err(why) => return RestartResponse::NotStarted(why),
    };
    let timeout = hook::LIMIT.min(time);
    let probe = Probe {
        name: None,
        weight: Weight::Counts,
        timeout,
        asks: Asks::Url(Box::new(Question::for_hook(target, headers))),
    };
    let answer = probe::ask(&probe::Asked { probe: &probe, ground: probe::Ground::default() });
    hook::asked(&answer.observation, timeout)
}

fn ask_systemd(
    tick: &Tick<'_>,
    judged: &mut Judged<'_>,
    rung: &Rung,
    unit: (&str, Scope),
    status: Option<&UnitStatus>,
) -> RestartResponse {
    let time = time_to_act(tick);
    let own = status.and_then(|status| status.restart_limit).map(|limit| limit.saturating_add(MARGIN));
    let limit = own.map_or(time, |own| own.min(time));
    let began = Instant::now();
    let left = || limit.saturating_sub(began.elapsed());
    // A reload starts nothing, and so meets no start limit.
    let cleared = if *rung == Rung::Reload { Ok(()) } else { systemd::reset_failed(unit, limit) };
    // What was refused in the last run will be again: it is told as begun only if it was not.
    let was_refused = judged.before.account.reason == Reason::NotPermitted;
    let is_refused = |response: &RestartResponse| matches!(response, RestartResponse::NotPermitted(_));
    let is_cleared = cleared.as_ref().map_or_else(|response| !is_refused(response), |()| true);
    if is_cleared && !was_refused {
        judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    }
    let response = match (cleared, rung) {
        (Err(response), _) => response,
        (Ok(()), Rung::Reload) => systemd::reload_unit(unit, left()),
        (Ok(()), Rung::Kill) => restart_and_kill(tick, judged, unit, &left),
        (Ok(()), Rung::Restart | Rung::Command(_) | Rung::Wake) => systemd::restart_unit(unit, left()),
    };
    if is_cleared && was_refused && !is_refused(&response) {
        judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    }
    response
}

fn time_to_act(tick: &Tick<'_>) -> Duration {
    tick.time_left().saturating_sub(TO_FINISH)
}

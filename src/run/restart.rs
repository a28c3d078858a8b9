//! A restart, from the second look to the settled end. Every wait in it ends before the deadline; what came
//! of it is settled by `core`, or left open for the next tick.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use unhang_core::{
    Event, MIN_TIME_FOR_RESTART, ProbeRole, Reason, RestartResult, State, Step, events_of_decision,
    events_of_no_help, next_step, put_off as leave_to_next_run, record_end, record_intent,
    skip_impossible_step,
};

use crate::exit::Exit;
use crate::managers::{RestartResponse, UnitStatus, systemd};
use crate::os::clock;
use crate::plan::{HttpRequest, Probe, ProbeTarget, SystemdScope};
use crate::probe;
use crate::report::ProgressLine;
use crate::restart::hook::{self, HookRequest};
use crate::restart::{self, RestartCourse, command};
use crate::words;

use super::context::{RunContext, exit_for_verdict, shows_progress};
use super::evaluated::Evaluated;
use super::hands_off::HoldContext;
use super::kill::restart_and_kill;
use super::locked_service::SaveResult;
use super::second_look::{ConfirmedRestart, take_second_look};
use super::verify::{TIME_TO_FINISH, Verification};
use super::wake::wake_service;

/// Beyond what systemd itself waits for stop and start.
const SYSTEMCTL_MARGIN: Duration = Duration::from_secs(5);

/// `held`: by the restarts of those that failed together.
pub(super) fn restart_service(
    tick: &RunContext<'_>,
    ground: HoldContext<'_>,
    held: Option<Duration>,
    judged: &mut Evaluated<'_>,
) {
    let service = judged.watch.service;
    // Before the second look: a run of a service by another name may restart the same unit.
    let _unit = match judged.watch.lock_unit(judged.status.as_ref()) {
        Ok(lock) => lock,
        Err(exit) => {
            judged.exit = exit;
            return;
        }
    };
    let Some(due) = take_second_look(tick, ground, held, judged) else { return };
    let counted = judged.decision.next.clone();
    let Some(rung) = next_step(&service.policy, &counted.counts, &due.unit).map(|next| next.rung) else {
        return;
    };
    let counts =
        record_intent(&counted.counts, &due.cause, &service.policy, &due.unit, &tick.now, &clock::now());
    let intended = State { counts, ..counted.clone() };
    if judged.watch.save(intended.clone()) == SaveResult::NotSaved {
        judged.exit = Exit::StateUnusable;
        return;
    }
    if tick.time_left() < MIN_TIME_FOR_RESTART {
        defer_restart(tick, judged);
        return;
    }
    // Between a look and its restart lies nothing but the intent.
    let due = if due.is_stale() { take_second_look(tick, ground, held, judged) } else { Some(due) };
    let Some(ConfirmedRestart { status, unit, cause, .. }) = due else { return };
    let waiting = shows_progress(tick).then(|| ProgressLine::start(words::step_in_progress(rung, service)));
    let began = Instant::now();
    let (asked, intended) = perform_step(tick, judged, rung, intended, status.as_ref());
    let proof = Verification {
        tick,
        service,
        act: rung.kind(),
        began,
        before: &counted.counts,
        intended: &intended.counts,
        cause,
        status: status.as_ref(),
        memory: RefCell::new(judged.watch.record.memory.clone()),
    };
    let (end, last) = proof.verify_restart(asked);
    let memory = proof.memory.into_inner();
    judged.watch.record.memory = memory;
    drop(waiting);
    let ended = end.restart_result();
    let settled = record_end(&counted, &intended.counts, ended, &last, &clock::now());
    let settled = skip_impossible_step(settled, &intended.counts, ended, &service.policy, &unit);
    let after = settled.clone();
    if judged.watch.save(settled) == SaveResult::NotSaved {
        judged.exit = Exit::StateUnusable;
    } else if ended == RestartResult::Healed {
        judged.exit = Exit::Healthy;
    }
    // Nothing that a run does ends that: it is told once.
    let gave_way = after.counts.rungs != counted.counts.rungs;
    if ended != RestartResult::NotPermitted
        || judged.before.account.reason != Reason::NotPermitted
        || gave_way
    {
        judged.watch.report(tick, [Event::RestartEnded { act: rung.kind(), end }]);
    }
    judged.watch.report(tick, events_of_no_help(&service.policy, &counted, &after));
}

/// A run that was stopped, or whose disk took long, has seen what may no longer be so; and one that is to end
/// begins nothing.
pub(super) fn defer_restart(tick: &RunContext<'_>, judged: &mut Evaluated<'_>) {
    let before = judged.decision.next.clone();
    judged.decision = leave_to_next_run(&before);
    judged.exit = match judged.watch.save(judged.decision.next.clone()) {
        SaveResult::Saved => exit_for_verdict(&judged.decision.verdict),
        SaveResult::NotSaved => Exit::StateUnusable,
    };
    let policy = &judged.watch.service.policy;
    let events = events_of_decision(policy, &before, &judged.decision, &judged.seen, &tick.now);
    judged.watch.report(tick, events);
}

/// Tells what is being done, but where that turns out to be forbidden.
fn perform_step(
    tick: &RunContext<'_>,
    judged: &mut Evaluated<'_>,
    rung: &Step,
    intended: State,
    status: Option<&UnitStatus>,
) -> (RestartResponse, State) {
    let service = judged.watch.service;
    let (given, time) = (&service.restarter.given, time_to_act(tick));
    let course = restart::method_of(&service.restarter).map(|method| method.course);
    let begin = |judged: &mut Evaluated<'_>| judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    let asked = match (rung, course) {
        (Step::Command(words), _) => return run_command(tick, judged, rung, words, intended),
        (_, Some(RestartCourse::Process(words))) => {
            return run_command(tick, judged, rung, words(given), intended);
        }
        (_, Some(RestartCourse::Systemd)) => match service.scoped_unit() {
            Some(unit) => run_systemd_step(tick, judged, rung, unit, status),
            None => no_response(),
        },
        (_, Some(RestartCourse::Ask(ask))) => {
            begin(judged);
            ask(given, time)
        }
        (_, Some(RestartCourse::Post(request))) => {
            begin(judged);
            post_hook(request(given), time)
        }
        (_, Some(RestartCourse::Pings(pings))) => {
            begin(judged);
            wake_service(tick, service, pings(given), &judged.watch.record.memory, time)
        }
        // `core` holds what nothing restarts.
        (_, None) => no_response(),
    };
    (asked, intended)
}

/// A process that may outlive this run goes into the intent as soon as it is known.
fn run_command(
    tick: &RunContext<'_>,
    judged: &mut Evaluated<'_>,
    rung: &Step,
    command: &[String],
    intended: State,
) -> (RestartResponse, State) {
    judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    match command::start_command(command) {
        Err(asked) => (asked, intended),
        Ok(mut started) => {
            let mut intended = intended;
            if let Some(intent) = &mut intended.counts.intent {
                intent.process = started.process_id();
            }
            judged.watch.save(intended.clone());
            (started.wait_at_most(time_to_act(tick)), intended)
        }
    }
}

const fn no_response() -> RestartResponse {
    RestartResponse::NotStarted(String::new())
}

/// The answer to it is no outcome: what it sets going may take minutes.
fn post_hook(request: Result<HookRequest, String>, time: Duration) -> RestartResponse {
    let HookRequest { target, headers } = match request {
        Ok(request) => request,
        Err(why) => return RestartResponse::NotStarted(why),
    };
    let timeout = hook::HOOK_TIME_LIMIT.min(time);
    let probe = Probe {
        name: None,
        weight: ProbeRole::Required,
        timeout,
        asks: ProbeTarget::Http(Box::new(HttpRequest::for_hook(target, headers))),
    };
    let answer =
        probe::run_probe(&probe::ProbeRequest { probe: &probe, ground: probe::ProbeContext::default() });
    hook::parse_response(&answer.observation, timeout)
}

fn run_systemd_step(
    tick: &RunContext<'_>,
    judged: &mut Evaluated<'_>,
    rung: &Step,
    unit: (&str, SystemdScope),
    status: Option<&UnitStatus>,
) -> RestartResponse {
    let time = time_to_act(tick);
    let own =
        status.and_then(|status| status.restart_limit).map(|limit| limit.saturating_add(SYSTEMCTL_MARGIN));
    let limit = own.map_or(time, |own| own.min(time));
    let began = Instant::now();
    let left = || limit.saturating_sub(began.elapsed());
    // A reload starts nothing, and so meets no start limit.
    let cleared = if *rung == Step::Reload { Ok(()) } else { systemd::reset_failed(unit, limit) };
    // What was refused in the last run will be again: it is told as begun only if it was not.
    let was_refused = judged.before.account.reason == Reason::NotPermitted;
    let is_refused = |response: &RestartResponse| matches!(response, RestartResponse::NotPermitted(_));
    let is_cleared = cleared.as_ref().map_or_else(|response| !is_refused(response), |()| true);
    if is_cleared && !was_refused {
        judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    }
    let response = match (cleared, rung) {
        (Err(response), _) => response,
        (Ok(()), Step::Reload) => systemd::reload_unit(unit, left()),
        (Ok(()), Step::Kill) => restart_and_kill(tick, judged, unit, &left),
        (Ok(()), Step::Restart | Step::Command(_) | Step::Wake) => systemd::restart_unit(unit, left()),
    };
    if is_cleared && was_refused && !is_refused(&response) {
        judged.watch.report(tick, [Event::RestartBegan(rung.clone())]);
    }
    response
}

fn time_to_act(tick: &RunContext<'_>) -> Duration {
    tick.time_left().saturating_sub(TIME_TO_FINISH)
}

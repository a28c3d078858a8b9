//! `status` and `why`: what is remembered of a service, for people and for programs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use unhang_core::{
    Act, HeldUntil, Mode, Moment, Outcome, Outlook, Paused, Reason, Rung, State, StoredCause, VerdictKind,
    Weight, Withheld,
};

use crate::plan::{Probe, Service, Shows};
use crate::words;

use super::check::Depth;
use super::screen::{Screen, Style};

/// Of the JSON objects; a program may rely on what a number has once meant.
const SCHEMA: u32 = 1;

/// Two runs of cron that did not come, and the deadline of one that hangs.
const NO_TICK: Duration = Duration::from_secs(360);

const NOT_SEEN: &str = "no run has looked at it";

/// What is known of a service without asking it.
#[derive(Debug)]
pub struct Picture<'a> {
    pub service: &'a Service,
    pub state: State,
    pub outlook: Outlook,
    /// How long ago the last tick was; `None`: there was none.
    pub last_tick: Option<Duration>,
    /// Where the ticks' locks are looked for.
    pub locks: &'a Path,
    /// The state could not be read.
    pub unreadable: Option<String>,
    /// Now, whatever the last run found.
    pub paused: Option<Paused>,
}

impl Picture<'_> {
    /// No run has looked at it, or what it found cannot be read: nothing is known, least of all that it
    /// is healthy.
    fn is_unseen(&self) -> bool {
        self.unreadable.is_some() || (self.last_tick.is_none() && self.state == State::default())
    }
}

/// One line each, in columns; those that a narrow terminal has no room for come below.
#[must_use]
pub fn table(pictures: &[Picture<'_>], now: &Moment, depth: Depth, screen: &Screen) -> Vec<String> {
    let rows: Vec<[String; 8]> = pictures.iter().map(|picture| row(picture, now)).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..8).map(|column| width(column).unwrap_or(0)).collect();
    let breaks = breaks(&widths, screen.width);
    let mut lines: Vec<String> = Vec::new();
    for (row, picture) in rows.iter().zip(pictures) {
        lines.extend(broken(row, picture, &widths, &breaks, screen.style));
        if depth == Depth::Everything {
            lines.extend(picture.service.probes.iter().map(|probe| probe_line(probe, picture)));
        } else {
            lines.extend(
                picture.state.account.warnings.iter().map(|one| format!("  warns: {}", words::warned(one))),
            );
        }
    }
    lines.extend(is_cron_running(pictures));
    lines.extend(pictures.iter().filter_map(|picture| {
        Some(format!("{}: state file unreadable {}", picture.service.key, picture.unreadable.as_ref()?))
    }));
    lines
}

/// A row's lines, no wider than the terminal.
fn broken(
    row: &[String; 8],
    picture: &Picture<'_>,
    widths: &[usize],
    breaks: &[usize],
    style: Style,
) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        if breaks.contains(&column) {
            lines.push(String::new());
        }
        let Some(line) = lines.last_mut().filter(|_| *width > 0) else { continue };
        let shown = if column == 1 && !picture.is_unseen() {
            coloured(cell, picture.state.account.verdict, style)
        } else {
            cell.clone()
        };
        let margin = if line.is_empty() && column > 0 { 2 } else { 0 };
        let padding = (width + 2).saturating_sub(cell.chars().count());
        line.extend([" ".repeat(margin), shown, " ".repeat(padding)]);
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// `  redis (tcp): fails: refused`, as the last run found it.
fn probe_line(probe: &Probe, picture: &Picture<'_>) -> String {
    let state = &picture.state;
    let name = probe.name.as_deref().unwrap_or("url");
    let kind = if probe.name.is_some() { format!(" ({})", probe.kind()) } else { String::new() };
    let own = state.account.cause.as_ref().filter(|cause| cause.probe == probe.name);
    let warned = state.account.warnings.iter().find(|warned| warned.probe == probe.name);
    let found = match (own, warned) {
        _ if picture.is_unseen() => NOT_SEEN.to_owned(),
        (Some(cause), _) if probe.weight == Weight::Counts => {
            let said = state.account.said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
            format!("fails: {}{said}", answer_itself(cause))
        }
        (_, Some(warned)) => format!("warns: {}", warned.words),
        (_, None) if state.account.cause.is_none() => "well".to_owned(),
        // Another one fails, and which of them do is not kept.
        (_, None) => "not told: another probe failed first".to_owned(),
    };
    format!("  {name}{kind}: {found}")
}

/// The columns before which a line must end, so that none is wider than the terminal.
fn breaks(widths: &[usize], terminal: Option<usize>) -> Vec<usize> {
    let room = terminal.unwrap_or(usize::MAX);
    let (mut used, mut breaks) = (0, Vec::new());
    for (column, width) in widths.iter().enumerate().filter(|(_, width)| **width > 0) {
        // Two characters part a cell from what stands before it, be it a cell or the margin.
        let with = if used == 0 { *width } else { used + 2 + width };
        if used > 0 && with > room {
            breaks.push(column);
            used = 2 + width;
        } else {
            used = with;
        }
    }
    breaks
}

/// Four lines: what happened, what is counted, what holds it, the earliest restart.
pub fn why(picture: &Picture<'_>, now: &Moment) -> Vec<String> {
    let Picture { service, state, outlook, last_tick, .. } = picture;
    let since = state.counts.since.as_ref().map(|at| format!(" since {}", words::past(at, now)));
    let said = state.account.said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
    let answer = state.account.cause.as_ref().map(|cause| format!("; last answer {}{said}", answer(cause)));
    let warned: Vec<String> = state.account.warnings.iter().map(words::warned).collect();
    let warns =
        if warned.is_empty() { String::new() } else { format!("; warns: {}", warned.join("; warns: ")) };
    let tick = match last_tick {
        None => "no run yet: is cron running?".to_owned(),
        Some(age) if is_overdue(*age) => format!("no run for {}: is cron running?", words::span(*age)),
        Some(age) => format!("last run {} ago", words::span(*age)),
    };
    if let (true, Some(what)) = (picture.is_unseen(), &picture.unreadable) {
        return vec![format!("{}: not known: state file unreadable {what}", service.key)];
    }
    if picture.is_unseen() {
        let locks = picture.locks.display();
        return vec![format!("{}: not seen yet: {NOT_SEEN} (by {locks}); is cron running?", service.key)];
    }
    let together = state.account.together.as_ref().map(|with| format!("; it began to fail {with}"));
    let failing = state.counts.since.is_some();
    let distress =
        state.account.distress.as_ref().filter(|_| failing).map(|words| format!("; this host: {words}"));
    let happened = format!(
        "{}: {} ({}){}: {}{}{}{}{warns}; {tick}",
        service.key,
        state.account.verdict.code(),
        state.account.reason.code(),
        since.unwrap_or_default(),
        words::reason(state.account.reason),
        answer.unwrap_or_default(),
        together.unwrap_or_default(),
        distress.unwrap_or_default(),
    );
    let of = service.policy.max_failures;
    let streak = of.saturating_sub(outlook.failures);
    let counted = format!(
        "counted: {streak} of {of} failures in a row; {} since the last healthy answer{}",
        state.counts.failures,
        if state.counts.flapping { flapping(picture) } else { String::new() }
    );
    let budget = &service.policy.budget;
    let last = state.counts.last_restart().map(|restart| {
        let outcome = outcome(restart.outcome).replace('_', " ");
        let at = words::past(&restart.at, now);
        match restart.act {
            Act::Restart => format!(", the last at {at}: {outcome}"),
            act @ (Act::Reload | Act::Kill | Act::Command | Act::Wake) => {
                format!(", the last, a {}, at {at}: {outcome}", words::act(act))
            }
        }
    });
    let spent = format!(
        "{} of {} restarts within {}{}",
        outlook.spent,
        budget.restarts,
        words::span(budget.window),
        last.unwrap_or_default()
    );
    let held = match (&outlook.bound, state.account.verdict) {
        _ if picture.paused.is_some() => {
            let words = picture.paused.as_ref().map(|paused| words::pause(paused, now)).unwrap_or_default();
            format!("held by: {words}; {spent}")
        }
        (Some(bound), _) => {
            format!("held by: {} ({}); {spent}", bound.reason().code(), words::reason(bound.reason()))
        }
        (None, VerdictKind::Held | VerdictKind::Unknown) => {
            let because = state.account.because.as_deref().unwrap_or(words::reason(state.account.reason));
            format!("held by: {} ({because}); {spent}", state.account.reason.code())
        }
        (None, _) => format!("held by: nothing; {spent}"),
    };
    vec![
        happened,
        counted,
        held,
        format!("earliest restart: {}{}", earliest(picture, now), next_means(picture)),
    ]
}

fn flapping(picture: &Picture<'_>) -> String {
    let (failures, of) = (picture.state.counts.recent.failures(), picture.service.policy.flapping.of);
    format!("; flapping: {failures} of the last {of} runs failed")
}

/// `{"schema":1,"services":[...]}`
#[must_use]
pub fn json(pictures: &[Picture<'_>], now: &Moment) -> Value {
    let services: Vec<Value> = pictures.iter().map(|picture| object(picture, now)).collect();
    json!({ "schema": SCHEMA, "services": services })
}

fn row(picture: &Picture<'_>, now: &Moment) -> [String; 8] {
    let Picture { service, state, outlook, last_tick, .. } = picture;
    let of = service.policy.max_failures;
    let failing = state.counts.since.is_some();
    let budget = &service.policy.budget;
    [
        service.key.clone(),
        verdict(picture),
        if failing { format!("{}/{of}", of.saturating_sub(outlook.failures)) } else { String::new() },
        state.account.cause.as_ref().map(answer).unwrap_or_default(),
        state.counts.since.as_ref().map(|at| format!("since {}", words::past(at, now))).unwrap_or_default(),
        format!("restarts {}/{} in {}", outlook.spent, budget.restarts, words::span(budget.window)),
        last_tick.map_or("no tick yet".to_owned(), |age| format!("last tick {} ago", words::span(age))),
        picture.paused.as_ref().map(|paused| words::pause(paused, now)).unwrap_or_default(),
    ]
}

/// `failing`, but `held (stopped)`: the reason where the verdict alone says too little.
fn verdict(picture: &Picture<'_>) -> String {
    let (verdict, reason) = (picture.state.account.verdict, picture.state.account.reason);
    match verdict {
        _ if picture.is_unseen() && picture.unreadable.is_some() => "not known".to_owned(),
        _ if picture.is_unseen() => "not seen yet".to_owned(),
        VerdictKind::Healthy | VerdictKind::Recovered => VerdictKind::Healthy.code().to_owned(),
        VerdictKind::Recovering => verdict.code().to_owned(),
        VerdictKind::Failing if reason == Reason::Counting => verdict.code().to_owned(),
        VerdictKind::Restart => "failing (restart)".to_owned(),
        VerdictKind::Failing | VerdictKind::Held | VerdictKind::Unknown => {
            format!("{} ({})", verdict.code(), reason.code())
        }
    }
}

/// `HTTP 502`; `HTTP 000 (timeout_waiting)`; `redis: refused`, `api: HTTP 502`.
fn answer(cause: &StoredCause) -> String {
    let name = cause.probe.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}", answer_itself(cause))
}

/// Without the name of the probe.
fn answer_itself(cause: &StoredCause) -> String {
    let StoredCause { probe, code, http } = cause;
    match (http, code.as_str()) {
        (0, code) if probe.is_some() => code.to_owned(),
        (0, code) => format!("HTTP 000 ({code})"),
        (status, "status") => format!("HTTP {status}"),
        (status, code) => format!("HTTP {status} ({code})"),
    }
}

fn earliest(picture: &Picture<'_>, now: &Moment) -> String {
    let Picture { service, state, outlook, .. } = picture;
    let counted = match outlook.failures {
        0 => "at the next failed run".to_owned(),
        1 => "after 1 more counted failure".to_owned(),
        n => format!("after {n} counted failures in a row"),
    };
    let key = &service.key;
    match (&outlook.bound, service.policy.mode) {
        _ if service.restarter.shows() == Shows::Nothing => "never: nothing restarts it".to_owned(),
        (_, Mode::Act) if picture.paused.is_some() => {
            let of = service.policy.max_failures;
            format!("when the pause has ended, after {of} counted failures in a row")
        }
        (_, Mode::Act) if outlook.no_rung_left => {
            format!("when it was healthy in between, or after unhang reset {key}")
        }
        _ if state.account.verdict == VerdictKind::Unknown => {
            "not while it cannot be told how it is".to_owned()
        }
        (_, Mode::Observe) => "never: mode is observe".to_owned(),
        (Some(bound), Mode::Act) => format!("{}, {counted}", not_before(bound, now)),
        (None, Mode::Act) => match state.account.reason.held_until() {
            Some(HeldUntil::HealthyOnce) => format!("when it was healthy once, or after unhang reset {key}"),
            Some(HeldUntil::AnswersOtherwise) => {
                format!("when it answers otherwise, or after unhang reset {key}")
            }
            Some(HeldUntil::HandsAreOff | HeldUntil::SituationChanges) => {
                format!("when that has ended, {counted}")
            }
            // Nothing is due, so that more is to be waited for than that the hold ends.
            Some(
                HeldUntil::TimeHasPassed
                | HeldUntil::IncidentIsOver
                | HeldUntil::NextRun
                | HeldUntil::ConfigurationChanges,
            ) if outlook.failures > 0 => format!("when that has ended, {counted}"),
            Some(
                HeldUntil::TimeHasPassed
                | HeldUntil::IncidentIsOver
                | HeldUntil::NextRun
                | HeldUntil::ConfigurationChanges,
            )
            | None => counted,
        },
    }
}

/// What cannot be reloaded is passed over, which is not known here.
fn next_means(picture: &Picture<'_>) -> String {
    let used = usize::try_from(picture.state.counts.rungs).unwrap_or(usize::MAX);
    match picture.service.policy.escalate.get(used) {
        None => String::new(),
        Some(_) if picture.service.restarter.shows() == Shows::Nothing => String::new(),
        Some(Rung::Command(words)) => {
            format!("; next of escalate: {}", words.first().map_or("", String::as_str))
        }
        Some(rung @ (Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake)) => {
            format!("; next of escalate: {}", words::act(rung.act()))
        }
    }
}

fn not_before(bound: &Withheld, now: &Moment) -> String {
    let left = bound.time_left().unwrap_or_default();
    let then = Moment { wall: now.wall.saturating_add(left), ..now.clone() };
    format!("not before {}", words::day_and_clock(&then, now))
}

/// What the oldest of the last ticks says of cron, if anything.
fn is_cron_running(pictures: &[Picture<'_>]) -> Option<String> {
    let oldest = pictures.iter().max_by_key(|picture| picture.last_tick.unwrap_or(Duration::MAX))?;
    match oldest.last_tick {
        None => Some(format!("no tick yet by {}: is cron running?", oldest.locks.display())),
        Some(age) => no_tick_for(age),
    }
}

pub(super) fn no_tick_for(age: Duration) -> Option<String> {
    is_overdue(age).then(|| format!("no tick for {}: is cron running?", words::span(age)))
}

pub(super) fn is_overdue(age: Duration) -> bool {
    age > NO_TICK
}

fn coloured(cell: &str, verdict: VerdictKind, style: Style) -> String {
    let code = match (style, verdict) {
        (Style::Plain, _) => return cell.to_owned(),
        (Style::Colour, VerdictKind::Healthy | VerdictKind::Recovered) => "32",
        (Style::Colour, VerdictKind::Recovering | VerdictKind::Failing | VerdictKind::Unknown) => "33",
        (Style::Colour, VerdictKind::Held | VerdictKind::Restart) => "31",
    };
    format!("\x1b[{code}m{cell}\x1b[0m")
}

fn object(picture: &Picture<'_>, now: &Moment) -> Value {
    let Picture { service, state, outlook, last_tick, unreadable, .. } = picture;
    let stamp = |at: &Option<Moment>| at.as_ref().map(words::rfc3339);
    let restarts: Vec<Value> = state
        .counts
        .restarts
        .iter()
        .map(|restart| {
            let (act, outcome) = (restart.act.code(), outcome(restart.outcome));
            json!({ "at": words::rfc3339(&restart.at), "act": act, "outcome": outcome })
        })
        .collect();
    let cause = state.account.cause.as_ref();
    let bound = outlook.bound.as_ref().map(|bound| {
        json!({ "reason": bound.reason().code(), "seconds_left": bound.time_left().unwrap_or_default().as_secs() })
    });
    json!({
        "service": service.key,
        "name": service.name,
        "restarts_by": service.restarter.words(),
        "verdict": if picture.is_unseen() { None } else { Some(state.account.verdict.code()) },
        "reason": if picture.is_unseen() { None } else { Some(state.account.reason.code()) },
        "explanation": explanation(picture),
        "cause": cause.map(ToString::to_string),
        "code": cause.map(|cause| &cause.code),
        "http": cause.map(|cause| cause.http).filter(|status| *status > 0),
        "probe": cause.and_then(|cause| cause.probe.as_ref()),
        "said": state.account.said,
        "warnings": state.account.warnings.iter().map(words::warned).collect::<Vec<_>>(),
        "since": stamp(&state.counts.since),
        "streak": service.policy.max_failures.saturating_sub(outlook.failures),
        "max_failures": service.policy.max_failures,
        "failures": state.counts.failures,
        "restarts": restarts,
        "budget": {
            "spent": outlook.spent,
            "restarts": service.policy.budget.restarts,
            "window_seconds": service.policy.budget.window.as_secs(),
        },
        "held_until": bound,
        "failures_to_restart": outlook.failures,
        "earliest_restart": earliest(picture, now),
        "last_tick_seconds_ago": last_tick.map(|age| age.as_secs()),
        "paused": picture.paused.as_ref().map(|paused| json!({
            "explanation": words::paused(&paused.by),
            "seconds_left": paused.left.map(|left| left.as_secs()),
        })),
        "flapping": state.counts.flapping,
        "together": state.account.together,
        "host": state.account.distress.as_ref().filter(|_| state.counts.since.is_some()),
        "unreadable": unreadable,
    })
}

fn explanation<'a>(picture: &'a Picture<'_>) -> &'a str {
    match picture.unreadable {
        Some(_) => "what the last run found cannot be read",
        None if picture.is_unseen() => NOT_SEEN,
        None => {
            picture.state.account.because.as_deref().unwrap_or(words::reason(picture.state.account.reason))
        }
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Healed => "healed",
        Outcome::NotHealed => "not_healed",
        Outcome::Unknown => "unknown",
        Outcome::Refused => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_broken_where_the_terminal_ends() {
        for (widths, terminal, expected) in [
            (&[10, 10, 10][..], None, &[][..]),
            (&[10, 10, 10], Some(34), &[]),
            (&[10, 10, 10], Some(33), &[2]),
            (&[10, 10, 10], Some(12), &[1, 2]),
            (&[10, 0, 10, 5], Some(22), &[3]),
            (&[90, 5], Some(80), &[1]),
            (&[], Some(80), &[]),
        ] {
            assert_eq!(breaks(widths, terminal), expected, "{widths:?} {terminal:?}");
        }
    }
}

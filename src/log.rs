//! The service's log: the lines that `monitor_django.sh` wrote, word for word, with a detail after
//! `: `. A line is a consequence of a decision and is never read back.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use unhang_core::{
    Act, BackoffLimits, Cause, Decision, Moment, Observation, OnFlapping, Outcome, Reason, Rung, State,
    Verdict, Warned,
};

use crate::os::files;
use crate::plan::Service;
use crate::words;

/// What a line may be at the most, in characters.
const LONGEST: usize = 500;

/// Does a run copy its log lines to stderr (`-v`)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    Silent,
    Stderr,
}

/// Appends one line, with its local time.
pub(crate) fn write(path: &Path, now: &Moment, text: &str, echo: Echo) -> io::Result<()> {
    let stamp = words::local(now).format("%Y-%m-%d %H:%M:%S");
    let mut line: String = words::escaped(&format!("{stamp} - {text}")).chars().take(LONGEST).collect();
    line.push('\n');
    if echo == Echo::Stderr {
        let _ = io::stderr().write_all(line.as_bytes()); // see report.rs
    }
    files::append(path, line.as_bytes())
}

/// What a decision adds to the log: counted failures each, everything else when its reason changes.
pub(crate) fn of_decision(
    service: &Service,
    before: &State,
    decision: &Decision,
    seen: &Observation,
    now: &Moment,
) -> Vec<String> {
    let name = &service.name;
    let mut lines = Vec::new();
    let since_restart =
        || decision.next.last_restart().map(|restart| now.since(&restart.at)).unwrap_or_default();
    let act = decision.next.last_restart().map(|restart| restart.act).unwrap_or_default();
    if let (Some(Outcome::NotHealed), Some(cause)) = (decision.earlier, cause_of(seen)) {
        let never_carried_out = before.intent.as_ref().is_some_and(|intent| {
            let is_the_same = intent.incarnation.is_some() && intent.incarnation == decision.next.incarnation;
            is_the_same && act.begins_a_life() == Some(true)
        });
        lines.push(if never_carried_out {
            failed(name, act, cause, "the last run ended before it was carried out")
        } else {
            not_healed(name, act, cause, since_restart(), None)
        });
    }
    if let (true, Some(cause)) = (decision.counted, cause_of(seen)) {
        lines.push(counted(service, before, decision, cause, now));
    }
    if decision.earlier == Some(Outcome::Healed) {
        lines.push(healed(name, act, since_restart()));
    } else if let Verdict::Recovered { failures } = decision.verdict {
        let itself = decision.reason == Reason::HealedItself;
        let detail = if itself { ": it answered right before the restart" } else { "" };
        lines.push(match failures {
            // Held, or not judged: there was nothing to count.
            0 => format!("✅ {name} recovered: it answers again"),
            _ => format!("✅ {name} recovered (was {failures} failures){detail}"),
        });
    } else if decision.reason != before.reason {
        lines.extend(changed(service, decision, seen, now));
    } else if let Some(lasts) = told_again(before, &decision.next, now) {
        let line = changed(service, decision, seen, now);
        lines.extend(line.map(|line| format!("{line}; for {} by now", words::span(lasts))));
    }
    lines
}

/// What decides nothing by itself, and a person wants to know once: not again of the second look.
pub(crate) fn new_of_the_incident(service: &Service, before: &State, next: &State) -> Vec<String> {
    let name = &service.name;
    let mut lines = Vec::new();
    if let (None, Some(with)) = (&before.together, &next.together) {
        lines.push(format!("⚠️ {name} began to fail {with}"));
    }
    if next.flapping && !before.flapping {
        let flapping = &service.policy.flapping;
        let then = match flapping.then {
            OnFlapping::Tell => "not restarted for that (flapping.restart)",
            OnFlapping::Restart => "it counts as due (flapping.restart)",
        };
        let (failures, of) = (next.recent.failures(), flapping.of);
        lines.push(format!("⚠️ {name} is flapping: {failures} of the last {of} runs failed; {then}"));
    }
    lines
}

/// When it begins, and when it ends.
pub(crate) fn of_warnings(name: &str, before: &State, next: &State) -> Vec<String> {
    let is_in = |all: &[Warned], one: &Warned| all.iter().any(|other| other.probe == one.probe);
    let begun = next.warnings.iter().filter(|one| !is_in(&before.warnings, one));
    let ended = before.warnings.iter().filter(|one| !is_in(&next.warnings, one));
    let begun = begun.map(|warned| format!("⚠️ {name} warns: {}", words::warned(warned)));
    let ended = ended.map(|warned| format!("✅ {name} warns no more: it was {}", words::warned(warned)));
    begun.chain(ended).collect()
}

/// Two restarts in a row have ended as they began.
pub(crate) fn of_no_help(name: &str, state: &State, backoff: &BackoffLimits) -> String {
    let cause = state.last_restart().and_then(|restart| restart.cause.as_deref()).unwrap_or_default();
    let (doing, wait) = (words::in_vain(state.last_restart()), words::span(backoff.max));
    format!(
        "❌ {name} {doing} does not help: {cause} before and after, twice in a row; the next one in {wait} at the earliest"
    )
}

/// It is as it was, and the time has come to say so once more: how long by now.
fn told_again(before: &State, next: &State, now: &Moment) -> Option<Duration> {
    let (before, next) = (before.standing.as_ref()?, next.standing.as_ref()?);
    (before.told != next.told).then(|| now.since(&next.since))
}

pub(crate) fn beginning(name: &str, rung: &Rung) -> String {
    match rung {
        Rung::Restart => format!("🔄 Restarting {name} service..."),
        Rung::Reload => format!("🔄 Reloading {name} service..."),
        Rung::Kill => format!("🔄 Killing and restarting {name} service..."),
        Rung::Wake => format!("🔄 Waking {name}..."),
        Rung::Command(words) => {
            format!("🔄 Running {} for {name} service...", words.first().map_or("", String::as_str))
        }
    }
}

pub(crate) fn healed(name: &str, act: Act, after: Duration) -> String {
    let after = words::span(after);
    match act {
        Act::Restart => format!("✅ {name} restarted successfully: healthy after {after}"),
        Act::Reload => format!("✅ {name} reloaded successfully: healthy after {after}"),
        Act::Kill => format!("✅ {name} killed and restarted successfully: healthy after {after}"),
        Act::Command => format!("✅ {name} healed by a command: healthy after {after}"),
        Act::Wake => format!("✅ {name} woke up: healthy after {after}"),
    }
}

/// Whether that was it, nobody can tell.
pub(crate) fn healthy_all_the_same(name: &str, act: Act, after: Duration, why: &str) -> String {
    format!("✅ {name} is healthy after {}, though its {} failed: {why}", words::span(after), words::act(act))
}

/// `complaint`: what was said when the restart was asked for.
pub(crate) fn not_healed(
    name: &str,
    act: Act,
    cause: &Cause,
    after: Duration,
    complaint: Option<&str>,
) -> String {
    let said = complaint.map(|words| format!("; {words}")).unwrap_or_default();
    let (what, after) = (words::act(act), words::span(after));
    failed(name, act, cause, &format!("still failing {after} after the {what}{said}"))
}

pub(crate) fn failed(name: &str, act: Act, cause: &Cause, why: &str) -> String {
    let cause = words::answer(cause);
    match act {
        Act::Restart => format!("❌ {name} restart failed ({cause}): {why}"),
        Act::Reload | Act::Kill | Act::Command | Act::Wake => {
            format!("❌ {name} {} failed ({cause}): {why}", words::act(act))
        }
    }
}

/// `stop_limit`: how long systemd waits before it kills.
pub(crate) fn still_running(name: &str, act: Act, stop_limit: Option<Duration>) -> String {
    let limit = stop_limit.map(|limit| format!(" (up to {})", words::span(limit))).unwrap_or_default();
    let doing = match act {
        Act::Restart => {
            return format!(
                "⏳ {name} restart still running: systemd is stopping it{limit}; the next run looks again"
            );
        }
        Act::Kill => format!("systemd is stopping it{limit}"),
        Act::Reload => "systemd is reloading it".to_owned(),
        Act::Command | Act::Wake => "it has not ended".to_owned(),
    };
    format!("⏳ {name} {} still running: {doing}; the next run looks again", words::act(act))
}

pub(crate) fn command_still_running(name: &str) -> String {
    format!("⏳ {name} restart still running: its command has not ended; the next run looks again")
}

pub(crate) fn not_known(name: &str, act: Act, why: &str) -> String {
    format!("⏳ {name} {} not judged yet: {why}; the next run looks again", words::act(act))
}

pub(crate) fn still_starting(name: &str, act: Act, after: Duration) -> String {
    not_known(name, act, &format!("no healthy answer after {}", words::span(after)))
}

pub(crate) fn refused(name: &str, why: &str) -> String {
    format!("⏸️ {name} not restarted ({}): systemd gave way to another job: {why}", Reason::UnitBusy.code())
}

pub(crate) fn not_permitted(name: &str, why: &str) -> String {
    format!("⏸️ {name} not restarted ({}): {why}", Reason::NotPermitted.code())
}

/// `by`: who, and why.
pub(crate) fn paused(name: &str, until: &str, by: &str) -> String {
    format!("⏸️ {name} paused until {until}: {by}")
}

pub(crate) fn resumed(name: &str, by: &str) -> String {
    format!("▶️ {name} resumed: {by}")
}

/// Told while all is well, so that it is known before it is needed.
pub(crate) fn not_restartable(name: &str, reason: Reason, why: &str) -> String {
    format!("⏸️ {name} could not be restarted ({}): {why}", reason.code())
}

fn counted(service: &Service, before: &State, decision: &Decision, cause: &Cause, now: &Moment) -> String {
    let (next, of) = (&decision.next, service.policy.max_failures);
    let mut details: Vec<String> = words::cause(cause, service.timeout_of(cause)).into_iter().collect();
    if next.streak != next.failures {
        let of_this_incident =
            |at: &Moment| next.since.as_ref().is_some_and(|since| now.since(at) <= now.since(since));
        let since = match next.last_restart().filter(|restart| of_this_incident(&restart.at)) {
            Some(restart) => {
                format!("since our {} at {}", words::act(restart.act), words::clock(&restart.at))
            }
            None => "in a row".to_owned(),
        };
        details.push(format!("{} of {of} {since}", next.streak));
    }
    // Under a cron that comes less often than stale_after, nothing would ever be due.
    let gap = before.failed_at.as_ref().filter(|_| before.since.is_some()).map(|at| now.since(at));
    if let Some(gap) = gap.filter(|gap| *gap > service.policy.stale_after) {
        let stale_after = words::span(service.policy.stale_after);
        details.push(format!(
            "the last one was {} ago, and counts no more (stale_after {stale_after})",
            words::span(gap)
        ));
    }
    let detail = if details.is_empty() { String::new() } else { format!(": {}", details.join("; ")) };
    let (name, http, failures) = (&service.name, words::answer(cause), next.failures);
    format!("⚠️ {name} health check failed ({http}) - Failure {failures}/{of}{detail}")
}

fn changed(service: &Service, decision: &Decision, seen: &Observation, now: &Moment) -> Option<String> {
    let (name, code) = (&service.name, decision.reason.code());
    match &decision.verdict {
        Verdict::Held(hold) => {
            Some(format!("⏸️ {name} not restarted ({code}): {}", words::hold(hold, service, now)))
        }
        Verdict::Unknown(doubt) => Some(format!("❓ {name} not judged ({code}): {}", words::doubt(doubt))),
        Verdict::Failing(failing) => {
            let why = words::not_counted(failing, service)?;
            Some(format!("⏳ {name} not answering yet ({}): {why}", words::answer(cause_of(seen)?)))
        }
        Verdict::Recovering { .. } if decision.reason == Reason::HealedItself => {
            Some(format!("⏸️ {name} not restarted ({code}): it answered right before the restart"))
        }
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } | Verdict::Restart(_) => {
            None
        }
    }
}

fn cause_of(seen: &Observation) -> Option<&Cause> {
    match seen {
        Observation::Unhealthy(cause) => Some(cause),
        Observation::Healthy | Observation::Unknown(_) => None,
    }
}

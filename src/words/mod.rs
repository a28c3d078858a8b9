//! The decision's facts in an operator's words; used by `log` and `report`. Reads no clock and opens no file, but
//! for the time zone of this host, which chrono finds by TZ and /etc/localtime: the same moment reads differently
//! elsewhere.

mod observations;

use std::io;
use std::time::Duration;

use chrono::{DateTime, Local, SecondsFormat, TimeZone};
use unhang_core::{
    Act, Active, Condition, Decision, Failing, FailingRequirement, HandsOff, Hold, Life, Load, Moment,
    Paused, PausedBy, Reason, Rung, Unit, Upstream, Verdict, Withheld, next_rung,
};

use crate::plan::{Restarter, Service, Shows};
use crate::toml_text::drives_a_terminal;
pub use observations::{WARNED, answer, cause, doubt, probes_healthy, warned, warning};

/// `40 ms`, `3.2 s`, `12 s`, `2 min`, `1 h 5 min`: two units at most.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if !span.is_zero() => format!("{} ms", span.as_millis().max(1)),
        0..10 if span.subsec_millis() >= 50 => format!("{:.1} s", span.as_secs_f64()),
        0..120 => format!("{seconds} s"),
        120..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..172_800 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// `0.3 ms`, `12.0 ms`, `5001.2 ms`: where the parts of a second count.
pub(crate) fn millis(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1000.0)
}

/// In local time.
pub(crate) fn local(moment: &Moment) -> DateTime<Local> {
    let seconds = i64::try_from(moment.wall.as_secs()).unwrap_or(i64::MAX);
    Local.timestamp_opt(seconds, 0).single().unwrap_or_default()
}

/// `17:02`, in local time.
pub(crate) fn clock(moment: &Moment) -> String {
    local(moment).format("%H:%M").to_string()
}

/// `17:02` today, `2026-02-07 17:02` on another day.
pub(crate) fn day_and_clock(moment: &Moment, now: &Moment) -> String {
    let (then, now) = (local(moment), local(now));
    let format = if then.date_naive() == now.date_naive() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    then.format(format).to_string()
}

/// The same of what is past, by the clock of `now`: one that was set since had another name for it.
pub(crate) fn past(moment: &Moment, now: &Moment) -> String {
    day_and_clock(&Moment { wall: now.wall.saturating_sub(now.since(moment)), ..moment.clone() }, now)
}

/// RFC 3339, UTC: for programs.
pub(crate) fn rfc3339(moment: &Moment) -> String {
    local(moment).to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The clock after `left` has passed.
pub(crate) fn clock_in(now: &Moment, left: Duration) -> String {
    day_and_clock(&now.later(left), now)
}

/// What was done last, as what does not help.
pub(crate) const fn in_vain(act: Act) -> &'static str {
    if matches!(act, Act::Wake) { "waking" } else { "restarting" }
}

/// `by anna, "deploy"`
pub(crate) fn by(who: &str, why: Option<&str>) -> String {
    let why = why.map(|why| format!(", \"{why}\"")).unwrap_or_default();
    format!("by {who}{why}")
}

/// Why nothing is done, as one half sentence.
pub(crate) fn hold(hold: &Hold, service: &Service, now: &Moment) -> String {
    let words = match hold {
        Hold::HandsOff(hands_off) => self::hands_off(hands_off, service),
        Hold::Withheld(withheld) => self::withheld(withheld, service),
        Hold::ChangedMeanwhile(reason) => format!("right before the restart it was {}", reason.code()),
    };
    match hold.time_left() {
        Some(left) => format!("{words}; next restart possible {}", clock_in(now, left)),
        None => words,
    }
}

fn hands_off(hands_off: &HandsOff, service: &Service) -> String {
    let (unit, who) = (service.restarter.words(), service.restarter.method.manager);
    match hands_off {
        HandsOff::NotFound => not_found(&service.restarter),
        HandsOff::Masked => format!("{unit} is masked"),
        HandsOff::NotStartable => format!("systemd cannot start {unit}: see systemctl status"),
        HandsOff::CrashLoop { runs } => {
            format!(
                "{who} restarts it itself, {} times between our runs, and it still fails",
                runs.saturating_add(1)
            )
        }
        HandsOff::UnitBusy if service.restarter.shows() != Shows::Life => {
            format!("the restart command of before still runs ({unit})")
        }
        HandsOff::UnitBusy => {
            let has_command = service.policy.escalate.iter().any(|rung| rung.act() == Act::Command);
            let or = if has_command && service.unit().is_some() {
                ", or a command of escalate still runs"
            } else {
                ""
            };
            format!("{unit} is being started, stopped or reloaded{or}")
        }
        HandsOff::Frozen if service.unit().is_none() => format!("{unit} is paused; {who} unpause ends that"),
        HandsOff::Frozen => format!("{unit} is frozen; systemctl thaw ends that"),
        HandsOff::Stopped => format!("{unit} was stopped by somebody; starting it is theirs"),
        HandsOff::Exited => format!("{unit} ended by itself, and well"),
        HandsOff::Ended => format!("{unit} ended well, by itself or since somebody stopped it"),
        HandsOff::NeverStarted => format!("nobody has started {unit}"),
        HandsOff::StartConditionUnmet => format!("a condition in the unit file of {unit} is not met"),
        HandsOff::Disabled => format!("{unit} fell and is disabled"),
        HandsOff::Conflict(other) => format!("{other} is active, and {unit} conflicts with it"),
        HandsOff::HostStopping => "the host is shutting down".to_owned(),
        HandsOff::HostStarting { .. } => "the host is booting".to_owned(),
        HandsOff::Paused(paused) => self::paused(&paused.by),
        HandsOff::Upstream(Upstream::Stopped(other)) => {
            format!("{other} was stopped by somebody, and a restart would start it")
        }
        HandsOff::Upstream(Upstream::Failing(FailingRequirement { name, cause, through: None })) => {
            format!("{name}, which it requires, fails its own probe ({cause})")
        }
        HandsOff::Upstream(Upstream::Failing(FailingRequirement { name, cause, through: Some(through) })) => {
            format!("{name}, which it requires by way of {through}, fails its own probe ({cause})")
        }
    }
}

fn withheld(withheld: &Withheld, service: &Service) -> String {
    match withheld {
        Withheld::ProbeOnly => "nothing restarts it: restart = [] says so".to_owned(),
        Withheld::EscalationExhausted => no_rung_left(service),
        Withheld::Budget { .. } => {
            let budget = &service.policy.budget;
            format!("{} within {} is all the budget allows", restarts(budget.restarts), span(budget.window))
        }
        Withheld::Backoff { .. } => {
            "the wait after a restart, longer each time until it stays healthy".to_owned()
        }
        Withheld::Deadline => "too little time left in this run; first in the next".to_owned(),
        Withheld::HostPressure(pressure) => format!("the host is too busy: {pressure}"),
        Withheld::CommonCause { .. } => {
            "it failed together with others, and restarts of some of them have not helped".to_owned()
        }
        Withheld::NeverHealthy => {
            "it was never healthy as it is asked, and a restart has not changed that: is url right, and status?"
                .to_owned()
        }
        Withheld::SameAnswer(status) => {
            format!("it answers {status} as before the last restart, which no restart changes: is url right?")
        }
        Withheld::Observe => "mode is observe; it would have been restarted now".to_owned(),
    }
}

pub(crate) fn not_found(restarter: &Restarter) -> String {
    format!("{} knows no {}", restarter.method.manager, restarter.words())
}

/// Of a command's restart by hand nothing can be seen.
fn no_rung_left(service: &Service) -> String {
    let key = &service.key;
    match service.restarter.shows() {
        Shows::Life => format!(
            "nothing of escalate is left in this incident; a restart by hand or unhang reset {key} begins anew"
        ),
        Shows::Process | Shows::Nothing => {
            format!("nothing of escalate is left in this incident; unhang reset {key} begins anew")
        }
    }
}

/// `paused by anna, "deploy", until 17:30`
pub(crate) fn pause(paused: &Paused, now: &Moment) -> String {
    let until = paused.left.map(|left| format!(", until {}", clock_in(now, left))).unwrap_or_default();
    format!("{}{until}", self::paused(&paused.by))
}

/// What is said of a path that the kernel does not come back from.
pub(crate) const NO_FILE_SYSTEM: &str = "the file system does not answer";

/// Of what is kept in the state for people to read, in characters.
pub(crate) const TOLD: usize = 400;

/// By whom, and why, in words that were escaped when they were read.
pub(crate) fn paused(by: &PausedBy) -> String {
    let because = |why: &Option<String>| why.as_ref().map(|why| format!(", \"{why}\"")).unwrap_or_default();
    match by {
        PausedBy::Person { who, why } => format!("paused by {who}{}", because(why)),
        PausedBy::Command { who, why, pid } => {
            format!("paused by {who}{}, while the command of process {pid} runs", because(why))
        }
        PausedBy::File(path) => format!("paused while {path} is there and young"),
        PausedBy::Packages => "paused while dpkg or apt is at work".to_owned(),
        PausedBy::Service => "its own answer says maintenance".to_owned(),
    }
}

/// The unit, in the words of somebody who looks at it.
pub(crate) fn unit(unit: &Unit, service: &Service) -> String {
    let name = service.restarter.words();
    match unit {
        Unit::NotAsked => format!("{name} was not asked about"),
        Unit::Unanswered(why) => format!("{name} is not known: {}", doubt(why)),
        Unit::ProbeOnly => "none; it is only probed".to_owned(),
        Unit::Command { running: true } => format!("restart command {name}, of before, still runs"),
        Unit::Command { running: false } => service.restarter.method.unseen.replace('*', name),
        Unit::Seen(life) => format!("{name} {}", seen(life, service.restarter.method.manager)),
    }
}

fn seen(life: &Life, who: &str) -> String {
    match life.load {
        Load::NotFound => return format!("is not known to {who}"),
        Load::Masked => return "is masked".to_owned(),
        Load::NotStartable => return "cannot be started: see systemctl status".to_owned(),
        Load::Loaded => {}
    }
    let age = life.age.map(|age| format!(" for {}", span(age))).unwrap_or_default();
    let active = match life.active {
        Active::Busy => "is being started, stopped or reloaded",
        Active::Frozen => "is frozen",
        Active::Active | Active::Inactive | Active::Failed => condition(life.condition()),
    };
    let disabled = if life.disabled { ", disabled" } else { "" };
    let again = match life.own_restarts {
        0 => String::new(),
        n => format!(", restarted {n} times by {who} itself"),
    };
    format!("{active}{age}{disabled}{again}")
}

const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Active => "is active",
        Condition::Busy => "is being started, stopped or reloaded",
        Condition::Stopped => "was stopped by somebody",
        Condition::Exited => "ended by itself, and well",
        Condition::Ended => "ended well",
        Condition::NeverStarted => "was never started",
        Condition::ConditionUnmet => "was not started: a condition in its unit file is not met",
        Condition::Failed => "failed",
    }
}

/// What was done to heal it.
pub(crate) const fn act(act: Act) -> &'static str {
    match act {
        Act::Restart => "restart",
        Act::Reload => "reload",
        Act::Kill => "kill and restart",
        Act::Command => "command",
        Act::Wake => "wake-up",
    }
}

/// What is being done, for whoever waits for it.
pub(crate) fn doing(rung: &Rung, service: &Service) -> String {
    let what = service.restarter.words();
    match rung {
        Rung::Restart => format!("restarting {what}"),
        Rung::Reload => format!("reloading {what}"),
        Rung::Kill => format!("killing and restarting {what}"),
        Rung::Wake => format!("waking {}", service.key),
        Rung::Command(words) => format!("running {}", words.first().map_or("", String::as_str)),
    }
}

/// `1 restart`, `5 restarts`.
pub(crate) fn restarts(n: usize) -> String {
    format!("{n} restart{}", if n == 1 { "" } else { "s" })
}

/// Why this failure is not counted.
pub(crate) fn not_counted(failing: &Failing, service: &Service) -> Option<String> {
    match failing {
        Failing::Counting => None,
        Failing::Grace { age } => {
            Some(format!("started {} ago, not counted (grace {})", span(*age), span(service.policy.grace)))
        }
        Failing::TooSoon { gap } => Some(format!(
            "{} after the last counted failure, not counted (min_gap {})",
            span(*gap),
            span(service.policy.min_gap)
        )),
    }
}

/// What holds a service back, or puts it in doubt: for those who ask.
pub(crate) fn why(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(why) => Some(hold(why, service, now)),
        Verdict::Unknown(why) => Some(doubt(why)),
        Verdict::Failing(failing) => not_counted(failing, service),
        Verdict::Restart(act) => Some(match act {
            Act::Restart => "it would be restarted now".to_owned(),
            Act::Reload => "it would be reloaded now".to_owned(),
            Act::Kill => "it would be killed and restarted now".to_owned(),
            Act::Command => format!("{} would be run for it now", next_program(decision, service)),
            Act::Wake => "it would be woken now".to_owned(),
        }),
        Verdict::Healthy | Verdict::Recovering { .. } | Verdict::Recovered { .. } => None,
    }
}

/// Of the command of `escalate` that is due.
pub(crate) fn next_program<'a>(decision: &Decision, service: &'a Service) -> &'a str {
    // What is passed over on the way to a command matters no more.
    match next_rung(&service.policy, &decision.next.counts, &Unit::Command { running: false })
        .map(|next| next.rung)
    {
        Some(Rung::Command(words)) => words.first().map_or("", String::as_str),
        Some(Rung::Reload | Rung::Restart | Rung::Kill | Rung::Wake) | None => "a command of escalate",
    }
}

/// What holds it, or why it could not be judged: for those who ask later.
pub(crate) fn because(decision: &Decision, service: &Service, now: &Moment) -> Option<String> {
    match &decision.verdict {
        Verdict::Held(_) | Verdict::Unknown(_) => why(decision, service, now),
        Verdict::Healthy
        | Verdict::Recovering { .. }
        | Verdict::Recovered { .. }
        | Verdict::Failing(_)
        | Verdict::Restart(_) => None,
    }
    .map(|words| words.chars().take(TOLD).collect())
}

/// Without Rust's `(os error 28)`.
pub(crate) fn io(error: &io::Error) -> String {
    let words = error.to_string();
    match words.rfind(" (os error ") {
        Some(end) => words.get(..end).unwrap_or_default().to_owned(),
        None => words,
    }
}

/// Where rights are missing, with what helps.
pub(crate) fn io_or_cure(error: &io::Error, cure: &str) -> String {
    let rights = error.kind() == io::ErrorKind::PermissionDenied;
    if rights { format!("{} ({cure})", io(error)) } else { io(error) }
}

/// What a reason code means, as a half sentence that needs no other facts.
pub(crate) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "it answers",
        Reason::Recovered => "it answers again",
        Reason::Recovering => "it answers again, but not yet min_successes times in a row",
        Reason::Unknown => "it could not be asked, through no fault of its own",
        Reason::UnitUnknown => "systemd could not be asked about the unit, or gave no usable answer",
        Reason::NoSystemd => "there is no systemd here to ask",
        Reason::NotFound => "systemd knows no such unit",
        Reason::Masked => "the unit is masked",
        Reason::NotStartable => "it cannot be restarted: the log says why",
        Reason::NotPermitted => "the user that unhang runs as may not restart it: the log says what to do",
        Reason::CrashLoop => "systemd restarts it itself, again and again, in vain",
        Reason::UnitBusy => "the unit is being started, stopped or reloaded",
        Reason::Frozen => "the unit is frozen",
        Reason::Stopped => "somebody stopped it",
        Reason::Exited => "it ended well",
        Reason::NeverStarted => "nobody has started it",
        Reason::Condition => "a condition in the unit file is not met",
        Reason::Disabled => "it fell and is disabled",
        Reason::Conflict => "a unit that it conflicts with is active",
        Reason::HostStopping => "the host was shutting down",
        Reason::HostStarting => "the host was booting (boot_grace)",
        Reason::Paused => "somebody has paused it",
        Reason::Upstream => "something that it needs fails, or was stopped by somebody",
        Reason::Grace => "it had only just started, and is not counted (grace)",
        Reason::TooSoon => "too soon after the last counted failure to count (min_gap)",
        Reason::Counting => "failures are being counted",
        Reason::ProbeOnly => "nothing restarts it (restart = [])",
        Reason::NoRungLeft => "nothing of escalate is left in this incident",
        Reason::Budget => "the budget of restarts is spent",
        Reason::Backoff => {
            "the wait after a restart, or after a lost state; longer each time until it stays healthy"
        }
        Reason::Deadline => "the run had too little time left; it comes first in the next",
        Reason::HostPressure => "the host is busier than hold_when allows",
        Reason::CommonCause => "it failed together with others, and restarts have not helped",
        Reason::NeverHealthy => "it was never healthy as it is asked: is url right, and status?",
        Reason::SameAnswer => "it answers the same as before the last restart: is url right?",
        Reason::Observe => "mode is observe",
        Reason::ChangedMeanwhile => "something changed right before the restart",
        Reason::HealedItself => "it answered right before the restart",
        Reason::MaxFailures => "max_failures was reached, and a restart was asked for",
    }
}

/// `failing (counting)`: a verdict with its reason.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    format!("{} ({})", verdict.kind().code(), verdict.reason().code())
}

/// One printable line: what comes from outside must neither forge a line nor drive a terminal.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if drives_a_terminal(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// The same for JSON, whose own rule leaves DEL and all beyond as they are. Such characters stand in its
/// strings only.
pub(crate) fn escaped_json(json: &str) -> String {
    let escaped = |c: char| {
        if drives_a_terminal(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }
    };
    json.chars().map(escaped).collect()
}

fn two(large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    match small {
        0 => format!("{large} {large_name}"),
        _ => format!("{large} {large_name} {small} {small_name}"),
    }
}

#[cfg(test)]
mod tests;

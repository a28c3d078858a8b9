//! The course, for people in columns and for programs as one object.

use std::time::Duration;

use serde_json::{Value, json};
use unhang_core::{Mode, Outcome, Reason, RestartResult};

use super::Played;
use super::course::SimulatedRestart;
use super::summary::Summary;
use super::timeline::TimelineRow;
use crate::plan::Shows;
use crate::words;

/// Of the JSON object; a program may rely on what a number has once meant.
const SIMULATE_SCHEMA: u32 = 1;

/// The settings, row by row what happens, and what counts of it.
pub(crate) fn simulation_lines(played: &Played<'_>) -> Vec<String> {
    let mut lines = vec![settings_line(played), String::new()];
    lines.extend(run_table(played));
    if played.timeline.left_out() > 0 {
        lines.push(format!("{} more lines are left out", played.timeline.left_out()));
    }
    lines.push(String::new());
    lines.extend(summary_lines(played));
    lines
}

fn settings_line(played: &Played<'_>) -> String {
    let (service, policy) = (played.service, &played.service.policy);
    let span = words::format_duration;
    format!(
        "{}: a run every {}; max_failures {}, grace {}, verify {}, budget {} in {}, backoff {} to {}",
        service.key,
        span(played.script.every),
        policy.max_failures,
        span(policy.grace),
        span(service.verify),
        policy.budget.restarts,
        span(policy.budget.window),
        span(policy.backoff.first),
        span(policy.backoff.max)
    )
}

fn run_table(played: &Played<'_>) -> Vec<String> {
    let rows: Vec<[String; 4]> = played.timeline.shown().iter().map(|row| row_cells(row, played)).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
    let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// When; what the runs met; what they made of it; and what there is to say.
fn row_cells(row: &TimelineRow, played: &Played<'_>) -> [String; 4] {
    let when = match row.runs {
        1 => format_offset(row.from),
        _ => format!("{} to {}", format_offset(row.from), format_offset(row.to)),
    };
    let met = match row.runs {
        1 => row.sign.letter().to_string(),
        runs => format!("{} {runs} times", row.sign.letter()),
    };
    [
        when,
        met,
        format!("{} ({})", row.verdict.code(), row.reason.code()),
        row_remarks(row, played).join("; "),
    ]
}

fn row_remarks(row: &TimelineRow, played: &Played<'_>) -> Vec<String> {
    let mut remarks = vec![match (&row.restart, row.until) {
        (Some(restart), _) => restart_remark(restart, played),
        (None, Some(until)) => format!("until {}", format_offset(until)),
        (None, None) => remark_for_reason(row, played),
    }];
    if row.is_starting && row.reason != Reason::Grace {
        remarks.push("it is still starting".to_owned());
    }
    if row.reason == Reason::Counting && played.service.policy.is_stale(played.script.every) {
        remarks.push("runs are further apart than stale_after: failures never add up".to_owned());
    }
    remarks.extend(row.flaps.map(|failures| {
        let of = played.service.policy.flapping.of;
        format!("flapping: {failures} of the last {of} runs failed")
    }));
    remarks.extend(row.earlier.and_then(known_late).map(str::to_owned));
    remarks.retain(|remark| !remark.is_empty());
    remarks
}

fn remark_for_reason(row: &TimelineRow, played: &Played<'_>) -> String {
    let of = played.service.policy.max_failures;
    match (row.reason, row.streak) {
        (Reason::Counting, (first, last)) if first == last => format!("failure {first} of {of}"),
        (Reason::Counting, (first, last)) => format!("failures {first} to {last} of {of}"),
        // The verdict says it.
        (Reason::Ok, _) => String::new(),
        (reason, _) => words::reason_text(reason).to_owned(),
    }
}

fn restart_remark(restart: &SimulatedRestart, played: &Played<'_>) -> String {
    let patience = words::format_duration(restart.patience);
    let outcome = match restart.ended {
        RestartResult::Healed => "healed".to_owned(),
        RestartResult::NotHealed if restart.too_slow => {
            format!("not healed: still starting after {patience} (verify, grace)")
        }
        RestartResult::NotHealed if restart.of_no_help => {
            "not healed; two restarts in a row without effect: the longest wait follows".to_owned()
        }
        RestartResult::NotHealed => "not healed".to_owned(),
        RestartResult::StillRunning
        | RestartResult::Refused
        | RestartResult::NotStarted
        | RestartResult::NotPermitted => {
            format!("not known yet: the deadline ended the wait after {patience}")
        }
    };
    // Without a list, the verdict says it.
    let what = match played.service.policy.escalate.as_slice() {
        [] => String::new(),
        _ => format!("{}; ", words::step_name(restart.act)),
    };
    format!("{what}{} of {} in the budget; {outcome}", restart.spent, played.service.policy.budget.restarts)
}

/// Of a restart whose own run could not say.
const fn known_late(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Healed => Some("the restart healed it"),
        Outcome::NotHealed => Some("the restart did not heal it"),
        Outcome::Unknown | Outcome::Refused => None,
    }
}

fn summary_lines(played: &Played<'_>) -> Vec<String> {
    let Summary { runs, lasted, longest, most_spent, .. } = &played.summary;
    let budget = &played.service.policy.budget;
    let longest = match longest {
        Some((from, to)) => {
            let length = words::format_duration(to.saturating_sub(*from));
            format!(
                "{length} without a restart at the longest, {} to {}",
                format_offset(*from),
                format_offset(*to)
            )
        }
        None => "never two runs in a row without a restart".to_owned(),
    };
    let window = words::format_duration(budget.window);
    vec![
        format!("runs:     {runs}, the last at {}", format_offset(*lasted)),
        format!("restarts: {}", restarts_text(&played.summary)),
        format!("failed:   {longest}"),
        format!("budget:   {most_spent} of {} spent within {window} at the most", budget.restarts),
        format!("next:     {}", next_restart_line(played)),
    ]
}

fn restarts_text(summary: &Summary) -> String {
    let parts = [
        ("healed", summary.healed),
        ("not healed", summary.not_healed),
        ("not known", summary.unknown_outcomes()),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}")).collect();
    match parts.as_slice() {
        [] => "none".to_owned(),
        parts => format!("{} ({})", summary.restarts, parts.join(", ")),
    }
}

/// When the next restart can be, if it fails from there on.
fn next_restart_line(played: &Played<'_>) -> String {
    if played.service.restarter.shows() == Shows::Nothing {
        return words::reason_text(Reason::ProbeOnly).to_owned();
    }
    if played.service.policy.mode == Mode::Observe {
        return words::reason_text(Reason::Observe).to_owned();
    }
    if played.then.escalation_exhausted {
        return words::reason_text(Reason::EscalationExhausted).to_owned();
    }
    let counted = match played.then.failures {
        0 => "at the next failure".to_owned(),
        1 => "after 1 more failure".to_owned(),
        n => format!("after {n} more failures"),
    };
    match not_before(played) {
        Some(at) => format!("{counted}, not before {}", format_offset(at)),
        None => counted,
    }
}

/// By budget or backoff.
fn not_before(played: &Played<'_>) -> Option<Duration> {
    let left = played.then.bound.as_ref()?.time_left()?;
    // The outlook is from where the next run would be.
    Some(played.summary.lasted.saturating_add(played.script.every).saturating_add(left))
}

/// `+0m`, `+4m`, `+1h04m`, `+2d00h10m`; with seconds where there are some.
pub(super) fn format_offset(at: Duration) -> String {
    let seconds = at.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let whole = match (days, hours) {
        (0, 0) => format!("+{minutes}m"),
        (0, _) => format!("+{hours}h{minutes:02}m"),
        (_, _) => format!("+{days}d{hours:02}h{minutes:02}m"),
    };
    match seconds % 60 {
        0 => whole,
        rest => format!("{whole}{rest:02}s"),
    }
}

pub(crate) fn simulation_json(played: &Played<'_>) -> Value {
    let Played { service, script, timeline, summary, then } = played;
    let budget = &service.policy.budget;
    json!({
        "schema": SIMULATE_SCHEMA,
        "service": service.key,
        "pattern": script.letters(),
        "repeat": script.repeat,
        "every_seconds": script.every.as_secs_f64(),
        "start_takes_seconds": script.start_takes.as_secs_f64(),
        "timeline": timeline.shown().iter().map(|row| row_json(row, played)).collect::<Vec<_>>(),
        "left_out": timeline.left_out(),
        "summary": {
            "runs": summary.runs,
            "seconds": summary.lasted.as_secs_f64(),
            "restarts": summary.restarts,
            "healed": summary.healed,
            "not_healed": summary.not_healed,
            "longest_failing": summary.longest.map(|(from, to)| json!({
                "from_seconds": from.as_secs_f64(),
                "to_seconds": to.as_secs_f64(),
            })),
            "budget": {
                "most_spent": summary.most_spent,
                "restarts": budget.restarts,
                "window_seconds": budget.window.as_secs(),
            },
            "failures_to_restart": then.failures,
            "next_restart_not_before_seconds": not_before(played).map(|at| at.as_secs_f64()),
        },
    })
}

fn row_json(row: &TimelineRow, played: &Played<'_>) -> Value {
    let restart = row.restart.as_ref().map(|restart| {
        json!({
            "act": restart.act.code(),
            "outcome": outcome_code(restart.ended),
            "spent": restart.spent,
            "waits_seconds": restart.patience.as_secs_f64(),
            "too_slow": restart.too_slow,
        })
    });
    json!({
        "from_seconds": row.from.as_secs_f64(),
        "to_seconds": row.to.as_secs_f64(),
        "runs": row.runs,
        "sign": row.sign.letter().to_string(),
        "starting": row.is_starting,
        "verdict": row.verdict.code(),
        "reason": row.reason.code(),
        "explanation": row_remarks(row, played).join("; "),
        "streak": row.streak.1,
        "until_seconds": row.until.map(|until| until.as_secs_f64()),
        "restart": restart,
    })
}

const fn outcome_code(ended: RestartResult) -> &'static str {
    match ended {
        RestartResult::Healed => "healed",
        RestartResult::NotHealed => "not_healed",
        RestartResult::StillRunning
        | RestartResult::Refused
        | RestartResult::NotStarted
        | RestartResult::NotPermitted => "unknown",
    }
}

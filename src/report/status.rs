//! `status`: a line for each service, in columns.

use std::time::Duration;

use unhang_core::{Moment, ProbeRole, StoredWarning, VerdictKind};

use crate::plan::Probe;
use crate::words;

use super::last_run::{is_overdue, overdue_text, stuck_for};
use super::picture::{NO_RUN_TEXT, ServiceStatus, answer_itself, answer_text, state_text};
use super::screen::{ColorMode, Detail, Terminal};

/// One line each, in columns; those that a narrow terminal has no room for come below.
#[must_use]
pub fn status_table(
    pictures: &[ServiceStatus<'_>],
    now: &Moment,
    depth: Detail,
    screen: &Terminal,
) -> Vec<String> {
    let rows: Vec<[String; 8]> = pictures.iter().map(|picture| table_row(picture, now)).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..8).map(|column| width(column).unwrap_or(0)).collect();
    let breaks = column_breaks(&widths, screen.width);
    let mut lines: Vec<String> = Vec::new();
    for (row, picture) in rows.iter().zip(pictures) {
        lines.extend(wrap_row(row, picture, &widths, &breaks, screen.style));
        if depth == Detail::Full {
            lines.extend(picture.service.probes.iter().map(|probe| probe_line(probe, picture)));
        } else {
            lines.extend(
                picture
                    .state
                    .account
                    .warnings
                    .iter()
                    .map(|one| format!("  warning: {}", words::stored_warning_text(one))),
            );
        }
    }
    lines.extend(schedule_warning(pictures));
    lines.extend(pictures.iter().filter_map(|picture| {
        Some(format!("{}: state file unreadable {}", picture.service.key, picture.unreadable.as_ref()?))
    }));
    lines
}

/// A row's lines, no wider than the terminal.
fn wrap_row(
    row: &[String; 8],
    picture: &ServiceStatus<'_>,
    widths: &[usize],
    breaks: &[usize],
    style: ColorMode,
) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        if breaks.contains(&column) {
            lines.push(String::new());
        }
        let Some(line) = lines.last_mut().filter(|_| *width > 0) else { continue };
        let shown = if column == 1 && !picture.has_no_data() {
            paint(cell, picture.state.account.verdict, style)
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
fn probe_line(probe: &Probe, picture: &ServiceStatus<'_>) -> String {
    let state = &picture.state;
    let name = probe.name.as_deref().unwrap_or("url");
    let kind = if probe.name.is_some() { format!(" ({})", probe.kind_name()) } else { String::new() };
    let own = state.account.cause.as_ref().filter(|cause| cause.probe == probe.name);
    let of_it =
        |of: &[StoredWarning]| of.iter().find(|one| one.probe == probe.name).map(|one| one.words.clone());
    let failing = state.account.cause.as_ref().and_then(|_| of_it(&state.account.others));
    let warned = of_it(&state.account.warnings);
    let found = match (own, warned) {
        _ if picture.has_no_data() => NO_RUN_TEXT.to_owned(),
        (Some(cause), _) if probe.weight == ProbeRole::Required => {
            let said = state.account.said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
            format!("fails: {}{said}", answer_itself(cause))
        }
        _ if failing.is_some() => format!("fails: {}", failing.unwrap_or_default()),
        (_, Some(words)) => format!("warning: {words}"),
        (_, None) => "well".to_owned(),
    };
    format!("  {name}{kind}: {found}")
}

/// The columns before which a line must end, so that none is wider than the terminal.
fn column_breaks(widths: &[usize], terminal: Option<usize>) -> Vec<usize> {
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

fn table_row(picture: &ServiceStatus<'_>, now: &Moment) -> [String; 8] {
    let ServiceStatus { service, state, outlook, last_tick, .. } = picture;
    let of = service.policy.max_failures;
    let failing = state.counts.since.is_some();
    let budget = &service.policy.budget;
    [
        service.key.clone(),
        state_text(picture),
        if failing { format!("{}/{of}", of.saturating_sub(outlook.failures)) } else { String::new() },
        state.account.cause.as_ref().map(answer_text).unwrap_or_default(),
        state
            .counts
            .since
            .as_ref()
            .map(|at| format!("since {}", words::format_past(at, now)))
            .unwrap_or_default(),
        format!(
            "restarts {}/{} in {}",
            outlook.spent,
            budget.restarts,
            words::format_duration(budget.window)
        ),
        last_tick
            .map_or("no run yet".to_owned(), |age| format!("last run {} ago", words::format_duration(age))),
        picture.paused.as_ref().map(|paused| words::pause_text(paused, now)).unwrap_or_default(),
    ]
}

/// What the oldest of the last ticks says of cron, if anything.
fn schedule_warning(pictures: &[ServiceStatus<'_>]) -> Option<String> {
    let oldest = pictures.iter().max_by_key(|picture| picture.last_tick.unwrap_or(Duration::MAX))?;
    let others_tick = || pictures.iter().any(|one| one.last_tick.is_some_and(|age| !is_overdue(age)));
    match oldest.last_tick {
        // It is new: the next run sees it.
        None if others_tick() => None,
        None => Some(format!(
            "no run recorded yet (looked in {}); does cron start unhang?",
            oldest.locks.display()
        )),
        Some(age) if oldest.is_stuck => Some(stuck_for(age)),
        Some(age) => overdue_text(age),
    }
}

fn paint(cell: &str, verdict: VerdictKind, style: ColorMode) -> String {
    let code = match (style, verdict) {
        (ColorMode::Plain, _) => return cell.to_owned(),
        (ColorMode::Color, VerdictKind::Healthy | VerdictKind::Recovered) => "32",
        (ColorMode::Color, VerdictKind::Recovering | VerdictKind::Failing | VerdictKind::Unknown) => "33",
        (ColorMode::Color, VerdictKind::Held | VerdictKind::Restart) => "31",
    };
    format!("\x1b[{code}m{cell}\x1b[0m")
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
            assert_eq!(column_breaks(widths, terminal), expected, "{widths:?} {terminal:?}");
        }
    }
}

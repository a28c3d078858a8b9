//! Spans and moments, as people read them and as programs do.

use std::time::Duration;

use chrono::{DateTime, Local, SecondsFormat, TimeZone};
use unhang_core::Moment;

/// `40 ms`, `3.2 s`, `12 s`, `2 min`, `1 h 5 min`: two units at most.
pub(crate) fn format_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if !span.is_zero() => format!("{} ms", span.as_millis().max(1)),
        0..10 if span.subsec_millis() >= 50 => format!("{:.1} s", span.as_secs_f64()),
        0..120 => format!("{seconds} s"),
        120..3_600 => two_units(seconds / 60, "min", seconds % 60, "s"),
        3_600..172_800 => two_units(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two_units(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// `0.3 ms`, `12.0 ms`, `5001.2 ms`: where the parts of a second count.
pub(crate) fn format_millis(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1000.0)
}

/// In local time.
pub(crate) fn local_time(moment: &Moment) -> DateTime<Local> {
    let seconds = i64::try_from(moment.wall.as_secs()).unwrap_or(i64::MAX);
    Local.timestamp_opt(seconds, 0).single().unwrap_or_default()
}

/// `17:02`, in local time.
pub(crate) fn format_clock(moment: &Moment) -> String {
    local_time(moment).format("%H:%M").to_string()
}

/// `17:02` today, `2026-02-07 17:02` on another day.
pub(crate) fn format_day_and_clock(moment: &Moment, now: &Moment) -> String {
    let (then, now) = (local_time(moment), local_time(now));
    let format = if then.date_naive() == now.date_naive() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    then.format(format).to_string()
}

/// The same of what is past, by the clock of `now`: one that was set since had another name for it.
pub(crate) fn format_past(moment: &Moment, now: &Moment) -> String {
    format_day_and_clock(
        &Moment { wall: now.wall.saturating_sub(now.elapsed_since(moment)), ..moment.clone() },
        now,
    )
}

/// RFC 3339, UTC: for programs.
pub(crate) fn format_rfc3339(moment: &Moment) -> String {
    local_time(moment).to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The clock after `left` has passed.
pub(crate) fn clock_after(now: &Moment, left: Duration) -> String {
    format_day_and_clock(&now.plus(left), now)
}

fn two_units(large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    match small {
        0 => format!("{large} {large_name}"),
        _ => format!("{large} {large_name} {small} {small_name}"),
    }
}

//! The kinds of value a key may have, each with its own words for what it takes. Knows no key, reads
//! nothing but the value in hand.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use unhang_core::Mode;

use super::settings::{Value, Wrong};
use crate::words::drives_a_terminal;

/// A whole number, 1 or more.
pub(super) fn count(value: &Value) -> Result<u32, Wrong> {
    let Value::Whole(number) = value else {
        return Err(format!("must be a whole number, 1 or more, got {value}").into());
    };
    let too_large = |_| format!("must be at most {}, got {number}", u32::MAX).into();
    if *number < 1 {
        Err(format!("must be 1 or more, got {number}").into())
    } else {
        u32::try_from(*number).map_err(too_large)
    }
}

/// A whole number of a small range.
pub(super) fn number(value: &Value, from: u32, to: u32) -> Result<u32, Wrong> {
    let wrong = || format!("must be a whole number, {from} to {to}, got {value}").into();
    let Value::Whole(number) = value else { return Err(wrong()) };
    u32::try_from(*number).ok().filter(|number| (from..=to).contains(number)).ok_or_else(wrong)
}

/// A length of time up to a year, so that arithmetic with it cannot overflow.
pub(super) fn span(value: &Value) -> Result<Duration, Wrong> {
    let Value::Text(text) = value else { return Err(no_span(value)) };
    let span = parse_span(text).ok_or_else(|| no_span(value))?;
    if span > YEAR { Err(format!("must be at most {}, got {value}", spell(YEAR)).into()) } else { Ok(span) }
}

pub(super) fn span_above_zero(value: &Value) -> Result<Duration, Wrong> {
    match span(value)? {
        Duration::ZERO => Err(format!("must be longer than 0s, got {value}").into()),
        span => Ok(span),
    }
}

pub(super) fn mode(value: &Value) -> Result<Mode, Wrong> {
    match value.text() {
        Some("act") => Ok(Mode::Act),
        Some("observe") => Ok(Mode::Observe),
        _ => Err(format!("must be \"act\" or \"observe\", got {value}").into()),
    }
}

/// A text that shows in log lines and lists.
pub(super) fn name(value: &Value) -> Result<String, Wrong> {
    let text = text(value)?;
    if text.trim().is_empty()
        || text.chars().any(char::is_control)
        || text.chars().nth(LONGEST_NAME).is_some()
    {
        let what = format!(
            "must be 1 to {LONGEST_NAME} characters without line breaks and other control characters"
        );
        return Err(what.into());
    }
    Ok(text.to_owned())
}

pub(super) fn log_file(value: &Value) -> Result<PathBuf, Wrong> {
    absolute_path(value, "/var/log/shop.log")
}

/// "" is none.
pub(super) fn ca_file(value: &Value) -> Result<Option<PathBuf>, Wrong> {
    match value.text() {
        Some("") => Ok(None),
        _ => absolute_path(value, "/etc/ssl/shop-ca.pem").map(Some),
    }
}

pub(super) fn absolute_path(value: &Value, sample: &str) -> Result<PathBuf, Wrong> {
    let text = text(value)?;
    if !text.starts_with('/') || text.ends_with('/') || text.chars().any(char::is_control) {
        return Err(format!("must be the absolute path of a file, such as \"{sample}\", got {value}").into());
    }
    Ok(PathBuf::from(text))
}

/// A program and its arguments, which no shell looks at.
pub(super) fn command(value: &Value) -> Result<Vec<String>, Wrong> {
    let sample = "[\"cmd\", \"arg\"]";
    let Value::List(list) = value else {
        // Not what it got: an argument may be a password.
        return Err(format!("must be a list of texts such as {sample}").into());
    };
    let words = list.iter().map(|word| {
        let text = word.text().filter(|text| !text.contains('\0')).map(str::to_owned);
        text.ok_or_else(|| Wrong::from(format!("must hold nothing but texts, such as {sample}, got {word}")))
    });
    let words: Vec<String> = words.collect::<Result<_, _>>()?;
    match words.first() {
        Some(program) if program.is_empty() || program.starts_with('-') => {
            Err(format!("must begin with a command, such as {sample}, got \"{program}\"").into())
        }
        Some(program) if program.contains('/') && (!program.starts_with('/') || program.ends_with('/')) => {
            let what = format!("must begin with an absolute path or a plain name, got \"{program}\"");
            Err(Wrong::cure(what, "cron starts in another folder than you do"))
        }
        // Of none: nothing restarts it.
        Some(_) | None => Ok(words),
    }
}

pub(super) fn truth(value: &Value) -> Result<bool, Wrong> {
    let Value::Truth(truth) = value else { return Err(format!("must be true or false, got {value}").into()) };
    Ok(*truth)
}

pub(super) fn text(value: &Value) -> Result<&str, Wrong> {
    value.text().ok_or_else(|| format!("must be a text in quotes, got {value}").into())
}

/// `"40%"`, as 40.
pub(super) fn percent(value: &Value) -> Result<u32, Wrong> {
    let wrong = || Wrong::from(format!("must be a share of 1% to 100%, such as \"40%\", got {value}"));
    let number = value.text().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse().ok());
    number.filter(|number| (1..=100).contains(number)).ok_or_else(wrong)
}

/// As an operator would write it.
pub(super) fn spell(span: Duration) -> String {
    let mut text = String::new();
    let mut left = span.as_millis();
    for (unit, milliseconds) in UNITS {
        let milliseconds = u128::from(milliseconds);
        if left >= milliseconds {
            let _ = write!(text, "{}{unit}", left / milliseconds);
            left %= milliseconds;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// As long as NAME may be: it is the default.
const LONGEST_NAME: usize = 200;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Larger units first, each once: "5s5s" is rather a slip than ten seconds.
fn parse_span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    let mut smaller = UNITS.iter();
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let (unit, after) =
            after.split_at_checked(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()))?;
        let (_, milliseconds) = smaller.find(|(known, _)| *known == unit)?;
        let part = digits.parse::<u64>().ok()?.checked_mul(*milliseconds)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn no_span(got: &Value) -> Wrong {
    format!("must be a time with its unit, such as \"5s\", \"2m\", \"1h30m\", got {got}").into()
}

/// The argument of a command may be any text, and a terminal shows it.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            _ if drives_a_terminal(c) => shown.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            _ => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

//! Values as an operator writes them in TOML, in one spelling each: for messages, `config show` and fingerprints.

use std::fmt::Write;
use std::time::Duration;

/// The units of a time, largest first, in milliseconds.
pub(crate) const DURATION_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// `1h30m`, without quotes.
pub(crate) fn format_duration(duration: Duration) -> String {
    let mut text = String::new();
    let mut left = duration.as_millis();
    for (unit, milliseconds) in DURATION_UNITS {
        let milliseconds = u128::from(milliseconds);
        if left >= milliseconds {
            let _ = write!(text, "{}{unit}", left / milliseconds);
            left %= milliseconds;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `64K`, without quotes: powers of 1024.
pub(crate) fn format_size(bytes: u64) -> String {
    let units = [("T", 1_u64 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    let whole = units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| bytes.to_string(), |(name, unit)| format!("{}{name}", bytes / unit))
}

pub(crate) fn quote_duration(duration: Duration) -> String {
    quote(&format_duration(duration))
}

/// A basic string of TOML on one line. What could drive a terminal is escaped: the text may be anybody's.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    push_quoted(&mut quoted, text);
    quoted
}

/// A list of texts.
pub(crate) fn quote_list(texts: &[String]) -> String {
    let mut list = "[".to_owned();
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            list.push_str(", ");
        }
        push_quoted(&mut list, text);
    }
    list.push(']');
    list
}

fn push_quoted(quoted: &mut String, text: &str) {
    quoted.push('"');
    // Nearly all texts are plain, and every run quotes some.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        quoted.push_str(text);
        quoted.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if drives_a_terminal(c) => quoted.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
}

/// C0, DEL and C1; and the marks that turn the direction of writing or break lines.
pub(crate) fn drives_a_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

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
    quote_toml(&format_duration(duration))
}

/// A basic string of TOML on one line. What could drive a terminal is escaped: the text may be anybody's.
pub(crate) fn quote_toml(text: &str) -> String {
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
            '\0'..='\u{ffff}' if drives_a_terminal(c) => {
                quoted.extend(format!("\\u{:04X}", u32::from(c)).chars());
            }
            _ if drives_a_terminal(c) => quoted.extend(format!("\\U{:08X}", u32::from(c)).chars()),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
}

/// What shows nothing by itself and changes how other text looks: C0, DEL and C1 (the category Cc of Unicode), what breaks
/// lines (Zl, Zp), what turns the direction of writing and the other format characters (Cf), and what nobody sees
/// (`Default_Ignorable_Code_Point`), of Unicode 16. Left out are the two selectors behind a sign that say how it looks:
/// our own signs have one.
pub(crate) fn drives_a_terminal(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

//! What others wrote, made harmless for a line, a terminal and a JSON text.

use crate::toml_text::drives_a_terminal;

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
pub(crate) fn escape_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if drives_a_terminal(c) {
            // RFC 8259, 7: what does not fit into 16 bits is a pair.
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|half| format!("\\u{half:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// A word of a command line that a person may type: in single quotes where a shell would read it otherwise.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

//! DIAGNOSTICS of man/unhang.8 is the table of faults, word for word: what changes there changes here.

use std::fs;
use std::path::Path;

use super::Row;
use super::faults::FAULTS;

#[test]
fn the_manual_tells_every_fault_in_the_words_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/unhang.8");
    let manual = fs::read_to_string(path).unwrap();
    let all: Vec<String> = FAULTS.chunk_by(is_told_together).map(entry).collect();
    for entry in &all {
        assert!(manual.contains(entry), "man/unhang.8 lacks:\n{entry}");
    }
    assert!(manual.contains(&format!("{}.El\n", all.concat())), "DIAGNOSTICS has more, or another order");
}

/// Rows with the same thing to say stand above it together.
fn is_told_together(one: &Row, next: &Row) -> bool {
    (one.1, one.2) == (next.1, next.2)
}

fn entry(rows: &[Row]) -> String {
    let heads: Vec<String> = rows.iter().map(|row| format!(".It Sy \"{}\"\n", roff(row.0))).collect();
    format!("{}{}\n{}\n", heads.concat(), sentences(rows[0].1), sentences(rows[0].2))
}

fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('"', "\\(dq").replace('~', "\\(ti");
    escaped.replace('`', "")
}

/// Each begins a line, as mdoc wants it.
fn sentences(text: &str) -> String {
    roff(text).replace(". ", ".\n").replace(": ", ":\n")
}

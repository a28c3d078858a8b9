//! `config show`: lines that could stand in a file, each with where its value came from.

use serde_json::{Map, Value, json};

const CONFIG_SHOW_SCHEMA: u32 = 1;

/// A section with key, value and origin of its entries.
#[must_use]
pub fn config_lines((name, rows): (&str, Vec<[&str; 3]>)) -> Vec<String> {
    let said = |[key, value, _]: &[&str; 3]| format!("{key} = {value}");
    let width = rows.iter().map(|row| said(row).chars().count()).max().unwrap_or(0);
    let entries = rows.iter().map(|row| {
        let [_, _, origin] = row;
        format!("{:<width$}  # {origin}", said(row))
    });
    [format!("[{name}]")].into_iter().chain(entries).chain([String::new()]).collect()
}

pub fn config_json<'a>(sections: impl Iterator<Item = (&'a str, Vec<[&'a str; 3]>)>) -> Value {
    let object = |rows: Vec<[&str; 3]>| -> Value {
        let entry =
            |[key, value, origin]: [&str; 3]| (key.to_owned(), json!({ "value": value, "origin": origin }));
        let mut entries = Map::new();
        entries.extend(rows.into_iter().map(entry));
        Value::Object(entries)
    };
    let mut named = Map::new();
    named.extend(sections.map(|(name, rows)| (name.to_owned(), object(rows))));
    json!({ "schema": CONFIG_SHOW_SCHEMA, "sections": named })
}

//! The tables of keys as a list that people read: `unhang config keys`.

use std::array;

use super::restart_method;
use crate::keys::{self, KeyRow, TablesAllowed, Takes};
use crate::plan::{KeySpec, ValueType};
use crate::probe::KINDS;

/// What is listed of a key, a column each.
type Columns = [String; 5];

/// A heading for each table, and below it a line for each of its keys.
pub(crate) fn key_lines() -> Vec<String> {
    let rows = |which: fn(TablesAllowed) -> bool| {
        keys::all_keys().filter(move |row| which(row.stands)).map(of_row).collect()
    };
    let with_url = keys::QUESTION.iter().filter(|row| row.name != keys::TIMEOUT.row.name);
    let mut lines = Vec::new();
    let mut add = |heading: &str, keys: Vec<Columns>| lines.extend(section_lines(heading, &keys));
    let mut of_service: Vec<Columns> = rows(|stands| matches!(stands, TablesAllowed::Service(_)));
    of_service.extend(restart_method::own_keys().map(of_spec));
    add("[service.NAME]", of_service);
    add("[service.NAME] and [defaults]", rows(|stands| stands == TablesAllowed::Shared));
    add("[host]", rows(|stands| stands == TablesAllowed::Host));
    let probe = "[service.NAME.probe.PROBE]";
    add(
        &format!("{probe} of every kind"),
        [&keys::TIMEOUT.row].into_iter().chain(keys::PROBE).map(without_flag).collect(),
    );
    add(
        &format!("{probe} with url"),
        [&keys::URL.row].into_iter().chain(with_url).map(without_flag).collect(),
    );
    for kind in KINDS {
        let keys = kind.spec.keys().map(of_spec).collect();
        add(&format!("{probe} with {}", kind.spec.main_key.name), keys);
    }
    lines.pop();
    lines
}

fn section_lines(heading: &str, keys: &[Columns]) -> Vec<String> {
    let [name_width, value_width, default_width, flag_width]: [usize; 4] = array::from_fn(|column| {
        let texts = keys.iter().filter_map(|key| key.get(column));
        texts.map(|text| text.chars().count()).max().unwrap_or_default()
    });
    let line = |[name, value, default, flag, help]: &Columns| {
        format!(
            "{name:name_width$}  {value:value_width$}  {default:default_width$}  {flag:flag_width$}  {help}"
        )
    };
    [heading.to_owned()].into_iter().chain(keys.iter().map(line)).chain([String::new()]).collect()
}

fn of_row(row: &KeyRow) -> Columns {
    let flag = row.flag.map(|flag| format!("--{}", flag.name));
    [
        row.name.to_owned(),
        value_text(row.takes),
        default_text(row.default),
        or_dash(flag),
        row.help.to_owned(),
    ]
}

/// A flag is about services, never about their probes.
fn without_flag(row: &KeyRow) -> Columns {
    of_row(&KeyRow { flag: None, ..*row })
}

fn of_spec(key: &KeySpec) -> Columns {
    let value = value_type_text(key.value_type);
    [key.name.to_owned(), value, default_text(key.default), or_dash(None), key.help.to_owned()]
}

fn default_text(default: Option<&str>) -> String {
    or_dash(default.map(|default| if default.is_empty() { "\"\"".to_owned() } else { default.to_owned() }))
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// What a value is, in as few words as an operator needs.
fn value_text(takes: Takes) -> String {
    match takes {
        Takes::Number { from, to: u32::MAX } => format!("{from} or more"),
        Takes::Number { from, to } => format!("{from} to {to}"),
        Takes::Time { .. } => "time".to_owned(),
        Takes::Truth => "true|false".to_owned(),
        Takes::OneOf(known) => known.join("|"),
        Takes::Percent => "percent".to_owned(),
        Takes::Statuses => "statuses".to_owned(),
        Takes::Path { .. } => "path".to_owned(),
        Takes::Text { .. } => "text".to_owned(),
        Takes::List { .. } => "list".to_owned(),
        Takes::Size { .. } => "size".to_owned(),
        Takes::Figure => "number".to_owned(),
        Takes::Values => "value or list".to_owned(),
        Takes::Names => "table".to_owned(),
    }
}

fn value_type_text(value_type: ValueType) -> String {
    match value_type {
        ValueType::Text(_) => "text".to_owned(),
        ValueType::Unit => "unit".to_owned(),
        ValueType::Path | ValueType::File(_) | ValueType::Folder(_) => "path".to_owned(),
        ValueType::Pattern => "pattern".to_owned(),
        ValueType::Span => "time".to_owned(),
        ValueType::Share => "percent".to_owned(),
        ValueType::Size => "size".to_owned(),
        ValueType::Hundredths => "number".to_owned(),
        ValueType::Count => "0 or more".to_owned(),
        ValueType::Number { from, to } => format!("{from} to {to}"),
        ValueType::Command | ValueType::CommandOrNone => "list".to_owned(),
        ValueType::Address => "HOST:PORT".to_owned(),
        ValueType::OneOf(known) => known.join("|"),
    }
}

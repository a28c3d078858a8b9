//! The tables of keys as a JSON Schema of `unhang.toml`, for editors (taplo, VS Code).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::restart_method;
use crate::keys::{self, KeyRow, TablesAllowed, Takes};
use crate::plan::{KeySpec, ValueType};
use crate::probe::KINDS;

/// Draft 7, which taplo and VS Code understand.
pub(crate) fn config_schema() -> Value {
    let rows = |which: fn(TablesAllowed) -> bool| {
        object_schema(keys::all_keys().filter(move |row| which(row.stands)).map(property_schema))
    };
    let shared = rows(|stands| stands == TablesAllowed::Shared);
    let host = rows(|stands| stands == TablesAllowed::Host);
    let of_service = keys::all_keys()
        .filter(|row| matches!(row.stands, TablesAllowed::Service(_) | TablesAllowed::Shared));
    let mut service =
        object_schema(of_service.map(property_schema).chain(restart_method::own_keys().map(of_method)));
    let restart = service.pointer("/properties/restart").cloned().unwrap_or_default();
    let mut extra = Map::new();
    extra.insert("probe".to_owned(), json!({ "type": "object", "additionalProperties": probe_schema() }));
    // A command, or a table of the other methods.
    extra.insert(
        "restart".to_owned(),
        json!({ "anyOf": [value_schema(Takes::List { sample: "" }), restart] }),
    );
    if let Some(properties) = service.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.extend(extra);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "unhang.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "defaults": shared,
            "host": host,
            "service": { "type": "object", "additionalProperties": service },
        },
    })
}

/// A probe of any kind. Which keys go together, the schema cannot say: the reader does.
fn probe_schema() -> Value {
    let of_url = keys::QUESTION.iter().chain([&keys::URL.row]).chain(keys::PROBE).map(property_schema);
    object_schema(of_url.chain(keys_of_kinds()))
}

/// A key that several kinds have, such as `warn`, may be what any of them takes.
fn keys_of_kinds() -> impl Iterator<Item = (&'static str, Value)> {
    let mut variants = BTreeMap::<&str, Vec<(Value, Vec<String>)>>::new();
    for kind in KINDS {
        for key in kind.spec.keys() {
            let (schema, help) =
                (value_type(key.value_type), format!("{}: {}", kind.spec.main_key.name, key.help));
            let of_key = variants.entry(key.name).or_default();
            match of_key.iter_mut().find(|(known, _)| *known == schema) {
                Some((_, helps)) => helps.push(help),
                None => of_key.push((schema, vec![help])),
            }
        }
    }
    variants.into_iter().map(|(name, variants)| {
        let mut described: Vec<Value> =
            variants.into_iter().map(|(schema, helps)| with_description(schema, helps.join("; "))).collect();
        let schema = match described.pop() {
            Some(only) if described.is_empty() => only,
            last => json!({ "anyOf": described.into_iter().chain(last).collect::<Vec<_>>() }),
        };
        (name, schema)
    })
}

/// `budget.window` becomes a property of the property `budget`.
fn object_schema<'a>(properties: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let (mut own, mut tables) = (Map::new(), BTreeMap::<&str, Vec<(&str, Value)>>::new());
    for (name, schema) in properties {
        match name.split_once('.') {
            None => {
                own.insert(name.to_owned(), schema);
            }
            Some((table, key)) => tables.entry(table).or_default().push((key, schema)),
        }
    }
    // A key that has both, as `restart`: the caller says which may be.
    own.extend(tables.into_iter().map(|(table, keys)| (table.to_owned(), object_schema(keys.into_iter()))));
    json!({ "type": "object", "additionalProperties": false, "properties": own })
}

fn of_method(key: &KeySpec) -> (&str, Value) {
    (key.name, with_description(value_type(key.value_type), key.help.to_owned()))
}

fn property_schema(row: &KeyRow) -> (&str, Value) {
    (row.name, with_description(value_schema(row.takes), row.help_text()))
}

fn with_description(mut schema: Value, description: String) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), description.into());
    }
    schema
}

fn value_schema(takes: Takes) -> Value {
    match takes {
        Takes::Number { from, to: u32::MAX } => json!({ "type": "integer", "minimum": from }),
        Takes::Number { from, to } => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Takes::Time { .. } => {
            json!({ "type": "string", "minLength": 2, "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" })
        }
        Takes::Truth => json!({ "type": "boolean" }),
        Takes::OneOf(known) => json!({ "enum": known }),
        Takes::Percent => json!({ "type": "string", "pattern": "^([1-9][0-9]?|100)%$" }),
        Takes::Path { or_none: true, .. } => json!({ "type": "string", "pattern": "^(/.*)?$" }),
        Takes::Path { .. } => json!({ "type": "string", "pattern": "^/" }),
        Takes::Statuses => json!({ "type": ["string", "integer"] }),
        Takes::Text { .. } => json!({ "type": "string" }),
        Takes::List { .. } => json!({ "type": ["string", "array"] }),
        Takes::Size { .. } => json!({ "type": "string", "pattern": "^[0-9]+[KMGT]?$" }),
        Takes::Figure => json!({ "type": "number" }),
        Takes::Values => json!({ "type": ["string", "number", "boolean", "array"] }),
        Takes::Names => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    }
}

fn value_type(value_type: ValueType) -> Value {
    match value_type {
        ValueType::Text(_) | ValueType::Unit | ValueType::Address => json!({ "type": "string" }),
        ValueType::Path | ValueType::File(_) | ValueType::Folder(_) => {
            value_schema(Takes::Path { sample: "", or_none: false })
        }
        ValueType::Number { from, to } => value_schema(Takes::Number { from, to }),
        ValueType::Pattern | ValueType::Command | ValueType::CommandOrNone => {
            value_schema(Takes::List { sample: "" })
        }
        ValueType::Span => value_schema(Takes::Time { from: 1 }),
        ValueType::Share => value_schema(Takes::Percent),
        ValueType::Size => value_schema(Takes::Size { from: 1, to: u32::MAX }),
        ValueType::Hundredths => json!({ "type": ["string", "number"] }),
        ValueType::Count => json!({ "type": "integer", "minimum": 0 }),
        ValueType::OneOf(known) => json!({ "enum": known }),
    }
}

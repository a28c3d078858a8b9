//! What follows from the tables of keys besides reading: the list of them, a JSON Schema of `unhang.toml` for editors
//! (taplo, VS Code), the sample file and the items of the manual.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::keys::{self, Row, Stands, Takes};
use crate::plan::Word;
use crate::probe::KINDS;

/// One line a key, for people.
pub(crate) fn lines() -> Vec<String> {
    let of_one = |row: &'static Row| {
        let default = row.default.map(|default| format!(" = {default}")).unwrap_or_default();
        let flag = row.flag.map(|flag| format!(" (--{})", flag.name)).unwrap_or_default();
        format!("{} {}{default}{flag}: {}", table(row), row.name, row.help)
    };
    keys::all().map(of_one).collect()
}

/// Draft 7, which taplo and VS Code understand.
pub(crate) fn schema() -> Value {
    let rows = |which: fn(&Row) -> bool| object(keys::all().filter(move |row| which(row)).map(property));
    let shared = rows(|row| row.stands == Stands::Shared);
    let host = rows(|row| row.stands == Stands::Host);
    let mut service = rows(|row| row.stands != Stands::Host);
    let restart = service.pointer("/properties/restart").cloned().unwrap_or_default();
    let mut extra = Map::new();
    extra.insert("probe".to_owned(), json!({ "type": "object", "additionalProperties": probe() }));
    // A command, or a table of the other methods.
    extra.insert("restart".to_owned(), json!({ "anyOf": [takes(Takes::List { sample: "" }), restart] }));
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

/// A probe of any kind: which keys go together, the reader says.
fn probe() -> Value {
    let kinds = KINDS.iter().flat_map(|kind| [&kind.spec.subject].into_iter().chain(kind.spec.keys));
    let of_kinds = kinds.map(|key| (key.name, word(key.word)));
    let of_url = keys::QUESTION.iter().chain(keys::SERVICE.iter().filter(|row| row.name == "url"));
    let all = of_url.map(property).chain(of_kinds).chain([("optional", takes(Takes::Truth))]);
    object(all)
}

/// `budget.window` becomes a property of the property `budget`.
fn object<'a>(properties: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let (mut own, mut tables) = (Map::new(), BTreeMap::<&str, Vec<(&str, Value)>>::new());
    for (name, schema) in properties {
        match name.split_once('.') {
            None => add(&mut own, name, schema),
            Some((table, key)) => tables.entry(table).or_default().push((key, schema)),
        }
    }
    // A key that has both, as `restart`: the caller says which may be.
    own.extend(tables.into_iter().map(|(table, keys)| (table.to_owned(), object(keys.into_iter()))));
    json!({ "type": "object", "additionalProperties": false, "properties": own })
}

/// A key that several kinds of probe have may be what any of them takes.
fn add(own: &mut Map<String, Value>, name: &str, schema: Value) {
    let schema = match own.remove(name) {
        Some(other) if other != schema => json!({ "anyOf": [other, schema] }),
        Some(_) | None => schema,
    };
    own.insert(name.to_owned(), schema);
}

fn property(row: &Row) -> (&str, Value) {
    let mut schema = takes(row.takes);
    let mut said = Map::new();
    said.insert("description".to_owned(), row.help().into());
    if let Some(object) = schema.as_object_mut() {
        object.extend(said);
    }
    (row.name, schema)
}

fn takes(takes: Takes) -> Value {
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
        Takes::Names => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    }
}

fn word(word: Word) -> Value {
    match word {
        Word::Text(_) | Word::Address => json!({ "type": "string" }),
        Word::Path => takes(Takes::Path { sample: "", or_none: false }),
        Word::Pattern | Word::Command => takes(Takes::List { sample: "" }),
        Word::Span => takes(Takes::Time { from: 1 }),
        Word::Share => takes(Takes::Percent),
        Word::Size => json!({ "type": "string", "pattern": "^[0-9]+[KMGT]?$" }),
        Word::Hundredths => json!({ "type": ["string", "number"] }),
        Word::Count => json!({ "type": "integer", "minimum": 0 }),
        Word::OneOf(known) => json!({ "enum": known }),
    }
}

const fn table(row: &Row) -> &'static str {
    match row.stands {
        Stands::Host => "[host]",
        Stands::Shared => "[defaults]",
        Stands::Service(_) => "[service.NAME]",
    }
}

/// As a file has it.
fn in_toml(row: &Row) -> Option<String> {
    let written = row.default?;
    let is_bare =
        matches!(row.takes, Takes::Number { .. } | Takes::Truth | Takes::List { .. } | Takes::Names);
    Some(if is_bare { written.to_owned() } else { crate::toml_text::quote(written) })
}

/// Every key with its default, for the sample file.
#[cfg_attr(not(test), expect(dead_code, reason = "the spike tests it; packaging would print it"))]
pub(crate) fn sample(rows: &[Row]) -> Vec<String> {
    let of_one = |row: &Row| Some(format!("# {} = {}  # {}", row.name, in_toml(row)?, row.help));
    rows.iter().filter_map(of_one).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads the files of the repository")]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    use jsonschema::validator_for;
    use toml::de::{DeTable, DeValue};

    fn as_json(value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => text.as_ref().into(),
            DeValue::Integer(number) => number.as_str().parse::<i64>().unwrap().into(),
            DeValue::Float(number) => number.as_str().parse::<f64>().unwrap().into(),
            DeValue::Boolean(truth) => (*truth).into(),
            DeValue::Datetime(date) => date.to_string().into(),
            DeValue::Array(list) => list.iter().map(|one| as_json(one.get_ref())).collect(),
            DeValue::Table(table) => table_as_json(table),
        }
    }

    fn table_as_json(table: &DeTable<'_>) -> Value {
        let one = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
            (key.get_ref().to_string(), as_json(value.get_ref()))
        };
        Value::Object(table.iter().map(one).collect())
    }

    fn is_valid(text: &str) -> bool {
        let table = DeTable::parse(text).unwrap();
        validator_for(&schema()).unwrap().is_valid(&table_as_json(table.get_ref()))
    }

    /// The heading of its item in unhang.toml(5).
    fn manual_item(row: &Row) -> String {
        let default = in_toml(row)
            .map(|text| text.replace('"', "\\(dq").replace('-', "\\-"))
            .map(|text| format!(" No = Li {text}"));
        format!(".It Cm {}{}", row.name, default.unwrap_or_default())
    }

    #[test]
    fn the_schema_takes_every_file_that_we_ship() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib");
        let examples = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = examples.chain([root.join("unhang.toml")]).collect();
        assert_eq!(files.len(), 6);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert!(is_valid(&text), "{}", file.display());
            if !file.ends_with("unhang.toml") {
                continue;
            }
            // As the sample is meant to be used: with some of its comments taken away.
            let is_key = |line: &&str| {
                line.contains(" = ") && !line.starts_with("restart") && !line.starts_with("wake")
            };
            let lines = text.lines().map(|line| line.strip_prefix("# ").filter(is_key).unwrap_or(line));
            assert!(is_valid(&lines.flat_map(|line| [line, "\n"]).collect::<String>()), "{}", file.display());
        }
    }

    #[test]
    fn the_schema_refuses_what_the_reader_refuses() {
        let service = "[service.shop]\nurl = \"http://localhost/\"\n";
        for good in [
            "max_failures = 3",
            "status = 204",
            "budget.restarts = 5",
            "restart = [\"a\"]",
            "restart.docker = \"web\"",
            "probe.redis = { tcp = \"127.0.0.1:6379\" }",
            "timeout = \"1m30s\"",
        ] {
            assert!(is_valid(&format!("{service}{good}")), "{good}");
        }
        for wrong in [
            "max_failure = 3",
            "max_failures = 0",
            "max_failures = \"2\"",
            "timeout = 5",
            "timeout = \"5\"",
            "mode = \"off\"",
            "budget = 5",
            "budget.windows = \"1h\"",
            "insecure = \"no\"",
            "pause_file = \"x\"",
            "probe.redis = { tpc = \"127.0.0.1:6379\" }",
            "deadline = \"60s\"",
        ] {
            assert!(!is_valid(&format!("{service}{wrong}")), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_in_the_table_once_and_its_flag_is_its_name() {
        for row in keys::all() {
            let same = |other: &&Row| {
                other.name == row.name && (other.stands == Stands::Host) == (row.stands == Stands::Host)
            };
            assert_eq!(keys::all().filter(same).count(), 1, "{}", row.name);
            assert!(!row.help.is_empty(), "{}", row.name);
            let Some(flag) = row.flag else { continue };
            let mirrored = row.name.replace(['_', '.'], "-");
            assert!(
                flag.name == mirrored || ["header", "restart-command"].contains(&flag.name),
                "{}",
                flag.name
            );
        }
    }

    #[test]
    fn every_default_of_the_table_is_one_that_its_key_takes() {
        let service = crate::config::service::built_in();
        assert_eq!(service.defaults.settings.len() + service.host.settings.len(), 32);
    }

    /// Today's manual is written by hand: it says what the table says.
    #[test]
    fn the_manual_has_an_item_for_each_key() {
        let manual =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/unhang.toml.5")).unwrap();
        let missing: Vec<String> =
            keys::all().map(manual_item).filter(|item| !manual.lines().any(|line| line == item)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn the_sample_is_the_table() {
        let shared: Vec<Row> =
            keys::POLICY.iter().filter(|row| row.stands == Stands::Shared).copied().collect();
        let lines = sample(&shared);
        assert!(lines.contains(&"# max_failures = 2  # Failures in a row that lead to a restart".to_owned()));
        let text: String = lines.iter().flat_map(|line| [line.trim_start_matches("# "), "\n"]).collect();
        assert!(is_valid(&format!("[defaults]\n{text}")));
    }
}

//! The tables of keys, and what follows from them: the schema, the list, the sample file, the manual.

use std::fs;
use std::path::Path;

use jsonschema::validator_for;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::config::restart_method::own_keys;
use crate::config::{config_schema, key_lines};
use crate::keys::{self, KeyRow, TablesAllowed, Takes};
use crate::plan::KeySpec;
use crate::probe::KINDS;
use crate::toml_text::quote_toml;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

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
    validator_for(&config_schema()).unwrap().is_valid(&table_as_json(table.get_ref()))
}

/// As a file has it.
fn in_toml(row: &KeyRow, written: &str) -> String {
    match row.takes {
        Takes::Number { .. } | Takes::Truth | Takes::List { .. } | Takes::Names | Takes::Figure => {
            written.to_owned()
        }
        _ => quote_toml(written),
    }
}

/// The heading of its item in unhang.toml(5).
fn manual_item(row: &KeyRow) -> String {
    let default = row
        .default
        .map(|default| in_toml(row, default))
        .map(|text| text.replace('"', "\\(dq").replace('-', "\\-"))
        .map(|text| format!(" No = Li {text}"));
    format!(".It Cm {}{}", row.name, default.unwrap_or_default())
}

#[test]
fn the_schema_takes_every_file_that_we_ship() {
    let root = Path::new(ROOT).join("contrib");
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
            let key = line.split_once(" = ").map(|(key, _)| key);
            key.is_some_and(|key| {
                !key.contains(' ') && !key.starts_with("restart") && !key.starts_with("wake")
            })
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
    for row in keys::all_keys() {
        let same = |other: &&KeyRow| {
            let tables = [row, other].map(|row| {
                matches!(row.stands, TablesAllowed::Host | TablesAllowed::Probe).then_some(row.stands)
            });
            other.name == row.name && tables[0] == tables[1]
        };
        assert_eq!(keys::all_keys().filter(same).count(), 1, "{}", row.name);
        assert!(!row.help.is_empty(), "{}", row.name);
        let Some(flag) = row.flag else { continue };
        let mirrored = row.name.replace(['_', '.'], "-");
        assert!(flag.name == mirrored || ["header", "restart-command"].contains(&flag.name), "{}", flag.name);
    }
}

/// Today's manual is written by hand: it says what the table says.
#[test]
fn the_manual_has_an_item_for_each_key() {
    let manual = fs::read_to_string(Path::new(ROOT).join("man/unhang.toml.5")).unwrap();
    let missing: Vec<String> =
        keys::all_keys().map(manual_item).filter(|item| !manual.lines().any(|line| line == item)).collect();
    assert_eq!(missing, Vec::<String>::new());
    let item = |key: &KeySpec| {
        let default = key.default.map(|default| format!(" No = Li \\(dq{default}\\(dq"));
        format!(".It Cm {}{}", key.name, default.unwrap_or_default())
    };
    let of_methods = own_keys().map(item);
    let missing: Vec<String> = of_methods.filter(|item| !manual.lines().any(|line| line == item)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// The sample is written by hand, with a line for each key: its default or an example, and its help.
#[test]
fn the_sample_has_a_line_for_each_key() {
    let sample = fs::read_to_string(Path::new(ROOT).join("contrib/unhang.toml")).unwrap();
    let (services, host) = sample.split_once("\n[host]\n").unwrap();
    let (defaults, service) = services.split_once("\n[service.roams-django]\n").unwrap();
    let has_line = |row: &KeyRow| {
        let table = match row.stands {
            TablesAllowed::Host => host,
            TablesAllowed::Service(_) => service,
            TablesAllowed::Shared => defaults,
            TablesAllowed::Probe => return true,
        };
        let default = row.default_of("roams-django").map(|default| in_toml(row, &default));
        table.lines().any(|line| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            let rest = line.strip_prefix(row.name).and_then(|rest| rest.strip_prefix(" = "));
            let value =
                rest.and_then(|rest| Some(rest.strip_suffix(row.help)?.strip_suffix("# ")?.trim_end()));
            value.is_some_and(|value| default.as_ref().is_none_or(|default| default == value))
        })
    };
    let missing: Vec<&str> = keys::all_keys().filter(|row| !has_line(row)).map(|row| row.name).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let has_line = |key: &&KeySpec| {
        service.lines().any(|line| {
            line.starts_with(&format!("# {} = {}", key.name, key.default.map(quote_toml).unwrap_or_default()))
                && line.ends_with(key.help)
        })
    };
    let missing: Vec<&str> = own_keys().filter(|key| !has_line(key)).map(|key| key.name).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_list_has_a_line_for_each_key() {
    let lines = key_lines();
    let of_kinds = KINDS.iter().map(|kind| kind.spec.keys().count()).sum::<usize>();
    let repeated = keys::QUESTION.len() + 1;
    let keys = lines.iter().filter(|line| !line.is_empty() && !line.starts_with('['));
    let of_methods = own_keys().count();
    assert_eq!(keys.count(), keys::all_keys().count() + of_methods + of_kinds + repeated);
    for kind in KINDS {
        let heading = format!("[service.NAME.probe.PROBE] with {}", kind.spec.main_key.name);
        let section: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .skip_while(|line| *line != heading)
            .skip(1)
            .take_while(|line| !line.is_empty())
            .collect();
        for key in kind.spec.keys() {
            assert!(!key.help.is_empty(), "{heading}: {}", key.name);
            let is_of_key =
                |line: &&&str| line.starts_with(&format!("{} ", key.name)) && line.ends_with(key.help);
            assert_eq!(section.iter().filter(is_of_key).count(), 1, "{heading}: {}", key.name);
        }
    }
}

/// Editors find it in the repository, and packages install it.
#[test]
fn the_schema_in_contrib_is_the_one_that_is_printed() {
    let file = fs::read_to_string(Path::new(ROOT).join("contrib/schema/unhang.toml.json")).unwrap();
    assert_eq!(
        file,
        format!("{:#}\n", config_schema()),
        "unhang config keys --json >contrib/schema/unhang.toml.json"
    );
}

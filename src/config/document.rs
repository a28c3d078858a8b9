//! One TOML text as tables of settings, with the line of each. Knows the tables' names and nothing of
//! the keys in them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::{ConfigFault, KeyPart, Origin, Problem, Setting, SettingTable, SettingValue};
use crate::{keys, suggest};

#[derive(Debug)]
pub(super) struct Document {
    pub(super) defaults: Option<SettingTable>,
    pub(super) host: Option<SettingTable>,
    /// With its NAME.
    pub(super) services: Vec<(String, SettingTable)>,
    /// Keys before the first table: they mean nothing, but what was meant may be known to the caller.
    pub(super) stray: Vec<Setting>,
    /// Of tables that cannot be what they are called; the others are good.
    pub(super) faults: Vec<ConfigFault>,
}

impl Document {
    /// `Err`: every fault of its grammar, not only the first. What is left of a text with such a fault
    /// is not looked at: half of what would be found in it is not the operator's doing.
    pub(super) fn parse(text: &str, path: &Arc<Path>) -> Result<Self, Vec<ConfigFault>> {
        let lines = LineIndex::build(text);
        let at =
            |offset: usize| Origin::File { path: Arc::clone(path), line: Some(lines.line_number(offset)) };
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(grammar_faults(text, &errors, &at));
        }
        Ok(sort_tables(root.into_inner(), &at))
    }
}

/// A list on the right-hand side of a key, as it would stand in a file.
pub(super) fn parse_list(text: &str) -> Option<SettingValue> {
    let list = to_value(DeValue::parse(text).ok()?.into_inner());
    matches!(list, SettingValue::List(_)).then_some(list)
}

fn grammar_faults(text: &str, errors: &[toml::de::Error], at: &impl Fn(usize) -> Origin) -> Vec<ConfigFault> {
    let (mut faults, mut again) = (Vec::<ConfigFault>::new(), HashSet::new());
    for error in errors {
        let span = error.span().unwrap_or_default();
        let wrong = if error.message() == "duplicate key" {
            let header = enclosing_header(text, span.start);
            let is_header = header.start == line_start(text, span.start) && !header.is_empty();
            // Of a table that stands twice, all that is in both does too.
            if !is_header && again.contains(&header) {
                continue;
            }
            let told = if is_header { header.clone() } else { span.clone() };
            again.extend(is_header.then_some(header));
            let what = text.get(told).unwrap_or_default();
            Problem::with_cure(format!("{what} is defined twice in this file"), "remove one")
        } else {
            format!("cannot be read as TOML: {}", error.message()).into()
        };
        faults.push(at(span.start).fault(wrong));
    }
    // One slip makes several errors; those after the first lead astray.
    faults.dedup_by(|later, first| later.origin == first.origin);
    faults
}

/// Where `[service.shop]` stands, of the table that `offset` is in; nowhere before the first.
fn enclosing_header(text: &str, offset: usize) -> Range<usize> {
    let start = text.get(..offset).unwrap_or_default().rfind("\n[").map_or(0, |end| end.saturating_add(1));
    let header = text
        .get(start..)
        .filter(|rest| rest.starts_with('['))
        .and_then(|rest| rest.lines().next()?.split_inclusive(']').next())
        // A list that was never closed begins like a header, and what stands in it may be a secret.
        .filter(|header| header.ends_with(']') && !header.contains('='));
    start..start.saturating_add(header.map_or(0, str::len))
}

fn line_start(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.rfind('\n').map_or(0, |end| end.saturating_add(1))
}

fn sort_tables(root: DeTable<'_>, at: &impl Fn(usize) -> Origin) -> Document {
    let (mut defaults, mut host, mut stray) = (None, None, Vec::new());
    let (mut named, mut faults) = (Vec::new(), Vec::new());
    for (name, content) in root {
        let origin = at(name.span().start);
        let name = name.into_inner().into_owned();
        match (name.as_str(), content.into_inner()) {
            ("defaults", DeValue::Table(inner)) => {
                defaults = Some(build_table(&["defaults"], origin, inner, at));
            }
            ("host", DeValue::Table(inner)) => host = Some(build_table(&["host"], origin, inner, at)),
            ("service", DeValue::Table(inner)) => read_service_tables(inner, at, &mut named, &mut faults),
            ("defaults" | "host", _) => faults.push(origin.fault(not_a_table(&name, &name))),
            ("service", _) => faults.push(origin.fault(not_a_table("service", "service.NAME"))),
            (unknown, DeValue::Table(_) | DeValue::Array(_)) => faults.push(unknown_table(unknown, &origin)),
            (_, leaf) => stray.push(Setting { key: vec![name.into()], value: to_value(leaf), origin }),
        }
    }
    Document { defaults, host, services: named, stray, faults }
}

fn read_service_tables(
    named: DeTable<'_>,
    at: &impl Fn(usize) -> Origin,
    services: &mut Vec<(String, SettingTable)>,
    faults: &mut Vec<ConfigFault>,
) {
    for (name, content) in named {
        let origin = at(name.span().start);
        let name = name.into_inner().into_owned();
        let content = content.into_inner();
        if !matches!(content, DeValue::Table(_)) && is_key_of_service(&name) {
            faults.push(origin.fault(no_name(&name)));
        } else if let DeValue::Table(inner) = content {
            let table = build_table(&["service", &name], origin, inner, at);
            services.push((name, table));
        } else {
            let name = format!("service.{name}");
            faults.push(origin.fault(not_a_table(&name, &name)));
        }
    }
}

/// `[service]` with a url: the NAME was left out.
fn is_key_of_service(name: &str) -> bool {
    keys::all_keys().any(|row| row.name.split('.').next() == Some(name))
}

fn no_name(key: &str) -> Problem {
    let cure = "write [service.NAME] in place of [service], with a name of your own";
    Problem::with_cure(format!("{key} stands in [service], which has no name"), cure)
}

fn not_a_table(name: &str, header: &str) -> Problem {
    Problem::with_cure(format!("{name} is not a table"), format!("write [{header}], in single brackets"))
}

fn unknown_table(name: &str, origin: &Origin) -> ConfigFault {
    let meant = match suggest::suggest(name, ["defaults", "host", "service"]) {
        Some("service") => "service.NAME".to_owned(),
        Some(near) => near.to_owned(),
        None => format!("service.{name}"),
    };
    origin.fault(Problem::with_cure(format!("unknown table {name}"), format!("did you mean [{meant}]?")))
}

fn build_table(
    name: &[&str],
    origin: Origin,
    inner: DeTable<'_>,
    at: &impl Fn(usize) -> Origin,
) -> SettingTable {
    let mut table = SettingTable::new(name, origin);
    let under = table.name.clone();
    flatten_keys(inner, &under, at, &mut table.settings);
    table
}

/// The parser refuses deeper nesting than 80.
fn flatten_keys(
    table: DeTable<'_>,
    under: &[KeyPart],
    at: &impl Fn(usize) -> Origin,
    settings: &mut Vec<Setting>,
) {
    for (name, content) in table {
        let origin = at(name.span().start);
        let name = KeyPart::Owned(name.into_inner().into_owned());
        let key: Vec<KeyPart> = under.iter().cloned().chain([name]).collect();
        match content.into_inner() {
            DeValue::Table(inner) if inner.is_empty() => {
                settings.push(Setting { key, value: SettingValue::EmptyTable, origin });
            }
            DeValue::Table(inner) => flatten_keys(inner, &key, at, settings),
            leaf @ (DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)) => settings.push(Setting { key, value: to_value(leaf), origin }),
        }
    }
}

fn to_value(leaf: DeValue<'_>) -> SettingValue {
    match leaf {
        DeValue::String(text) => SettingValue::Text(text.into_owned().into()),
        DeValue::Boolean(truth) => SettingValue::Boolean(truth),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => SettingValue::Integer(number),
            Err(_) => SettingValue::Unsupported(number.to_string()),
        },
        DeValue::Float(number) => SettingValue::Unsupported(number.to_string()),
        DeValue::Datetime(date) => SettingValue::Unsupported(date.to_string()),
        DeValue::Array(list) => {
            SettingValue::List(list.into_iter().map(Spanned::into_inner).map(to_value).collect())
        }
        // In a list; elsewhere it was flattened.
        DeValue::Table(_) => SettingValue::Unsupported("a table".to_owned()),
    }
}

/// Where each line ends, so that a file with thousands of keys is not counted through for each.
struct LineIndex(Vec<usize>);

impl LineIndex {
    fn build(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset).collect())
    }

    fn line_number(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset).saturating_add(1)
    }
}

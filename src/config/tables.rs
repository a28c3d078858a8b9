//! The files, merged: which are read, which may hold what, and which name is defined where; the tables of probes
//! apart from those of their services. Looks at no other key within a table.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

use super::document::Document;
use super::files::{ConfigPlaces, FileProblem};
use super::settings::{ConfigFault, Origin, Problem, Setting, SettingTable, SettingValue};
use crate::plan::Invoker;

#[derive(Debug)]
pub(super) struct ConfigTables {
    /// What is told to be empty when there is no service.
    pub(super) origin: Origin,
    pub(super) defaults: SettingTable,
    pub(super) host: SettingTable,
    pub(super) services: BTreeMap<String, ServiceTables>,
    /// Keys that stand in no table.
    pub(super) stray: Vec<Setting>,
    pub(super) owner: Invoker,
}

/// What one service says of itself.
#[derive(Debug)]
pub(super) struct ServiceTables {
    /// `[service.NAME]` without its probes.
    pub(super) own: SettingTable,
    /// `[service.NAME.probe.PROBE]`, by PROBE.
    pub(super) probes: BTreeMap<String, SettingTable>,
}

/// The table of a service that holds those of its probes.
pub(super) const PROBE_TABLE: &str = "probe";

impl ConfigTables {
    /// Of a plan that flags alone make.
    pub(super) fn for_flags(key: String) -> Self {
        let mut tables = Self::empty(Origin::Default);
        let table = SettingTable::new(&["service", &key], Origin::Default);
        tables.services.insert(key, ServiceTables { own: table, probes: BTreeMap::new() });
        tables
    }

    /// `None`: some file could not be read or understood, so that what the others mean cannot be told.
    pub(super) fn read_files(
        places: &ConfigPlaces,
        asked: Option<&Path>,
        faults: &mut Vec<ConfigFault>,
    ) -> Option<Self> {
        if let Some(path) = asked {
            return Self::from_main_file(places.read(path), path, faults);
        }
        if let Some(path) = &places.user {
            match places.read(path) {
                Err(FileProblem::Missing) => {}
                read => return Self::from_main_file(read, path, faults),
            }
        }
        let added = read_conf_d(places, faults);
        let main = match places.read(&places.main) {
            // Whoever has files in conf.d needs no main one.
            Err(FileProblem::Missing) if added.as_ref().is_some_and(|added| !added.is_empty()) => {
                Some(Self::empty(Origin::whole_file(&places.main)))
            }
            read => {
                let read = read.map_err(|unread| match &places.user {
                    Some(path) => unread.also_looked_at(path),
                    None => unread,
                });
                Self::from_main_file(read, &places.main, faults)
            }
        };
        let mut tables = Self { owner: Invoker::Root, ..main? };
        for document in added? {
            tables.add_file(document, &places.main, faults);
        }
        Some(tables)
    }

    fn empty(origin: Origin) -> Self {
        let table = |name| SettingTable::new(&[name], Origin::Default);
        let (defaults, host) = (table("defaults"), table("host"));
        Self { origin, defaults, host, services: BTreeMap::new(), stray: Vec::new(), owner: Invoker::User }
    }

    pub(super) fn from_main_file(
        read: Result<String, FileProblem>,
        path: &Path,
        faults: &mut Vec<ConfigFault>,
    ) -> Option<Self> {
        let document = parse_file(read, path, faults)?;
        let empty = Self::empty(Origin::whole_file(path));
        let mut tables = Self {
            defaults: document.defaults.unwrap_or(empty.defaults),
            host: document.host.unwrap_or(empty.host),
            stray: document.stray,
            ..empty
        };
        let services = document.services.into_iter();
        tables.services.extend(services.map(|(name, table)| (name, split_probe_tables(table, faults))));
        Some(tables)
    }

    /// A file of conf.d may add services, and change none.
    fn add_file(&mut self, document: Document, main: &Path, faults: &mut Vec<ConfigFault>) {
        for table in [document.defaults, document.host].into_iter().flatten() {
            let cure = format!("move it to {}", main.display());
            faults.push(table.table_fault(Problem::with_cure("may stand in the main file only", cure)));
        }
        for (name, table) in document.services {
            let table = split_probe_tables(table, faults);
            match self.services.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(table);
                }
                Entry::Occupied(entry) => {
                    let what = format!("is also defined at {}", entry.get().own.origin);
                    faults.push(table.own.table_fault(Problem::with_cure(what, "remove one")));
                }
            }
        }
        self.stray.extend(document.stray);
    }
}

fn split_probe_tables(table: SettingTable, faults: &mut Vec<ConfigFault>) -> ServiceTables {
    let mut own = SettingTable { settings: Vec::with_capacity(table.settings.len()), ..table };
    let mut probes = BTreeMap::<String, SettingTable>::new();
    for setting in table.settings {
        let (is_of_probe, name, has_key) = {
            let mut key = own.relative_key(&setting);
            let is_of_probe = key.next() == Some(PROBE_TABLE);
            (is_of_probe, key.next().filter(|_| is_of_probe).map(str::to_owned), key.next().is_some())
        };
        match name {
            _ if !is_of_probe => own.settings.push(setting),
            Some(name) => {
                let probe = probes.entry(name.clone()).or_insert_with(|| {
                    let mut probe = SettingTable::new(&[], setting.origin.clone());
                    probe.name.clone_from(&own.name);
                    probe.name.extend([PROBE_TABLE.into(), name.into()]);
                    probe
                });
                if has_key {
                    probe.settings.push(setting);
                } else if setting.value != SettingValue::EmptyTable {
                    faults.push(setting.fault(not_a_probe_table(&setting.value)));
                }
            }
            None if setting.value == SettingValue::EmptyTable => {}
            None => faults.push(setting.fault(not_a_probe_table(&setting.value))),
        }
    }
    ServiceTables { own, probes }
}

fn not_a_probe_table(got: &SettingValue) -> Problem {
    format!("must be a table such as [service.shop.probe.redis] with tcp = \"127.0.0.1:6379\", got {got}")
        .into()
}

/// All are read before the first that cannot be understood ends it: each tells its own faults.
fn read_conf_d(places: &ConfigPlaces, faults: &mut Vec<ConfigFault>) -> Option<Vec<Document>> {
    let paths = match places.list_toml_files(&places.folder) {
        Ok(paths) => paths,
        Err(FileProblem::Missing) => Vec::new(),
        Err(FileProblem::Unreadable(wrong)) => {
            faults.push(Origin::whole_file(&places.folder).fault(wrong));
            return None;
        }
    };
    let read: Vec<_> = paths.iter().map(|path| parse_file(places.read(path), path, faults)).collect();
    read.into_iter().collect()
}

fn parse_file(
    read: Result<String, FileProblem>,
    path: &Path,
    faults: &mut Vec<ConfigFault>,
) -> Option<Document> {
    let text = match read {
        Ok(text) => text,
        Err(unread) => {
            faults.push(Origin::whole_file(path).fault(unread.into_problem()));
            return None;
        }
    };
    match Document::parse(&text, &Arc::from(path)) {
        Ok(mut document) => {
            faults.append(&mut document.faults);
            Some(document)
        }
        Err(mut found) => {
            faults.append(&mut found);
            None
        }
    }
}

//! The files, merged: which are read, which may hold what, and which name is defined where; the tables of probes
//! apart from those of their services. Looks at no other key within a table.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

use super::document::Document;
use super::files::{Places, Unread};
use super::settings::{Fault, Origin, Setting, Table, Value, Wrong};
use crate::plan::Owner;

#[derive(Debug)]
pub(super) struct Tables {
    /// What is told to be empty when there is no service.
    pub(super) origin: Origin,
    pub(super) defaults: Table,
    pub(super) host: Table,
    pub(super) services: BTreeMap<String, ServiceTables>,
    /// Keys that stand in no table.
    pub(super) stray: Vec<Setting>,
    pub(super) owner: Owner,
}

/// What one service says of itself.
#[derive(Debug)]
pub(super) struct ServiceTables {
    /// `[service.NAME]` without its probes.
    pub(super) own: Table,
    /// `[service.NAME.probe.PROBE]`, by PROBE.
    pub(super) probes: BTreeMap<String, Table>,
}

/// The table of a service that holds those of its probes.
pub(super) const PROBE_TABLE: &str = "probe";

impl Tables {
    /// Of a plan that flags alone make.
    pub(super) fn of_one(key: String) -> Self {
        let mut tables = Self::empty(Origin::Default);
        let table = Table::new(&["service", &key], Origin::Default);
        tables.services.insert(key, ServiceTables { own: table, probes: BTreeMap::new() });
        tables
    }

    /// `None`: some file could not be read or understood, so that what the others mean cannot be told.
    pub(super) fn of_files(places: &Places, asked: Option<&Path>, faults: &mut Vec<Fault>) -> Option<Self> {
        if let Some(path) = asked {
            return Self::of_main(places.read(path), path, faults);
        }
        if let Some(path) = &places.user {
            match places.read(path) {
                Err(Unread::Missing) => {}
                read => return Self::of_main(read, path, faults),
            }
        }
        let added = added(places, faults);
        let main = match places.read(&places.main) {
            // Whoever has files in conf.d needs no main one.
            Err(Unread::Missing) if added.as_ref().is_some_and(|added| !added.is_empty()) => {
                Some(Self::empty(Origin::whole(&places.main)))
            }
            read => {
                let read = read.map_err(|unread| match &places.user {
                    Some(path) => unread.nor(path),
                    None => unread,
                });
                Self::of_main(read, &places.main, faults)
            }
        };
        let mut tables = Self { owner: Owner::System, ..main? };
        for document in added? {
            tables.add(document, &places.main, faults);
        }
        Some(tables)
    }

    fn empty(origin: Origin) -> Self {
        let table = |name| Table::new(&[name], Origin::Default);
        let (defaults, host) = (table("defaults"), table("host"));
        Self { origin, defaults, host, services: BTreeMap::new(), stray: Vec::new(), owner: Owner::Caller }
    }

    pub(super) fn of_main(
        read: Result<String, Unread>,
        path: &Path,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let document = document(read, path, faults)?;
        let empty = Self::empty(Origin::whole(path));
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
    fn add(&mut self, document: Document, main: &Path, faults: &mut Vec<Fault>) {
        for table in [document.defaults, document.host].into_iter().flatten() {
            let cure = format!("move it to {}", main.display());
            faults.push(table.itself(Wrong::cure("may stand in the main file only", cure)));
        }
        for (name, table) in document.services {
            let table = split_probe_tables(table, faults);
            match self.services.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(table);
                }
                Entry::Occupied(entry) => {
                    let what = format!("is defined at {} too", entry.get().own.origin);
                    faults.push(table.own.itself(Wrong::cure(what, "keep one of the two")));
                }
            }
        }
        self.stray.extend(document.stray);
    }
}

fn split_probe_tables(table: Table, faults: &mut Vec<Fault>) -> ServiceTables {
    let mut own = Table { settings: Vec::with_capacity(table.settings.len()), ..table };
    let mut probes = BTreeMap::<String, Table>::new();
    for setting in table.settings {
        let (is_of_probe, name, has_key) = {
            let mut key = own.short(&setting);
            let is_of_probe = key.next() == Some(PROBE_TABLE);
            (is_of_probe, key.next().filter(|_| is_of_probe).map(str::to_owned), key.next().is_some())
        };
        match name {
            _ if !is_of_probe => own.settings.push(setting),
            Some(name) => {
                let probe = probes.entry(name.clone()).or_insert_with(|| {
                    let mut probe = Table::new(&[], setting.origin.clone());
                    probe.name.clone_from(&own.name);
                    probe.name.extend([PROBE_TABLE.into(), name.into()]);
                    probe
                });
                if has_key {
                    probe.settings.push(setting);
                } else if setting.value != Value::EmptyTable {
                    faults.push(setting.fault(not_a_probe_table(&setting.value)));
                }
            }
            None if setting.value == Value::EmptyTable => {}
            None => faults.push(setting.fault(not_a_probe_table(&setting.value))),
        }
    }
    ServiceTables { own, probes }
}

fn not_a_probe_table(got: &Value) -> Wrong {
    format!("must be a table such as [service.shop.probe.redis] with tcp = \"127.0.0.1:6379\", got {got}")
        .into()
}

/// All are read before the first that cannot be understood ends it: each tells its own faults.
fn added(places: &Places, faults: &mut Vec<Fault>) -> Option<Vec<Document>> {
    let paths = match places.list(&places.folder) {
        Ok(paths) => paths,
        Err(Unread::Missing) => Vec::new(),
        Err(Unread::Refused(wrong)) => {
            faults.push(Origin::whole(&places.folder).fault(wrong));
            return None;
        }
    };
    let read: Vec<_> = paths.iter().map(|path| document(places.read(path), path, faults)).collect();
    read.into_iter().collect()
}

fn document(read: Result<String, Unread>, path: &Path, faults: &mut Vec<Fault>) -> Option<Document> {
    let text = match read {
        Ok(text) => text,
        Err(unread) => {
            faults.push(Origin::whole(path).fault(unread.wrong()));
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

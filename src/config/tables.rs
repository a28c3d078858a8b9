//! The files, merged: which are read, which may hold what, and which name is defined where. Looks at no key
//! within a table.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

use super::document::Document;
use super::files::{Places, Unread};
use super::settings::{Fault, Origin, Setting, Table, Wrong};
use crate::plan::Owner;

#[derive(Debug)]
pub(super) struct Tables {
    /// What is told to be empty when there is no service.
    pub(super) origin: Origin,
    pub(super) defaults: Table,
    pub(super) host: Table,
    pub(super) services: BTreeMap<String, Table>,
    /// Keys that stand in no table.
    pub(super) stray: Vec<Setting>,
    pub(super) owner: Owner,
}

impl Tables {
    /// Of a plan that flags alone make.
    pub(super) fn of_one(key: String) -> Self {
        let mut tables = Self::empty(Origin::Default);
        let table = Table::new(&["service", &key], Origin::Default);
        tables.services.insert(key, table);
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
        tables.services.extend(document.services);
        Some(tables)
    }

    /// A file of conf.d may add services, and change none.
    fn add(&mut self, document: Document, main: &Path, faults: &mut Vec<Fault>) {
        for table in [document.defaults, document.host].into_iter().flatten() {
            let cure = format!("move it to {}", main.display());
            faults.push(table.itself(Wrong::cure("may stand in the main file only", cure)));
        }
        for (name, table) in document.services {
            match self.services.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(table);
                }
                Entry::Occupied(entry) => {
                    let what = format!("is defined at {} too", entry.get().origin);
                    faults.push(table.itself(Wrong::cure(what, "keep one of the two")));
                }
            }
        }
        self.stray.extend(document.stray);
    }
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

//! Where the settings of a plan were written, for faults that only the host shows: each is told at its file, line and
//! key, as those of the files are.

use super::files::ConfigPlaces;
use super::settings::{ConfigFault, Problem, SettingTable};
use super::tables::{ConfigTables, ServiceTables};
use crate::cli::Sources;

/// A key of a service, or of one of its probes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyPlace<'a> {
    pub(crate) service: &'a str,
    pub(crate) probe: Option<&'a str>,
    /// `restart`, `restart.docker`
    pub(crate) key: &'a str,
}

/// The tables that a plan was made of.
#[derive(Debug)]
pub(crate) struct Written {
    typed: SettingTable,
    tables: ConfigTables,
}

impl Written {
    /// Reads flags and files once more.
    ///
    /// # Errors
    /// When the files have become unreadable since the plan was made of them.
    pub(crate) fn read(sources: &Sources<'_>) -> Result<Self, Vec<ConfigFault>> {
        let (places, mut faults) = (ConfigPlaces::of_this_host(), Vec::new());
        let files = |faults: &mut Vec<ConfigFault>| {
            ConfigTables::read_files(&places, sources.place.config.as_deref(), faults)
        };
        match super::read_sources(sources, files, &mut faults) {
            (typed, Some(tables)) => Ok(Self { typed, tables }),
            (_, None) => Err(faults),
        }
    }

    /// Places a fault at the setting that wins, or at the table of the service or probe where nobody wrote the key.
    pub(crate) fn fault(&self, place: KeyPlace<'_>, what: String, cure: String) -> ConfigFault {
        let wrong = Problem::with_cure(what, cure);
        let Some(ServiceTables { own, probes }) = self.tables.services.get(place.service) else {
            return self.tables.origin.fault(wrong);
        };
        let own = match place.probe {
            Some(name) => probes.get(name).unwrap_or(own),
            None => own,
        };
        let typed = place.probe.is_none().then_some(&self.typed);
        let mut layers = typed.into_iter().chain([own, &self.tables.defaults]);
        match layers.find_map(|layer| layer.get(place.key)) {
            Some(setting) => setting.fault(wrong),
            None => own.key_fault(place.key, wrong),
        }
    }
}

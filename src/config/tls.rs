//! `ca_file` and `insecure` in a whole plan: where they mean something, and whether the files can be used.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::http_options;
use super::settings::{Fault, Origin, Table};
use super::tables::{ServiceTables, Tables};
use crate::os::{certificates, time_limit};
use crate::plan::{Service, Trust};
use crate::words;

pub(super) fn faults(services: &[&Service], tables: &Tables, typed: &Table) -> Vec<Fault> {
    let plain: Vec<&Table> = services
        .iter()
        .filter(|service| service.url().is_none_or(|url| !url.may_need_tls()))
        .filter_map(|service| Some(&tables.services.get(&service.key)?.own))
        .collect();
    // Of [defaults], those take it that can; a flag that nobody can take was meant otherwise.
    let all_plain = plain.len() == tables.services.len();
    let mut faults: Vec<Fault> =
        plain.into_iter().chain(all_plain.then_some(typed)).flat_map(http_options::without_meaning).collect();
    faults.extend(unusable_files(services, tables, typed));
    faults
}

/// Each file is read once, however many services name it.
fn unusable_files(services: &[&Service], tables: &Tables, typed: &Table) -> Vec<Fault> {
    let mut read = BTreeMap::<&Path, Option<String>>::new();
    let mut faults = Vec::new();
    let nothing = Table::new(&[], Origin::Default);
    for service in services {
        let Some(ServiceTables { own, probes }) = tables.services.get(&service.key) else { continue };
        for probe in &service.probes {
            let Some(url) = probe.question().filter(|url| url.may_need_tls()) else { continue };
            let Trust { ca_file: Some(path), insecure: false } = &url.trust else { continue };
            let why = read.entry(path).or_insert_with(|| {
                let error = time_limit::touch_within(path, certificates::read).err()?;
                // A file that does not answer now says nothing against what is written: its probes are unknown.
                (error.kind() != io::ErrorKind::TimedOut).then(|| words::io(&error))
            });
            let layers = match &probe.name {
                None => [typed, own, &tables.defaults],
                Some(name) => [probes.get(name).unwrap_or(&nothing), &tables.defaults, &nothing],
            };
            let setting = layers.into_iter().find_map(|layer| layer.get("ca_file"));
            if let (Some(why), Some(setting)) = (why, setting) {
                faults.push(setting.fault(format!("cannot be used: {}: {why}", path.display())));
            }
        }
    }
    faults
}

//! What is said about TLS in a whole plan: it means something, and whether the files can be used.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::http_options;
use super::settings::{ConfigFault, Origin, SettingTable};
use super::tables::{ConfigTables, ServiceTables};
use crate::os::certificates::{self, ClientFault};
use crate::os::time_limit;
use crate::plan::{Client, Service, TlsTrust};
use crate::words;

pub(super) fn tls_faults(
    services: &[&Service],
    tables: &ConfigTables,
    typed: &SettingTable,
) -> Vec<ConfigFault> {
    let plain: Vec<&SettingTable> = services
        .iter()
        .filter(|service| service.main_request().is_none_or(|url| !url.may_need_tls()))
        .filter_map(|service| Some(&tables.services.get(&service.key)?.own))
        .collect();
    // Of [defaults], those take it that can; a flag that nobody can take was meant otherwise.
    let all_plain = plain.len() == tables.services.len();
    let mut faults: Vec<ConfigFault> = plain
        .into_iter()
        .chain(all_plain.then_some(typed))
        .flat_map(http_options::keys_without_effect)
        .collect();
    faults.extend(unusable_ca_files(services, tables, typed));
    faults
}

/// A file that cannot be used: the key that names it, the file, and why.
type Unusable = (&'static str, PathBuf, String);

/// What is named alike is read once, however many services name it.
fn unusable_ca_files(services: &[&Service], tables: &ConfigTables, typed: &SettingTable) -> Vec<ConfigFault> {
    let mut read = BTreeMap::<TlsTrust, Vec<Unusable>>::new();
    let mut faults = Vec::new();
    let nothing = SettingTable::new(&[], Origin::Default);
    for service in services {
        let Some(ServiceTables { own, probes }) = tables.services.get(&service.key) else { continue };
        for probe in &service.probes {
            let Some(url) = probe.http_request().filter(|url| url.may_need_tls()) else { continue };
            let files = TlsTrust { server_name: None, ..url.trust.clone() };
            let unusable = read.entry(files).or_insert_with_key(find_unusable_files);
            let layers = match &probe.name {
                None => [typed, own, &tables.defaults],
                Some(name) => [probes.get(name).unwrap_or(&nothing), &tables.defaults, &nothing],
            };
            faults.extend(unusable.iter().filter_map(|(key, path, why)| {
                let setting = layers.into_iter().find_map(|layer| layer.get(key))?;
                Some(setting.fault(format!("cannot be used: {}: {why}", path.display())))
            }));
        }
    }
    faults
}

fn find_unusable_files(trust: &TlsTrust) -> Vec<Unusable> {
    // A file that does not answer now says nothing against what is written: its probes are unknown.
    let told = |key: &'static str, path: &Path, error: &io::Error| {
        (error.kind() != io::ErrorKind::TimedOut).then(|| (key, path.to_owned(), words::io_error_text(error)))
    };
    let mut unusable = Vec::new();
    if let TlsTrust { ca_file: Some(path), insecure: false, .. } = trust
        && let Err(error) = time_limit::touch_within(path, certificates::read_certificates)
    {
        unusable.extend(told("ca_file", path, &error));
    }
    if let Some(Client { certificate, key }) = &trust.client {
        match certificates::read_client(certificate, key) {
            Ok(_) => {}
            Err(ClientFault::Certificate(error)) => unusable.extend(told("client_cert", certificate, &error)),
            Err(ClientFault::Key(error)) => unusable.extend(told("client_key", key, &error)),
        }
    }
    unusable
}

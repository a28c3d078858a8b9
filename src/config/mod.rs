//! Files + flags + environment -> a valid plan, or every fault there is. Later layers win key by key:
//! defaults, `[defaults]`, `[service.NAME]`, environment, flags. Nothing is printed, probed or asked here.
//!
//! typed, files -> document -> settings (what was said, where) -> reading (judged by `words`, `question`
//! and `units`) -> service -> the plan (a whole: `trust`)

mod document;
mod escalation;
mod files;
mod flags;
mod host;
mod http_options;
mod key_list;
mod layers;
mod names;
mod params;
mod probes;
mod requirements;
mod restart_method;
mod schema;
mod service;
mod settings;
mod show;
mod table_values;
mod tables;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod values;
mod written;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use files::ConfigPlaces;
use settings::{Origin, Problem, Setting, SettingTable, SettingValue};
use tables::{ConfigTables, ServiceTables};

pub(crate) use key_list::key_lines;
pub(crate) use schema::config_schema;
pub(crate) use settings::ConfigFault;
pub(crate) use show::{ShownEntry, ShownSection};
pub(crate) use written::{KeyPlace, Written};

use crate::cli::Sources;
use crate::keys;
use crate::plan::{Invoker, Plan, Probe, Service};
use crate::suggest;
use crate::toml_text::format_duration;

/// Every fault there is, by file and line; each is one line, before which the caller puts `unhang: `.
pub fn load_plan(sources: &Sources<'_>) -> Result<Plan, Vec<ConfigFault>> {
    load_plan_at(&ConfigPlaces::of_this_host(), sources)
}

/// Every effective value of the plan, with its origin.
pub fn show_config(sources: &Sources<'_>) -> Result<Vec<ShownSection>, Vec<ConfigFault>> {
    show_config_at(&ConfigPlaces::of_this_host(), sources)
}

/// What to ask at a URL that is no service's, and what to call it. Reads no file.
pub fn request_for_url(sources: &Sources<'_>, url: &str) -> Result<(String, Probe), Vec<ConfigFault>> {
    let mut faults = Vec::new();
    let mut typed = flags::flag_table(sources.plan, &mut faults);
    let of_a_service = |setting: &Setting| {
        let key = setting.key.concat();
        ["url", "unit", "restart", "name"].contains(&key.as_str())
    };
    faults
        .extend(typed.settings.iter().filter(|setting| of_a_service(setting)).filter_map(refuse_beside_url));
    typed.settings.retain(|setting| !of_a_service(setting));
    if sources.only.len() > 1 {
        let cure = "ask for one URL at a time, or for services by NAME";
        faults.push(Origin::Flag("URL".to_owned()).fault(Problem::with_cure("must stand alone", cure)));
    }
    let url = SettingValue::Text(url.to_owned().into());
    typed.settings.push(Setting {
        key: vec!["url".into()],
        value: url,
        origin: Origin::Flag("URL".to_owned()),
    });
    let (question, found) = service::read_url_only(&typed);
    faults.extend(found);
    let Ok(probe) = question else { return Err(faults) };
    let url = probe.http_request();
    if url.is_some_and(|url| !url.may_need_tls()) {
        faults.extend(http_options::keys_without_effect(&typed));
    }
    let shown = url.map(show::request_address).unwrap_or_default();
    if faults.is_empty() { Ok((shown, probe)) } else { Err(faults) }
}

/// The value of a flag of its own, `--for`: up to a day.
pub(crate) fn parse_pause_length(flag: &str, text: &str, longest: Duration) -> Result<Duration, ConfigFault> {
    let origin = Origin::Flag(flag.to_owned());
    match values::parse_positive_duration(&SettingValue::Text(text.to_owned().into())) {
        Ok(length) if length > longest => {
            let what = format!("must be at most {}, got \"{text}\"", format_duration(longest));
            Err(origin.fault(Problem::with_cure(what, "nothing was paused")))
        }
        Ok(length) => Ok(length),
        Err(wrong) => Err(origin.fault(wrong.with_default_cure("nothing was paused"))),
    }
}

/// The value of a flag that stands for no key, `--every`: up to a year.
pub(crate) fn parse_span_flag(flag: &str, text: &str) -> Result<Duration, ConfigFault> {
    let wrong = |wrong| Origin::Flag(flag.to_owned()).fault(wrong);
    values::parse_duration(&SettingValue::Text(text.to_owned().into())).map_err(wrong)
}

/// Likewise, `run --every`: above zero.
pub(crate) fn parse_period_flag(flag: &str, text: &str) -> Result<Duration, ConfigFault> {
    let wrong = |wrong| Origin::Flag(flag.to_owned()).fault(wrong);
    values::parse_positive_duration(&SettingValue::Text(text.to_owned().into())).map_err(wrong)
}

/// Services that runs so far apart would never restart: each failure is forgotten before the next one.
pub(crate) fn runs_too_rare(flag: &str, period: Duration, plan: &Plan) -> Vec<ConfigFault> {
    let counts = |service: &&Service| service.policy.max_failures > 1;
    let forgets = |service: &&Service| period >= service.policy.stale_after;
    let forgetful = plan.services.iter().filter(counts).filter(forgets);
    let fault = |service: &Service| {
        let stale_after = format_duration(service.policy.stale_after);
        Origin::Flag(flag.to_owned()).fault(Problem::with_cure(
            format!("must be shorter than stale_after of {}, which is {stale_after}", service.key),
            "no failures would add up; nothing was probed",
        ))
    };
    forgetful.map(fault).collect()
}

/// Likewise, `--repeat`: 1 or more.
pub(crate) fn parse_count_flag(flag: &str, text: &str) -> Result<u32, ConfigFault> {
    values::parse_count(&table_values::written_value(keys::MAX_FAILURES.row.takes, text.to_owned().into()))
        .map_err(|wrong| Origin::Flag(flag.to_owned()).fault(wrong))
}

/// A flag that was typed beside a URL was meant otherwise; the environment is there for `run`.
fn refuse_beside_url(setting: &Setting) -> Option<ConfigFault> {
    let typed = matches!(setting.origin, Origin::Flag(_));
    typed.then(|| {
        setting.fault(Problem::with_cure(
            "cannot stand beside a URL",
            "write --url URL --unit UNIT, or leave it out",
        ))
    })
}

/// Folders through which others could change what root reads: those of the files, since what is in them is
/// looked at whenever it is read.
pub(crate) fn unsafe_folders(sources: &Sources<'_>, plan: &Plan) -> Vec<ConfigFault> {
    unsafe_folders_at(&ConfigPlaces::of_this_host(), sources, plan)
}

fn unsafe_folders_at(places: &ConfigPlaces, sources: &Sources<'_>, plan: &Plan) -> Vec<ConfigFault> {
    let main = (plan.owner == Invoker::Root).then_some(places.main.as_path());
    let folder = sources.place.config.as_deref().or(main).and_then(Path::parent);
    let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    folder
        .and_then(|folder| Some(Origin::whole_file(folder).fault(places.unsafe_folder(folder)?)))
        .into_iter()
        .collect()
}

fn show_config_at(
    places: &ConfigPlaces,
    sources: &Sources<'_>,
) -> Result<Vec<ShownSection>, Vec<ConfigFault>> {
    let plan = load_plan_at(places, sources)?;
    let mut faults = Vec::new();
    let files = |faults: &mut Vec<ConfigFault>| {
        ConfigTables::read_files(places, sources.place.config.as_deref(), faults)
    };
    let (typed, tables) = read_sources(sources, files, &mut faults);
    let Some(tables) = tables else { return Err(faults) };
    let section = |service: &Service| {
        let Some(ServiceTables { own, probes }) = tables.services.get(&service.key) else {
            return Vec::new();
        };
        let mut sections = vec![show::service_section(service, &[&tables.defaults, own, &typed])];
        sections.extend(service.probes.iter().filter_map(|probe| {
            let table = probes.get(probe.name.as_ref()?)?;
            Some(show::probe_section(service, probe, &[&tables.defaults, table]))
        }));
        sections
    };
    let mut sections: Vec<ShownSection> = plan.services.iter().flat_map(section).collect();
    sections.push(show::host_section(&[&tables.host, &host_flags(&typed)]));
    Ok(sections)
}

fn load_plan_at(places: &ConfigPlaces, sources: &Sources<'_>) -> Result<Plan, Vec<ConfigFault>> {
    let config = sources.place.config.as_deref();
    plan_from_tables(sources, |faults| ConfigTables::read_files(places, config, faults))
}

fn plan_from_tables(
    sources: &Sources<'_>,
    files: impl FnOnce(&mut Vec<ConfigFault>) -> Option<ConfigTables>,
) -> Result<Plan, Vec<ConfigFault>> {
    let mut faults = Vec::new();
    let (typed, tables) = read_sources(sources, files, &mut faults);
    let plan = tables.and_then(|tables| build_plan(&tables, &typed, sources, &mut faults));
    match plan {
        Some(plan) if faults.is_empty() => Ok(plan),
        _ => {
            // A fault of [defaults] or of a flag is met again by every service.
            faults.sort_unstable();
            faults.dedup();
            Err(faults)
        }
    }
}

/// What was typed, and the tables of the files, if they were needed and could be read.
fn read_sources(
    sources: &Sources<'_>,
    files: impl FnOnce(&mut Vec<ConfigFault>) -> Option<ConfigTables>,
    faults: &mut Vec<ConfigFault>,
) -> (SettingTable, Option<ConfigTables>) {
    let typed = flags::flag_table(sources.plan, faults);
    let tables = match flags::name_of_single_service(&typed, faults) {
        Ok(Some(key)) => Some(ConfigTables::for_flags(key)),
        Ok(None) => files(faults),
        Err(_) => None,
    };
    (typed, tables)
}

/// `None`: some part was refused.
fn build_plan(
    tables: &ConfigTables,
    typed: &SettingTable,
    sources: &Sources<'_>,
    faults: &mut Vec<ConfigFault>,
) -> Option<Plan> {
    let of_host = host_flags(typed);
    let (host, found) = host::read_host(vec![&tables.host, &of_host], &tables.host);
    faults.extend(found);
    // Nothing was said: nothing can be wrong, and each run would read every key once more for it.
    let said = !tables.defaults.settings.is_empty() || !tables.stray.is_empty();
    let (keys, found) =
        if said { service::read_defaults(&tables.defaults) } else { (Vec::new(), Vec::new()) };
    faults.extend(found);
    faults.extend(tables.stray.iter().map(|setting| key_outside_tables(setting, &keys)));

    let mut services = Vec::new();
    for (name, own) in &tables.services {
        let layers = (&tables.defaults, typed);
        let (service, found) = service::read_service(name, own, layers, host.as_ref().ok());
        faults.extend(found);
        services.push(service);
    }
    if services.is_empty() && faults.is_empty() {
        faults.push(tables.origin.fault(no_service_in_file()));
    }
    let good = services.iter().filter_map(|service| service.as_ref().ok());
    faults.extend(unknown_service_names(sources, &tables.services, &good.clone().collect::<Vec<_>>()));
    faults.extend(shared_units(good.clone(), &tables.services));
    faults.extend(shared_target_faults(&good.clone().collect::<Vec<_>>(), &tables.services));
    let good: Vec<&Service> = good.collect();
    faults.extend(tls::tls_faults(&good, tables, typed));
    faults.extend(requirements::requirement_faults(&good, &tables.services));
    let all: Vec<_> = services.into_iter().collect::<Result<_, _>>().ok()?;
    let mut services: Vec<Service> = all.clone();
    services.retain(|service| sources.only.is_empty() || sources.only.contains(&service.key));
    let state_dir = sources.place.state_dir.clone();
    if state_dir.as_ref().is_some_and(|dir| !dir.is_absolute()) {
        // Else count and lock would depend on where cron, or a person, happens to stand.
        let wrong = Problem::from("must be an absolute path");
        faults.push(Origin::Flag("--state-dir".to_owned()).fault(wrong));
    }
    let required = requirements::requirements_outside_plan(&services, &all.iter().collect::<Vec<_>>());
    Some(Plan { services, required, host: host.ok()?.host_settings(), state_dir, owner: tables.owner })
}

/// `--budget-restarts` is about services; the host has a budget of its own.
fn host_flags(typed: &SettingTable) -> SettingTable {
    let mut of_host = typed.clone();
    of_host.settings.retain(|setting| setting.key.len() == 1);
    of_host
}

fn key_outside_tables(setting: &Setting, keys: &[&str]) -> ConfigFault {
    let key = setting.key.concat();
    if keys.contains(&key.as_str()) {
        return setting.fault(Problem::with_cure(
            "is outside any table",
            "write it below [service.NAME] or [defaults]",
        ));
    }
    setting.fault(Problem::with_cure("unknown key", "keys stand in [service.NAME], [defaults] or [host]"))
}

fn no_service_in_file() -> Problem {
    Problem::with_cure("holds no service", "add [service.NAME] and url = \"http://localhost:8000/health/\"")
}

/// The names asked for that name nothing.
fn unknown_service_names(
    sources: &Sources<'_>,
    tables: &BTreeMap<String, ServiceTables>,
    services: &[&Service],
) -> Vec<ConfigFault> {
    let names: Vec<&str> = tables.keys().map(String::as_str).collect();
    let unknown = sources.only.iter().filter(|name| !tables.contains_key(*name));
    let fault = |name: &String| {
        let what = format!("no service \"{name}\"");
        let cure = known_by_other_name(name, services).unwrap_or_else(|| {
            match suggest::suggest(name, names.iter().copied()) {
                Some(near) => format!("did you mean {near}? The services are {}", first_names(&names)),
                None => format!("the services are {}", first_names(&names)),
            }
        });
        Origin::Flag(sources.only_by.to_owned()).fault(Problem::with_cure(what, cure))
    };
    unknown.map(fault).collect()
}

/// Who reads the log, or types `systemctl` all day, knows a service by another word than its NAME.
fn known_by_other_name(word: &str, services: &[&Service]) -> Option<String> {
    let is_name = |service: &Service| service.name != service.key && service.name.eq_ignore_ascii_case(word);
    let by_name = services.iter().find(|service| is_name(service));
    let is_unit = |unit: &str| unit == word || unit.strip_suffix(".service") == Some(word);
    let by_unit = |service: &&&Service| service.unit_name().is_some_and(is_unit);
    match (by_name, services.iter().find(by_unit)) {
        (Some(Service { key, name, .. }), _) => {
            Some(format!("did you mean {key} (its name in the log is {name})?"))
        }
        (None, Some(Service { key, restarter, .. })) => {
            Some(format!("did you mean {key} (its unit is {})?", restarter.label()))
        }
        (None, None) => None,
    }
}

/// What fits one line.
fn first_names(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(20).copied().collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Two services with one unit would restart it in turn.
fn shared_units<'a>(
    services: impl Iterator<Item = &'a Service>,
    tables: &BTreeMap<String, ServiceTables>,
) -> Vec<ConfigFault> {
    let mut owners = BTreeMap::<&str, &Service>::new();
    let mut faults = Vec::new();
    for service in services {
        let Some(unit) = service.unit_name() else { continue };
        let Some(first) = owners.insert(unit, service) else { continue };
        let own = |service: &Service| Some(&tables.get(&service.key)?.own);
        let Some((own, other)) = own(service).zip(own(first)) else { continue };
        faults.push(own.table_fault(already_restarted(unit, other, "one unit, one service")));
    }
    faults
}

fn already_restarted(target: &str, by: &SettingTable, cure: &'static str) -> Problem {
    let (name, origin) = (settings::dotted_key(&by.name), &by.origin);
    Problem::with_cure(format!("restarts {target}, which {name} ({origin}) already does"), cure)
}

/// Two services with one container would restart it in turn.
fn shared_target_faults(services: &[&Service], tables: &BTreeMap<String, ServiceTables>) -> Vec<ConfigFault> {
    // Only those that are called alike can be the same.
    let mut before = BTreeMap::<(&str, &str), Vec<&Service>>::new();
    let mut faults = Vec::new();
    for service in services.iter().filter(|service| service.restarter.method.is_one_service) {
        let (method, lock) = (service.restarter.key(), service.restarter.label());
        let alike = before.entry((method, lock)).or_default();
        let first = alike.iter().find(|other| other.restarter == service.restarter).copied();
        alike.push(service);
        let tables = first.and_then(|first| Some((tables.get(&service.key)?, tables.get(&first.key)?)));
        if let Some((ServiceTables { own, .. }, ServiceTables { own: other, .. })) = tables {
            faults.push(own.table_fault(already_restarted(
                lock,
                other,
                "one container or program, one service",
            )));
        }
    }
    faults
}

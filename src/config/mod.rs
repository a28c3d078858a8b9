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

use files::Places;
use settings::{Origin, Setting, Table, Value, Wrong};
use tables::{ServiceTables, Tables};

pub(crate) use key_list::key_lines;
pub(crate) use schema::schema;
pub(crate) use settings::Fault;
pub(crate) use show::{Entry, Section};
pub(crate) use written::{KeyPlace, Written};

use crate::cli::Sources;
use crate::keys;
use crate::plan::{Owner, Plan, Probe, Service};
use crate::suggest;
use crate::toml_text::format_duration;

/// Every fault there is, by file and line; each is one line, before which the caller puts `unhang: `.
pub fn plan(sources: &Sources<'_>) -> Result<Plan, Vec<Fault>> {
    plan_at(&Places::of_this_host(), sources)
}

/// Every effective value of the plan, with its origin.
pub fn show(sources: &Sources<'_>) -> Result<Vec<Section>, Vec<Fault>> {
    show_at(&Places::of_this_host(), sources)
}

/// What to ask at a URL that is no service's, and what to call it. Reads no file.
pub fn question(sources: &Sources<'_>, url: &str) -> Result<(String, Probe), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut typed = flags::table(sources.plan, &mut faults);
    let of_a_service = |setting: &Setting| {
        let key = setting.key.concat();
        ["url", "unit", "restart", "name"].contains(&key.as_str())
    };
    faults.extend(typed.settings.iter().filter(|setting| of_a_service(setting)).filter_map(beside_a_url));
    typed.settings.retain(|setting| !of_a_service(setting));
    if sources.only.len() > 1 {
        let cure = "ask for one URL at a time, or for services by NAME";
        faults.push(Origin::Flag("URL".to_owned()).fault(Wrong::cure("must stand alone", cure)));
    }
    let url = Value::Text(url.to_owned().into());
    typed.settings.push(Setting {
        key: vec!["url".into()],
        value: url,
        origin: Origin::Flag("URL".to_owned()),
    });
    let (question, found) = service::question_alone(&typed);
    faults.extend(found);
    let Ok(probe) = question else { return Err(faults) };
    let url = probe.question();
    if url.is_some_and(|url| !url.may_need_tls()) {
        faults.extend(http_options::without_meaning(&typed));
    }
    let shown = url.map(show::address).unwrap_or_default();
    if faults.is_empty() { Ok((shown, probe)) } else { Err(faults) }
}

/// The value of a flag of its own, `--for`: up to a day.
pub(crate) fn length(flag: &str, text: &str, longest: Duration) -> Result<Duration, Fault> {
    let origin = Origin::Flag(flag.to_owned());
    match values::span_above_zero(&Value::Text(text.to_owned().into())) {
        Ok(length) if length > longest => {
            let what = format!("no pause lasts longer than {}, got \"{text}\"", format_duration(longest));
            Err(origin.fault(Wrong::cure(what, "nothing was paused")))
        }
        Ok(length) => Ok(length),
        Err(wrong) => Err(origin.fault(wrong.or_cure("nothing was paused"))),
    }
}

/// The value of a flag that stands for no key, `--every`: up to a year.
pub(crate) fn span(flag: &str, text: &str) -> Result<Duration, Fault> {
    let wrong = |wrong| Origin::Flag(flag.to_owned()).fault(wrong);
    values::span(&Value::Text(text.to_owned().into())).map_err(wrong)
}

/// Likewise, `run --every`: above zero.
pub(crate) fn period(flag: &str, text: &str) -> Result<Duration, Fault> {
    let wrong = |wrong| Origin::Flag(flag.to_owned()).fault(wrong);
    values::span_above_zero(&Value::Text(text.to_owned().into())).map_err(wrong)
}

/// Services that runs so far apart would never restart: each failure is forgotten before the next one.
pub(crate) fn too_seldom(flag: &str, period: Duration, plan: &Plan) -> Vec<Fault> {
    let counts = |service: &&Service| service.policy.max_failures > 1;
    let forgets = |service: &&Service| period >= service.policy.stale_after;
    let forgetful = plan.services.iter().filter(counts).filter(forgets);
    let fault = |service: &Service| {
        let stale_after = format_duration(service.policy.stale_after);
        Origin::Flag(flag.to_owned()).fault(Wrong::cure(
            format!("must be shorter than stale_after of {}, which is {stale_after}", service.key),
            "no failures would add up; nothing was probed",
        ))
    };
    forgetful.map(fault).collect()
}

/// Likewise, `--repeat`: 1 or more.
pub(crate) fn count(flag: &str, text: &str) -> Result<u32, Fault> {
    values::count(&table_values::written(keys::MAX_FAILURES.row.takes, text.to_owned().into()))
        .map_err(|wrong| Origin::Flag(flag.to_owned()).fault(wrong))
}

/// A flag that was typed beside a URL was meant otherwise; the environment is there for `run`.
fn beside_a_url(setting: &Setting) -> Option<Fault> {
    let typed = matches!(setting.origin, Origin::Flag(_));
    typed.then(|| {
        setting
            .fault(Wrong::cure("cannot stand beside a URL", "write --url URL --unit UNIT, or leave it out"))
    })
}

/// Folders through which others could change what root reads: those of the files, since what is in them is
/// looked at whenever it is read.
pub(crate) fn exposed(sources: &Sources<'_>, plan: &Plan) -> Vec<Fault> {
    exposed_at(&Places::of_this_host(), sources, plan)
}

fn exposed_at(places: &Places, sources: &Sources<'_>, plan: &Plan) -> Vec<Fault> {
    let main = (plan.owner == Owner::System).then_some(places.main.as_path());
    let folder = sources.place.config.as_deref().or(main).and_then(Path::parent);
    let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    folder
        .and_then(|folder| Some(Origin::whole(folder).fault(places.exposure(folder)?)))
        .into_iter()
        .collect()
}

fn show_at(places: &Places, sources: &Sources<'_>) -> Result<Vec<Section>, Vec<Fault>> {
    let plan = plan_at(places, sources)?;
    let mut faults = Vec::new();
    let files = |faults: &mut Vec<Fault>| Tables::of_files(places, sources.place.config.as_deref(), faults);
    let (typed, tables) = read(sources, files, &mut faults);
    let Some(tables) = tables else { return Err(faults) };
    let section = |service: &Service| {
        let Some(ServiceTables { own, probes }) = tables.services.get(&service.key) else {
            return Vec::new();
        };
        let mut sections = vec![show::service(service, &[&tables.defaults, own, &typed])];
        sections.extend(service.probes.iter().filter_map(|probe| {
            let table = probes.get(probe.name.as_ref()?)?;
            Some(show::probe(service, probe, &[&tables.defaults, table]))
        }));
        sections
    };
    let mut sections: Vec<Section> = plan.services.iter().flat_map(section).collect();
    sections.push(show::host(&[&tables.host, &typed_of_host(&typed)]));
    Ok(sections)
}

fn plan_at(places: &Places, sources: &Sources<'_>) -> Result<Plan, Vec<Fault>> {
    let config = sources.place.config.as_deref();
    plan_from(sources, |faults| Tables::of_files(places, config, faults))
}

fn plan_from(
    sources: &Sources<'_>,
    files: impl FnOnce(&mut Vec<Fault>) -> Option<Tables>,
) -> Result<Plan, Vec<Fault>> {
    let mut faults = Vec::new();
    let (typed, tables) = read(sources, files, &mut faults);
    let plan = tables.and_then(|tables| build(&tables, &typed, sources, &mut faults));
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
fn read(
    sources: &Sources<'_>,
    files: impl FnOnce(&mut Vec<Fault>) -> Option<Tables>,
    faults: &mut Vec<Fault>,
) -> (Table, Option<Tables>) {
    let typed = flags::table(sources.plan, faults);
    let tables = match flags::key_of_one(&typed, faults) {
        Ok(Some(key)) => Some(Tables::of_one(key)),
        Ok(None) => files(faults),
        Err(_) => None,
    };
    (typed, tables)
}

/// `None`: some part was refused.
fn build(tables: &Tables, typed: &Table, sources: &Sources<'_>, faults: &mut Vec<Fault>) -> Option<Plan> {
    let of_host = typed_of_host(typed);
    let (host, found) = host::host(vec![&tables.host, &of_host], &tables.host);
    faults.extend(found);
    // Nothing was said: nothing can be wrong, and each run would read every key once more for it.
    let said = !tables.defaults.settings.is_empty() || !tables.stray.is_empty();
    let (keys, found) = if said { service::defaults(&tables.defaults) } else { (Vec::new(), Vec::new()) };
    faults.extend(found);
    faults.extend(tables.stray.iter().map(|setting| stray(setting, &keys)));

    let mut services = Vec::new();
    for (name, own) in &tables.services {
        let layers = (&tables.defaults, typed);
        let (service, found) = service::service(name, own, layers, host.as_ref().ok());
        faults.extend(found);
        services.push(service);
    }
    if services.is_empty() && faults.is_empty() {
        faults.push(tables.origin.fault(no_service()));
    }
    let good = services.iter().filter_map(|service| service.as_ref().ok());
    faults.extend(unknown_names(sources, &tables.services, &good.clone().collect::<Vec<_>>()));
    faults.extend(shared_units(good.clone(), &tables.services));
    faults.extend(restarted_twice(&good.clone().collect::<Vec<_>>(), &tables.services));
    let good: Vec<&Service> = good.collect();
    faults.extend(tls::faults(&good, tables, typed));
    faults.extend(requirements::faults(&good, &tables.services));
    let all: Vec<_> = services.into_iter().collect::<Result<_, _>>().ok()?;
    let mut services: Vec<Service> = all.clone();
    services.retain(|service| sources.only.is_empty() || sources.only.contains(&service.key));
    let state_dir = sources.place.state_dir.clone();
    if state_dir.as_ref().is_some_and(|dir| !dir.is_absolute()) {
        // Else count and lock would depend on where cron, or a person, happens to stand.
        let wrong = Wrong::from("must be an absolute path");
        faults.push(Origin::Flag("--state-dir".to_owned()).fault(wrong));
    }
    let required = requirements::required(&services, &all.iter().collect::<Vec<_>>());
    Some(Plan { services, required, host: host.ok()?.plan(), state_dir, owner: tables.owner })
}

/// `--budget-restarts` is about services; the host has a budget of its own.
fn typed_of_host(typed: &Table) -> Table {
    let mut of_host = typed.clone();
    of_host.settings.retain(|setting| setting.key.len() == 1);
    of_host
}

fn stray(setting: &Setting, keys: &[&str]) -> Fault {
    let key = setting.key.concat();
    if keys.contains(&key.as_str()) {
        return setting
            .fault(Wrong::cure("stands in no table", "write it below [service.NAME] or [defaults]"));
    }
    setting.fault(Wrong::cure("unknown key", "keys stand in [service.NAME], [defaults] or [host]"))
}

fn no_service() -> Wrong {
    Wrong::cure("holds no service", "add [service.NAME] and url = \"http://localhost:8000/health/\"")
}

/// The names asked for that name nothing.
fn unknown_names(
    sources: &Sources<'_>,
    tables: &BTreeMap<String, ServiceTables>,
    services: &[&Service],
) -> Vec<Fault> {
    let names: Vec<&str> = tables.keys().map(String::as_str).collect();
    let unknown = sources.only.iter().filter(|name| !tables.contains_key(*name));
    let fault = |name: &String| {
        let what = format!("no service \"{name}\"");
        let cure = known_otherwise(name, services).unwrap_or_else(|| {
            match suggest::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean {near}? The services are {}", few(&names)),
                None => format!("the services are {}", few(&names)),
            }
        });
        Origin::Flag(sources.only_by.to_owned()).fault(Wrong::cure(what, cure))
    };
    unknown.map(fault).collect()
}

/// Who reads the log, or types `systemctl` all day, knows a service by another word than its NAME.
fn known_otherwise(word: &str, services: &[&Service]) -> Option<String> {
    let is_name = |service: &Service| service.name != service.key && service.name.eq_ignore_ascii_case(word);
    let by_name = services.iter().find(|service| is_name(service));
    let is_unit = |unit: &str| unit == word || unit.strip_suffix(".service") == Some(word);
    let by_unit = |service: &&&Service| service.unit().is_some_and(is_unit);
    match (by_name, services.iter().find(by_unit)) {
        (Some(Service { key, name, .. }), _) => {
            Some(format!("did you mean {key} (its name in the log is {name})?"))
        }
        (None, Some(Service { key, restarter, .. })) => {
            Some(format!("did you mean {key} (its unit is {})?", restarter.words()))
        }
        (None, None) => None,
    }
}

/// What fits one line.
fn few(names: &[&str]) -> String {
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
) -> Vec<Fault> {
    let mut owners = BTreeMap::<&str, &Service>::new();
    let mut faults = Vec::new();
    for service in services {
        let Some(unit) = service.unit() else { continue };
        let Some(first) = owners.insert(unit, service) else { continue };
        let own = |service: &Service| Some(&tables.get(&service.key)?.own);
        let Some((own, other)) = own(service).zip(own(first)) else { continue };
        let what = format!("restarts {unit}, as {} ({}) does", settings::dotted(&other.name), other.origin);
        faults.push(own.itself(Wrong::cure(what, "one unit, one service")));
    }
    faults
}

/// Two services with one container would restart it in turn.
fn restarted_twice(services: &[&Service], tables: &BTreeMap<String, ServiceTables>) -> Vec<Fault> {
    // Only those that are called alike can be the same.
    let mut before = BTreeMap::<(&str, &str), Vec<&Service>>::new();
    let mut faults = Vec::new();
    for service in services.iter().filter(|service| service.restarter.method.is_one_service) {
        let (method, lock) = (service.restarter.key(), service.restarter.words());
        let alike = before.entry((method, lock)).or_default();
        let first = alike.iter().find(|other| other.restarter == service.restarter).copied();
        alike.push(service);
        let tables = first.and_then(|first| Some((tables.get(&service.key)?, tables.get(&first.key)?)));
        if let Some((ServiceTables { own, .. }, ServiceTables { own: other, .. })) = tables {
            let what =
                format!("restarts {lock}, as {} ({}) does", settings::dotted(&other.name), other.origin);
            faults.push(own.itself(Wrong::cure(what, "one container or program, one service")));
        }
    }
    faults
}

//! `config check`, `show` and `keys`.

use crate::cli::{Asking, ConfigCommand, Sources};
use crate::config::{self, Entry, Section};
use crate::exit::Exit;
use crate::words;
use crate::{report, setup};

use super::context::{Refusal, check_variables, find_places, load_plan};

/// Carries out the command below `config` that was typed.
pub(super) fn answer_config(sources: &Sources<'_>, command: &ConfigCommand) -> Result<Exit, Refusal> {
    match command {
        ConfigCommand::Check(_) => check_config(sources),
        ConfigCommand::Show(asking) => show_config(sources, asking),
        ConfigCommand::Keys { json } => {
            if *json {
                format!("{:#}", config::schema()).lines().for_each(report::line);
            } else {
                config::key_lines().iter().for_each(report::line);
            }
            Ok(Exit::Well)
        }
    }
}

fn show_config(sources: &Sources<'_>, asking: &Asking) -> Result<Exit, Refusal> {
    check_variables()?;
    let sections = config::show(sources)?;
    if asking.json {
        report::object(&report::settings_json(sections.iter().map(rows)));
    } else {
        sections.iter().flat_map(|section| report::settings(rows(section))).for_each(report::line);
    }
    Ok(Exit::Well)
}

/// The files are right; is the host?
fn check_config(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let plan = load_plan(sources)?;
    find_places(&plan)?;
    let mut obstacles: Vec<String> =
        config::exposed(sources, &plan).iter().map(ToString::to_string).collect();
    let found = setup::survey(&plan);
    obstacles.extend(found.obstacles);
    obstacles.iter().for_each(report::fault);
    if !obstacles.is_empty() {
        return Ok(Exit::Usage);
    }
    let services: Vec<&str> = plan.services.iter().map(|service| service.key.as_str()).collect();
    report::line(format!("ok: {} service(s): {}", services.len(), services.join(", ")));
    if let Some(why) = found.not_asked {
        let words = "whether the units can be restarted is not known, for systemd could not be asked";
        report::line(words::escaped(&format!("{words}: {why}")));
    }
    setup::advise_on_schedule(&plan).iter().for_each(report::line);
    Ok(Exit::Well)
}

/// A section's name, and key, value and origin of each of its entries.
fn rows(section: &Section) -> (&str, Vec<[&str; 3]>) {
    (&section.name, section.entries.iter().map(row).collect())
}

fn row(entry: &Entry) -> [&str; 3] {
    [&entry.key, &entry.value, &entry.origin]
}

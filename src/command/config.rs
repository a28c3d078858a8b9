//! `config check`, `show` and `keys`.

use crate::cli::{Asking, ConfigCommand, Sources};
use crate::config::{self, Entry, Section};
use crate::exit::Exit;
use crate::report;
use crate::setup::{self, Obstacle};
use crate::words;

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
    let written = config::Written::read(sources)?;
    let mut faults = config::exposed(sources, &plan);
    let found = setup::survey(&plan);
    let of_one = |Obstacle { place, what, cure }| written.fault(place, what, cure);
    faults.extend(found.obstacles.into_iter().map(of_one));
    let mut lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.extend(found.of_host);
    lines.iter().for_each(report::fault);
    if !lines.is_empty() {
        return Ok(Exit::Usage);
    }
    let services: Vec<&str> = plan.services.iter().map(|service| service.key.as_str()).collect();
    report::line(format!("ok: {} service(s): {}", services.len(), services.join(", ")));
    found.not_asked.iter().map(|line| words::escaped(line)).for_each(report::line);
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

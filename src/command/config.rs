//! `config check`, `show` and `keys`.

use crate::cli::{ConfigCommand, QueryArgs, Sources};
use crate::config::{self, ShownEntry, ShownSection};
use crate::exit::Exit;
use crate::report;
use crate::setup::{self, SettingObstacle};
use crate::words;

use super::context::{Refusal, check_variables, find_places, load_plan};

/// Carries out the command below `config` that was typed.
pub(super) fn answer_config(sources: &Sources<'_>, command: &ConfigCommand) -> Result<Exit, Refusal> {
    match command {
        ConfigCommand::Check(_) => check_config(sources),
        ConfigCommand::Show(asking) => show_config(sources, asking),
        ConfigCommand::Keys { json } => {
            if *json {
                format!("{:#}", config::config_schema()).lines().for_each(report::print_line);
            } else {
                config::key_lines().iter().for_each(report::print_line);
            }
            Ok(Exit::Healthy)
        }
    }
}

fn show_config(sources: &Sources<'_>, asking: &QueryArgs) -> Result<Exit, Refusal> {
    check_variables()?;
    let sections = config::show_config(sources)?;
    if asking.json {
        report::print_json(&report::settings_json(sections.iter().map(section_rows)));
    } else {
        sections
            .iter()
            .flat_map(|section| report::settings(section_rows(section)))
            .for_each(report::print_line);
    }
    Ok(Exit::Healthy)
}

/// The files are right; is the host?
fn check_config(sources: &Sources<'_>) -> Result<Exit, Refusal> {
    let plan = load_plan(sources)?;
    find_places(&plan)?;
    let written = config::Written::read(sources)?;
    let mut faults = config::unsafe_folders(sources, &plan);
    let found = setup::check_host(&plan);
    let of_one = |SettingObstacle { place, what, cure }| written.fault(place, what, cure);
    faults.extend(found.obstacles.into_iter().map(of_one));
    let mut lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.extend(found.of_host);
    lines.iter().for_each(report::print_fault);
    if !lines.is_empty() {
        return Ok(Exit::Usage);
    }
    let services: Vec<&str> = plan.services.iter().map(|service| service.key.as_str()).collect();
    report::print_line(format!("ok: {} service(s): {}", services.len(), services.join(", ")));
    found.not_asked.iter().map(|line| words::escaped(line)).for_each(report::print_line);
    setup::advise_on_schedule(&plan).iter().for_each(report::print_line);
    Ok(Exit::Healthy)
}

/// A section's name, and key, value and origin of each of its entries.
fn section_rows(section: &ShownSection) -> (&str, Vec<[&str; 3]>) {
    (&section.name, section.entries.iter().map(entry_row).collect())
}

fn entry_row(entry: &ShownEntry) -> [&str; 3] {
    [&entry.key, &entry.value, &entry.origin]
}

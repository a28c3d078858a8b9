//! What the client of systemd answers, as the kinds of probe report it. That systemd could not be asked is no evidence
//! against a unit.

use std::time::Duration;

use crate::managers::systemd::{self, ShowFailure};
use crate::plan::Scope;
use crate::words;

use super::fault::{quoted, unread};
use super::kind::Found;

/// The text of some properties of one unit, whole; else why the probe could not be carried out.
pub(super) fn show(unit: (&str, Scope), properties: &str, limit: Duration) -> Result<String, Found> {
    systemd::show_properties(unit, properties, limit).map_err(|failure| match failure {
        ShowFailure::NotStarted(error) if systemd::program_not_found(&error) => {
            Found::not_known("no systemctl in PATH")
        }
        ShowFailure::NotStarted(error) => Found::doubt(unread("systemctl cannot be started", &error)),
        ShowFailure::NoAnswer => {
            Found::not_known(format!("no answer from systemctl within {}", words::span(limit)))
        }
        ShowFailure::Failed(why) => Found::not_known(format!("systemctl show: {}", quoted(&why))),
    })
}

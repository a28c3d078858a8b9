//! What the client of systemd answers, as the kinds of probe report it. That systemd could not be asked is no evidence
//! against a unit.

use std::time::Duration;

use crate::managers::systemd::{self, ShowFailure};
use crate::plan::SystemdScope;
use crate::words;

use super::fault::{classify_read_error, quote_error};
use super::kind::ProbeResult;

/// The text of some properties of one unit, whole; else why the probe could not be carried out.
pub(super) fn show_unit(
    unit: (&str, SystemdScope),
    properties: &str,
    limit: Duration,
) -> Result<String, ProbeResult> {
    systemd::show_properties(unit, properties, limit).map_err(|failure| match failure {
        ShowFailure::NotStarted(error) if systemd::program_not_found(&error) => {
            ProbeResult::unknown("no systemctl in PATH")
        }
        ShowFailure::NotStarted(error) => {
            ProbeResult::from_doubt(classify_read_error("systemctl cannot be started", &error))
        }
        ShowFailure::NoAnswer => {
            ProbeResult::unknown(format!("no answer from systemctl within {}", words::format_duration(limit)))
        }
        ShowFailure::Failed(why) => ProbeResult::unknown(format!("systemctl show: {}", quote_error(&why))),
    })
}

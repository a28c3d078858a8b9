//! What a host needs so that unhang can do its work there: found before it is missed, at night.

mod host_check;
mod programs;
mod schedule;

pub(crate) use host_check::{SettingObstacle, check_host};
pub(crate) use schedule::advise_on_schedule;

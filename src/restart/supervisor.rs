//! Restart method: a program of supervisord.

use crate::managers::supervisord::{query_program, restart_program};
use crate::plan::{Restarter, Supervised};

use super::{Carries, Course};

pub(super) const METHOD: Carries = Carries {
    key: "restart.supervisor",
    look: Some(|by, _, limit| Some(query_program(own_of(by)?, limit))),
    course: Course::Ask(|by, limit| Some(restart_program(own_of(by)?, limit))),
    obstacle: |_| None,
};

const fn own_of(restarter: &Restarter) -> Option<&Supervised> {
    if let Restarter::Supervised(own) = restarter { Some(own) } else { None }
}

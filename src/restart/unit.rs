//! Restart method: a unit of systemd.

use super::{Carries, Course};

pub(super) const METHOD: Carries =
    Carries { key: "unit", look: None, course: Course::Systemd, obstacle: |_| None };

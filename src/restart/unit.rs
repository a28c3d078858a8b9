//! Restart method: a unit of systemd. Many units are asked about at once, and its jobs have a start limit, which the
//! run knows: it carries out both.

use crate::plan::{MethodSpec, SCOPE, Steps, UNIT};

use super::{Method, RestartCourse};

pub(super) const METHOD: Method = Method {
    spec: MethodSpec {
        steps: Steps::All,
        is_one_service: false,
        ..MethodSpec::managed("systemd", UNIT, &[SCOPE], |given| given.text(&UNIT))
    },
    look: None,
    course: RestartCourse::Systemd,
    obstacle: |_| None,
};

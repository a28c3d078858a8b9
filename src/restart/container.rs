//! Restart methods: a container; a row for each runtime.

use crate::managers::containers::{self, Target, query_container, restart_container};
use crate::plan::{Container, Restarter, Runtime};

use super::{Carries, Course};

pub(super) const DOCKER: Carries = of_runtime("restart.docker");
pub(super) const PODMAN: Carries = of_runtime("restart.podman");
pub(super) const COMPOSE: Carries = of_runtime("restart.compose");

const fn of_runtime(key: &'static str) -> Carries {
    Carries {
        key,
        look: Some(|by, wall, limit| Some(query_container(own_of(by)?, wall, limit))),
        course: Course::Ask(|by, limit| Some(restart_container(own_of(by)?, limit))),
        obstacle: |_| None,
    }
}

fn own_of(restarter: &Restarter) -> Option<Target<'_>> {
    let Restarter::Container(Container { runtime, name }) = restarter else { return None };
    let runtime = match runtime {
        Runtime::Docker => containers::Runtime::Docker,
        Runtime::Podman => containers::Runtime::Podman,
        Runtime::Compose(project) => containers::Runtime::Compose { project: project.to_str()? },
    };
    Some(Target { runtime, name })
}

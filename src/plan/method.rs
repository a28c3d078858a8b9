//! What is the same for every restart of one method, whatever its parameters: the answers to all questions that
//! other rooms ask. Pure data; how it is carried out stands in `restart`, a file and a row for each.

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// The key that chooses it.
    pub(crate) key: &'static str,
    /// Who runs the service, as people call it.
    pub(crate) manager: &'static str,
    pub(crate) shows: Shows,
    pub(crate) steps: Steps,
    /// The restart is a process of ours, which may outlive the run.
    pub(crate) is_process: bool,
    /// Two services must not restart the same one.
    pub(crate) is_one_service: bool,
    /// Said of the unit where nothing can be seen of it; `*` is the label.
    pub(crate) unseen: &'static str,
}

/// What can be seen of the life of the service besides its probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Its manager can be asked.
    Life,
    /// Only whether a restart of before still runs.
    Process,
    /// Nothing restarts it.
    Nothing,
}

/// What `escalate` may list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steps {
    All,
    /// Who reloads and kills is systemd.
    RestartAndCommands,
    /// None; the text says why not.
    None(&'static str),
}

const CONTAINER: Method = Method {
    key: "restart.docker",
    manager: "docker",
    shows: Shows::Life,
    steps: Steps::RestartAndCommands,
    is_process: false,
    is_one_service: true,
    unseen: "",
};

const UNSEEN: Method = Method {
    key: "restart",
    manager: "systemd",
    shows: Shows::Process,
    steps: Steps::RestartAndCommands,
    is_process: false,
    is_one_service: false,
    unseen: "none; restarted by the command *, so that nothing can be seen of its life",
};

pub(super) const UNIT: Method =
    Method { key: "unit", manager: "systemd", steps: Steps::All, is_one_service: false, ..CONTAINER };
pub(super) const DOCKER: Method = CONTAINER;
pub(super) const PODMAN: Method = Method { key: "restart.podman", manager: "podman", ..CONTAINER };
pub(super) const COMPOSE: Method = Method { key: "restart.compose", ..CONTAINER };
pub(super) const SUPERVISOR: Method =
    Method { key: "restart.supervisor", manager: "supervisord", ..CONTAINER };
pub(super) const COMMAND: Method = Method { is_process: true, ..UNSEEN };
pub(super) const HOOK: Method = Method {
    key: "restart.hook",
    unseen: "none; restarted by a hook, so that nothing can be seen of its life",
    ..UNSEEN
};
pub(super) const WAKE: Method = Method {
    key: "wake.pings",
    steps: Steps::None("cannot stand together with wake"),
    unseen: "none; it is woken by being asked",
    ..UNSEEN
};
pub(super) const NOTHING: Method =
    Method { shows: Shows::Nothing, steps: Steps::None("cannot stand together with restart = []"), ..UNSEEN };

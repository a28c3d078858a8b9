//! What `container inspect` of docker and podman says of one container. Pure: never panics, whatever the text. Of a
//! configuration, which may hold secrets, nothing is shown.

use serde_json::Value;

/// One container, as its runtime describes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inspected(Value);

/// All containers of an answer. `None`: it is no list of containers, or an empty one.
pub(super) fn parse_inspected(text: &str) -> Option<Vec<Inspected>> {
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return None };
    let is_good = !list.is_empty() && list.iter().all(|one| one["Name"].is_string());
    is_good.then(|| list.into_iter().map(Inspected).collect())
}

/// The states of containers, each in the runtime's own word. The last four are podman's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContainerState {
    Running,
    Paused,
    Restarting,
    Removing,
    Created,
    Exited,
    Dead,
    Configured,
    Initialized,
    Stopped,
    Stopping,
}

impl ContainerState {
    const ALL: [(&'static str, Self); 11] = [
        ("running", Self::Running),
        ("paused", Self::Paused),
        ("restarting", Self::Restarting),
        ("removing", Self::Removing),
        ("created", Self::Created),
        ("exited", Self::Exited),
        ("dead", Self::Dead),
        ("configured", Self::Configured),
        ("initialized", Self::Initialized),
        ("stopped", Self::Stopped),
        ("stopping", Self::Stopping),
    ];
}

impl Inspected {
    /// Without the / that docker writes before it.
    pub(crate) fn name(&self) -> &str {
        let name = self.text_at("/Name");
        name.strip_prefix('/').unwrap_or(name)
    }

    /// "" where it is not said.
    pub(super) fn id(&self) -> &str {
        self.text_at("/Id")
    }

    /// An id is taken for a name too, if it is more than its beginning.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name() == name || (name.len() >= 12 && self.id().starts_with(name))
    }

    /// Of `docker compose run`: that it has ended says nothing of the service.
    pub(super) fn is_one_off(&self) -> bool {
        let labels = self.0.pointer("/Config/Labels");
        let label = labels.and_then(|labels| labels.get("com.docker.compose.oneoff"));
        label.and_then(Value::as_str) == Some("True")
    }

    /// `None`: in a word that is not known.
    pub(crate) fn state(&self) -> Option<ContainerState> {
        ContainerState::ALL.iter().find(|(word, _)| *word == self.state_word()).map(|(_, state)| *state)
    }

    /// As the runtime says it; "" where it does not.
    pub(crate) fn state_word(&self) -> &str {
        self.text_at("/State/Status")
    }

    /// Whether the word for its state and the flag `Running` exclude each other. What is paused or restarting runs to
    /// docker.
    pub(crate) fn contradicts_itself(&self) -> bool {
        let runs = self.flag_at("/State/Running");
        let says = self.state() == Some(ContainerState::Running);
        !matches!(self.state(), Some(ContainerState::Paused | ContainerState::Restarting))
            && runs.is_some_and(|runs| runs != says)
    }

    /// "" where it has no health check. `None`: it has one, and how that ended is not said.
    pub(crate) fn health(&self) -> Option<&str> {
        // podman before 4 has the longer name.
        let checks = ["/State/Health", "/State/Healthcheck"];
        let check = checks.iter().find_map(|place| self.0.pointer(place).filter(|check| !check.is_null()));
        check.map_or(Some(""), |check| check["Status"].as_str())
    }

    pub(crate) fn exit_code(&self) -> Option<i64> {
        self.0.pointer("/State/ExitCode").and_then(Value::as_i64)
    }

    /// The kernel killed it for its memory.
    pub(crate) fn was_out_of_memory(&self) -> bool {
        self.flag_at("/State/OOMKilled") == Some(true)
    }

    /// RFC 3339; "" where it is not said.
    pub(super) fn started_at(&self) -> &str {
        self.text_at("/State/StartedAt")
    }

    /// Its runtime could not start it, and says why.
    pub(super) fn could_not_start(&self) -> bool {
        !self.text_at("/State/Error").is_empty()
    }

    /// How often the runtime has started it again by itself.
    pub(super) fn restart_count(&self) -> u64 {
        self.number_at("/RestartCount").unwrap_or(0)
    }

    /// "" where it is not said.
    pub(super) fn restart_policy(&self) -> &str {
        self.text_at("/HostConfig/RestartPolicy/Name")
    }

    /// `None` or 0: no limit.
    pub(super) fn max_retries(&self) -> Option<u64> {
        self.number_at("/HostConfig/RestartPolicy/MaximumRetryCount")
    }

    fn text_at(&self, place: &str) -> &str {
        self.0.pointer(place).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag_at(&self, place: &str) -> Option<bool> {
        self.0.pointer(place).and_then(Value::as_bool)
    }

    fn number_at(&self, place: &str) -> Option<u64> {
        self.0.pointer(place).and_then(Value::as_u64)
    }
}

//! What a restart method is to everybody but the file that carries it out: the keys that it takes, and the answers to
//! all questions that other rooms ask. A method declares its row in its own file in `restart`.

use std::time::Duration;

use unhang_core::Step;

use super::{KeyConflict, KeySpec, Params, Program, ValueType};

/// What is the same for every service that one method restarts.
#[derive(Debug)]
pub struct MethodSpec {
    /// The key that chooses the method: `unit`, `restart.docker`.
    pub(crate) main_key: KeySpec,
    pub(crate) other_keys: &'static [KeySpec],
    /// What a person calls that which is restarted.
    pub(crate) label: fn(&Params) -> &str,
    /// Who runs the service, as people call it.
    pub(crate) manager: &'static str,
    pub(crate) shows: Shows,
    pub(crate) steps: Steps,
    /// The step of `core` that carries it out.
    pub(crate) step: fn() -> Step,
    /// The restart is a process of ours, which may outlive the run.
    pub(crate) is_process: bool,
    /// What it starts to restart the service.
    pub(crate) program: fn(&Params) -> Option<Program<'_>>,
    /// Two services must not restart the same one.
    pub(crate) is_one_service: bool,
    /// Words for the unit where nothing can be seen of it; `*` is the label.
    pub(crate) unseen: &'static str,
    /// What is wrong with the values together, or with a run of this deadline, where each value alone is right.
    pub(crate) validate: fn(&Params, Duration) -> Option<KeyConflict>,
}

impl MethodSpec {
    /// A method whose manager can be asked how the service is, and restarts it when it is asked to.
    pub(crate) const fn managed(
        manager: &'static str,
        main_key: KeySpec,
        other_keys: &'static [KeySpec],
        label: fn(&Params) -> &str,
    ) -> Self {
        Self {
            main_key,
            other_keys,
            label,
            manager,
            shows: Shows::Life,
            steps: Steps::RestartAndCommands,
            step: || Step::Restart,
            is_process: false,
            program: |_| None,
            is_one_service: true,
            unseen: "",
            validate: |_, _| None,
        }
    }

    /// A method of which nothing can be seen but whether its process still runs.
    pub(crate) const fn unseen(
        unseen: &'static str,
        main_key: KeySpec,
        other_keys: &'static [KeySpec],
        label: fn(&Params) -> &str,
    ) -> Self {
        let managed = Self::managed("systemd", main_key, other_keys, label);
        Self { shows: Shows::Process, is_one_service: false, unseen, ..managed }
    }

    /// In the order of the manual.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &KeySpec> {
        [&self.main_key].into_iter().chain(self.other_keys)
    }
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

/// How a service is restarted: by which method, and what the operator told it.
#[derive(Debug, Clone)]
pub struct RestartMethod {
    pub(crate) method: &'static MethodSpec,
    pub given: Params,
}

/// Two are equal if they restart the same thing in the same way.
impl PartialEq for RestartMethod {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && self.given == other.given
    }
}

impl Eq for RestartMethod {}

impl RestartMethod {
    /// The key that chose the method; `restart` too where nothing restarts the service.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.method.main_key.name
    }

    /// What a person calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        (self.method.label)(&self.given)
    }

    pub(crate) const fn shows(&self) -> Shows {
        self.method.shows
    }

    /// The unit that systemd restarts.
    #[must_use]
    pub fn unit(&self) -> Option<(&str, SystemdScope)> {
        let unit = self.given.text(&UNIT);
        let scope = if self.given.text(&SCOPE) == USER { SystemdScope::User } else { SystemdScope::System };
        (!unit.is_empty()).then_some((unit, scope))
    }
}

/// Whose systemd runs a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemdScope {
    System,
    /// That of the user who runs unhang.
    User,
}

/// The keys that name a unit of systemd. They stand here, since requirements, aliases and locks are found by it too;
/// flags and defaults of the two, and their help, are in the table of keys.
pub(crate) const UNIT: KeySpec = KeySpec::new("unit", ValueType::Unit);
pub(crate) const SCOPE: KeySpec =
    KeySpec::new("scope", ValueType::OneOf(&["system", USER])).default("system");

const USER: &str = "user";

/// Nothing restarts the service, as `restart = []` says: it is only probed.
pub(crate) const NOTHING: &MethodSpec = &MethodSpec {
    shows: Shows::Nothing,
    steps: Steps::None("cannot stand together with restart = []"),
    ..MethodSpec::unseen("", KeySpec::new("restart", ValueType::CommandOrNone), &[], |_| "nothing")
};

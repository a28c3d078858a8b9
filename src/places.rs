//! Where unhang's own files are. Pure: `main` brings what the environment says.

use std::path::PathBuf;

use crate::plan::{Invoker, Plan};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePlaces {
    /// What must outlive a reboot.
    pub state: PathBuf,
    /// Memory, for when the disk cannot be written. `None` with `--state-dir`, which stands alone, and for
    /// a user who is not logged in.
    pub fallback: Option<PathBuf>,
    pub locks: PathBuf,
}

/// The bound of a state file, in bytes, for who writes it and who reads it. Most are about 1 KiB.
pub(crate) const MAX_STATE_BYTES: u64 = 128 * 1024;

/// What `main` found out about who runs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    pub(crate) is_root: bool,
    pub(crate) home: Option<PathBuf>,
    /// XDG_STATE_HOME.
    pub(crate) state_home: Option<PathBuf>,
    /// XDG_RUNTIME_DIR, or /run/user/UID where that is there: cron does not set the variable.
    pub(crate) runtime: Option<PathBuf>,
}

/// `None`: no place is known, for want of a home.
pub(crate) fn find_places(plan: &Plan, person: &Person) -> Option<StatePlaces> {
    if let Some(dir) = &plan.state_dir {
        return Some(StatePlaces { state: dir.clone(), fallback: None, locks: dir.clone() });
    }
    if person.is_root || plan.owner == Invoker::Root {
        let run = PathBuf::from("/run/unhang");
        return Some(StatePlaces {
            state: "/var/lib/unhang".into(),
            fallback: Some(run.clone()),
            locks: run,
        });
    }
    // base directory specification: a relative path is to be ignored.
    let absolute = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
    let home = absolute(&person.home).map(|home| home.join(".local/state"));
    let state = absolute(&person.state_home).or(home)?.join("unhang");
    let fallback = absolute(&person.runtime).map(|run| run.join("unhang"));
    // Never in the runtime folder: it comes and goes with logins, and cron mostly has none. A run by hand
    // and one of cron's would then hold two different locks.
    Some(StatePlaces { locks: state.clone(), fallback, state })
}

/// What to do for who lacks the rights on `StatePlaces`.
pub(crate) const fn rights_cure(owner: Invoker) -> &'static str {
    match owner {
        Invoker::Root => "run it as root, or with a plan of your own in ~/.config/unhang/unhang.toml",
        Invoker::User => "run it as the user whose runs these are, or give all of them one --state-dir",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::HostSettings;
    use std::time::Duration;
    use unhang_core::BudgetRule;

    fn plan(state_dir: Option<&str>, owner: Invoker) -> Plan {
        let host = HostSettings {
            deadline: Duration::ZERO,
            boot_grace: Duration::ZERO,
            pause_on_dpkg: false,
            budget: BudgetRule { restarts: 3, window: Duration::ZERO },
            hold_when: vec![],
        };
        Plan { services: vec![], required: vec![], host, state_dir: state_dir.map(PathBuf::from), owner }
    }

    #[test]
    fn root_a_user_and_a_folder_of_ones_own() {
        let of =
            |state_dir: Option<&str>, person: &Person| find_places(&plan(state_dir, Invoker::User), person);
        let root = Person { is_root: true, ..Person::default() };
        let at = |state: &str, fallback: Option<&str>, locks: &str| {
            Some(StatePlaces { state: state.into(), fallback: fallback.map(Into::into), locks: locks.into() })
        };
        let system = at("/var/lib/unhang", Some("/run/unhang"), "/run/unhang");
        assert_eq!(of(None, &root), system);
        assert_eq!(of(Some("/d"), &root), at("/d", None, "/d"));
        let user = Person { home: Some("/home/a".into()), ..Person::default() };
        let own = "/home/a/.local/state/unhang";
        assert_eq!(of(None, &user), at(own, None, own));
        assert_eq!(find_places(&plan(None, Invoker::Root), &user), system, "whoever asks about /etc/unhang");
        let runtime = Some(PathBuf::from("/run/user/7"));
        let user = Person { runtime, state_home: Some("relative".into()), ..user };
        assert_eq!(of(None, &user), at(own, Some("/run/user/7/unhang"), own), "one lock, logged in or not");
        assert_eq!(of(None, &Person::default()), None);
    }
}

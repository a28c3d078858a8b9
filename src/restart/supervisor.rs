//! Restart method: a program of supervisord.

use crate::managers::supervisord::{ProgramRef, query_program, restart_program};
use crate::plan::{KeySpec, MethodSpec, Params, Program as Starts, ValueType};

use super::{Method, RestartCourse};

const NAME: KeySpec = KeySpec::new("restart.supervisor", ValueType::Text(wrong_with_name))
    .help("Instead of a unit: a program of supervisord");
const CONFIG: KeySpec = KeySpec::new("restart.config", ValueType::File("/etc/supervisor/supervisord.conf"))
    .help("The configuration of that supervisord");

const MAX_NAME_BYTES: usize = 200;

pub(super) const METHOD: Method = Method {
    spec: MethodSpec {
        program: |_| Some(Starts::Fixed("supervisorctl")),
        ..MethodSpec::managed("supervisord", NAME, &[CONFIG], |given| given.text(&NAME))
    },
    look: Some(|given, _, limit| query_program(runtime_program(given), limit)),
    course: RestartCourse::Ask(|given, limit| restart_program(runtime_program(given), limit)),
    obstacle: |_| None,
};

fn runtime_program(given: &Params) -> ProgramRef<'_> {
    ProgramRef { name: given.text(&NAME), config: given.text(&CONFIG) }
}

/// `web`, or `shop:web` of the group `shop`. All programs of a group at once (`shop:*`, `shop:`) or of supervisord
/// (`all`) have no one life. What supervisord forbids in a name, and what supervisorctl reads otherwise, is no name.
fn wrong_with_name(text: &str) -> Option<&'static str> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-@+~=%,".contains(c))
    };
    let is_one = match text.split_once(':') {
        Some((group, program)) => is_name(group) && is_name(program),
        None => is_name(text) && text != "all",
    };
    let good = is_one && !text.starts_with('-') && text.len() <= MAX_NAME_BYTES;
    (!good).then_some("must be one program of supervisord's, such as \"web\" or \"shop:web\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_is_named_with_or_without_its_group() {
        for good in ["web", "shop:web", "shop:web_00", "web-1.2", "shop:shop", "all:web", "web@1", "alles"] {
            assert_eq!(wrong_with_name(good), None, "{good}");
        }
        for bad in [
            "",
            "all",
            "shop:",
            "shop:*",
            ":web",
            ":",
            "*",
            "*:web",
            "shop::web",
            "a:b:c",
            "-web",
            "a b",
            "shop: web",
            "a/b",
            "shop:web\n",
            "web;x",
            "\"web\"",
            "größe",
        ] {
            assert!(wrong_with_name(bad).is_some(), "{bad:?}");
        }
        assert!(wrong_with_name(&"a".repeat(MAX_NAME_BYTES + 1)).is_some());
    }
}

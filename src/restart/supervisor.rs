//! Restart method: a program of supervisord.

use crate::managers::supervisord::{Program, query_program, restart_program};
use crate::plan::{KeySpec, MethodSpec, Params, ValueType};

use super::{Course, Method};

const NAME: KeySpec = KeySpec::new("restart.supervisor", ValueType::Text(wrong_with_name))
    .help("Instead of a unit: a program of supervisord");
const CONFIG: KeySpec = KeySpec::new("restart.config", ValueType::File("/etc/supervisor/supervisord.conf"))
    .help("The configuration of that supervisord");

const MAX_NAME_BYTES: usize = 200;

pub(super) const METHOD: Method = Method {
    spec: MethodSpec::managed("supervisord", NAME, &[CONFIG], |given| given.text(&NAME)),
    look: Some(|given, _, limit| query_program(program(given), limit)),
    course: Course::Ask(|given, limit| restart_program(program(given), limit)),
    obstacle: |_| None,
};

fn program(given: &Params) -> Program<'_> {
    Program { name: given.text(&NAME), config: given.text(&CONFIG) }
}

/// All programs of a group at once, `shop:*`, have no one life.
fn wrong_with_name(text: &str) -> Option<&'static str> {
    let good = !text.is_empty()
        && !text.starts_with('-')
        && text.len() <= MAX_NAME_BYTES
        && text != "all"
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    (!good).then_some("must be one program of supervisord's, such as \"web\" or \"shop:web\"")
}

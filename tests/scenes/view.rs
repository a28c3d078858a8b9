//! A host that shows other things than this one does: files of a scene over those of the kernel, for one run and
//! nobody else. Only root can set it up.

use std::path::Path;
use std::process::Command;

use crate::harness::{Ran, Scene};

const LAID_OVER: &str =
    r#"while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 99; shift 2; done; shift; exec "$@""#;

pub(crate) fn can_be_set() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "mount", "--bind", "/proc/version", "/proc/loadavg"])
        .output();
    tried.is_ok_and(|output| output.status.success())
}

/// `shown`: a name in the scene's folder, and the path at which it is seen.
#[track_caller]
pub(crate) fn run(scene: &Scene, shown: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let run = scene.command(arguments);
    let mut command = scene.bare(Path::new("unshare"));
    command.args(["--mount", "sh", "-c", LAID_OVER, "sh"]);
    for (name, path) in shown {
        command.arg(scene.path(name)).arg(path);
    }
    let output = command.arg("--").arg(run.get_program()).args(run.get_args()).output().unwrap();
    scene.ran(output)
}

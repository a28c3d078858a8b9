//! The means beyond a restart: `escalate = ["reload", "restart", "kill", ["command", "argument"]]`.

use unhang_core::Rung;

use super::layers::Said;
use super::settings::{Fault, Value, Wrong};
use super::values;
use crate::plan::{Restarter, Steps};

pub(super) fn rungs(value: &Value) -> Result<Vec<Rung>, Wrong> {
    let Value::List(list) = value else { return Err(wrong(value)) };
    let mut rungs: Vec<Rung> = Vec::new();
    for one in list {
        let rung = rung(one)?;
        if rungs.contains(&rung) {
            // Not which: an argument may be a password.
            return Err(Wrong::cure(
                "names something twice",
                "each is done once in an incident; leave one of them out",
            ));
        }
        rungs.push(rung);
    }
    Ok(rungs)
}

fn rung(value: &Value) -> Result<Rung, Wrong> {
    match value.text() {
        Some("reload") => Ok(Rung::Reload),
        Some("restart") => Ok(Rung::Restart),
        Some("kill") => Ok(Rung::Kill),
        _ => match values::command(value) {
            Ok(command) if !command.is_empty() => Ok(Rung::Command(command)),
            // It is a list, and wrong as a command.
            Err(of_command) if matches!(value, Value::List(_)) => Err(of_command),
            Ok(_) | Err(_) => Err(wrong(value)),
        },
    }
}

fn wrong(got: &Value) -> Wrong {
    let what = "must list \"reload\", \"restart\", \"kill\" and commands such as [\"cmd\", \"arg\"]";
    format!("{what}, got {got}").into()
}

/// Of what `[defaults]` gave to all.
pub(super) fn keep_what_fits(rungs: &mut Vec<Rung>, restarter: &Restarter) {
    rungs.retain(|rung| match restarter.method.steps {
        Steps::All => true,
        Steps::None(_) => false,
        Steps::RestartAndCommands => !matches!(rung, Rung::Reload | Rung::Kill),
    });
}

/// Who reloads and kills is systemd. What stands in `[defaults]` may be meant for others.
pub(super) fn fits(rungs: &Said<'_, Vec<Rung>>, restarter: &Restarter) -> Result<(), Fault> {
    if rungs.value.is_empty() || rungs.setting.key.first().is_some_and(|table| table == "defaults") {
        return Ok(());
    }
    let of_systemd = rungs.value.iter().find(|rung| matches!(rung, Rung::Reload | Rung::Kill));
    let what = match (restarter.method.steps, of_systemd) {
        (Steps::None(why), _) => Wrong::cure(why, "leave one of them out"),
        (Steps::All, _) | (_, None) => return Ok(()),
        (Steps::RestartAndCommands, Some(rung)) => Wrong::cure(
            format!("cannot be done to what systemd does not run: {}", rung.act().code()),
            "write a command that does it, or leave it out",
        ),
    };
    Err(rungs.setting.fault(what))
}

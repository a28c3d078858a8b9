//! The means beyond a restart: `escalate = ["reload", "restart", "kill", ["command", "argument"]]`.

use unhang_core::Step;

use super::layers::Sourced;
use super::settings::{ConfigFault, Problem, SettingValue};
use super::values;
use crate::plan::{RestartMethod, Steps};

pub(super) fn parse_steps(value: &SettingValue) -> Result<Vec<Step>, Problem> {
    let SettingValue::List(list) = value else { return Err(invalid_step(value)) };
    let mut rungs: Vec<Step> = Vec::new();
    for one in list {
        let rung = parse_step(one)?;
        if rungs.contains(&rung) {
            // Not which: an argument may be a password.
            return Err(Problem::with_cure(
                "lists a step twice",
                "each step runs once in an incident; remove one",
            ));
        }
        rungs.push(rung);
    }
    Ok(rungs)
}

fn parse_step(value: &SettingValue) -> Result<Step, Problem> {
    match value.as_text() {
        Some("reload") => Ok(Step::Reload),
        Some("restart") => Ok(Step::Restart),
        Some("kill") => Ok(Step::Kill),
        _ => match values::parse_command(value) {
            Ok(command) if !command.is_empty() => Ok(Step::Command(command)),
            // It is a list, and wrong as a command.
            Err(of_command) if matches!(value, SettingValue::List(_)) => Err(of_command),
            Ok(_) | Err(_) => Err(invalid_step(value)),
        },
    }
}

fn invalid_step(got: &SettingValue) -> Problem {
    let what = "must list \"reload\", \"restart\", \"kill\" and commands such as [\"cmd\", \"arg\"]";
    format!("{what}, got {got}").into()
}

/// Of what `[defaults]` gave to all.
pub(super) fn drop_unsupported_steps(rungs: &mut Vec<Step>, restarter: &RestartMethod) {
    rungs.retain(|rung| match restarter.method.steps {
        Steps::All => true,
        Steps::None(_) => false,
        Steps::RestartAndCommands => !matches!(rung, Step::Reload | Step::Kill),
    });
}

/// Who reloads and kills is systemd. What stands in `[defaults]` may be meant for others.
pub(super) fn check_steps_supported(
    rungs: &Sourced<'_, Vec<Step>>,
    restarter: &RestartMethod,
) -> Result<(), ConfigFault> {
    if rungs.value.is_empty() || rungs.setting.key.first().is_some_and(|table| table == "defaults") {
        return Ok(());
    }
    let of_systemd = rungs.value.iter().find(|rung| matches!(rung, Step::Reload | Step::Kill));
    let what = match (restarter.method.steps, of_systemd) {
        (Steps::None(why), _) => Problem::with_cure(why, "leave one of them out"),
        (Steps::All, _) | (_, None) => return Ok(()),
        (Steps::RestartAndCommands, Some(rung)) => Problem::with_cure(
            format!("works for systemd units only: {}", rung.kind().code()),
            "write a command that does it, or leave it out",
        ),
    };
    Err(rungs.setting.fault(what))
}

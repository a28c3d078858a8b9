//! What is restarted, and by what means: the unit, or one of those that take its place.

use std::path::PathBuf;
use std::time::Duration;

use super::layers::{Reading, Refused, Said};
use super::settings::{Setting, Table, Value, Wrong};
use super::{names, values};
use crate::keys;
use crate::plan::{Container, Restarter, Runtime, Scope, Supervised, Wake};

/// One at the most; all others would be left out unseen.
const MEANS: [&str; 7] = [
    "unit",
    "restart",
    "restart.docker",
    "restart.podman",
    "restart.compose",
    "restart.supervisor",
    "restart.hook",
];

/// What goes with one of them alone.
const BESIDE: [(&str, &str); 2] =
    [("restart.project", "restart.compose"), ("restart.config", "restart.supervisor")];

/// `name`: unless it was refused; then the unit that is called after it need not be, too.
pub(super) fn restarter(
    reading: &mut Reading<'_>,
    name: Result<&str, Refused>,
    own: &Table,
) -> Result<Restarter, Refused> {
    let unit = reading.find("unit", names::unit);
    let scope = reading.need(&keys::SCOPE, scope);
    let command = reading.find("restart", values::command);
    let docker = reading.find("restart.docker", container);
    let podman = reading.find("restart.podman", container);
    let compose = reading.find("restart.compose", container);
    let project = reading.find("restart.project", folder);
    let supervisor = reading.find("restart.supervisor", program);
    let config = reading
        .find("restart.config", |value| values::absolute_path(value, "/etc/supervisor/supervisord.conf"));
    let hook = reading.find("restart.hook", |value| values::absolute_path(value, "/etc/unhang/shop.hook"));
    let wake = wake(reading);
    alone(reading)?;
    let (project, config) = (project?, config?.map(|said| said.value));
    let of = |runtime: Runtime| {
        move |said: Said<'_, String>| Restarter::Container(Container { runtime, name: said.value })
    };
    let compose = match (compose?, project) {
        (Some(said), Some(project)) => Some(of(Runtime::Compose(project.value))(said)),
        (Some(said), None) => {
            let cure =
                "add project, the folder of its compose file: { compose = \"web\", project = \"/opt/shop\" }";
            return Err(reading.refuse(said.setting.fault(Wrong::cure("needs a project beside it", cure))));
        }
        (None, _) => None,
    };
    let wake = wake.map(Restarter::Wake);
    let others = [
        wake,
        command?.map(
            |said| if said.value.is_empty() { Restarter::Nothing } else { Restarter::Command(said.value) },
        ),
        docker?.map(of(Runtime::Docker)),
        podman?.map(of(Runtime::Podman)),
        compose,
        supervisor?.map(|said| Restarter::Supervised(Supervised { program: said.value, config })),
        hook?.map(|said| Restarter::Hook(said.value)),
    ];
    let scope = scope?;
    if let Some(other) = others.into_iter().flatten().next() {
        return match reading.said("scope") {
            Some(said)
                if scope.value == Scope::User
                    && said.key.first().is_some_and(|table| table != "defaults") =>
            {
                let wrong = Wrong::cure("has no meaning beside what systemd does not run", "leave it out");
                Err(reading.refuse(said.fault(wrong)))
            }
            _ => Ok(other),
        };
    }
    match unit? {
        Some(unit) => Ok(Restarter::Unit(unit.value, scope.value)),
        None => match names::unit_named(name?) {
            Ok(unit) => Ok(Restarter::Unit(unit, scope.value)),
            Err(wrong) => Err(reading.refuse(own.fault("unit", wrong))),
        },
    }
}

/// `wake = { pings = 5, every = "30s", timeout = "60s" }`
fn wake(reading: &mut Reading<'_>) -> Option<Wake> {
    let pings = reading.get_if_any(&keys::WAKE_PINGS);
    let every = reading.get_if_any(&keys::WAKE_EVERY).map_or(EVERY, |said| said.value);
    let timeout = reading.get_if_any(&keys::WAKE_TIMEOUT).map_or(EVERY, |said| said.value);
    Some(Wake { pings: pings?.value, every, timeout })
}

/// What hosting services take for a cold start, and those who wake them wait between two pings.
const EVERY: Duration = Duration::from_secs(30);

/// No two means, and nothing beside another than its own.
fn alone(reading: &mut Reading<'_>) -> Result<(), Refused> {
    // restart = [] says no more than wake does.
    let wakes = reading.said("wake.pings").is_some();
    let is_none = |setting: &Setting| wakes && setting.value == Value::List(Vec::new());
    let said: Vec<(&str, &Setting)> = MEANS
        .iter()
        .filter_map(|key| Some((*key, reading.said(key).filter(|said| is_said(said) && !is_none(said))?)))
        .collect();
    if let [(_, told), (second, other), ..] = said.as_slice() {
        let what = format!("cannot stand together with {second} ({})", other.origin);
        return Err(reading.refuse(told.fault(Wrong::cure(what, "leave one of them out"))));
    }
    for (key, means) in BESIDE {
        if let (Some(told), None) = (reading.said(key), reading.said(means)) {
            let what = format!("has no meaning without {means}");
            return Err(reading.refuse(told.fault(Wrong::cure(what, "leave it out"))));
        }
    }
    Ok(())
}

/// `restart = {}` says nothing yet.
fn is_said(setting: &Setting) -> bool {
    setting.value != Value::EmptyTable
}

pub(super) fn scope(value: &Value) -> Result<Scope, Wrong> {
    match value.text() {
        Some("system") => Ok(Scope::System),
        Some("user") => Ok(Scope::User),
        _ => Err(format!("must be \"system\" or \"user\", got {value}").into()),
    }
}

/// As Docker and Podman allow them.
fn container(value: &Value) -> Result<String, Wrong> {
    let text = values::text(value)?;
    let of_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let good = text.chars().all(of_name) && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if good && text.len() <= LONGEST {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must be the name of a container: A-Z a-z 0-9 _ . -, not beginning with _ . or -, got {value}"
    )
    .into())
}

/// `web`, `shop:web`. All of a group at once have no one life.
fn program(value: &Value) -> Result<String, Wrong> {
    let text = values::text(value)?;
    let good = !text.is_empty()
        && !text.starts_with('-')
        && text.len() <= LONGEST
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    if good && text != "all" {
        return Ok(text.to_owned());
    }
    Err(format!("must be one program of supervisord's, such as \"web\" or \"shop:web\", got {value}").into())
}

fn folder(value: &Value) -> Result<PathBuf, Wrong> {
    let text = values::text(value)?;
    if text.starts_with('/') && !text.chars().any(char::is_control) {
        return Ok(PathBuf::from(text));
    }
    Err(format!("must be the absolute path of a folder, such as \"/opt/shop\", got {value}").into())
}

const LONGEST: usize = 200;

//! What every command needs: the plan that was asked for, the places of its files, who asks, and what the terminal can
//! show. The environment is read here.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::cli::{self, Sources};
use crate::config::{self, ConfigFault};
use crate::exit::Exit;
use crate::os::{newest_file, time_limit};
use crate::places::{self, Person, StatePlaces};
use crate::plan::Plan;
use crate::report::{self, ColorMode, Terminal};
use crate::words;

/// Why a command did not begin: what is wrong with flags, variables or files, a line each.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Vec<String>);

impl Refusal {
    /// Prints every line on stderr. The command ends as one that was used wrongly.
    pub(super) fn report(&self) -> Exit {
        self.0.iter().for_each(report::print_fault);
        Exit::Usage
    }
}

impl From<Vec<ConfigFault>> for Refusal {
    fn from(faults: Vec<ConfigFault>) -> Self {
        Self(faults.iter().map(ToString::to_string).collect())
    }
}

impl From<ConfigFault> for Refusal {
    fn from(fault: ConfigFault) -> Self {
        Self(vec![fault.to_string()])
    }
}

/// The plan that files, flags and variables make, or everything that is wrong with them.
pub(super) fn load_plan(sources: &Sources<'_>) -> Result<Plan, Refusal> {
    check_variables()?;
    Ok(config::load_plan(sources)?)
}

/// The plan, and where its files are.
pub(super) fn load_plan_and_places(sources: &Sources<'_>) -> Result<(Plan, StatePlaces), Refusal> {
    let plan = load_plan(sources)?;
    let places = find_places(&plan)?;
    Ok((plan, places))
}

/// Where the state and the locks of a plan are, for whoever runs this.
pub(super) fn find_places(plan: &Plan) -> Result<StatePlaces, Refusal> {
    places::find_places(plan, &find_person()).ok_or_else(|| Refusal(vec![NO_PLACE.to_owned()]))
}

/// Variables that were probably meant to be unhang's and are not.
pub(super) fn check_variables() -> Result<(), Refusal> {
    check_time_zone()?;
    match cli::mistyped_variables(variable_names()) {
        mistyped if mistyped.is_empty() => Ok(()),
        mistyped => Err(Refusal(mistyped)),
    }
}

/// `TZ` may name a file, and the first line with a time in it would wait for ever for one that is a pipe, or that lies
/// where nothing answers. One that is not there is no fault: times are then those of UTC, as for libc.
#[expect(clippy::disallowed_methods, reason = "where times are told for is said by the environment")]
fn check_time_zone() -> Result<(), Refusal> {
    let zone = std::env::var_os("TZ").unwrap_or_default();
    let named = zone.as_bytes().strip_prefix(b":").unwrap_or(zone.as_bytes());
    let path = Path::new(OsStr::from_bytes(named));
    // Names lead to the folders of zones.
    if !path.is_absolute() && path.components().all(|part| part != Component::ParentDir) {
        return Ok(());
    }
    let why = match time_limit::touch_within(path, newest_file::newest_matching) {
        Ok(found) if !found.is_regular => "is not a regular file".to_owned(),
        Err(error) if error.kind() == ErrorKind::TimedOut => words::io_error_text(&error),
        Ok(_) | Err(_) => return Ok(()),
    };
    let path = path.display();
    Err(Refusal(vec![format!("TZ: {path}: {why}; name a time zone, such as Europe/Berlin")]))
}

const NO_PLACE: &str = "no folder for the state: neither HOME nor XDG_STATE_HOME is set; give --state-dir";

/// The names of all variables of the environment.
#[expect(clippy::disallowed_methods, reason = "`cli` judges them")]
pub(super) fn variable_names() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name)
}

/// The names of the variables of unhang's own whose value is no text.
#[expect(clippy::disallowed_methods, reason = "what clap cannot read is named here")]
pub(super) fn variables_not_utf8() -> impl Iterator<Item = String> {
    std::env::vars_os()
        .filter(|(_, value)| value.to_str().is_none())
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("UNHANG_"))
}

/// Names the person behind sudo, su or cron; at most 100 characters, printable.
#[expect(clippy::disallowed_methods, reason = "who somebody is, is said by the environment")]
pub(super) fn name_person() -> String {
    let says = |name: &str| std::env::var(name).ok().filter(|who| !who.is_empty());
    let is_root = rustix::process::geteuid().is_root();
    let behind = if is_root { says("SUDO_USER") } else { None };
    let named = behind.or_else(|| says("LOGNAME")).or_else(|| says("USER"));
    let number =
        || if is_root { "root".to_owned() } else { format!("user {}", rustix::process::geteuid().as_raw()) };
    words::escaped(&named.unwrap_or_else(number)).chars().take(100).collect()
}

/// Colour on a terminal only, and never where NO_COLOR is set (no-color.org) or the terminal is dumb.
#[expect(clippy::disallowed_methods, reason = "what the person's terminal can do is said by the environment")]
pub(super) fn detect_screen() -> Terminal {
    if !std::io::stdout().is_terminal() {
        return Terminal { style: ColorMode::Plain, width: None };
    }
    let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let plain = says("NO_COLOR").is_some() || says("TERM").is_none_or(|term| term == "dumb");
    let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| size.ws_col);
    let width = (columns > 0).then_some(usize::from(columns));
    Terminal { style: if plain { ColorMode::Plain } else { ColorMode::Color }, width }
}

#[expect(clippy::disallowed_methods, reason = "where the user's own files are is said by the environment")]
fn find_person() -> Person {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let uid = rustix::process::geteuid();
    if uid.is_root() {
        return Person { is_root: true, ..Person::default() };
    }
    let usual = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    Person {
        is_root: false,
        home: path("HOME"),
        state_home: path("XDG_STATE_HOME"),
        runtime: path("XDG_RUNTIME_DIR").or_else(|| usual.is_dir().then_some(usual)),
    }
}

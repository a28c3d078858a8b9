//! One question to systemd about one unit, for the kinds of probe that need its word. Asks only. An answer that is
//! not whole is none.
#![expect(clippy::disallowed_methods, reason = "this file starts systemctl, and needs PATH to find it")]

use std::io;
use std::process::Command;
use std::time::Duration;

use crate::os::process::{self, End};
use crate::plan::Scope;
use crate::words;

use super::fault::{quoted, unread};
use super::kind::Found;

/// A few short lines.
const ROOM: usize = 16 * 1024;

/// What it prints; else why the probe could not be carried out.
pub(super) fn show((unit, scope): (&str, Scope), properties: &str, limit: Duration) -> Result<String, Found> {
    // SYSTEMD_OFFLINE and the like of the caller's would change the answer.
    let mut command = Command::new("systemctl");
    command.env_clear().env("LC_ALL", "C");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if scope == Scope::User {
        // Where a user's systemd listens (pam_systemd(8)), which cron does not tell.
        let own = || format!("/run/user/{}", rustix::process::geteuid().as_raw()).into();
        command.env("XDG_RUNTIME_DIR", std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(own)).arg("--user");
    }
    command.args(["show", "--no-pager", "--property", properties, "--", unit]);
    let ran = process::run(command, limit, ROOM).map_err(|error| not_begun(&error))?;
    let End::Exited(status) = ran.end else {
        return Err(Found::not_known(format!("no answer from systemctl within {}", words::span(limit))));
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    let complaint = said.lines().map(|line| line.trim().trim_end_matches('.')).find(|line| !line.is_empty());
    // What is cut says what it did not mean.
    if !status.success() || ran.stdout.len() >= ROOM {
        let why = complaint.map_or_else(|| status.to_string(), |complaint| quoted(&complaint));
        return Err(Found::not_known(format!("systemctl show: {why}")));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

fn not_begun(error: &io::Error) -> Found {
    if error.kind() == io::ErrorKind::NotFound {
        return Found::not_known("no systemctl in PATH");
    }
    Found::doubt(unread("systemctl cannot be started", error))
}

/// `None`: not said, or not once, or the text ends in the middle of a line.
pub(super) fn property<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let text = text.strip_suffix('\n')?;
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// A test for what an operator writes: one unit, and no pattern that systemctl would take for many.
pub(super) fn one_unit(name: &str) -> Option<&'static str> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or_default();
    let known = KINDS.contains(&kind) && name.len() <= 255;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":_.\\@-".contains(&byte);
    let good = known
        && !stem.is_empty()
        && !stem.ends_with('@')
        && !stem.starts_with('@')
        && name.bytes().all(plain);
    (!good).then_some("must be the whole name of one unit, such as \"redis.service\"")
}

const KINDS: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_said_once_and_to_its_end() {
        let text = "Id=a.service\nActiveState=active\nEmpty=\n";
        assert_eq!(property(text, "ActiveState"), Some("active"));
        assert_eq!(property(text, "Empty"), Some(""));
        assert_eq!((property(text, "Active"), property(text, "Names")), (None, None));
        assert_eq!(property(text.trim_end(), "ActiveState"), None, "cut");
        assert_eq!(property(&text.repeat(2), "ActiveState"), None, "of two units");
    }

    #[test]
    fn one_whole_unit_is_named() {
        for good in [
            "redis.service",
            "pg@15-main.service",
            "a.socket",
            "-.slice",
            "dev-disk\\x2d1.mount",
            "a.b.timer",
        ] {
            assert_eq!(one_unit(good), None, "{good}");
        }
        for bad in [
            "",
            "redis",
            ".service",
            "pg@.service",
            "*.service",
            "a b.service",
            "a/b.service",
            "redis.conf",
            "ä.service",
        ] {
            assert!(one_unit(bad).is_some(), "{bad}");
        }
    }
}

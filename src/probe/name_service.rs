//! Names that this host knows by a source of /etc/nsswitch.conf that a static program cannot load (nss(5)), such as mDNS,
//! LDAP or the names of its containers: getent(1) asks them all.
#![expect(clippy::disallowed_methods, reason = "this starts getent")]

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use crate::os::process::{self, ProcessEnd, ProcessOutput};

/// The first address that getent finds for `host`. `None`: it finds none within `limit`, or is not there.
pub(super) fn address_by_getent(host: &str, limit: Duration) -> Option<IpAddr> {
    // Else it would be an option.
    if host.starts_with('-') || limit.is_zero() {
        return None;
    }
    let mut command = Command::new("getent");
    command.args(["ahosts", host]);
    match process::run_program(command, limit, ROOM) {
        Ok(ProcessOutput { end: ProcessEnd::Exited(status), stdout, .. }) if status.success() => {
            first_address(&stdout)
        }
        Ok(_) | Err(_) => None,
    }
}

/// Bytes that are kept of what it says: the first line is enough.
const ROOM: usize = 1024;

/// Reads the address of a line such as `10.0.0.5        STREAM shop.local`.
fn first_address(said: &[u8]) -> Option<IpAddr> {
    String::from_utf8_lossy(said).split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_nothing_else() {
        let address = |said: &str| first_address(said.as_bytes()).map(|address| address.to_string());
        for (said, expected) in [
            ("10.0.0.5        STREAM shop.local\n10.0.0.5        DGRAM\n", Some("10.0.0.5")),
            ("fd00::5 STREAM shop.local\n", Some("fd00::5")),
            ("", None),
            ("\u{1b}[2J 10.0.0.5\n", None),
            ("shop.local 10.0.0.5\n", None),
        ] {
            assert_eq!(address(said).as_deref(), expected, "{said:?}");
        }
    }

    #[test]
    fn what_looks_like_an_option_is_not_asked() {
        assert_eq!(address_by_getent("--help", Duration::from_secs(5)), None);
        assert_eq!(address_by_getent("localhost", Duration::ZERO), None);
    }
}

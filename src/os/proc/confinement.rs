//! What was taken from this process, and from all that it starts, of what the first process of the host or container
//! has: system calls, capabilities, the way to more rights (proc(5), `status`).

use std::io;

/// The values are texts as the kernel writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Confinement {
    /// 0: every system call may be made.
    seccomp: String,
    /// 1: no program that it starts gets more rights, by setuid or a file's capabilities.
    no_new_privs: String,
    /// The capabilities that it and what it starts can ever have.
    bounding: String,
}

/// What names the sandbox that this process is in. `None`: it is in none, or that cannot be told. A container is none:
/// what runs beside us there has no more rights.
pub(crate) fn find_sandbox() -> Option<String> {
    let own = read_confinement("self").ok()?;
    // Where /proc hides it, the first process has what one has from the start.
    let first = read_confinement("1").unwrap_or_else(|_| Confinement {
        seccomp: "0".to_owned(),
        no_new_privs: "0".to_owned(),
        bounding: own.bounding.clone(),
    });
    (own != first).then(|| format!("{} {} {}", own.seccomp, own.no_new_privs, own.bounding))
}

fn read_confinement(process: &str) -> io::Result<Confinement> {
    parse_status(&super::read_proc(&format!("/proc/{process}/status"))?).ok_or_else(super::not_said)
}

/// A kernel without seccomp(2) does not name it.
fn parse_status(status: &str) -> Option<Confinement> {
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned())
    };
    let seccomp = value("Seccomp").unwrap_or_else(|| "0".to_owned());
    Some(Confinement { seccomp, no_new_privs: value("NoNewPrivs")?, bounding: value("CapBnd")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_lines_are_read_and_others_are_not_taken_for_them() {
        let status =
            "Name:\tunhang\nCapBnd:\t0000000000000022\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t7\n";
        let (seccomp, no_new_privs, bounding) = ("2".into(), "1".into(), "0000000000000022".into());
        assert_eq!(parse_status(status), Some(Confinement { seccomp, no_new_privs, bounding }));
        assert_eq!(parse_status("CapBnd:\t0\nNoNewPrivs:\t0\n").unwrap().seccomp, "0");
        assert_eq!(parse_status("CapBnd:\t0\n"), None);
    }

    #[test]
    fn this_process_can_be_asked() {
        let own = read_confinement("self").unwrap();
        assert!(u64::from_str_radix(&own.bounding, 16).is_ok(), "{own:?}");
    }
}

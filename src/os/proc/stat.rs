//! What /proc/PID/stat says (proc(5)): whether a process lives, and when it started, which together
//! with its number names it for as long as the machine is up.
#![expect(clippy::disallowed_methods, reason = "/proc is made of files")]

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::os) struct ProcStat {
    state: char,
    /// After the kernel started, in clock ticks.
    pub(in crate::os) start: u64,
}

/// `NotFound`: there is no such process.
pub(in crate::os) fn read_stat(pid: u32) -> io::Result<ProcStat> {
    let mut line = Vec::with_capacity(512);
    match File::open(format!("/proc/{pid}/stat"))?.take(4096).read_to_end(&mut line) {
        // It ended between open and read.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            return Err(io::ErrorKind::NotFound.into());
        }
        read => read?,
    };
    parse_stat(&line).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

impl ProcStat {
    /// A zombie has ended, whoever has not yet asked how.
    pub(in crate::os) fn lives(self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// After the kernel started.
    pub(in crate::os) fn started(self) -> Duration {
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let rest = (self.start % per_second).saturating_mul(1_000_000_000) / per_second;
        Duration::from_secs(self.start / per_second) + Duration::from_nanos(rest)
    }
}

/// A process may call itself anything, `) R 1` included: the fields begin after the last `)`.
fn parse_stat(line: &[u8]) -> Option<ProcStat> {
    let name_ends = line.iter().rposition(|byte| *byte == b')')?;
    let mut fields = str::from_utf8(line.get(name_ends + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?; // field 3
    let start = fields.nth(18)?.parse().ok()?; // field 22
    Some(ProcStat { state, start })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";

    #[test]
    fn a_name_cannot_forge_the_fields() {
        for name in ["cat", "a b", ") R 1 (", "\u{1b}[31m"] {
            let stat = parse_stat(format!("12 ({name}) Z {REST}\n").as_bytes());
            assert_eq!(stat, Some(ProcStat { state: 'Z', start: 4711 }), "{name}");
        }
        assert!(parse_stat(b"12 (\xff\xfe) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1").is_some());
    }

    #[test]
    fn nonsense_is_no_process() {
        for stat in
            ["", "12 (cat", "12 (cat) ", "12 (cat) S 1 2", &format!("1 (c) S {}", REST.replace("4711", "x"))]
        {
            assert_eq!(parse_stat(stat.as_bytes()), None, "{stat:?}");
        }
    }

    #[test]
    fn this_process_lives() {
        let own = read_stat(std::process::id()).unwrap();
        assert!(own.lives() && own.started() <= crate::os::clock::now().since_boot);
        assert_eq!(read_stat(u32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

//! The memory and the swap of this host, as /proc/meminfo counts them (proc(5)).

use std::io;

use super::read_proc;

pub(crate) const MEMINFO: &str = "/proc/meminfo";

/// How much there is, and how much of it is left, in KiB. Never more left than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryStore {
    pub(crate) total: u64,
    pub(crate) left: u64,
}

/// Each `None` where the kernel does not say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MemoryUse {
    /// Left is what the kernel could hand out again without swapping (MemAvailable, since Linux 3.14). Total is never 0.
    pub(crate) ram: Option<MemoryStore>,
    /// Its total is 0 where there is none.
    pub(crate) swap: Option<MemoryStore>,
}

pub(crate) fn read_memory() -> io::Result<MemoryUse> {
    Ok(parse_memory(&read_proc(MEMINFO)?))
}

impl MemoryStore {
    /// In percent, rounded down. `None`: there is none of it at all.
    pub(crate) fn percent_used(self) -> Option<u64> {
        self.percent_of(self.total.saturating_sub(self.left))
    }

    /// In percent, rounded down. `None`: there is none of it at all.
    pub(crate) fn percent_left(self) -> Option<u64> {
        self.percent_of(self.left)
    }

    fn percent_of(self, part: u64) -> Option<u64> {
        part.saturating_mul(100).checked_div(self.total)
    }
}

pub(crate) fn parse_memory(text: &str) -> MemoryUse {
    let store = |total: &str, left: &str| {
        let (total, left) = (parse_kib(text, total)?, parse_kib(text, left)?);
        (left <= total).then_some(MemoryStore { total, left })
    };
    let ram = store("MemTotal", "MemAvailable").filter(|ram| ram.total > 0);
    MemoryUse { ram, swap: store("SwapTotal", "SwapFree") }
}

/// `MemTotal:       24682416 kB`
fn parse_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let text =
            "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  30 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
        let memory = parse_memory(text);
        assert_eq!(memory.ram, Some(MemoryStore { total: 1000, left: 30 }));
        assert_eq!(memory.ram.and_then(MemoryStore::percent_left), Some(3));
        assert_eq!(memory.ram.and_then(MemoryStore::percent_used), Some(97));
        assert_eq!(memory.swap.map(MemoryStore::percent_left), Some(None), "there is none");
        assert_eq!(parse_memory("MemTotal: 0 kB\nMemAvailable: 0 kB"), MemoryUse::default());
        assert_eq!(parse_memory("MemTotal: 1 kB\nMemAvailable: 2 kB"), MemoryUse::default());
        assert!(read_memory().unwrap().ram.is_some());
    }
}

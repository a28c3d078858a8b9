//! How busy this host is: what its tasks wait for, its load, its memory, its disks. Reads what the kernel counts
//! anyway; judges nothing.
#![expect(clippy::disallowed_methods, reason = "/proc is made of files")]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// The share of the last minute, in percent, in which some or all tasks waited for it (Linux 4.20,
/// Documentation/accounting/psi.rst).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stalls {
    pub(crate) some: u32,
    pub(crate) full: u32,
}

/// `resource`: memory, cpu or io. An error where the kernel does not count it.
pub(crate) fn stalls(resource: &str) -> io::Result<Stalls> {
    let text = read(&format!("/proc/pressure/{resource}"))?;
    Ok(Stalls { some: avg60(&text, "some "), full: avg60(&text, "full ") })
}

/// The load of the last minute on each processor, in percent (proc(5), /proc/loadavg).
pub(crate) fn load_per_processor() -> io::Result<u32> {
    let text = read("/proc/loadavg")?;
    let load = hundredths(text.split(' ').next().unwrap_or_default());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(load / u32::try_from(processors).unwrap_or(u32::MAX))
}

/// What is left, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) available: u32,
    /// `None`: there is none.
    pub(crate) swap: Option<u32>,
}

pub(crate) fn memory() -> io::Result<Memory> {
    parse_memory(&read("/proc/meminfo")?).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Of a disk, by a path on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) read_only: bool,
    /// In percent, for everybody but root; also of its inodes.
    pub(crate) left: u64,
}

pub(crate) fn disk(path: &Path) -> io::Result<Disk> {
    let found = statvfs(path)?;
    let share = |left: u64, all: u64| left.saturating_mul(100).checked_div(all).unwrap_or(100);
    let left = share(found.f_bavail, found.f_blocks).min(share(found.f_favail, found.f_files));
    Ok(Disk { read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY), left })
}

fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(64 * 1024).read_to_string(&mut text)?;
    Ok(text)
}

/// `some avg10=0.00 avg60=1.25 avg300=0.00 total=9`
fn avg60(text: &str, line: &str) -> u32 {
    let line = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or_default();
    let value = line.split(' ').find_map(|word| word.strip_prefix("avg60="));
    hundredths(value.unwrap_or_default()) / 100
}

/// `1.25` is 125.
fn hundredths(text: &str) -> u32 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let whole: u32 = whole.parse().unwrap_or(0);
    let part: u32 = part.get(..2).unwrap_or_default().parse().unwrap_or(0);
    whole.saturating_mul(100).saturating_add(part)
}

fn parse_memory(text: &str) -> Option<Memory> {
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let share = |part: u64, all: u64| u32::try_from(part.saturating_mul(100).checked_div(all)?).ok();
    let swap = kib("SwapFree").zip(kib("SwapTotal")).and_then(|(free, total)| share(free, total));
    Some(Memory { available: share(kib("MemAvailable")?, kib("MemTotal")?)?, swap })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let text = "some avg10=0.00 avg60=41.99 avg300=0.00 total=9\nfull avg10=1.00 avg60=0.50 avg300=0.00 total=9\n";
        assert_eq!((avg60(text, "some "), avg60(text, "full ")), (41, 0));
        assert_eq!((avg60("", "some "), avg60("some avg60=x", "some ")), (0, 0));
        assert_eq!((hundredths("12.34"), hundredths("0.07"), hundredths("3")), (1234, 7, 300));
        let memory =
            "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  30 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
        assert_eq!(parse_memory(memory), Some(Memory { available: 3, swap: None }));
        assert_eq!(
            parse_memory(&memory.replace("Total: 0", "Total: 50")),
            Some(Memory { available: 3, swap: Some(0) })
        );
        assert_eq!(parse_memory("MemTotal: 0 kB\nMemAvailable: 0 kB"), None);
    }

    #[test]
    fn this_host_can_be_asked() {
        assert!(memory().unwrap().available <= 100 && load_per_processor().is_ok());
        assert!(!disk(Path::new("/dev/shm")).unwrap().read_only);
        assert!(disk(Path::new("/nowhere")).is_err());
    }
}

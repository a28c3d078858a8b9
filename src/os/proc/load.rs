//! The load of this host (proc(5), /proc/loadavg) and the processors that bear it. Of the host: what a container or
//! taskset(1) leaves to this process does not bound what /proc/loadavg counts.

use std::io;

use super::{not_said, read_proc};

pub(crate) const LOADAVG: &str = "/proc/loadavg";

/// A short list (sysfs-devices-system-cpu), where /proc/stat counts every interrupt of the host to say it.
pub(crate) const ONLINE: &str = "/sys/devices/system/cpu/online";

/// The tasks that run or wait for a disk, in hundredths: the averages of 1, 5 and 15 minutes.
///
/// # Errors
/// `InvalidData` where the file does not say them.
pub(crate) fn load_averages() -> io::Result<[u64; 3]> {
    parse_averages(&read_proc(LOADAVG)?).ok_or_else(not_said)
}

/// How many processors of the host are online; never 0.
///
/// # Errors
/// `InvalidData` where the file does not say it.
pub(crate) fn online_processors() -> io::Result<u64> {
    parse_processors(&read_proc(ONLINE)?).ok_or_else(not_said)
}

/// The load of the last minute on each processor that is online, in hundredths.
pub(crate) fn load_per_processor() -> io::Result<u64> {
    let [minute, ..] = load_averages()?;
    Ok(minute / online_processors()?)
}

/// `2.38 0.82 0.78 5/673 5443`, each average with two digits.
fn parse_averages(text: &str) -> Option<[u64; 3]> {
    let mut words = text.split_ascii_whitespace();
    let mut next = || parse_hundredths(words.next()?);
    Some([next()?, next()?, next()?])
}

/// `12.34`
fn parse_hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() != 2 || !digits(whole) || !digits(part) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

/// `0-3,6`
fn parse_processors(online: &str) -> Option<u64> {
    let mut all = 0_u64;
    for range in online.trim_end().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let span = last.parse::<u32>().ok()?.checked_sub(first.parse::<u32>().ok()?)?;
        all = all.checked_add(u64::from(span))?.checked_add(1)?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// Of Linux 6.18.
    const REAL: &str = "2.38 0.82 0.78 5/673 5443\n";

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(parse_averages(REAL), Some([238, 82, 78]));
        for text in
            ["", "x", "-1.00 1.00 1.00", "1 2 3", "1.5 1.5 1.5", "1.500 1.500 1.500", "+1.00 1.00 1.00"]
        {
            assert_eq!(parse_averages(text), None, "{text}");
        }
        assert_eq!(parse_averages("1.00 2.00"), None);
        assert_eq!(parse_averages("99999999999999999999.00 0.00 0.00"), None);
        for (text, processors) in [("0-1\n", 2), ("0\n", 1), ("0-2,7\n", 4), ("0-99", 100)] {
            assert_eq!(parse_processors(text), Some(processors), "{text}");
        }
        for text in ["", "\n", "x", "0-", "-", "3-1", "0,,1", "0-1 2"] {
            assert_eq!(parse_processors(text), None, "{text}");
        }
    }

    /// As under taskset(1): /proc/loadavg counts the tasks of all processors all the same.
    #[test]
    fn the_processors_of_the_host_bear_its_load_and_not_those_of_this_thread() {
        let before = online_processors().unwrap();
        let allowed = sched_getaffinity(None).unwrap();
        let first = (0..CpuSet::MAX_CPU).find(|cpu| allowed.is_set(*cpu)).unwrap();
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).unwrap();
        assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
        assert_eq!(online_processors().unwrap(), before);
        sched_setaffinity(None, &allowed).unwrap();
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(load in "(\\PC|[0-9. ]){0,40}", online in "(\\PC|[0-9,-]){0,40}") {
            let _ = (parse_averages(&load), parse_processors(&online));
        }
    }
}

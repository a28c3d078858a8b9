//! What time it is, on the clocks we need: those that nobody can set, for decisions, and the wall
//! clock, for people. Must not be asked by rooms that are given the time.
#![expect(clippy::disallowed_methods, reason = "the boot id is a file")]

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use unhang_core::Moment;

use super::proc::stat;

/// To the millisecond: as it is kept on disk, so that what was read again compares equal.
pub(crate) fn now() -> Moment {
    let millis =
        |clock| Duration::from_millis(u64::try_from(read_clock(clock).as_millis()).unwrap_or(u64::MAX));
    Moment { boot: boot_id().ok(), since_boot: millis(ClockId::Boottime), wall: millis(ClockId::Realtime) }
}

/// What systemd stamps its units with: stands still while the machine sleeps.
pub(crate) fn monotonic_time() -> Duration {
    read_clock(ClockId::Monotonic)
}

/// Since the first process of this machine, or of this container, started. `None` where /proc is hidden, and where the
/// process is older than the clock says: in a time namespace (time_namespaces(7)) the kernel gives no start that can be
/// used.
pub(crate) fn pid1_age() -> Option<Duration> {
    let started = stat::read_stat(1).ok()?.started();
    read_clock(ClockId::Boottime).checked_sub(started)
}

/// Zero for a wall clock that stands before 1970; the kernel's own clocks never run below it.
fn read_clock(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Names this boot (random(4)).
fn boot_id() -> io::Result<String> {
    let mut id = String::with_capacity(40);
    File::open("/proc/sys/kernel/random/boot_id")?.take(64).read_to_string(&mut id)?;
    id.truncate(id.trim_end().len());
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_on_within_one_boot() {
        let (a, b) = (now(), now());
        assert!(b.since_boot >= a.since_boot && b.wall >= a.wall);
        assert_eq!(a.boot, b.boot);
        assert_eq!(a.boot.unwrap().len(), 36);
        assert!(monotonic_time() <= read_clock(ClockId::Boottime), "boottime counts sleep too");
        assert!(a.wall > Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn the_first_process_is_not_older_than_the_kernel() {
        // None in a time namespace.
        assert!(pid1_age().is_none_or(|age| !age.is_zero() && age <= read_clock(ClockId::Boottime)));
    }
}

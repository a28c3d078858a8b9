//! What the tasks of this host wait for (Linux 4.20, Documentation/accounting/psi.rst).

use std::io;

use super::read_proc;

/// The share of the last minute, in percent, in which some or all tasks waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pressure {
    pub(crate) some: u32,
    pub(crate) full: u32,
}

/// `resource`: memory, cpu or io.
///
/// # Errors
/// Where the kernel does not count it.
pub(crate) fn read_pressure(resource: &str) -> io::Result<Pressure> {
    let text = read_proc(&format!("/proc/pressure/{resource}"))?;
    Ok(Pressure { some: parse_avg60(&text, "some "), full: parse_avg60(&text, "full ") })
}

/// `some avg10=0.00 avg60=1.25 avg300=0.00 total=9`, rounded down.
fn parse_avg60(text: &str, line: &str) -> u32 {
    let line = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or_default();
    let value = line.split(' ').find_map(|word| word.strip_prefix("avg60="));
    value.and_then(|value| value.split('.').next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let text = "some avg10=0.00 avg60=41.99 avg300=0.00 total=9\nfull avg10=1.00 avg60=0.50 avg300=0.00 total=9\n";
        assert_eq!((parse_avg60(text, "some "), parse_avg60(text, "full ")), (41, 0));
        assert_eq!((parse_avg60("", "some "), parse_avg60("some avg60=x", "some ")), (0, 0));
    }
}

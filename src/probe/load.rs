//! `load = "5m"`: the tasks that run or wait for a disk, on the average of that time, for each processor of this
//! host that is online. Of the host, since a container's share of processors does not bound what /proc/loadavg
//! counts.

use std::io;
use std::path::Path;

use crate::os::files;
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};

use super::answer::Ground;
use super::fault::unread;
use super::kind::{Found, Kind};
use super::threshold;

pub(super) const KIND: Kind = Kind {
    spec: KindSpec::new(TIME, &[WARN, FAIL]).warns_by_default().fails_only_by(&FAIL).validate(validate),
    ask,
};

const TIME: KeySpec = KeySpec::new("load", ValueType::OneOf(&TIMES))
    .help("Which load average is watched, for each online processor");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Hundredths).default("4.00").help("From this load on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Hundredths).help("From this load on it fails");

/// In the order of /proc/loadavg.
const TIMES: [&str; 3] = ["1m", "5m", "15m"];

const LOADAVG: &str = "/proc/loadavg";

/// A short list (sysfs-devices-system-cpu), where /proc/stat counts every interrupt of the host to say it.
const ONLINE: &str = "/sys/devices/system/cpu/online";

fn validate(given: &Params) -> Option<KeyConflict> {
    threshold::upward(given, &WARN, &FAIL)
}

fn ask(given: &Params, _: &Ground<'_>) -> Found {
    match (read(LOADAVG), read(ONLINE)) {
        (Ok(load), Ok(online)) => judged(&load, &online, given),
        (Err(error), _) => Found::doubt(unread(LOADAVG, &error)),
        (_, Err(error)) => Found::doubt(unread(ONLINE, &error)),
    }
}

fn read(path: &str) -> io::Result<String> {
    let (bytes, _) = files::read_bounded(Path::new(path), 16 * 1024)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn judged(load: &str, online: &str, given: &Params) -> Found {
    let time = given.text(&TIME);
    let at = TIMES.iter().position(|known| *known == time);
    let load = at.and_then(|at| hundredths(load.split_ascii_whitespace().nth(at)?));
    match (load, processors(online)) {
        (Some(load), Some(processors)) => {
            let each = load / processors;
            let words = format!("load {}.{:02} per processor ({time})", each / 100, each % 100);
            threshold::over(given, (&WARN, &FAIL), each, &words)
        }
        (None, _) => Found::not_known(format!("{LOADAVG} does not say the load")),
        (_, None) => Found::not_known(format!("{ONLINE} does not say how many processors there are")),
    }
}

/// `12.34`, always with two digits.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() != 2 || !digits(whole) || !digits(part) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

/// `0-3,6`; never none.
fn processors(online: &str) -> Option<u64> {
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
    use crate::plan::ParamValue;
    use crate::probe::threshold::given;
    use proptest::prelude::*;

    /// Of Linux 6.18.
    const REAL: &str = "2.38 0.82 0.78 5/673 5443\n";

    fn of(time: &str, load: &str, online: &str) -> Found {
        let mut given = given(&[("warn", 400), ("fail", 850)]);
        given.0.insert("load", ParamValue::Text(time.to_owned()));
        judged(load, online, &given)
    }

    #[test]
    fn each_processor_bears_its_part() {
        for (time, load, online, expected) in [
            ("1m", REAL, "0-1\n", Found::well("load 1.19 per processor (1m)")),
            ("5m", REAL, "0-1\n", Found::well("load 0.41 per processor (5m)")),
            ("15m", REAL, "0\n", Found::well("load 0.78 per processor (15m)")),
            ("1m", "15.99 0.00 0.00 1/1 1\n", "0-2,7\n", Found::well("load 3.99 per processor (1m)")),
            (
                "1m",
                "16.00 0.00 0.00 1/1 1\n",
                "0-2,7\n",
                Found::near("load 4.00 per processor (1m) (warn 4.00)"),
            ),
            (
                "5m",
                "1.00 900.00 0.00 1/1 1\n",
                "0-99",
                Found::failing("load 9.00 per processor (5m) (fail 8.50)"),
            ),
        ] {
            assert_eq!(of(time, load, online), expected, "{time} {load} {online}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let load = Found::not_known("/proc/loadavg does not say the load");
        for text in ["", "x", "-1.00", "1 2 3", "1.5", "1.500", "+1.00", "99999999999999999999.00"] {
            assert_eq!(of("1m", text, "0-1"), load, "{text}");
        }
        assert_eq!(of("15m", "1.00 2.00", "0-1"), load);
        for text in ["", "\n", "x", "0-", "-", "3-1", "0,,1", "0-1 2"] {
            let expected =
                Found::not_known("/sys/devices/system/cpu/online does not say how many processors there are");
            assert_eq!(of("1m", REAL, text), expected, "{text}");
        }
    }

    #[test]
    fn this_host_can_be_asked() {
        let mut given = Params::default();
        given.0.insert("load", ParamValue::Text("15m".to_owned()));
        let found = format!("{:?}", ask(&given, &Ground::default()));
        assert!(found.contains("Well"), "{found}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(load in "(\\PC|[0-9. ]){0,40}", online in "(\\PC|[0-9,-]){0,40}") {
            let _ = (of("1m", &load, "0-1"), of("5m", REAL, &online));
        }

        #[test]
        fn a_high_load_is_never_well(load in 900..100_000_u64, processors in 1..100_u64) {
            let text = format!("{}.00 0.00 0.00 1/1 1", load * processors / 100 + 1);
            let found = of("1m", &text, &format!("0-{}", processors - 1));
            let failing = format!("{found:?}").contains("Failing");
            prop_assert!(failing, "{:?}", found);
        }
    }
}

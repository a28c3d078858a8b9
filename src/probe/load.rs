//! `load = "5m"`: the tasks that run or wait for a disk, on the average of that time, for each processor of this
//! host that is online. Of the host, since a container's share of processors does not bound what /proc/loadavg
//! counts.

use std::io;

use crate::os::proc::load::{LOADAVG, ONLINE, load_averages, online_processors};
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

fn validate(given: &Params) -> Option<KeyConflict> {
    threshold::upward(given, &WARN, &FAIL)
}

fn ask(given: &Params, _: &Ground<'_>) -> Found {
    judged(load_averages(), online_processors(), given)
}

fn judged(load: io::Result<[u64; 3]>, processors: io::Result<u64>, given: &Params) -> Found {
    let time = given.text(&TIME);
    let load = match load {
        Ok(averages) => TIMES.iter().zip(averages).find(|(known, _)| **known == time).map(|(_, load)| load),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
        Err(error) => return Found::doubt(unread(LOADAVG, &error)),
    };
    let Some(load) = load else { return Found::not_known(format!("{LOADAVG} does not say the load")) };
    match processors {
        Ok(processors) => {
            let each = load / processors.max(1);
            let words = format!("load {}.{:02} per processor ({time})", each / 100, each % 100);
            threshold::over(given, (&WARN, &FAIL), each, &words)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Found::not_known(format!("{ONLINE} does not say how many processors there are"))
        }
        Err(error) => Found::doubt(unread(ONLINE, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ParamValue;
    use crate::probe::threshold::given;
    use proptest::prelude::*;

    fn of(time: &str, load: [u64; 3], processors: u64) -> Found {
        let mut given = given(&[("warn", 400), ("fail", 850)]);
        given.0.insert("load", ParamValue::Text(time.to_owned()));
        judged(Ok(load), Ok(processors), &given)
    }

    #[test]
    fn each_processor_bears_its_part() {
        for (time, load, processors, expected) in [
            ("1m", [238, 82, 78], 2, Found::well("load 1.19 per processor (1m)")),
            ("5m", [238, 82, 78], 2, Found::well("load 0.41 per processor (5m)")),
            ("15m", [238, 82, 78], 1, Found::well("load 0.78 per processor (15m)")),
            ("1m", [1599, 0, 0], 4, Found::well("load 3.99 per processor (1m)")),
            ("1m", [1600, 0, 0], 4, Found::near("load 4.00 per processor (1m) (warn 4.00)")),
            ("5m", [100, 90_000, 0], 100, Found::failing("load 9.00 per processor (5m) (fail 8.50)")),
        ] {
            assert_eq!(of(time, load, processors), expected, "{time} {load:?} {processors}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let given = Params([("load", ParamValue::Text("1m".to_owned()))].into());
        let not_said = || io::Error::from(io::ErrorKind::InvalidData);
        let found = judged(Err(not_said()), Ok(1), &given);
        assert_eq!(found, Found::not_known("/proc/loadavg does not say the load"));
        let found = judged(Ok([1, 1, 1]), Err(not_said()), &given);
        let words = "/sys/devices/system/cpu/online does not say how many processors there are";
        assert_eq!(found, Found::not_known(words));
        let found = judged(Err(io::Error::from_raw_os_error(13)), Ok(1), &given);
        assert_eq!(found, Found::not_known("/proc/loadavg: Permission denied"));
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
        fn a_high_load_is_never_well(load in 900..100_000_u64, processors in 1..100_u64) {
            let found = of("1m", [load * processors, 0, 0], processors);
            prop_assert!(format!("{found:?}").contains("Failing"), "{:?}", found);
        }
    }
}

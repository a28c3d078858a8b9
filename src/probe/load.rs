//! `load = "5m"`: the tasks that run or wait for a disk, on the average of that time, for each processor of this
//! host that is online. Of the host, since a container's share of processors does not bound what /proc/loadavg
//! counts.

use std::io;

use crate::os::proc::load::{LOADAVG, ONLINE, load_averages, online_processors};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};

use super::answer::ProbeContext;
use super::fault::classify_read_error;
use super::kind::{ProbeKind, ProbeResult};
use super::threshold;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(TIME, &[WARN, FAIL]).warns_by_default().fails_only_by(&FAIL).validate(find_conflict),
    ask: probe_load,
};

const TIME: KeySpec = KeySpec::new("load", ValueType::OneOf(&TIMES))
    .help("Which load average is watched, for each online processor");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Hundredths).default("4.00").help("From this load on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Hundredths).help("From this load on it fails");

/// In the order of /proc/loadavg.
const TIMES: [&str; 3] = ["1m", "5m", "15m"];

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    threshold::find_conflict(given, &WARN, &FAIL)
}

fn probe_load(given: &Params, _: &ProbeContext<'_>) -> ProbeResult {
    judge_load(load_averages(), online_processors(), given)
}

fn judge_load(load: io::Result<[u64; 3]>, processors: io::Result<u64>, given: &Params) -> ProbeResult {
    let time = given.text(&TIME);
    let load = match load {
        Ok(averages) => TIMES.iter().zip(averages).find(|(known, _)| **known == time).map(|(_, load)| load),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
        Err(error) => return ProbeResult::from_doubt(classify_read_error(LOADAVG, &error)),
    };
    let Some(load) = load else { return ProbeResult::unknown(format!("{LOADAVG} does not say the load")) };
    match processors {
        Ok(processors) => {
            let each = load / processors.max(1);
            let words = format!("load {}.{:02} per processor ({time})", each / 100, each % 100);
            threshold::judge_figure(given, (&WARN, &FAIL), each, &words)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            ProbeResult::unknown(format!("{ONLINE} does not say how many processors there are"))
        }
        Err(error) => ProbeResult::from_doubt(classify_read_error(ONLINE, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ParamValue;
    use crate::probe::threshold::given;
    use proptest::prelude::*;

    fn of(time: &str, load: [u64; 3], processors: u64) -> ProbeResult {
        let mut given = given(&[("warn", 400), ("fail", 850)]);
        given.0.insert("load", ParamValue::Text(time.to_owned()));
        judge_load(Ok(load), Ok(processors), &given)
    }

    #[test]
    fn each_processor_bears_its_part() {
        for (time, load, processors, expected) in [
            ("1m", [238, 82, 78], 2, ProbeResult::ok("load 1.19 per processor (1m)")),
            ("5m", [238, 82, 78], 2, ProbeResult::ok("load 0.41 per processor (5m)")),
            ("15m", [238, 82, 78], 1, ProbeResult::ok("load 0.78 per processor (15m)")),
            ("1m", [1599, 0, 0], 4, ProbeResult::ok("load 3.99 per processor (1m)")),
            ("1m", [1600, 0, 0], 4, ProbeResult::warning("load 4.00 per processor (1m) (warn 4.00)")),
            ("5m", [100, 90_000, 0], 100, ProbeResult::failing("load 9.00 per processor (5m) (fail 8.50)")),
        ] {
            assert_eq!(of(time, load, processors), expected, "{time} {load:?} {processors}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let given = Params([("load", ParamValue::Text("1m".to_owned()))].into());
        let not_said = || io::Error::from(io::ErrorKind::InvalidData);
        let found = judge_load(Err(not_said()), Ok(1), &given);
        assert_eq!(found, ProbeResult::unknown("/proc/loadavg does not say the load"));
        let found = judge_load(Ok([1, 1, 1]), Err(not_said()), &given);
        let words = "/sys/devices/system/cpu/online does not say how many processors there are";
        assert_eq!(found, ProbeResult::unknown(words));
        let found = judge_load(Err(io::Error::from_raw_os_error(13)), Ok(1), &given);
        assert_eq!(found, ProbeResult::unknown("/proc/loadavg: Permission denied"));
    }

    #[test]
    fn this_host_can_be_asked() {
        let mut given = Params::default();
        given.0.insert("load", ParamValue::Text("15m".to_owned()));
        let found = format!("{:?}", probe_load(&given, &ProbeContext::default()));
        assert!(found.contains("Ok("), "{found}");
    }

    proptest! {
        #[test]
        fn a_high_load_is_never_well(load in 900..100_000_u64, processors in 1..100_u64) {
            let found = of("1m", [load * processors, 0, 0], processors);
            prop_assert!(format!("{found:?}").contains("Failing"), "{:?}", found);
        }
    }
}

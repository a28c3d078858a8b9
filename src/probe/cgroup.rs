//! `cgroup = "shop.service"`: how near a unit's memory is to the limit at which the kernel slows it down (MemoryHigh)
//! or kills in it (MemoryMax). The cache of files that nobody reads does not count as used: the kernel drops it
//! before it does either, and whoever writes a log fills a limit with it. That is memory.current less inactive_file of
//! memory.stat (Documentation/admin-guide/cgroup-v2.rst), which Kubernetes calls the working set.

use crate::os::cgroups::{Group, Tree, Version};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};

use super::answer::ProbeContext;
use super::fault::classify_read_error;
use super::kind::{ProbeKind, ProbeResult};
use super::{threshold, with_timeout};

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(UNIT, &[WARN, FAIL]).fails_only_by(&FAIL).validate(find_conflict),
    ask: probe_cgroup,
};

const UNIT: KeySpec = KeySpec::new("cgroup", ValueType::Unit).help("A unit whose memory limit is watched");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Share).default("90%").help("From this share of its limit on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Share).help("From this share of its limit on it fails");

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    threshold::find_conflict(given, &WARN, &FAIL)
}

fn probe_cgroup(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let unit = given.text(&UNIT).to_owned();
    match with_timeout::run_with_timeout(ground.limit, move || read_counters(&unit)) {
        Ok(Ok(counted)) => judge_counters(&counted, given),
        Ok(Err(found)) => found,
        Err(doubt) => ProbeResult::from_doubt(doubt),
    }
}

/// What the kernel says, as it says it.
#[derive(Debug, Default)]
struct CgroupCounters {
    used: String,
    stat: String,
    /// The line of it that counts also what is below.
    cache: &'static str,
    /// By the name that systemd has for each.
    limits: Vec<(&'static str, String)>,
}

fn read_counters(unit: &str) -> Result<CgroupCounters, ProbeResult> {
    let tree = Tree::of_memory();
    match tree.find(unit) {
        Ok(Some(group)) => read_group(&group, tree.version).map_err(|error| {
            ProbeResult::from_doubt(classify_read_error("its memory is not counted", &error))
        }),
        Ok(None) => Err(ProbeResult::unknown(format!(
            "there is no memory group of {unit}: it does not run, is an alias, or has MemoryAccounting=no"
        ))),
        Err(error) => {
            Err(ProbeResult::from_doubt(classify_read_error("the control groups cannot be read", &error)))
        }
    }
}

fn read_group(group: &Group, version: Version) -> std::io::Result<CgroupCounters> {
    let stat = group.read_file("memory.stat")?;
    Ok(match version {
        Version::V2 => CgroupCounters {
            used: group.read_file("memory.current")?,
            stat,
            cache: "inactive_file",
            limits: vec![
                ("MemoryHigh", group.read_file("memory.high")?),
                ("MemoryMax", group.read_file("memory.max")?),
            ],
        },
        Version::V1 => CgroupCounters {
            used: group.read_file("memory.usage_in_bytes")?,
            stat,
            cache: "total_inactive_file",
            limits: vec![("MemoryMax", group.read_file("memory.limit_in_bytes")?)],
        },
    })
}

fn judge_counters(counted: &CgroupCounters, given: &Params) -> ProbeResult {
    let Some((used, limit)) = parse_memory(counted) else {
        return ProbeResult::unknown("cannot parse the kernel's memory figures");
    };
    let Some((name, limit)) = limit else {
        return ProbeResult::ok(format!("{} used, no limit", format_size(used)));
    };
    let share = u128::from(used).saturating_mul(100) / u128::from(limit.max(1));
    let share = u64::try_from(share).unwrap_or(u64::MAX);
    let words = format!("{share}% of {name} used ({} of {})", format_size(used), format_size(limit));
    threshold::judge_figure(given, (&WARN, &FAIL), share, &words)
}

/// What is used, and the lowest limit if there is one. `None`: not all of it is what the kernel would say.
fn parse_memory(counted: &CgroupCounters) -> Option<(u64, Option<(&'static str, u64)>)> {
    let mut stat = counted.stat.lines().filter_map(|line| line.split_once(' '));
    let (_, cache) = stat.find(|(name, _)| *name == counted.cache)?;
    // The kernel sums them up at different times.
    let used = parse_bytes(&counted.used)?.saturating_sub(parse_bytes(cache)?);
    let mut lowest = None;
    for (name, text) in &counted.limits {
        let limit = match text.trim_end() {
            "max" => continue,
            number => parse_bytes(number)?,
        };
        if limit < NO_LIMIT && lowest.is_none_or(|(_, lower)| limit < lower) {
            lowest = Some((*name, limit));
        }
    }
    Some((used, lowest))
}

/// v1 has no word for none: the most bytes that a signed number holds, in whole pages of whatever size.
const NO_LIMIT: u64 = 1 << 62;

fn parse_bytes(text: &str) -> Option<u64> {
    text.trim_end().parse().ok()
}

/// `476M`, as systemd.resource-control(5) writes it; rounded down.
fn format_size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{}K", bytes >> 10),
        _ => format!("{}M", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::threshold::given;
    use proptest::prelude::*;

    /// In the form of cgroup-v2.rst: some lines, in their order.
    const STAT: &str = "anon 41943040\nfile 62914560\nkernel 1048576\ninactive_anon 0\nactive_anon 41943040\n\
        inactive_file 52428800\nactive_file 10485760\n";

    fn v2(used: &str, high: &str, max: &str) -> CgroupCounters {
        CgroupCounters {
            used: format!("{used}\n"),
            stat: STAT.to_owned(),
            cache: "inactive_file",
            limits: vec![("MemoryHigh", format!("{high}\n")), ("MemoryMax", format!("{max}\n"))],
        }
    }

    fn of(counted: &CgroupCounters) -> ProbeResult {
        judge_counters(counted, &given(&[("warn", 90), ("fail", 97)]))
    }

    #[test]
    fn what_the_kernel_would_give_back_is_not_used() {
        // 100 MiB, of which 50 are such cache.
        let used = "104857600";
        for (high, max, expected) in [
            ("max", "max", ProbeResult::ok("50M used, no limit")),
            ("max", "104857600", ProbeResult::ok("50% of MemoryMax used (50M of 100M)")),
            ("57671680", "104857600", ProbeResult::warning("90% of MemoryHigh used (50M of 55M) (warn 90%)")),
            ("104857600", "53477376", ProbeResult::failing("98% of MemoryMax used (50M of 51M) (fail 97%)")),
            ("max", "52428800", ProbeResult::failing("100% of MemoryMax used (50M of 50M) (fail 97%)")),
            ("512", "max", ProbeResult::failing("10240000% of MemoryHigh used (50M of 0K) (fail 97%)")),
            ("0", "max", ProbeResult::failing("5242880000% of MemoryHigh used (50M of 0K) (fail 97%)")),
        ] {
            assert_eq!(of(&v2(used, high, max)), expected, "{high} {max}");
        }
        assert_eq!(of(&v2("4096", "max", "1048576")), ProbeResult::ok("0% of MemoryMax used (0K of 1M)"));
    }

    /// Recorded on Linux 6.18 with v1: some lines, in their order.
    const V1_STAT: &str = "cache 1514024960\nrss 2756608\ninactive_anon 2633728\nactive_anon 8192\n\
        inactive_file 1161777152\nactive_file 352247808\nhierarchical_memory_limit 9223372036854771712\n\
        total_cache 1514024960\ntotal_inactive_file 1161777152\ntotal_active_file 352247808\ntotal_unevictable 0\n";

    #[test]
    fn v1_writes_no_limit_as_a_number() {
        let v1 = |limit: &str| CgroupCounters {
            used: "1569382400\n".to_owned(),
            stat: V1_STAT.replace("\ninactive_file 1161777152", "\ninactive_file 0"), // without what is below it
            cache: "total_inactive_file",
            limits: vec![("MemoryMax", format!("{limit}\n"))],
        };
        for no_limit in ["9223372036854771712", "9223372036854710272"] {
            assert_eq!(of(&v1(no_limit)), ProbeResult::ok("388M used, no limit"));
        }
        assert_eq!(of(&v1("1073741824")), ProbeResult::ok("37% of MemoryMax used (388M of 1024M)"));
    }

    #[test]
    fn what_is_not_understood_is_not_known() {
        let not_known = ProbeResult::unknown("cannot parse the kernel's memory figures");
        for counted in [
            v2("", "max", "max"),
            v2("-1", "max", "max"),
            v2("1M", "max", "max"),
            v2("1", "max", ""),
            v2("1", "infinity", "max"),
            CgroupCounters { stat: String::new(), ..v2("1", "max", "max") },
            CgroupCounters { stat: "inactive_file\n".to_owned(), ..v2("1", "max", "max") },
            CgroupCounters { stat: "inactive_file x\n".to_owned(), ..v2("1", "max", "max") },
        ] {
            assert_eq!(of(&counted), not_known, "{counted:?}");
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_not_known() {
        let given = Params(
            std::iter::once(("cgroup", crate::plan::ParamValue::Text("no-such.service".into()))).collect(),
        );
        let ground = ProbeContext { limit: std::time::Duration::from_secs(5), ..ProbeContext::default() };
        let found = format!("{:?}", probe_cgroup(&given, &ground));
        assert!(found.contains("Unknown("), "{found}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(used in "\\PC{0,9}", stat in "(\\PC|\n|inactive_file [0-9]){0,40}", max in "\\PC{0,9}") {
            let _ = of(&CgroupCounters { stat, ..v2(&used, "max", &max) });
        }

        #[test]
        fn what_is_over_its_limit_is_never_well(used in 52_428_800..=u64::MAX, limit in 0..NO_LIMIT) {
            let found = of(&v2(&used.to_string(), "max", &limit.to_string()));
            let (over, failing) = (used - 52_428_800 >= limit, format!("{found:?}").contains("Failing"));
            prop_assert!(!over || failing, "{:?}", found);
        }
    }
}

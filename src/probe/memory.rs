//! `memory = "ram"` or `"swap"`: how much of it this host has used, as /proc/meminfo counts it. Of the memory, what
//! the kernel could not hand out again without swapping (MemAvailable, since Linux 3.14).

use crate::os::proc::memory::{MEMINFO, MemoryStore, MemoryUse, read_memory};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};

use super::answer::ProbeContext;
use super::fault::classify_read_error;
use super::kind::{ProbeKind, ProbeResult};
use super::threshold;

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(WHICH, &[WARN, FAIL]).warns_by_default().fails_only_by(&FAIL).validate(find_conflict),
    ask: probe_memory,
};

const WHICH: KeySpec =
    KeySpec::new("memory", ValueType::OneOf(&["ram", SWAP])).help("Which memory of the host is watched");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Share).default("90%").help("From this share in use on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Share).help("From this share in use on it fails");

const SWAP: &str = "swap";

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    threshold::find_conflict(given, &WARN, &FAIL)
}

fn probe_memory(given: &Params, _: &ProbeContext<'_>) -> ProbeResult {
    match read_memory() {
        Ok(memory) => judge_memory(memory, given),
        Err(error) => ProbeResult::from_doubt(classify_read_error(MEMINFO, &error)),
    }
}

fn judge_memory(memory: MemoryUse, given: &Params) -> ProbeResult {
    let is_swap = given.text(&WHICH) == SWAP;
    let (store, what) = if is_swap { (memory.swap, "swap") } else { (memory.ram, "memory") };
    match store.map(MemoryStore::percent_used) {
        Some(Some(used)) => {
            threshold::judge_figure(given, (&WARN, &FAIL), used, &format!("{used}% of the {what} used"))
        }
        Some(None) => ProbeResult::ok("no swap"),
        None => ProbeResult::unknown(format!("{MEMINFO} does not say how much {what} is left")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::proc::memory::parse_memory;
    use crate::plan::ParamValue;
    use crate::probe::threshold::given;
    use proptest::prelude::*;

    /// The head of it on Linux 6.18, and what it says of the swap.
    const REAL: &str = "MemTotal:       24682416 kB\nMemFree:        20402112 kB\nMemAvailable:   23499968 kB\n\
        Buffers:           31720 kB\nSwapCached:            0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n";

    fn of(which: &str, text: &str) -> ProbeResult {
        let mut given = given(&[("warn", 90), ("fail", 95)]);
        given.0.insert("memory", ParamValue::Text(which.to_owned()));
        judge_memory(parse_memory(text), &given)
    }

    fn meminfo(all: u64, left: u64) -> String {
        ["Mem", "Swap"].iter().fold(String::new(), |text, kind| {
            let free = if *kind == "Mem" { "Available" } else { "Free" };
            text + &format!("{kind}Total: {all} kB\n{kind}{free}: {left} kB\n")
        })
    }

    #[test]
    fn what_is_used_is_judged() {
        assert_eq!(of("ram", REAL), ProbeResult::ok("4% of the memory used"));
        assert_eq!(of("swap", REAL), ProbeResult::ok("no swap"));
        for (which, what) in [("ram", "memory"), ("swap", "swap")] {
            for (all, left, expected) in [
                (1000, 101, ProbeResult::ok(format!("89% of the {what} used"))),
                (1000, 100, ProbeResult::warning(format!("90% of the {what} used (warn 90%)"))),
                (1000, 0, ProbeResult::failing(format!("100% of the {what} used (fail 95%)"))),
            ] {
                assert_eq!(of(which, &meminfo(all, left)), expected, "{which} {all} {left}");
            }
        }
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let not_known = ProbeResult::unknown("/proc/meminfo does not say how much memory is left");
        let old = REAL.replace("MemAvailable", "Something");
        let (more, none) = (meminfo(10, 11), meminfo(0, 0));
        let (bytes, negative) = (REAL.replace("kB", "B"), meminfo(10, 5).replace(" 5", " -5"));
        for text in ["", "MemTotal:", &old, &more, &none, &bytes, &negative] {
            assert_eq!(of("ram", text), not_known, "{text}");
        }
        assert!(of("swap", "SwapTotal: 0 kB\nSwapFree: 1 kB\n") != ProbeResult::ok("no swap"));
    }

    #[test]
    fn this_host_can_be_asked() {
        let mut given = given(&[("warn", 101)]);
        given.0.insert("memory", ParamValue::Text("ram".to_owned()));
        let found = format!("{:?}", probe_memory(&given, &ProbeContext::default()));
        assert!(found.contains("Ok("), "{found}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n|:| kB|MemTotal|MemAvailable|[0-9]){0,80}") {
            let _ = (of("ram", &text), of("swap", &text));
        }

        #[test]
        fn a_full_memory_is_never_well(all in 1..u64::MAX / 100, left in 0..100_u64) {
            let left = all / 100 * left / 100;
            let found = of("ram", &meminfo(all.max(200), left));
            let failing = format!("{found:?}").contains("Failing");
            prop_assert!(failing, "{:?}", found);
        }
    }
}

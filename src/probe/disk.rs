//! `disk = "/var"`: how full the file system is that a path lies on, as df(1) counts it, and how many of its
//! inodes are used: a disk without inodes is as full as one without blocks.

use std::path::Path;

use crate::os::disk::{DiskUse, read_disk};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};
use crate::words;

use super::answer::ProbeContext;
use super::kind::{ProbeKind, ProbeResult};
use super::{threshold, with_timeout};

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(PATH, &[WARN, FAIL]).warns_by_default().fails_only_by(&FAIL).validate(find_conflict),
    ask: probe_disk,
};

const PATH: KeySpec =
    KeySpec::new("disk", ValueType::Path).help("A path: how full its file system is, in blocks or inodes");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Share).default("90%").help("From this share on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Share).help("From this share on it fails");

fn find_conflict(given: &Params) -> Option<KeyConflict> {
    threshold::find_conflict(given, &WARN, &FAIL)
}

fn probe_disk(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let path = given.text(&PATH).to_owned();
    let asked = path.clone();
    match with_timeout::run_with_timeout(ground.limit, move || read_disk(Path::new(&asked))) {
        Ok(Ok(disk)) => judge_disk(disk, &path, given),
        Ok(Err(error)) => ProbeResult::unknown(format!("{path}: {}", words::io_error_text(&error))),
        Err(doubt) => ProbeResult::from_doubt(doubt),
    }
}

fn judge_disk(disk: DiskUse, path: &str, given: &Params) -> ProbeResult {
    match (disk.blocks_used, disk.inodes_used) {
        (None, _) => ProbeResult::unknown(format!("{path}: its file system has no size")),
        (Some(blocks), Some(inodes)) if inodes > blocks => threshold::judge_figure(
            given,
            (&WARN, &FAIL),
            inodes,
            &format!("{inodes}% of the inodes of {path} used"),
        ),
        (Some(blocks), _) => {
            threshold::judge_figure(given, (&WARN, &FAIL), blocks, &format!("{blocks}% of {path} used"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::threshold::given;

    #[test]
    fn a_disk_without_inodes_is_as_full_as_one_without_blocks() {
        for (blocks_used, inodes_used, expected) in [
            (Some(53), Some(10), ProbeResult::ok("53% of / used")),
            (Some(90), Some(90), ProbeResult::warning("90% of / used (warn 90%)")),
            (Some(100), Some(10), ProbeResult::failing("100% of / used (fail 95%)")),
            (Some(50), Some(96), ProbeResult::failing("96% of the inodes of / used (fail 95%)")),
            (Some(50), None, ProbeResult::ok("50% of / used")),
            (None, None, ProbeResult::unknown("/: its file system has no size")),
        ] {
            let disk = DiskUse { read_only: false, blocks_used, inodes_used };
            assert_eq!(judge_disk(disk, "/", &given(&[("warn", 90), ("fail", 95)])), expected, "{disk:?}");
        }
    }
}

//! `disk = "/var"`: how full the file system is that a path lies on, as df(1) counts it, and how many of its
//! inodes are used: a disk without inodes is as full as one without blocks.

use std::path::Path;

use crate::os::disk::{Disk, read_disk};
use crate::plan::{KeyConflict, KeySpec, KindSpec, Params, ValueType};
use crate::words;

use super::answer::Ground;
use super::kind::{Found, Kind};
use super::{threshold, with_timeout};

pub(super) const KIND: Kind = Kind {
    spec: KindSpec::new(PATH, &[WARN, FAIL]).warns_by_default().fails_only_by(&FAIL).validate(validate),
    ask,
};

const PATH: KeySpec =
    KeySpec::new("disk", ValueType::Path).help("A path: how full its file system is, in blocks or inodes");
const WARN: KeySpec =
    KeySpec::new("warn", ValueType::Share).default("90%").help("From this share on it warns");
const FAIL: KeySpec = KeySpec::new("fail", ValueType::Share).help("From this share on it fails");

fn validate(given: &Params) -> Option<KeyConflict> {
    threshold::upward(given, &WARN, &FAIL)
}

fn ask(given: &Params, ground: &Ground<'_>) -> Found {
    let path = given.text(&PATH).to_owned();
    let asked = path.clone();
    match with_timeout::within(ground.limit, move || read_disk(Path::new(&asked))) {
        Ok(Ok(disk)) => judged(disk, &path, given),
        Ok(Err(error)) => Found::not_known(format!("{path}: {}", words::io(&error))),
        Err(doubt) => Found::doubt(doubt),
    }
}

fn judged(disk: Disk, path: &str, given: &Params) -> Found {
    match (disk.blocks_used, disk.inodes_used) {
        (None, _) => Found::not_known(format!("{path}: its file system has no size")),
        (Some(blocks), Some(inodes)) if inodes > blocks => {
            threshold::over(given, (&WARN, &FAIL), inodes, &format!("{inodes}% of the inodes of {path} used"))
        }
        (Some(blocks), _) => {
            threshold::over(given, (&WARN, &FAIL), blocks, &format!("{blocks}% of {path} used"))
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
            (Some(53), Some(10), Found::well("53% of / used")),
            (Some(90), Some(90), Found::near("90% of / used (warn 90%)")),
            (Some(100), Some(10), Found::failing("100% of / used (fail 95%)")),
            (Some(50), Some(96), Found::failing("96% of the inodes of / used (fail 95%)")),
            (Some(50), None, Found::well("50% of / used")),
            (None, None, Found::not_known("/: its file system has no size")),
        ] {
            let disk = Disk { read_only: false, blocks_used, inodes_used };
            assert_eq!(judged(disk, "/", &given(&[("warn", 90), ("fail", 95)])), expected, "{disk:?}");
        }
    }
}

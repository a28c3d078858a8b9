//! `disk = "/var"`: how full the file system is that a path lies on, as df(1) counts it, and how many of its
//! inodes are used: a disk without inodes is as full as one without blocks.

use std::io;

use rustix::fs::{StatVfs, statvfs};

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
    let usage = match with_timeout::within(ground.limit, move || statvfs(asked.as_str())) {
        Ok(Ok(usage)) => usage,
        Ok(Err(errno)) => return Found::not_known(format!("{path}: {}", words::io(&io::Error::from(errno)))),
        Err(doubt) => return Found::doubt(doubt),
    };
    judged(&usage, &path, given)
}

fn judged(usage: &StatVfs, path: &str, given: &Params) -> Found {
    let StatVfs { f_blocks, f_bfree, f_bavail, f_files, f_ffree, .. } = *usage;
    let used = f_blocks.saturating_sub(f_bfree);
    // As df(1): of what users other than root can have.
    let blocks = percent(used, used.saturating_add(f_bavail));
    let inodes = percent(f_files.saturating_sub(f_ffree), f_files);
    match (blocks, inodes) {
        (None, _) => Found::not_known(format!("{path}: its file system has no size")),
        // btrfs and others count no inodes.
        (Some(blocks), inodes) if inodes.is_none_or(|inodes| inodes <= blocks) => {
            threshold::over(given, (&WARN, &FAIL), blocks, &format!("{blocks}% of {path} used"))
        }
        (Some(_), inodes) => {
            let inodes = inodes.unwrap_or_default();
            threshold::over(given, (&WARN, &FAIL), inodes, &format!("{inodes}% of the inodes of {path} used"))
        }
    }
}

/// Rounded up, as df(1) does: 99.1 % full is not 99 %.
fn percent(used: u64, all: u64) -> Option<u64> {
    let used = u128::from(used).saturating_mul(100).div_ceil(u128::from(all).max(1));
    (all > 0).then(|| u64::try_from(used).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::threshold::given;

    fn of(blocks: (u64, u64, u64), files: (u64, u64)) -> Found {
        let usage = StatVfs {
            f_blocks: blocks.0,
            f_bfree: blocks.1,
            f_bavail: blocks.2,
            f_files: files.0,
            f_ffree: files.1,
            ..statvfs("/").unwrap()
        };
        judged(&usage, "/", &given(&[("warn", 90), ("fail", 95)]))
    }

    #[test]
    fn a_disk_is_as_full_as_df_says() {
        for (blocks, files, expected) in [
            ((1000, 500, 450), (10, 9), Found::well("53% of / used")),
            ((1000, 101, 100), (10, 9), Found::near("90% of / used (warn 90%)")),
            ((1000, 50, 0), (10, 9), Found::failing("100% of / used (fail 95%)")),
            ((1000, 500, 500), (100, 4), Found::failing("96% of the inodes of / used (fail 95%)")),
            ((1000, 500, 500), (0, 0), Found::well("50% of / used")),
            ((0, 0, 0), (0, 0), Found::not_known("/: its file system has no size")),
            ((u64::MAX, 0, 0), (u64::MAX, 0), Found::failing("100% of / used (fail 95%)")),
        ] {
            assert_eq!(of(blocks, files), expected, "{blocks:?} {files:?}");
        }
    }
}

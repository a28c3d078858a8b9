//! How full the file system is that a path lies on, as df(1) counts it.

use std::io;
use std::path::Path;

use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

/// Shares in percent, rounded up as df(1) does: 99.1 % full is not 99 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskUse {
    pub(crate) read_only: bool,
    /// Of what users other than root can have. `None`: it has no size.
    pub(crate) blocks_used: Option<u64>,
    /// `None`: it counts none, as btrfs.
    pub(crate) inodes_used: Option<u64>,
}

/// May take as long as the file system does not answer.
pub(crate) fn read_disk(path: &Path) -> io::Result<DiskUse> {
    Ok(disk_use_of(&statvfs(path)?))
}

fn disk_use_of(usage: &StatVfs) -> DiskUse {
    let StatVfs { f_blocks, f_bfree, f_bavail, f_files, f_ffree, .. } = *usage;
    let used = f_blocks.saturating_sub(f_bfree);
    DiskUse {
        read_only: usage.f_flag.contains(StatVfsMountFlags::RDONLY),
        blocks_used: percent_of(used, used.saturating_add(f_bavail)),
        inodes_used: percent_of(f_files.saturating_sub(f_ffree), f_files),
    }
}

fn percent_of(used: u64, all: u64) -> Option<u64> {
    let used = u128::from(used).saturating_mul(100).div_ceil(u128::from(all).max(1));
    (all > 0).then(|| u64::try_from(used).unwrap_or(u64::MAX))
}

impl DiskUse {
    /// Nobody but root can write anything more, be it for want of blocks or of inodes.
    pub(crate) fn is_full(&self) -> bool {
        [self.blocks_used, self.inodes_used].into_iter().flatten().any(|used| used >= 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(blocks: (u64, u64, u64), files: (u64, u64)) -> DiskUse {
        let usage = statvfs("/").unwrap();
        disk_use_of(&StatVfs {
            f_blocks: blocks.0,
            f_bfree: blocks.1,
            f_bavail: blocks.2,
            f_files: files.0,
            f_ffree: files.1,
            ..usage
        })
    }

    #[test]
    fn a_disk_is_as_full_as_df_says() {
        for (blocks, files, used, is_full) in [
            ((1000, 500, 450), (10, 9), (Some(53), Some(10)), false),
            ((1000, 101, 100), (10, 9), (Some(90), Some(10)), false),
            ((1000, 50, 0), (10, 9), (Some(100), Some(10)), true),
            ((1000, 500, 500), (100, 4), (Some(50), Some(96)), false),
            ((1000, 500, 500), (100, 0), (Some(50), Some(100)), true),
            ((1000, 500, 500), (0, 0), (Some(50), None), false),
            ((0, 0, 0), (0, 0), (None, None), false),
            ((u64::MAX, 0, 0), (u64::MAX, 0), (Some(100), Some(100)), true),
        ] {
            let found = of(blocks, files);
            assert_eq!((found.blocks_used, found.inodes_used), used, "{blocks:?} {files:?}");
            assert_eq!(found.is_full(), is_full, "{blocks:?} {files:?}");
        }
    }

    #[test]
    fn this_host_can_be_asked() {
        assert!(!read_disk(Path::new("/dev/shm")).unwrap().read_only);
        assert!(read_disk(Path::new("/nowhere")).is_err());
    }
}

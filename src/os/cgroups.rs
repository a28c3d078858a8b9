//! Control groups as systemd lays them out (cgroups(7), Documentation/admin-guide/cgroup-v2.rst): where that of a
//! unit is, who lives in it, and what the kernel counts of it. Finds and reads; judges nothing.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::files;

const ROOT: &str = "/sys/fs/cgroup";

/// A host has some ten slices; a service that makes groups of its own, some hundreds.
const MOST: usize = 2_000;

/// memory.stat is some 2 KiB, and a process a line of cgroup.procs.
const LONGEST: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: PathBuf,
    /// Whose units are looked for: those of the systemd whose group this is.
    top: PathBuf,
    pub(crate) version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group(PathBuf);

impl Tree {
    /// In which systemd keeps the processes of its units.
    pub(crate) fn of_processes() -> Self {
        Self::below(Path::new(ROOT), "systemd")
    }

    pub(crate) fn of_memory() -> Self {
        Self::below(Path::new(ROOT), "memory")
    }

    /// `name`: as v1 calls it, which has a tree for each purpose. v2 has one for all.
    fn below(root: &Path, name: &str) -> Self {
        match fs::access(root.join("cgroup.controllers"), Access::EXISTS) {
            Ok(()) => Self { root: root.to_owned(), top: root.to_owned(), version: Version::V2 },
            Err(_) => Self { root: root.join(name), top: root.join(name), version: Version::V1 },
        }
    }

    /// The units of that user's own systemd.
    pub(crate) fn of_user(self, uid: u32) -> Self {
        let top = self.root.join(format!("user.slice/user-{uid}.slice/user@{uid}.service"));
        Self { top, ..self }
    }

    /// The units of one systemd lie in slices and in nothing else: what lies below a service or a scope is of a
    /// container, or of a user's systemd, and may have the same name. `None`: it has none now.
    pub(crate) fn find(&self, unit: &str) -> io::Result<Option<Group>> {
        // Where nearly all are.
        let usual = self.top.join("system.slice");
        if let Some(found) = find_here(&usual, unit)? {
            return Ok(Some(found));
        }
        let mut slices = VecDeque::from([self.top.clone()]);
        for _ in 0..MOST {
            let Some(slice) = slices.pop_front() else { return Ok(None) };
            if let Some(found) = find_here(&slice, unit)? {
                return Ok(Some(found));
            }
            match list_folders(&slice) {
                Ok(inner) => {
                    let is_slice = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "slice");
                    slices.extend(inner.into_iter().filter(is_slice));
                }
                // It ended meanwhile; but a host without any is not one where the unit has none.
                Err(Errno::NOENT) if slice != self.top => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(too_many())
    }

    /// As systemd names it (`ControlGroup=`): `/system.slice/shop.service`.
    pub(crate) fn at(&self, path: &str) -> Group {
        Group(self.root.join(path.trim_start_matches('/')))
    }
}

impl Group {
    /// Of it and all below. 0 for each that is of no PID namespace of ours. An error also if it is gone.
    pub(crate) fn list_processes(&self) -> io::Result<Vec<u32>> {
        let mut numbers = parse_numbers(&self.read_file("cgroup.procs")?)?;
        let mut groups = self.below()?;
        for _ in 0..MOST {
            let Some(group) = groups.pop() else { return Ok(numbers) };
            match group.read_file("cgroup.procs") {
                Ok(text) => numbers.extend(parse_numbers(&text)?),
                // A group of threads: their processes are told above it.
                Err(error) if Errno::from_io_error(&error) == Some(Errno::OPNOTSUPP) => {}
                // It ended meanwhile.
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(error),
            }
            groups.extend(group.below()?);
        }
        Err(too_many())
    }

    /// What the kernel says in one file of it.
    pub(crate) fn read_file(&self, file: &str) -> io::Result<String> {
        let (bytes, _) = files::read_bounded(&self.0.join(file), LONGEST)?;
        String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn below(&self) -> io::Result<Vec<Self>> {
        match list_folders(&self.0) {
            Ok(folders) => Ok(folders.into_iter().map(Self).collect()),
            Err(Errno::NOENT) => Ok(Vec::new()),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn find_here(slice: &Path, unit: &str) -> io::Result<Option<Group>> {
    // systemd writes the second for a name that could be a file of the kernel's: memory.service.
    for name in [unit, &format!("_{unit}")] {
        let path = slice.join(name);
        match fs::access(&path, Access::EXISTS) {
            Ok(()) => return Ok(Some(Group(path))),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

fn list_folders(path: &Path) -> Result<Vec<PathBuf>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = fs::openat(CWD, path, flags, Mode::empty())?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if entry.file_type() == FileType::Directory && name != "." && name != ".." {
            found.push(path.join(name));
        }
    }
    Ok(found)
}

fn parse_numbers(text: &str) -> io::Result<Vec<u32>> {
    let numbers = text.lines().map(|line| line.parse().map_err(|_| io::ErrorKind::InvalidData.into()));
    numbers.collect()
}

fn is_gone(error: &io::Error) -> bool {
    // NODEV: it ended between open and read.
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::NODEV))
}

fn too_many() -> io::Error {
    io::Error::other("more than 2000 control groups; not checked")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;

    /// Groups with these in them, in a folder that looks like the kernel's.
    fn tree(groups: &[(&str, &str)], v2: bool) -> (tempfile::TempDir, Tree) {
        let dir = tempfile::tempdir().unwrap();
        let root = if v2 { dir.path().to_owned() } else { dir.path().join("systemd") };
        for (group, procs) in groups {
            std::fs::create_dir_all(root.join(group)).unwrap();
            std::fs::write(root.join(group).join("cgroup.procs"), procs).unwrap();
        }
        if v2 {
            std::fs::write(root.join("cgroup.controllers"), "cpu memory\n").unwrap();
        }
        let tree = Tree::below(dir.path(), "systemd");
        (dir, tree)
    }

    const HOST: &[(&str, &str)] = &[
        ("system.slice/shop.service", "7\n"),
        ("system.slice/shop.service/workers", "8\n9\n"),
        ("system.slice/shop.service/workers/deep", "0\n"),
        ("system.slice/system-pg.slice/pg@15.service", "1\n"),
        ("own.slice", ""),
        ("own.slice/own-deep.slice", ""),
        ("own.slice/own-deep.slice/far.service", "2\n"),
        ("at-root.service", "3\n"),
        ("system.slice/_memory.service", "4\n"),
        ("machine.slice/box.service/system.slice/inner.service", "5\n"),
        ("user.slice/user-1.slice/user@1.service/app.slice/theirs.service", "6\n"),
    ];

    fn found(tree: &Tree, unit: &str) -> Option<Vec<u32>> {
        let group = tree.find(unit).unwrap()?;
        let mut numbers = group.list_processes().unwrap();
        numbers.sort_unstable();
        Some(numbers)
    }

    #[test]
    fn a_unit_is_found_in_whatever_slice_it_lies() {
        for v2 in [true, false] {
            let (_dir, tree) = tree(HOST, v2);
            assert_eq!(tree.version, if v2 { Version::V2 } else { Version::V1 });
            for (unit, numbers) in [
                ("shop.service", &[0, 7, 8, 9][..]),
                ("pg@15.service", &[1]),
                ("far.service", &[2]),
                ("own.slice", &[2]),
                ("at-root.service", &[3]),
                ("memory.service", &[4]),
            ] {
                assert_eq!(found(&tree, unit).unwrap(), numbers, "{unit}");
            }
        }
    }

    #[test]
    fn units_of_containers_and_of_users_are_not_those_of_the_host() {
        let (_dir, tree) = tree(HOST, true);
        for unit in ["inner.service", "theirs.service", "none.service", "shop"] {
            assert_eq!(tree.find(unit).unwrap(), None, "{unit}");
        }
        assert!(tree.clone().of_user(2).find("theirs.service").is_err(), "that user runs none");
        let own = tree.of_user(1);
        assert_eq!((found(&own, "theirs.service"), found(&own, "shop.service")), (Some(vec![6]), None));
        let path = "/user.slice/user-1.slice/user@1.service/app.slice/theirs.service";
        assert_eq!(own.at(path).list_processes().unwrap(), [6], "systemd names it from the root");
    }

    #[test]
    fn a_host_without_groups_is_not_one_without_processes() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Tree::below(dir.path(), "systemd").find("shop.service").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let (_dir, tree) = tree(HOST, true);
        assert!(tree.at("/system.slice/none.service").list_processes().is_err());
        assert_eq!(tree.at("/at-root.service").list_processes().unwrap(), [3]);
    }

    #[test]
    fn what_is_no_number_is_no_process() {
        let (_dir, tree) =
            tree(&[("a.service", "1\nx\n"), ("b.service", "1\n"), ("b.service/c", "-1\n")], true);
        for unit in ["a.service", "b.service"] {
            let error = tree.find(unit).unwrap().unwrap().list_processes().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{unit}");
        }
    }

    #[test]
    fn the_kernel_itself_is_read() {
        let tree = Tree::of_processes();
        let Ok(own) = std::fs::read_to_string("/proc/self/cgroup") else { return };
        let mark = if tree.version == Version::V2 { "0::" } else { ":name=systemd:" };
        let Some((_, path)) = own.lines().find_map(|line| line.split_once(mark)) else { return };
        // Elsewhere it may lie outside of what this namespace shows.
        if let Ok(numbers) = tree.at(path).list_processes() {
            assert!(numbers.contains(&std::process::id()), "{path}: {numbers:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_walked_to_its_end() {
        let (dir, tree) = tree(&[("a.service", "")], true);
        for number in 0..=MOST {
            let group = dir.path().join(format!("a.service/{number}"));
            std::fs::create_dir(&group).unwrap();
            std::fs::write(group.join("cgroup.procs"), "").unwrap();
        }
        let error = tree.find("a.service").unwrap().unwrap().list_processes().unwrap_err();
        assert_eq!(error.to_string(), "more than 2000 control groups; not checked");
    }
}

//! Which right is missing on the way to a file: for who must be told what to change. Only asked once
//! something was refused; opens nothing.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Access, AtFlags, CWD};
use rustix::io::Errno;

use super::way::{MAX_LINKS, path_parts};

/// connect(2) needs write permission on a socket, and search permission on each folder of its path.
pub(crate) fn missing_at_socket(path: &Path) -> String {
    let user = rustix::process::geteuid().as_raw();
    if let Some(folder) = closed_folder(path) {
        return format!("user {user} lacks search permission (x) on {}", folder.display());
    }
    if is_refused(path, Access::WRITE_OK) {
        return format!("user {user} lacks write permission on it");
    }
    "a security policy of this host forbids it".to_owned()
}

/// The first folder of the path that we may not pass, with links resolved: the one to change is the one
/// that a link leads through.
fn closed_folder(path: &Path) -> Option<PathBuf> {
    let mut rest: Vec<OsString> = path_parts(path);
    let mut at = PathBuf::new();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if !at.as_os_str().is_empty() && is_refused(&at, Access::EXEC_OK) {
            return Some(at);
        }
        let next = at.join(&part);
        match fs::readlinkat(CWD, &next, Vec::new()) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                // One that begins at the root replaces all before it, as it does in `join`.
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    at = PathBuf::new();
                }
                rest.extend(path_parts(&target));
            }
            Ok(_) | Err(_) => at = next,
        }
    }
    None
}

fn is_refused(path: &Path, access: Access) -> bool {
    fs::accessat(CWD, path, access, AtFlags::EACCESS) == Err(Errno::ACCESS)
}

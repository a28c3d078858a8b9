//! What the kernel tells of this host and its processes in /proc and /sys: one reader for each fact, for all who ask. Judges
//! nothing.

use std::io;
use std::path::Path;

use super::files;

pub(crate) mod confinement;
pub(crate) mod load;
pub(crate) mod locks;
pub(crate) mod memory;
pub(crate) mod pressure;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(in crate::os) mod stat;

/// More than any file has that says how the host is.
const MAX_BYTES: u64 = 64 * 1024;

fn read_proc(path: &str) -> io::Result<String> {
    let (bytes, _) = files::read_bounded(Path::new(path), MAX_BYTES)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file could be read, and does not say it in the form that the kernel documents.
fn not_said() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

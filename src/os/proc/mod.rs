//! What the kernel tells of this host and its processes in /proc and /sys: one reader for each fact, for all who ask. Judges
//! nothing.

pub(crate) mod locks;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(in crate::os) mod stat;

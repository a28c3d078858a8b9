//! sd_notify(3) without its library: how a process that stays tells whoever started it how it is. Silent where
//! nobody asked to be told.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What `NOTIFY_SOCKET` says: a path, or `@` and an abstract name.
#[derive(Debug, Default)]
pub(crate) struct Notify(Option<OsString>);

impl Notify {
    pub(crate) fn to(socket: Option<OsString>) -> Self {
        Self(socket.filter(|socket| !socket.is_empty()))
    }

    /// Lines of `KEY=VALUE`. That it does not arrive changes nothing here.
    pub(crate) fn tell(&self, lines: &str) {
        if let Some(socket) = &self.0 {
            let _ = send_lines(socket, lines);
        }
    }
}

fn send_lines(socket: &OsStr, lines: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let from = UnixDatagram::unbound()?;
    // Who started us must not be able to hold us up.
    from.set_nonblocking(true)?;
    from.send_to_addr(lines.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_arrives_at_a_path_and_at_an_abstract_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let abstract_name = format!("unhang-{}", path.display());
        let address = SocketAddr::from_abstract_name(abstract_name.as_bytes()).unwrap();
        for (heard, socket) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{abstract_name}").into()),
        ] {
            Notify::to(Some(socket)).tell("READY=1\nSTATUS=well");
            let mut text = [0; 64];
            let n = heard.recv(&mut text).unwrap();
            assert_eq!(&text[..n], b"READY=1\nSTATUS=well");
        }
        Notify::to(None).tell("READY=1");
        Notify::to(Some("/nowhere/notify".into())).tell("READY=1");
    }
}

//! Who takes connections at a port of this host (proc(5): net/tcp, PID/fd). Of processes of other users, root
//! alone is told.
#![expect(clippy::disallowed_methods, reason = "/proc is made of files")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::proc_stat;

/// A line for each socket; a host with more than this holds is not looked at in full.
const MOST: u64 = 4 * 1024 * 1024;

/// A listening socket in the column `st`.
const LISTEN: &str = "0A";

/// The name and number of the oldest process that listens there: `nginx`, 812.
pub(crate) fn at(port: u16) -> Option<(String, u32)> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| listening(&read(Path::new(table)).unwrap_or_default(), port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let (_, pid) = processes().into_iter().find(|(_, pid)| has_open(*pid, &inodes))?;
    let name = read(Path::new(&format!("/proc/{pid}/comm")))?;
    Some((name.trim_end().to_owned(), pid))
}

/// The inodes of the sockets that listen at this port, whatever the address.
fn listening(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    let of_line = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
        (local.ends_with(&end) && *state == LISTEN).then(|| (*inode).to_owned())
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

/// By when they began: of a server with workers, the first is the one to look at.
fn processes() -> BTreeSet<(u64, u32)> {
    let mut found = BTreeSet::new();
    let Ok(entries) = fs::read_dir("/proc") else { return found };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Not collected: that brings a sort with it for each type.
    found.extend(pids.filter_map(|pid| Some((proc_stat::of(pid).ok()?.start, pid))));
    found
}

fn has_open(pid: u32, sockets: &[String]) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|entry| {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        sockets.iter().any(|socket| target.as_os_str() == socket.as_str())
    })
}

fn read(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_listens_at_a_port_is_known_by_name_and_number() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let (name, pid) = at(server.local_addr().unwrap().port()).unwrap();
        assert_eq!(pid, std::process::id());
        assert!(name.starts_with("unhang"), "{name}");
        let port = server.local_addr().unwrap().port();
        drop(server);
        assert_eq!(at(port), None, "nobody does");
    }

    #[test]
    fn only_sockets_that_listen_at_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0\n\
             1: 0100007F:1F90 0100007F:9000 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 100 0 0 10 0\n\
             2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 100 0 0 10 0\n\
             3: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1000  0 14 1 0\n\
             4: cut short\n";
        assert_eq!(listening(table, 8080), ["11", "14"]);
        assert_eq!(listening("", 8080), Vec::<String>::new());
    }
}

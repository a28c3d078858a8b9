//! Who takes connections at a port of this host (proc(5): net/tcp, PID/fd). Of processes of other users, root
//! alone is told.
#![expect(clippy::disallowed_methods, reason = "/proc is made of files")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Instant;

use super::stat;

/// A line for each socket; a host with more than this holds is not looked at in full.
const MOST: u64 = 4 * 1024 * 1024;

/// A listening socket in the column `st`.
const LISTEN: &str = "0A";

/// The name and number of the oldest process that listens there: `nginx`, 812. `None`: nobody does, or it was not
/// found in time: a host may have very many processes.
pub(crate) fn listener_at(addresses: &[IpAddr], port: u16, until: Instant) -> Option<(String, u32)> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| {
            listening_sockets(&read_table(Path::new(table)).unwrap_or_default(), addresses, port)
        })
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let mut processes = processes_with_socket(until).into_iter().take_while(|_| Instant::now() < until);
    let (_, pid) = processes.find(|(_, pid)| has_open(*pid, &inodes, until))?;
    let name = read_table(Path::new(&format!("/proc/{pid}/comm")))?;
    Some((name.trim_end().to_owned(), pid))
}

/// The inodes of the sockets that listen at this port and one of these addresses, or at all.
fn listening_sockets(table: &str, addresses: &[IpAddr], port: u16) -> Vec<String> {
    let places: Vec<String> = addresses
        .iter()
        .copied()
        .chain([Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()])
        .map(|address| format!("{}:{port:04X}", in_hex(address)))
        .collect();
    let of_line = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
        let is_there = places.iter().any(|place| place == local);
        (is_there && *state == LISTEN).then(|| (*inode).to_owned())
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

/// As the kernel prints it: words of four bytes, each as this machine would read it.
fn in_hex(address: IpAddr) -> String {
    let word = |bytes: &[u8; 4]| format!("{:08X}", u32::from_ne_bytes(*bytes));
    match address {
        IpAddr::V4(address) => word(&address.octets()),
        IpAddr::V6(address) => address.octets().as_chunks().0.iter().map(word).collect(),
    }
}

/// By when they began: of a server with workers, the first is the one to look at.
fn processes_with_socket(until: Instant) -> BTreeSet<(u64, u32)> {
    let mut found = BTreeSet::new();
    let Ok(entries) = fs::read_dir("/proc") else { return found };
    let in_time = entries.flatten().take_while(|_| Instant::now() < until);
    let pids = in_time.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Not collected: that brings a sort with it for each type.
    found.extend(pids.filter_map(|pid| Some((stat::read_stat(pid).ok()?.start, pid))));
    found
}

fn has_open(pid: u32, sockets: &[String], until: Instant) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().take_while(|_| Instant::now() < until).any(|entry| {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        sockets.iter().any(|socket| target.as_os_str() == socket.as_str())
    })
}

fn read_table(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn who_listens_at_a_port_is_known_by_name_and_number() {
        let soon = || Instant::now() + Duration::from_secs(60);
        for place in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let Ok(server) = TcpListener::bind(place) else { continue };
            let port = server.local_addr().unwrap().port();
            let addresses = [HERE, IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let (name, pid) = listener_at(&addresses, port, soon()).unwrap();
            assert_eq!(pid, std::process::id());
            assert!(name.starts_with("unhang"), "{name}");
            assert_eq!(listener_at(&addresses, port, Instant::now()), None, "time is over");
            drop(server);
            assert_eq!(listener_at(&addresses, port, soon()), None, "nobody does");
        }
    }

    #[test]
    fn only_sockets_that_listen_at_that_place_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0\n\
             1: 0100007F:1F90 0100007F:9000 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 100 0 0 10 0\n\
             2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 100 0 0 10 0\n\
             3: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1000  0 14 1 0\n\
             4: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 15 1 0 100 0 0 10 0\n\
             5: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 16 1 0 100 0 0 10 0\n\
             6: cut short\n";
        if cfg!(target_endian = "little") {
            assert_eq!(listening_sockets(table, &[HERE], 8080), ["11", "16"]);
            assert_eq!(listening_sockets(table, &[IpAddr::V6(Ipv6Addr::LOCALHOST)], 8080), ["14", "16"]);
        }
        assert_eq!(listening_sockets("", &[HERE], 8080), Vec::<String>::new());
    }
}

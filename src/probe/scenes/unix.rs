//! HTTP over a Unix socket.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use unhang_core::{Cause, Doubt, Observation, Phase};

use super::{GOOD, TIMEOUT, free_port, observe_with, question, read_head, says};
use crate::plan::{HttpRequest, UrlTarget};

/// As `config` makes it of `unix:SOCKET:/health/`.
fn at(socket: &Path) -> HttpRequest {
    let target = UrlTarget::HttpOverUnix { socket: socket.to_owned(), path: "/health/".to_owned() };
    HttpRequest { target, ..question("http://localhost/") }
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock");
    (dir, path)
}

/// Answers one request after the other; hands on what it was asked.
fn listen(path: &Path, answers: Vec<String>) -> mpsc::Receiver<String> {
    let (tell, requests) = mpsc::channel();
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            tell.send(read_head(&mut stream)).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    requests
}

#[test]
fn healthy_and_asked_as_localhost() {
    let (_dir, path) = place();
    let requests = listen(&path, vec![GOOD.to_owned()]);
    assert_eq!(observe_with(&at(&path)), Observation::Healthy);
    let head = requests.recv().unwrap();
    assert!(head.starts_with("GET /health/ HTTP/1.1\r\n"), "{head}");
    assert_eq!(head.matches("\r\nhost: localhost\r\n").count(), 1, "{head}");
}

#[test]
fn a_redirect_within_stays_and_one_to_elsewhere_leaves() {
    let to = |location: &str| format!("HTTP/1.1 302 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let (_dir, path) = place();
    let requests = listen(&path, vec![to("/there"), GOOD.to_owned()]);
    let following = |path: &Path| observe_with(&HttpRequest { redirects: 1, ..at(path) });
    assert_eq!(following(&path), Observation::Healthy);
    assert!(requests.iter().nth(1).unwrap().starts_with("GET /there HTTP/1.1\r\n"));
    let (_dir, path) = place();
    let _requests = listen(&path, vec![to(&says(GOOD)), to(&format!("http://localhost:{}/", free_port()))]);
    assert_eq!(following(&path), Observation::Healthy);
    assert_eq!(following(&path), Observation::Unhealthy(Cause::Refused));
}

#[test]
fn no_socket_and_nobody_behind_it() {
    let (dir, path) = place();
    assert_eq!(observe_with(&at(&path)), Observation::Unhealthy(Cause::NoSocket));
    assert_eq!(observe_with(&at(&path.join("deeper"))), Observation::Unhealthy(Cause::NoSocket));
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(observe_with(&at(&path)), Observation::Unhealthy(Cause::Refused));
    assert_eq!(observe_with(&at(&path.join("deeper"))), Observation::Unhealthy(Cause::NoSocket));
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(observe_with(&at(&file)), Observation::Unhealthy(Cause::Refused));
    let long = dir.path().join("x".repeat(200));
    assert!(matches!(observe_with(&at(&long)), Observation::Unknown(Doubt::Other(_))));
}

#[test]
fn a_socket_that_is_not_ours_to_open_is_our_fault() {
    let (dir, path) = place();
    let _listener = UnixListener::bind(&path).unwrap();
    // As systemd makes them for StateDirectory= and DynamicUser=: a link leads through a closed folder.
    let (closed, link) = (dir.path().join("closed"), dir.path().join("run"));
    std::fs::create_dir_all(closed.join("app")).unwrap();
    let _inner = UnixListener::bind(closed.join("app/app.sock")).unwrap();
    symlink("closed/app", &link).unwrap();
    let set = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(&path, 0o444);
    set(&closed, 0o666);
    let forbidden = |socket: &Path, missing: &str| {
        let user = rustix::process::getuid().as_raw();
        let told = format!(" to {}: user {user} lacks {missing}", socket.display());
        assert_eq!(observe_without_root(at(socket)), Observation::Unknown(Doubt::Forbidden(told)));
    };
    forbidden(&path, "write permission on it");
    for socket in [closed.join("app/app.sock"), link.join("app.sock")] {
        forbidden(&socket, &format!("search permission (x) on {}", closed.display()));
    }
    set(&closed, 0o755);
}

/// Root may do all things; a thread of root's that gave that up may not.
fn observe_without_root(question: HttpRequest) -> Observation {
    let observed = thread::spawn(move || {
        let mut held = capabilities(None).unwrap();
        held.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        set_capabilities(None, held).unwrap();
        observe_with(&question)
    });
    observed.join().unwrap()
}

#[test]
fn a_full_backlog_is_a_time_out() {
    let (_dir, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&listener, 1).unwrap();
    let queue: Vec<_> = (0..2).map(|_| UnixStream::connect(&path).unwrap()).collect();
    assert_eq!(observe_with(&at(&path)), Observation::Unhealthy(Cause::TimedOut(Phase::Connect)));
    drop(queue);
    // Room again, but nobody accepts.
    let (_dir, path) = place();
    let _listener = UnixListener::bind(&path).unwrap();
    assert_eq!(observe_with(&at(&path)), Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte)));
}

#[test]
fn silence_a_drip_and_a_reset() {
    let observed = |act: fn(UnixStream)| {
        let (_dir, path) = place();
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || act(listener.accept().unwrap().0));
        observe_with(&at(&path))
    };
    let silent = observed(|mut stream| drop(read_head(&mut stream) + &read_head(&mut stream)));
    assert_eq!(silent, Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte)));
    let drips = observed(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(b"y").is_ok() {
            thread::sleep(TIMEOUT / 20);
        }
    });
    assert_eq!(drips, Observation::Unhealthy(Cause::TimedOut(Phase::Rest)));
    // To close it with something unread is how a Unix socket resets.
    assert_eq!(observed(drop), Observation::Unhealthy(Cause::Reset));
}

//! What this host cannot do, and what must not be held against a service.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use unhang_core::{Cause, Doubt, Observation};

use super::{GOOD, TIMEOUT, all, doubt, free_port, observe_with, question, says};
use crate::plan::{HttpRequest, UrlTarget};

#[test]
fn a_name_that_does_not_resolve_is_our_fault() {
    assert!(matches!(doubt("http://no-such-host.invalid/"), Doubt::Lookup(_)));
}

#[test]
fn no_route_is_our_fault() {
    // No TCP connection leads to a broadcast address.
    assert_eq!(doubt("http://255.255.255.255:1/"), Doubt::NoRoute);
}

#[test]
fn a_question_that_cannot_be_asked_is_our_fault() {
    for (method, name) in [("G E T", "x"), ("GET", "x y")] {
        let headers = BTreeMap::from([(name.to_owned(), "v".to_owned())]);
        let observed = observe_with(&HttpRequest { method: method.into(), headers, ..question(&says(GOOD)) });
        assert!(matches!(observed, Observation::Unknown(Doubt::Other(_))), "{observed:?}");
    }
    for url in ["http://[", "/health/"] {
        let target = UrlTarget::Http { url: url.to_owned(), is_https: false, host: "shop".into(), port: 80 };
        let observed = observe_with(&HttpRequest { target, ..question("http://shop/") });
        assert!(matches!(observed, Observation::Unknown(Doubt::Other(_))), "{observed:?}");
    }
}

#[test]
fn many_questions_are_answered_in_their_order() {
    let urls: Vec<String> =
        (0..40).map(|n| if n % 2 == 0 { says(GOOD) } else { says("HTTP/1.1 503 X\r\n\r\n") }).collect();
    let questions: Vec<HttpRequest> = urls.iter().map(|url| question(url)).collect();
    let answers = all(&questions, TIMEOUT, 100, Instant::now() + Duration::from_secs(60));
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.observation == Observation::Healthy, n % 2 == 0, "{n}: {answer:?}");
    }
    assert_eq!(answers.len(), 40);
}

/// Runs the test `name` of this file in a process of its own, since limits and streams are the whole
/// process's. True inside it.
fn alone(name: &str) -> bool {
    if std::env::var_os("ALONE").is_some_and(|alone| alone == *name) {
        return true;
    }
    let room = module_path!().split_once("::").unwrap().1;
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{room}::{name}"), "--nocapture", "--test-threads=1"])
        .env("ALONE", name)
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && stdout.contains("1 passed"), "{stdout}\n{stderr}");
    assert_eq!(stderr, "", "nothing is printed");
    false
}

/// Bytes that this process has mapped.
fn address_space() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    pages * u64::try_from(rustix::param::page_size()).unwrap()
}

fn limit(resource: Resource, to: u64) {
    setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) }).unwrap();
}

#[test]
fn no_descriptors_is_our_fault() {
    if alone("no_descriptors_is_our_fault") {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        limit(Resource::Nofile, 16);
        let mut held = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            held.push(file);
        }
        assert_eq!(doubt(&format!("http://127.0.0.1:{port}/")), Doubt::NoDescriptors);
        assert_eq!(doubt(&format!("http://localhost:{port}/")), Doubt::NoDescriptors);
        // What resolvers say of it differs; it must only not count.
        doubt("http://no-such-host.invalid/");
    }
}

#[test]
fn no_thread_is_our_fault_and_only_where_one_is_needed() {
    if alone("no_thread_is_our_fault_and_only_where_one_is_needed") {
        let urls: Vec<String> = (0..3).map(|_| format!("http://127.0.0.1:{}/", free_port())).collect();
        let questions: Vec<HttpRequest> = urls.iter().map(|url| question(url)).collect();
        // RLIMIT_NPROC does not bind root; an address space without room for a stack does. What is
        // allocated meanwhile finds room below that, or between what is kept of these.
        let mut heap: Vec<_> = (0..4096).map(|_| vec![0_u8; 512]).collect();
        heap.drain(..4095);
        limit(Resource::As, address_space() + 112 * 1024);
        assert_eq!(doubt("http://no-such-host.invalid/"), Doubt::NoThread);
        let answers = all(&questions, TIMEOUT, 3, Instant::now() + Duration::from_secs(60));
        let observed: Vec<Observation> = answers.into_iter().map(|answer| answer.observation).collect();
        assert_eq!(observed, vec![Observation::Unhealthy(Cause::Refused); 3]);
        drop(heap);
    }
}

#[test]
fn what_has_not_begun_in_time_is_not_known() {
    let questions = [question("http://127.0.0.1:1/")];
    let answers = all(&questions, TIMEOUT, 3, Instant::now());
    assert!(matches!(answers[0].observation, Observation::Unknown(Doubt::Other(_))), "{answers:?}");
}

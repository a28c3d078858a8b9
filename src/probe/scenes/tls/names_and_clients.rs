//! Whom a certificate is for, and by what a client proves itself.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::plan::Client;

/// What comes from the other side neither fills a line nor drives a terminal.
#[test]
fn the_names_that_a_certificate_has_are_told() {
    let ca = Ca::new();
    let many: Vec<String> = (0..9).map(|n| format!("host{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = format!("{}.example", ["x"; 60].join("."));
    for (names, told) in [
        (&["shop.example", "*.shop.example", "10.0.0.5"][..], "shop.example, *.shop.example, 10.0.0.5"),
        (&many, "host0.example, host1.example, host2.example, host3.example, host4.example and 4 more"),
        (&[long.as_str()], &long[..80]),
        (&["a\u{1b}[2Jb"], "a\\u{1b}[2Jb"),
        (&[], ""),
    ] {
        let url = ca.issues(names, VALID).serve(GOOD);
        assert_eq!(observe(&url, &ca.trust()), fault(TlsError::WrongName(told.to_owned())), "{names:?}");
        let by_address = url.replace("localhost", "127.0.0.1");
        assert_eq!(observe(&by_address, &ca.trust()), fault(TlsError::WrongName(told.to_owned())));
    }
}

/// The host of the url is where it is asked; the name is whom the certificate must be for.
#[test]
fn a_server_is_asked_by_another_name() {
    let ca = Ca::new();
    let url = ca.issues(&["shop.example"], VALID).serve_only("shop.example");
    let named = |name: &str| TlsTrust { server_name: Some(name.to_owned()), ..ca.trust() };
    for url in [&url, &url.replace("localhost", "127.0.0.1")] {
        assert_eq!(observe(url, &named("shop.example")), Observation::Healthy, "{url}");
        assert_ne!(observe(url, &named("blog.example")), Observation::Healthy, "{url}");
        assert_ne!(observe(url, &ca.trust()), Observation::Healthy, "{url}");
        let blind = TlsTrust { insecure: true, ..named("shop.example") };
        assert_eq!(observe(url, &blind), Observation::Healthy, "the server knows no other name");
    }
    let by_address = ca.issues(&["10.0.0.5"], VALID).serve(GOOD);
    assert_eq!(observe(&by_address, &named("10.0.0.5")), Observation::Healthy);
    assert_eq!(
        observe(&by_address, &named("shop.example")),
        fault(TlsError::WrongName("10.0.0.5".to_owned()))
    );
}

/// The name and the client are for the url's own host: what a redirect names elsewhere is asked by its own name.
#[test]
fn a_redirect_takes_neither_name_nor_client_along() {
    let ca = Ca::new();
    let client = Member::new(&ca);
    let trust = TlsTrust {
        server_name: Some("shop.example".to_owned()),
        client: Some(client.client()),
        ..ca.trust()
    };
    let there = ca.issues(&["127.0.0.1"], VALID).serve(GOOD).replace("localhost", "127.0.0.1");
    let closed = ca.issues(&["127.0.0.1"], VALID).serve_members(&ca).replace("localhost", "127.0.0.1");
    let same = ca.issues(&["shop.example"], VALID).serve_members(&ca);
    for (location, is_healthy) in [(&there, true), (&closed, false), (&same, true)] {
        let answer = format!("HTTP/1.1 301 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let here = ca.issues(&["shop.example"], VALID).serve(answer.leak());
        let observed = observe_within(&HttpRequest { redirects: 1, ..asked(&here, &trust) }, ENOUGH);
        assert_eq!(observed == Observation::Healthy, is_healthy, "{location}: {observed:?}");
    }
}

/// What a client proves itself by, as files.
struct Member {
    dir: tempfile::TempDir,
}

impl Member {
    fn new(ca: &Ca) -> Self {
        let (params, key) = certificate_for(&["unhang"], VALID);
        let dir = tempfile::tempdir().unwrap();
        let certificate = params.signed_by(&key, &ca.issuer).unwrap();
        std::fs::write(dir.path().join("cert"), certificate.pem()).unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { dir }
    }

    fn client(&self) -> Client {
        Client { certificate: self.dir.path().join("cert"), key: self.dir.path().join("key") }
    }
}

#[test]
fn a_server_that_wants_a_certificate_of_its_clients_gets_it() {
    let ca = Ca::new();
    let url = ca.issues(&["localhost"], VALID).serve_members(&ca);
    let (member, stranger) = (Member::new(&ca), Member::new(&Ca::named("another")));
    let showing = |member: &Member| TlsTrust { client: Some(member.client()), ..ca.trust() };
    assert_eq!(observe(&url, &showing(&member)), Observation::Healthy);
    let insecure = TlsTrust { insecure: true, ..showing(&member) };
    assert_eq!(observe(&url, &insecure), Observation::Healthy);
    for trust in [ca.trust(), showing(&stranger)] {
        let observed = observe(&url, &trust);
        let Observation::Unknown(Doubt::Other(why)) = observed else { panic!("{observed:?}") };
        assert!(why.contains("set client_cert and client_key"), "{why}");
    }
    // Whoever wants none is not bothered.
    let open = ca.issues(&["localhost"], VALID).serve(GOOD);
    assert_eq!(observe(&open, &showing(&stranger)), Observation::Healthy);
    std::fs::set_permissions(member.client().key, std::fs::Permissions::from_mode(0o644)).unwrap();
    crate::probe::forget_certificates();
    let observed = observe(&url, &showing(&member));
    let Observation::Unknown(Doubt::Other(why)) = observed else { panic!("{observed:?}") };
    assert!(why.starts_with("client_key ") && why.ends_with("(chmod 600)"), "{why}");
}

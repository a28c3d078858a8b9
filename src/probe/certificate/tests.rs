//! Files, and servers of all kinds: scenes/tls.rs has those that only an https url tells apart.

use super::*;
use crate::plan::ParamValue;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::{ServerConfig, ServerConnection};

const DAY: Duration = Duration::from_secs(86_400);

fn given(place: &str, values: &[(&'static str, ParamValue)]) -> Params {
    let mut given = Params::default();
    given.0.insert("certificate", ParamValue::Text(place.to_owned()));
    given.0.insert("warn", ParamValue::Span(21 * DAY));
    given.0.extend(values.iter().cloned());
    given
}

fn asked(given: &Params, now: Duration) -> ProbeResult {
    probe_certificate(given, &ProbeContext { now, limit: Duration::from_secs(5), ..ProbeContext::default() })
}

#[test]
fn a_certificate_is_judged_by_the_time_that_is_left() {
    let fails = given("/c", &[("fail", ParamValue::Span(7 * DAY))]);
    let validity = Validity { begins: 1_000 * 86_400, ends: 1_090 * 86_400 };
    let second = Duration::from_secs(1);
    for (now, expected) in [
        (1_000 * DAY, ProbeResult::ok("ends in 90 d")),
        (1_069 * DAY, ProbeResult::ok("ends in 21 d")),
        (1_069 * DAY + second, ProbeResult::warning("ends in 20 d 23 h (warn 21 d)")),
        (1_083 * DAY, ProbeResult::warning("ends in 7 d (warn 21 d)")),
        (1_083 * DAY + second, ProbeResult::failing("ends in 6 d 23 h (fail 7 d)")),
        (1_090 * DAY, ProbeResult::failing("ends in 0 s (fail 7 d)")),
        (1_090 * DAY + second, ProbeResult::failing("expired 1 s ago")),
        (1_093 * DAY, ProbeResult::failing("expired 3 d ago")),
        ((1_000 * DAY).saturating_sub(second), ProbeResult::failing("not valid yet, only in 1 s")),
        (Duration::ZERO, ProbeResult::failing("not valid yet, only in 1000 d")),
    ] {
        assert_eq!(judge_validity(&validity, &fails, now), expected, "{now:?}");
    }
    let no_fail = given("/c", &[]);
    assert_eq!(
        judge_validity(&validity, &no_fail, 1_090 * DAY),
        ProbeResult::warning("ends in 0 s (warn 21 d)")
    );
    assert_eq!(judge_validity(&validity, &no_fail, 1_093 * DAY), ProbeResult::failing("expired 3 d ago"));
    let for_ever = Validity { begins: i64::MIN, ends: i64::MAX };
    assert!(judge_validity(&for_ever, &no_fail, DAY).is_well());
}

struct Identity {
    pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Valid for 2020, or for 2030.
fn identity(name: &str, year: i32) -> Identity {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(year, 1, 1);
    params.not_after = date_time_ymd(year + 1, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        pem: certificate.pem(),
        chain: vec![certificate.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    }
}

/// The middle of it.
fn june(year: i32) -> Duration {
    let moment = chrono::NaiveDate::from_ymd_opt(year, 6, 5).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    Duration::from_secs(moment.timestamp().try_into().unwrap())
}

#[test]
fn the_first_certificate_of_a_file_counts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fullchain.pem");
    let (own, other) = (identity("shop.example", 2020), identity("an issuer", 2030));
    let key = KeyPair::generate().unwrap().serialize_pem();
    let of = |text: &str| {
        std::fs::write(&path, text).unwrap();
        asked(&given(path.to_str().unwrap(), &[]), june(2020))
    };
    let both = format!("{key}{}{}", own.pem, other.pem);
    assert_eq!(of(&both), ProbeResult::ok("ends in 210 d"));
    assert_eq!(
        of(&format!("{}{}", other.pem, own.pem)),
        ProbeResult::failing("not valid yet, only in 3497 d"),
        "the second is not looked at"
    );
    let not_known = |text: &str, words: &str| {
        assert_eq!(of(text), ProbeResult::unknown(format!("{words}: {}", path.display())));
    };
    for nothing in ["", "\0\x01", &key] {
        not_known(nothing, "holds no certificate in PEM (BEGIN CERTIFICATE)");
    }
    let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(of(odd), ProbeResult::unknown("cannot read the certificate's dates"));
    assert!(format!("{:?}", of(&own.pem.replace("-----END", ""))).contains("is not PEM"));
    std::fs::remove_file(&path).unwrap();
    let found = asked(&given(path.to_str().unwrap(), &[]), june(2020));
    assert_eq!(found, ProbeResult::unknown(format!("No such file or directory: {}", path.display())));
    let folder = dir.path().display().to_string();
    let found = asked(&given(&folder, &[]), june(2020));
    assert_eq!(found, ProbeResult::unknown(format!("is not a regular file: {folder}")));
}

/// Does as told with each that comes.
fn for_all(act: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || listener.incoming().flatten().for_each(act));
    place
}

fn serves(config: ServerConfig) -> String {
    let config = Arc::new(config);
    for_all(move |mut stream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while connection.complete_io(&mut stream).is_ok_and(|(read, _)| read > 0) {}
    })
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config(of: Identity, versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(of.chain, of.key)
        .unwrap()
}

#[test]
fn a_server_is_asked_for_what_it_shows_and_not_whether_to_trust_it() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let place = serves(config(identity("another.example", 2020), &[version]));
        assert_eq!(asked(&given(&place, &[]), june(2020)), ProbeResult::ok("ends in 210 d"));
        assert_eq!(asked(&given(&place, &[]), june(2021)), ProbeResult::failing("expired 155 d ago"));
    }
}

/// What a certificate is for, does not matter to when it ends.
#[test]
fn a_server_that_wants_a_certificate_of_ours_shows_its_own_first() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let own = identity("shop.example", 2020);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.chain[0].clone()).unwrap();
        let asks = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(asks.build().unwrap())
            .with_single_cert(own.chain, own.key)
            .unwrap();
        assert_eq!(asked(&given(&serves(config), &[]), june(2020)), ProbeResult::ok("ends in 210 d"));
    }
}

#[test]
fn one_of_several_is_asked_for_by_its_name() {
    let mut by_name = ResolvesServerCertUsingSni::new();
    for (name, year) in [("shop.example", 2020), ("old.example", 2010)] {
        let Identity { chain, key, .. } = identity(name, year);
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        by_name.add(name, rustls::sign::CertifiedKey::new(chain, key)).unwrap();
    }
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(by_name));
    let place = serves(config);
    let named = |name: &str| given(&place, &[("server_name", ParamValue::Text(name.to_owned()))]);
    assert_eq!(asked(&named("shop.example"), june(2020)), ProbeResult::ok("ends in 210 d"));
    assert_eq!(asked(&named("old.example"), june(2020)), ProbeResult::failing("expired 3443 d ago"));
    assert!(asked(&given(&place, &[]), june(2020)).is_not_known());
}

#[test]
fn a_server_that_cannot_be_asked_says_nothing_of_its_certificate() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let within = |place: &str, limit| {
        probe_certificate(&given(place, &[]), &ProbeContext { now: DAY, limit, ..ProbeContext::default() })
    };
    let found = |place: &str| within(place, Duration::from_secs(5));
    assert_eq!(found(&free), ProbeResult::unknown("connection refused"));
    let plain = for_all(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(found(&plain), ProbeResult::unknown(format!("what answers at {plain} is not TLS")));
    let closes = for_all(|mut stream| drop(stream.read(&mut [0; 4096])));
    assert_eq!(found(&closes), ProbeResult::unknown("connection closed during the TLS handshake"));
    let silent = for_all(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {});
    let stalled = within(&silent, Duration::from_millis(300));
    assert_eq!(stalled, ProbeResult::unknown("TLS handshake not complete within 300 ms"));
}

#[test]
fn a_place_is_a_file_or_a_server() {
    for good in ["/etc/ssl/shop.pem", "shop.example:443", "[::1]:443", "127.0.0.1:8443", "my_host:1"] {
        assert_eq!(no_place(good), None, "{good}");
    }
    for bad in [
        "",
        "/",
        "/etc/ssl/",
        "shop.example",
        "shop.example:",
        "shop.example:0",
        "shop.example:65536",
        "shop.example:+443",
        ":443",
        "::1:443",
        "[::1]",
        "a b:443",
        "https://shop.example:443",
        "me@shop.example:443",
        "shop.example:443/x",
        "etc/ssl/shop.pem",
        "shop.pem:x",
    ] {
        assert!(no_place(bad).is_some(), "{bad}");
    }
    assert!(no_server("shop.example").is_none() && no_server("shop example").is_some());
}

#[test]
fn bounds_that_cannot_both_be_meant_are_refused() {
    let clash = |place: &str, values: &[(&'static str, ParamValue)]| {
        find_conflict(&given(place, values)).map(|clash| format!("{} {}", clash.key, clash.what))
    };
    let fail = |days: u32| ("fail", ParamValue::Span(days * DAY));
    assert_eq!(clash("/c", &[fail(20)]), None);
    assert_eq!(clash("/c", &[fail(21)]).unwrap(), "fail must be shorter than warn, which is 21 d, got 21 d");
    let name = ("server_name", ParamValue::Text("a.example".to_owned()));
    assert_eq!(clash("h:443", std::slice::from_ref(&name)), None);
    assert_eq!(clash("/c", &[name]).unwrap(), "server_name has no meaning for a file");
}

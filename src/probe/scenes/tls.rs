//! Real TLS servers, with certificates that are wrong in one way each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use unhang_core::{Cause, Doubt, Observation, Phase, Redirect, TlsError};

use super::super::ProbeAnswer;
use super::{GOOD, all, hold, observe_within, question, read_head, reset, says};
use crate::plan::{HttpRequest, TlsTrust};

mod names_and_clients;

/// Handshakes of tests are not optimised, and many run at once.
const ENOUGH: Duration = Duration::from_secs(5);

/// A certificate authority of ours, and its certificate as a file.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Ca {
    fn new() -> Self {
        Self::named("scene CA")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (dir, file) = written(&certificate);
        Self { issuer: Issuer::new(params, key), file, _dir: dir }
    }

    fn trust(&self) -> TlsTrust {
        naming(&self.file)
    }

    /// Valid from the start of one year to the start of another.
    fn issues(&self, names: &[&str], years: (i32, i32)) -> Identity {
        let (params, key) = certificate_for(names, years);
        Identity::new(&params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

fn naming(ca_file: &Path) -> TlsTrust {
    TlsTrust { ca_file: Some(ca_file.to_owned()), ..TlsTrust::default() }
}

fn anyone() -> TlsTrust {
    TlsTrust { insecure: true, ..TlsTrust::default() }
}

fn written(certificate: &Certificate) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    (dir, file)
}

fn certificate_for(names: &[&str], years: (i32, i32)) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    (params, KeyPair::generate().unwrap())
}

const VALID: (i32, i32) = (2020, 2120);

/// What a server shows, and the key to it.
struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

impl Identity {
    fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self(certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }

    fn config(self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(vec![self.0], self.1).unwrap())
    }

    /// A server for all that come.
    fn serve(self, answer: &'static str) -> String {
        serve_by(self.config(), answer)
    }

    /// Closes to whoever asks for another name.
    fn serve_only(self, name: &str) -> String {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::crypto::ring::sign::any_supported_type(&self.1).unwrap();
        let mut known = rustls::server::ResolvesServerCertUsingSni::new();
        known.add(name, rustls::sign::CertifiedKey::new(vec![self.0], key)).unwrap();
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        serve_by(Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(known))), GOOD)
    }

    /// Lets in whoever has a certificate of this authority.
    fn serve_members(self, ca: &Ca) -> String {
        let mut roots = rustls::RootCertStore::empty();
        let pem = std::fs::read(&ca.file).unwrap();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let verified = builder.with_client_cert_verifier(clients.build().unwrap());
        serve_by(Arc::new(verified.with_single_cert(vec![self.0], self.1).unwrap()), GOOD)
    }
}

fn serve_by(config: Arc<ServerConfig>, answer: &'static str) -> String {
    for_all(move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, tcp);
        read_head(&mut stream);
        let _ = stream.write_all(answer.as_bytes());
        let _ = stream.flush();
        hold(stream.sock);
    })
}

/// Does the same with each connection, side by side.
fn for_all(act: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/health/", listener.local_addr().unwrap().port());
    let act = Arc::new(act);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            thread::spawn(move || act(stream));
        }
    });
    url
}

fn asked(url: &str, trust: &TlsTrust) -> HttpRequest {
    HttpRequest { trust: trust.clone(), ..question(url) }
}

#[track_caller]
fn observe(url: &str, trust: &TlsTrust) -> Observation {
    observe_within(&asked(url, trust), ENOUGH)
}

fn fault(fault: TlsError) -> Observation {
    Observation::Unhealthy(Cause::Tls(fault))
}

#[test]
fn a_ca_of_ones_own_is_trusted_when_it_is_named() {
    let ca = Ca::new();
    let url = ca.issues(&["localhost", "127.0.0.1"], VALID).serve(GOOD);
    assert_eq!(observe(&url, &ca.trust()), Observation::Healthy);
    assert_eq!(observe(&url.replace("localhost", "127.0.0.1"), &ca.trust()), Observation::Healthy);
    assert_eq!(observe(&url, &anyone()), Observation::Healthy);
    assert_eq!(observe(&url, &Ca::named("another").trust()), fault(TlsError::UnknownIssuer));
    let observed = observe(&url, &Ca::new().trust());
    assert!(matches!(observed, Observation::Unhealthy(Cause::Tls(TlsError::Handshake(_)))), "{observed:?}");
    let dead = ca.issues(&["localhost"], VALID).serve("HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(observe(&dead, &ca.trust()), Observation::Unhealthy(Cause::Status(503)));
    let moved = ca.issues(&["localhost"], VALID).serve("HTTP/1.1 301 X\r\nlocation: https://x/\r\n\r\n");
    let elsewhere = Cause::Redirect(Redirect { status: 301, to: "https://x/".to_owned(), needs: 1 });
    assert_eq!(observe(&moved, &ca.trust()), Observation::Unhealthy(elsewhere), "it is https");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_apart() {
    let ca = Ca::new();
    for (names, years, expected) in [
        (["localhost"], (2020, 2021), TlsError::Expired),
        (["localhost"], (2110, 2120), TlsError::NotYetValid),
        (["example.com"], VALID, TlsError::WrongName("example.com".to_owned())),
    ] {
        let url = ca.issues(&names, years).serve(GOOD);
        assert_eq!(observe(&url, &ca.trust()), fault(expected));
        assert_eq!(observe(&url, &anyone()), Observation::Healthy);
    }
}

/// `openssl req -x509` makes the second kind.
#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_named_itself() {
    for (is_ca, unnamed) in [
        (IsCa::NoCa, TlsError::UnknownIssuer),
        (IsCa::Ca(BasicConstraints::Unconstrained), TlsError::SelfSigned),
    ] {
        let signed = |names: &[&str], years| {
            let (mut params, key) = certificate_for(names, years);
            params.is_ca = is_ca;
            let certificate = params.self_signed(&key).unwrap();
            let (dir, file) = written(&certificate);
            let url = Identity::new(&certificate, &key).serve(GOOD);
            (url, naming(&file), dir)
        };
        let (url, named, _dir) = signed(&["localhost"], VALID);
        assert_eq!(observe(&url, &named), Observation::Healthy);
        assert_eq!(observe(&url, &Ca::new().trust()), fault(unnamed.clone()));
        let (url, named, _dir) = signed(&["localhost"], (2020, 2021));
        assert_eq!(observe(&url, &named), fault(TlsError::Expired));
        let (url, named, _dir) = signed(&["example.com"], VALID);
        assert_eq!(observe(&url, &named), fault(TlsError::WrongName("example.com".to_owned())));
    }
}

#[test]
fn what_does_not_speak_tls_is_told_apart() {
    let ca = Ca::new();
    let at_once = |act: fn(TcpStream)| for_all(act);
    let plain = at_once(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(observe(&plain, &ca.trust()), fault(TlsError::NotTls));
    let ssh = at_once(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        hold(stream);
    });
    assert_eq!(observe(&ssh, &ca.trust()), fault(TlsError::NotTls));
}

#[test]
fn handshakes_that_come_to_nothing() {
    let ca = Ca::new();
    let closes = for_all(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(observe(&closes, &ca.trust()), Observation::Unhealthy(Cause::Closed(Phase::Tls)));
    assert_eq!(observe(&for_all(reset), &ca.trust()), Observation::Unhealthy(Cause::Reset));
}

/// Says this alert in the place of a handshake.
fn alerting(code: u8) -> String {
    for_all(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, code]);
        hold(stream);
    })
}

/// What a server says of us is no fault of its own.
#[test]
fn a_server_that_we_do_not_fit_is_not_known_and_told_with_the_cure() {
    let ca = Ca::new();
    for (code, cure) in [
        (40, "no cipher, curve or signature"), // handshake_failure
        (42, "certificate of its clients"),    // bad_certificate
        (48, "certificate of its clients"),    // unknown_ca
        (49, "certificate of its clients"),    // access_denied
        (70, "no version"),                    // protocol_version
        (71, "no version"),                    // insufficient_security
        (112, "set server_name"),              // unrecognized_name
        (116, "certificate of its clients"),   // certificate_required
        (47, "alert"),                         // illegal_parameter
        (120, "alert"),                        // no_application_protocol
    ] {
        let observed = observe(&alerting(code), &ca.trust());
        let Observation::Unknown(Doubt::Other(why)) = observed else { panic!("{code}: {observed:?}") };
        assert!(why.contains(cure), "{code}: {why}");
    }
    let internal = observe(&alerting(80), &ca.trust());
    assert!(matches!(internal, Observation::Unhealthy(Cause::Tls(TlsError::Handshake(_)))), "{internal:?}");
    // TLS 1.3 says so behind the handshake.
    let identity = ca.issues(&["localhost"], VALID);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(identity.0.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let verified = builder.with_client_cert_verifier(clients.build().unwrap());
    let config = Arc::new(verified.with_single_cert(vec![identity.0], identity.1).unwrap());
    let url = for_all(move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, tcp);
        let _ = stream.read(&mut [0; 4096]);
        hold(stream.sock);
    });
    let observed = observe(&url, &ca.trust());
    let Observation::Unknown(Doubt::Other(why)) = observed else { panic!("{observed:?}") };
    assert!(why.contains("certificate of its clients"), "{why}");
}

#[test]
fn a_stalled_handshake_ends_in_time() {
    let ca = Ca::new();
    let stalls = for_all(hold_all);
    let hasty = |url: &str| observe_within(&asked(url, &ca.trust()), super::TIMEOUT);
    assert_eq!(hasty(&stalls), Observation::Unhealthy(Cause::TimedOut(Phase::Tls)));
    // A byte of a long record at a time.
    let drips = for_all(|mut stream| {
        let _ = stream.write_all(&[0x16, 3, 3, 0x20, 0]);
        while stream.write_all(&[2]).is_ok() {
            thread::sleep(Duration::from_millis(15));
        }
    });
    assert_eq!(hasty(&drips), Observation::Unhealthy(Cause::TimedOut(Phase::Tls)));
}

/// Takes what comes and says nothing.
fn hold_all(mut stream: TcpStream) {
    while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
}

#[test]
fn answers_over_tls_are_bounded_and_judged_as_any_other() {
    let ca = Ca::new();
    let serve = |answer| ca.issues(&["localhost"], VALID).serve(answer);
    let ask = |url: &str| observe_within(&asked(url, &ca.trust()), 2 * super::TIMEOUT);
    assert_eq!(ask(&serve("")), Observation::Unhealthy(Cause::TimedOut(Phase::FirstByte)));
    assert_eq!(ask(&serve("HTTP/1.1 200 OK\r\nx")), Observation::Unhealthy(Cause::TimedOut(Phase::Rest)));
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(40 * 1024));
    assert_eq!(ask(&serve(long.leak())), Observation::Healthy);
    let longer = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1024 * 1024));
    assert_eq!(ask(&serve(longer.leak())), Observation::Unhealthy(Cause::TooLarge));
    let observed = ask(&serve("SSH-2.0-x\r\n\r\n"));
    assert_eq!(observed, Observation::Unhealthy(Cause::NotHttp(r#"it begins "SSH-2.0-x\r\n\r\n""#.into())));
}

/// Does as told with what stands behind a good handshake and a whole request.
fn behind_tls(act: fn(StreamOwned<ServerConnection, TcpStream>)) -> (Ca, String) {
    let ca = Ca::new();
    let config = ca.issues(&["localhost"], VALID).config();
    let url = for_all(move |tcp| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp);
        read_head(&mut stream);
        act(stream);
    });
    (ca, url)
}

#[test]
fn answers_over_tls_that_do_not_end_well() {
    let observed = |act| {
        let (ca, url) = behind_tls(act);
        observe_within(&asked(&url, &ca.trust()), 2 * super::TIMEOUT)
    };
    let drips = observed(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(b"y").and_then(|()| stream.flush()).is_ok() {
            thread::sleep(Duration::from_millis(15));
        }
    });
    assert_eq!(drips, Observation::Unhealthy(Cause::TimedOut(Phase::Rest)));
    // A word of TLS's own, again and again, and none of HTTP.
    let keys = observed(|mut stream| {
        while stream
            .conn
            .refresh_traffic_keys()
            .and(stream.flush().map_err(|_| rustls::Error::DecryptError))
            .is_ok()
        {
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(matches!(keys, Observation::Unhealthy(_)), "{keys:?}");
    let ends = observed(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        stream.conn.send_close_notify();
        let _ = stream.flush();
        hold(stream.sock);
    });
    assert_eq!(ends, Observation::Unhealthy(Cause::Closed(Phase::Rest)));
    let cut = observed(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        let _ = stream.flush();
    });
    assert_eq!(cut, Observation::Unhealthy(Cause::Closed(Phase::Rest)));
    assert_eq!(observed(|stream| reset(stream.sock)), Observation::Unhealthy(Cause::Reset));
    let garbage = observed(|mut stream| {
        let _ = stream.sock.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        hold(stream.sock);
    });
    assert!(matches!(garbage, Observation::Unhealthy(Cause::Tls(_))), "{garbage:?}");
}

#[test]
fn a_redirect_to_https_is_followed() {
    let ca = Ca::new();
    let there = ca.issues(&["localhost"], VALID).serve(GOOD);
    let here = || says(&format!("HTTP/1.1 301 X\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n"));
    let following =
        |trust: TlsTrust| observe_within(&HttpRequest { redirects: 1, ..asked(&here(), &trust) }, ENOUGH);
    assert_eq!(following(ca.trust()), Observation::Healthy);
    assert_eq!(following(Ca::named("another").trust()), fault(TlsError::UnknownIssuer));
}

#[test]
fn a_ca_file_that_went_away_is_our_fault() {
    let ca = Ca::new();
    let url = ca.issues(&["localhost"], VALID).serve(GOOD);
    let path = ca.file.with_file_name("none.pem");
    let observed = observe(&url, &naming(&path));
    let why = format!("ca_file {}: No such file or directory", path.display());
    assert_eq!(observed, Observation::Unknown(Doubt::NoAuthorities(why)));
}

/// What our workers' stacks must hold, also where it is not optimised.
#[test]
fn many_tls_handshakes_at_once_fit_their_stacks() {
    let ca = Ca::new();
    let good = ca.issues(&["localhost"], VALID).serve(GOOD);
    let expired = ca.issues(&["localhost"], (2020, 2021)).serve(GOOD);
    let questions: Vec<HttpRequest> =
        (0..120).map(|n| asked(if n % 3 == 0 { &expired } else { &good }, &ca.trust())).collect();
    let answers = all(&questions, 6 * ENOUGH, 120, Instant::now() + 6 * ENOUGH);
    for (n, ProbeAnswer { observation, .. }) in answers.into_iter().enumerate() {
        let expected = if n % 3 == 0 { fault(TlsError::Expired) } else { Observation::Healthy };
        assert_eq!(observation, expected, "{n}");
    }
}

//! https, as the operator sees it; and that a run without it opens no certificate.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::Scene;

/// The port of a server whose certificate, also in `file`, ends in this year. Healthy, whoever asks.
pub(crate) fn server(file: &Path, until: i32) -> u16 {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    // A name of its own, since it is its own issuer.
    params.distinguished_name.push(DnType::CommonName, format!("{:x?}", key.public_key_raw()));
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(file, certificate.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                if stream.read(&mut [0; 4096]).is_ok() {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                }
            });
        }
    });
    port
}

/// A scene whose service is asked at this port.
fn scene(until: i32, keys: &str) -> Scene {
    let scene = Scene::new();
    let ca_file = scene.path("ca.pem");
    let port = server(&ca_file, until);
    let keys = keys.replace("CA_FILE", &format!("ca_file = \"{}\"", ca_file.display()));
    let text = format!(
        "[host]\nboot_grace = \"0s\"\n[service.app]\nurl = \"https://localhost:{port}/\"\nlog_file = \"{}\"\n{keys}\n",
        scene.path("app.log").display()
    );
    scene.config(&text);
    scene
}

#[test]
fn a_service_is_healthy_over_https() {
    scene(2120, "CA_FILE").tick().exits(0);
    scene(2021, "insecure = true").tick().exits(0);
}

#[test]
fn an_expired_certificate_is_told() {
    let scene = scene(2021, "CA_FILE");
    scene.tick().exits(1).logs(&["⚠️ app health check failed (HTTP 000) - Failure 1/2: certificate expired"]);
    assert_eq!(scene.state()["cause"]["code"], "tls_expired");
}

/// As behind a balancer: the url has the address of one server, the certificate the name of all.
#[test]
fn a_certificate_for_another_name_is_told_with_its_names() {
    let scene = scene(2120, "CA_FILE");
    let by_address = scene.config_text().replace("localhost", "127.0.0.1");
    scene.config(&by_address);
    let told = "certificate for another name than it was asked for: it has localhost; set server_name if one is right";
    scene.tick().exits(1).logs(&[&format!("⚠️ app health check failed (HTTP 000) - Failure 1/2: {told}")]);
    assert_eq!(scene.state()["cause"]["code"], "tls_wrong_name");
    scene.config(&format!("{by_address}server_name = \"localhost\"\n"));
    scene.tick().exits(0).logs(&["✅ *"]);
}

#[test]
fn a_ca_file_that_is_not_there_is_an_error_before_anything_is_asked() {
    let scene = scene(2120, "CA_FILE");
    std::fs::remove_file(scene.path("ca.pem")).unwrap();
    let fault = "unhang: *: service.app.ca_file: cannot be used: */ca.pem: No such file or directory; nothing was probed\n";
    scene.tick().ends(2).prints("", fault);
}

#[test]
fn without_authorities_https_is_unknown_and_http_does_not_even_look() {
    let nowhere = |scene: Scene| {
        scene.env("SSL_CERT_FILE", "/nonexistent/ca.pem").env("SSL_CERT_DIR", "/nonexistent");
        scene
    };
    nowhere(Scene::new()).tick().exits(0);
    let cure =
        "❓ app not judged (unknown): no certificate authorities on this host: apt install ca-certificates";
    let blind = nowhere(scene(2120, ""));
    blind.tick().exits(1).logs(&[cure]);
    assert_eq!(blind.state()["streak"], 0);
    // What ca_file names suffices for itself; whether another is known elsewhere cannot be told.
    nowhere(scene(2120, "CA_FILE")).tick().exits(0);
    let other = nowhere(scene(2120, "CA_FILE"));
    server(&other.path("ca.pem"), 2120);
    other.tick().exits(1).logs(&[cure]);
}

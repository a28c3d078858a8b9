//! Certificates to trust: where they mean something, and files that hold none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::plan::Client;

const HTTPS: &str = "[service.a]\nurl = 'https://x'\n";
const HTTP: &str = "[service.b]\nurl = 'http://x'\n";

/// `None`: nothing that is asked can need it.
fn trusts(text: &str, flags: &[&str]) -> Vec<Option<TlsTrust>> {
    let services = read(text, flags).unwrap().services;
    let questions = services.iter().map(|service| service.main_request().unwrap());
    questions.map(|question| question.may_need_tls().then(|| question.trust.clone())).collect()
}

fn faults(text: &str, flags: &[&str]) -> Vec<String> {
    read(text, flags).unwrap_err()
}

fn file(dir: &tempfile::TempDir) -> PathBuf {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let path = dir.path().join("ca.pem");
    fs::write(&path, certificate.pem()).unwrap();
    path
}

const ANYONE: TlsTrust = TlsTrust { ca_file: None, insecure: true, server_name: None, client: None };

fn besides(ca_file: Option<&Path>) -> TlsTrust {
    TlsTrust { ca_file: ca_file.map(Path::to_owned), ..TlsTrust::default() }
}

#[test]
fn what_stands_for_all_goes_to_those_of_https() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let defaults = format!("[defaults]\nca_file = '{}'\n", path.display());
    assert_eq!(trusts(&format!("{defaults}{HTTPS}{HTTP}"), &[]), [Some(besides(Some(&path))), None]);
    assert_eq!(trusts(&format!("{defaults}{HTTPS}ca_file = ''\n"), &[]), [Some(besides(None))]);
    let insecure = TlsTrust { insecure: true, ..besides(Some(&path)) };
    assert_eq!(trusts(&format!("{defaults}{HTTPS}insecure = true\n"), &[]), [Some(insecure)]);
    let flag = format!("--ca-file={}", path.display());
    assert_eq!(trusts(&format!("{HTTPS}{HTTP}"), &[&flag]), [Some(besides(Some(&path))), None]);
    let one = ["--unit=a", "--url=https://x"];
    assert_eq!(trusts("", &[&flag, one[0], one[1]]), [Some(besides(Some(&path)))]);
    assert_eq!(trusts("", &["--insecure", one[0], one[1]]), [Some(ANYONE)]);
}

#[test]
fn a_redirect_may_lead_to_https() {
    assert_eq!(trusts(&format!("{HTTP}redirects = 1\ninsecure = true"), &[]), [Some(ANYONE)]);
}

#[test]
fn what_one_service_says_for_nothing_is_refused() {
    let cure = "only for https; remove it or begin url with https://";
    let socket = "[service.b]\nurl = 'unix:/x'\n";
    assert_eq!(
        faults(&format!("{socket}insecure = true"), &[]),
        [format!("u.toml:3: service.b.insecure: {cure}")]
    );
    let of_one = ["--unit=a", "--url=http://x", "--insecure"];
    assert_eq!(faults("", &of_one), [format!("--insecure: {cure}")]);
    assert!(read(&format!("{HTTP}ca_file = ''\ninsecure = false"), &[]).is_ok());
}

#[test]
fn a_file_that_cannot_be_used_is_told_where_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (missing, empty) = (dir.path().join("none.pem"), dir.path().join("empty.pem"));
    fs::write(&empty, "").unwrap();
    let text = format!(
        "[defaults]\nca_file = '{}'\n{HTTPS}[service.c]\nurl = 'https://x'\n[service.d]\nurl = 'https://x'\nca_file = '{}'\n",
        missing.display(),
        empty.display()
    );
    assert_eq!(
        faults(&text, &[]),
        [
            format!(
                "u.toml:2: defaults.ca_file: cannot be used: {}: No such file or directory; nothing was probed",
                missing.display()
            ),
            format!(
                "u.toml:9: service.d.ca_file: cannot be used: {}: holds no certificate in PEM (BEGIN CERTIFICATE); nothing was probed",
                empty.display()
            ),
        ]
    );
    let defaults = format!("[defaults]\nca_file = '{}'\n", missing.display());
    assert_eq!(trusts(&format!("{defaults}{HTTP}"), &[]), [None], "it is not asked for");
}

#[test]
fn a_name_and_a_client_go_to_https_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = client(&dir);
    let own = format!("client_cert = '{}'\nclient_key = '{}'\n", cert.display(), key.display());
    let trust =
        TlsTrust { client: Some(Client { certificate: cert, key: key.clone() }), ..TlsTrust::default() };
    assert_eq!(trusts(&format!("[defaults]\n{own}{HTTPS}{HTTP}"), &[]), [Some(trust.clone()), None]);
    let none = "client_cert = ''\nclient_key = ''\n";
    assert_eq!(trusts(&format!("[defaults]\n{own}{HTTPS}{none}"), &[]), [Some(TlsTrust::default())]);
    let named = TlsTrust { server_name: Some("shop.example".to_owned()), ..trust };
    assert_eq!(trusts(&format!("{HTTPS}{own}server_name = 'shop.example'"), &[]), [Some(named)]);
    let cure = "only for https; remove it or begin url with https://";
    for key in ["server_name = 'x'", "client_cert = '/x'\nclient_key = '/x'"] {
        let told = faults(&format!("{HTTP}{key}"), &[]);
        let (name, _) = key.split_once(' ').unwrap();
        assert_eq!(told[0], format!("u.toml:3: service.b.{name}: {cure}"));
    }
    for (keys, told) in [
        (
            "client_cert = '/x'",
            "client_cert: stands without client_key; add the file of its key, for nobody else to read",
        ),
        (
            "client_key = '/x'",
            "client_key: stands without client_cert; add the file of the certificate to it",
        ),
        (
            "client_key = 'x'",
            "client_key: must be the absolute path of a file, such as \"/etc/unhang/client.key\", got \"x\"; nothing was probed",
        ),
        (
            "server_name = 'a b'",
            "server_name: must be the name of a server, such as \"shop.example\", got \"a b\"; nothing was probed",
        ),
    ] {
        assert_eq!(faults(&format!("{HTTPS}{keys}"), &[]), [format!("u.toml:3: service.a.{told}")]);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let told = faults(&format!("{HTTPS}[service.c]\nurl = 'https://y'\n{own}"), &[]);
    let why = "others may read or write it (chmod 600); nothing was probed";
    assert_eq!(told, [format!("u.toml:6: service.c.client_key: cannot be used: {}: {why}", key.display())]);
}

fn client(dir: &tempfile::TempDir) -> (PathBuf, PathBuf) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let (cert_file, key_file) = (dir.path().join("client.pem"), dir.path().join("client.key"));
    fs::write(&cert_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    (cert_file, key_file)
}

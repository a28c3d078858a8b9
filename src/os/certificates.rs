//! The certificates of a PEM file, and the key to one. Judges whether they can be read, not whether to trust them.

use std::io;
use std::path::Path;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::{files, time_limit};

/// Every certificate of the file, at least one; keys and whatever else is in it are passed over.
pub(crate) fn read_certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let (pem, _) = files::read_bounded(path, LARGEST)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| io::Error::other(format!("is not PEM: {error}")))?;
    if found.is_empty() {
        return Err(io::Error::other(NONE));
    }
    let mut readable = RootCertStore::empty();
    for (at, certificate) in (1..).zip(&found) {
        readable
            .add(certificate.clone())
            .map_err(|error| io::Error::other(format!("its certificate {at} cannot be read: {error}")))?;
    }
    Ok(found)
}

/// The first of the file, which is the server's own in one that a server shows. Whatever is in it: only its form is
/// looked at.
pub(crate) fn first_certificate(path: &Path) -> io::Result<CertificateDer<'static>> {
    let (pem, _) = files::read_bounded(path, LARGEST)?;
    match CertificateDer::pem_slice_iter(&pem).next() {
        Some(Ok(found)) => Ok(found),
        Some(Err(error)) => Err(io::Error::other(format!("is not PEM: {error}"))),
        None => Err(io::Error::other(NONE)),
    }
}

/// Which of the two files of a client cannot be used, and why.
#[derive(Debug)]
pub(crate) enum ClientFault {
    Certificate(io::Error),
    Key(io::Error),
}

/// The certificates by which a client proves itself, its own first, and the key to that one.
pub(crate) fn read_client(certificate: &Path, key: &Path) -> Result<CertifiedKey, ClientFault> {
    let chain = time_limit::touch_within(certificate, read_certificates).map_err(ClientFault::Certificate)?;
    let unusable = |why: &str| ClientFault::Key(io::Error::other(why));
    let pem =
        time_limit::touch_within(key, |key| files::read_secret(key, LARGEST)).map_err(ClientFault::Key)?;
    let key = PrivateKeyDer::pem_slice_iter(&pem)
        .find_map(Result::ok)
        .ok_or_else(|| unusable("holds no private key in PEM, or one behind a password"))?;
    let key = any_supported_type(&key).map_err(|_| {
        unusable("its key is none of RSA (2048 bits or more), ECDSA P-256, P-384 and Ed25519")
    })?;
    let client = CertifiedKey::new(chain, key);
    match client.keys_match() {
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(unusable("is not the key to client_cert"))
        }
        Ok(()) | Err(_) => Ok(client),
    }
}

const NONE: &str = "holds no certificate in PEM (BEGIN CERTIFICATE)";

/// The bundle of a whole distribution is a quarter of this.
const LARGEST: u64 = 1024 * 1024;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_client_is_a_certificate_and_its_own_key() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str, mode: u32| {
            std::fs::write(at(name), text).unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        write("cert", &own.pem(), 0o644);
        write("key", &key.serialize_pem(), 0o600);
        write("both", &format!("{}{}", own.pem(), key.serialize_pem()), 0o600);
        write("open", &key.serialize_pem(), 0o644);
        write("other", &rcgen::KeyPair::generate().unwrap().serialize_pem(), 0o600);
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        write("locked", locked, 0o600);
        write("odd", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600);
        std::os::unix::fs::symlink(at("key"), at("link")).unwrap();
        let told = |cert: &str, key: &str| match read_client(&at(cert), &at(key)) {
            Ok(_) => "good".to_owned(),
            Err(ClientFault::Certificate(error)) => format!("cert: {error}"),
            Err(ClientFault::Key(error)) => format!("key: {error}"),
        };
        for (cert, key, expected) in [
            ("cert", "key", "good"),
            ("both", "both", "good"),
            ("cert", "link", "good"), // as certbot lays them out
            ("cert", "open", "key: others may read or write it (chmod 600)"),
            ("cert", "other", "key: is not the key to client_cert"),
            ("cert", "cert", "key: others may read or write it (chmod 600)"),
            ("cert", "locked", "key: holds no private key in PEM, or one behind a password"),
            (
                "cert",
                "odd",
                "key: its key is none of RSA (2048 bits or more), ECDSA P-256, P-384 and Ed25519",
            ),
            ("cert", "none", "key: No such file or directory (os error 2)"),
            ("key", "key", "cert: holds no certificate in PEM (BEGIN CERTIFICATE)"),
        ] {
            assert_eq!(told(cert, key), expected, "{cert} {key}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let good =
            rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let read_text = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_certificates(&path).map_err(|error| error.to_string())
        };
        let (cert, key) = (good.pem(), key.serialize_pem());
        assert_eq!(read_text(&format!("{key}{cert}# and again\n{cert}")).unwrap().len(), 2);
        for nothing in ["", "\0\x01", &key] {
            assert_eq!(read_text(nothing).unwrap_err(), "holds no certificate in PEM (BEGIN CERTIFICATE)");
        }
        let torn = cert.replace("-----END CERTIFICATE-----", "");
        assert!(read_text(&torn).unwrap_err().starts_with("is not PEM: "), "{:?}", read_text(&torn));
        let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let refused = read_text(&format!("{cert}{nonsense}")).unwrap_err();
        assert!(refused.starts_with("its certificate 2 cannot be read: "), "{refused}");
        assert_eq!(read_certificates(dir.path()).unwrap_err().to_string(), "is not a regular file");
        assert_eq!(read_certificates(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

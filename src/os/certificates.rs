//! The certificates of a PEM file. Judges whether they can be read, not whether to trust them.

use std::io;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::files;

/// Every certificate of the file, at least one; keys and whatever else is in it are passed over.
pub(crate) fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
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
pub(crate) fn first(path: &Path) -> io::Result<CertificateDer<'static>> {
    let (pem, _) = files::read_bounded(path, LARGEST)?;
    match CertificateDer::pem_slice_iter(&pem).next() {
        Some(Ok(found)) => Ok(found),
        Some(Err(error)) => Err(io::Error::other(format!("is not PEM: {error}"))),
        None => Err(io::Error::other(NONE)),
    }
}

const NONE: &str = "holds no certificate in PEM (BEGIN CERTIFICATE)";

/// The bundle of a whole distribution is a quarter of this.
const LARGEST: u64 = 1024 * 1024;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let good =
            rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let read_text = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).map_err(|error| error.to_string())
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
        assert_eq!(read(dir.path()).unwrap_err().to_string(), "is not a regular file");
        assert_eq!(read(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

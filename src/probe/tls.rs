//! By what an https server is known, and the handshake. The authorities of this host are read when the
//! first https connection stands, once a run; a run without https reads none and makes no provider.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use unhang_core::{Cause, Doubt, Observation, TlsError};

use crate::os::certificates::{self, ClientFault};
use crate::os::time_limit;
use crate::plan::{Client, TlsTrust};
use crate::words;

use super::fault::{LocalError, classify_tls, tls_error};
use super::socket::Bounded;

/// `host` as it stands in a URL. A connection is some kilobytes, which a thread's small stack is spared.
pub(super) fn start_tls(
    trust: &TlsTrust,
    host: &str,
    socket: &mut Bounded<'_>,
) -> Result<Box<ClientConnection>, ureq::Error> {
    let ready = tls_config(trust)?;
    let mut connection = begin_connection(&ready, trust.server_name.as_deref().unwrap_or(host))?;
    match connection.complete_io(socket) {
        Ok(_) => Ok(connection),
        // One of those that are missing here may have issued it.
        Err(error)
            if ready.only_ca_file
                && tls_error(&error).is_some_and(|error| is_fault(error, &TlsError::UnknownIssuer)) =>
        {
            Err(LocalError(Doubt::NoAuthorities(none_here())).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The first certificate that a server shows, whatever it is, and also if it then wants one of us.
pub(super) fn first_certificate(
    host: &str,
    socket: &mut Bounded<'_>,
) -> Result<Option<CertificateDer<'static>>, ureq::Error> {
    let ready = tls_config(&TlsTrust { insecure: true, ..TlsTrust::default() })?;
    let mut connection = begin_connection(&ready, host)?;
    let done = connection.complete_io(socket);
    let shown = connection.peer_certificates().and_then(|shown| shown.first()).cloned();
    if shown.is_none() {
        done?;
    }
    // Else servers tell of us in their logs.
    connection.send_close_notify();
    let _ = connection.write_tls(socket);
    Ok(shown.map(CertificateDer::into_owned))
}

fn begin_connection(ready: &Ready, host: &str) -> Result<Box<ClientConnection>, ureq::Error> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|_| ureq::Error::BadUri(format!("{bare} is no name for a certificate")))?;
    let new = ClientConnection::new(Arc::clone(&ready.config), name).map_err(io::Error::other)?;
    Ok(Box::new(new))
}

fn is_fault(error: &rustls::Error, fault: &TlsError) -> bool {
    matches!(classify_tls(error), Observation::Unhealthy(Cause::Tls(found)) if found == *fault)
}

#[derive(Debug, Clone)]
struct Ready {
    config: Arc<ClientConfig>,
    /// This host has no authorities of its own.
    only_ca_file: bool,
}

static READY: Mutex<BTreeMap<TlsTrust, Result<Ready, Doubt>>> = Mutex::new(BTreeMap::new());

/// Has the files of `ca_file`, `client_cert` and `client_key` read again when they are next needed, since a process that
/// stays outlives certificates.
pub(crate) fn forget_certificates() {
    READY.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// One for each trust there is, made when it is first needed; whoever comes meanwhile waits for it.
fn tls_config(trust: &TlsTrust) -> Result<Ready, LocalError> {
    let mut known = READY.lock().unwrap_or_else(PoisonError::into_inner);
    let known_by = TlsTrust { server_name: None, ..trust.clone() };
    known.entry(known_by).or_insert_with(|| make_ready(trust)).clone().map_err(LocalError)
}

fn make_ready(trust: &TlsTrust) -> Result<Ready, Doubt> {
    let provider = Arc::new(CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() });
    let (verifier, only_ca_file): (Arc<dyn ServerCertVerifier>, _) = if trust.insecure {
        (Arc::new(Anyone), false)
    } else {
        let system = system_authorities();
        let own = trust.ca_file.as_deref().map_or_else(|| Ok(Vec::new()), authorities_of)?;
        (Arc::new(Authorities::new(system, own, &provider)?), system.is_empty())
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Doubt::Other(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &trust.client {
        None => builder.with_no_client_auth(),
        Some(client) => builder.with_client_cert_resolver(Arc::new(own_certificate(client)?)),
    };
    Ok(Ready { config: Arc::new(config), only_ca_file })
}

/// Shown to a server that asks for one, whomever it names as those that it believes.
fn own_certificate(client: &Client) -> Result<SingleCertAndKey, Doubt> {
    let Client { certificate, key } = client;
    let unusable = |name: &str, path: &Path, error: &io::Error| {
        Doubt::Other(format!("{name} {}: {}", path.display(), words::io_error_text(error)))
    };
    certificates::read_client(certificate, key).map(SingleCertAndKey::from).map_err(|fault| match fault {
        ClientFault::Certificate(error) => unusable("client_cert", certificate, &error),
        ClientFault::Key(error) => unusable("client_key", key, &error),
    })
}

/// The key of a client is read where it lies, and no other is ever loaded.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General(String::new()))
    }
}

fn authorities_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, Doubt> {
    time_limit::touch_within(path, certificates::read_certificates).map_err(|error| {
        Doubt::NoAuthorities(format!("ca_file {}: {}", path.display(), words::io_error_text(&error)))
    })
}

fn none_here() -> String {
    "no certificate authorities on this host: apt install ca-certificates".to_owned()
}

/// Empty when there are none to be had.
fn system_authorities() -> &'static RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let found = match find_bundle() {
            Some(file) => rustls_native_certs::load_certs_from_paths(Some(&file), None),
            None => rustls_native_certs::load_native_certs(),
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        store
    })
}

/// The file in which a distribution has them all: the folder beside it has the same once more, one by
/// one (on Debian 150 files and 1,000 system calls). `None`: the library looks, which honours
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`.
#[expect(clippy::disallowed_methods, reason = "where the authorities are is said by the environment")]
fn find_bundle() -> Option<PathBuf> {
    const BUNDLES: [&str; 3] = [
        "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
        "/etc/ssl/ca-bundle.pem",             // SUSE
    ];
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|key| std::env::var_os(key).is_some()) {
        return None;
    }
    BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// Those of this host and of `ca_file`.
#[derive(Debug)]
struct Authorities {
    webpki: Arc<WebPkiServerVerifier>,
    /// Of `ca_file`.
    own: Vec<CertificateDer<'static>>,
}

impl Authorities {
    fn new(
        system: &RootCertStore,
        own: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Doubt> {
        let mut all = system.clone();
        all.add_parsable_certificates(own.iter().cloned());
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(all), Arc::clone(provider));
        // It fails for want of a single authority.
        let webpki = builder.build().map_err(|_| Doubt::NoAuthorities(none_here()))?;
        Ok(Self { webpki, own })
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.webpki.verify_server_cert(shown, intermediates, name, ocsp, now);
        match &verified {
            // `openssl req -x509` makes certificates that may sign others, which webpki takes from no
            // server. When ca_file names this very one, only its name is left to ask: that it is in
            // time was asked before.
            Err(error) if is_fault(error, &TlsError::SelfSigned) && self.own.contains(shown) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Ok(_) | Err(_) => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// `insecure = true`: encrypted, but with whom is not asked.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // Also those that ring cannot check: nothing is.
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}

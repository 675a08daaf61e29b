//! TLS for checks: whom to trust, which name to ask for, and who we are.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Connection, Outcome};

/// How TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Whether the certificate has to be valid; without it any will do.
    pub verify: bool,
    /// The name to ask for and to find in the certificate; otherwise the host of the request, or
    /// the address.
    pub name: Option<String>,
    /// A PEM file of those to trust; otherwise those that this machine trusts.
    pub ca: Option<PathBuf>,
    /// A PEM file of the certificate that we show.
    pub certificate: Option<PathBuf>,
    /// A PEM file of its key.
    pub key: Option<PathBuf>,
    #[serde(skip)]
    pub(super) ready: Ready,
}

impl Default for Tls {
    fn default() -> Self {
        Self { verify: true, name: None, ca: None, certificate: None, key: None, ready: Ready::default() }
    }
}

/// The settings as the library wants them, made once.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready(Arc<OnceLock<Arc<ClientConfig>>>);

/// They follow from the other fields.
impl PartialEq for Ready {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Ready {}

impl Tls {
    /// What is wrong with the settings: files that cannot be read, names that are none.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if let Some(name) = &self.name {
            ServerName::try_from(name.clone()).map_err(|error| format!("name {name:?}: {error}"))?;
        }
        self.config().map(drop)
    }

    /// Speaks TLS with a host of this name.
    pub(crate) async fn connect_to(
        &self,
        stream: tokio::net::TcpStream,
        host: &str,
    ) -> Result<TlsStream<tokio::net::TcpStream>, String> {
        let name = self.name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|error| format!("name {host:?}: {error}"))?;
        let connected = TlsConnector::from(self.config()?).connect(name, stream).await;
        connected.map_err(|error| format!("no TLS: {error}"))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.ready.0.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make()?);
        Ok(Arc::clone(self.ready.0.get_or_init(|| config)))
    }

    fn make(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if self.verify {
            builder.with_root_certificates(self.roots()?)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        match (&self.certificate, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())
            }
            _ => Err("certificate and key belong together".to_owned()),
        }
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(file) => {
                for certificate in certificates(file)? {
                    roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
                }
            }
            None => {
                let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err("nobody is trusted: name a file (ca = ...), or verify = false".to_owned());
        }
        Ok(roots)
    }

    /// Speaks TLS over a connection, and in it this protocol (ALPN) if one is named.
    pub(super) async fn connect(
        &self,
        stream: Connection,
        host: Option<&str>,
        address: IpAddr,
        protocol: Option<&[u8]>,
    ) -> Result<TlsStream<Connection>, Outcome> {
        let mut config = self.config().map_err(Outcome::NotRun)?;
        if let Some(protocol) = protocol {
            Arc::make_mut(&mut config).alpn_protocols = vec![protocol.to_vec()];
        }
        let name = self.name.as_deref().or(host.map(without_port));
        let name = match name.map(|name| ServerName::try_from(name.to_owned())) {
            Some(Ok(name)) => name,
            _ => ServerName::from(address),
        };
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| Outcome::of_error("no TLS", &error))
    }
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(host, _)| host)
}

fn certificates(file: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| format!("{}: {error}", file.display()))
}

/// Takes every certificate; that the server holds its key is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

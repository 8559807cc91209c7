//! Certificates of ours, to show to clients.
//!
//! Ours are read again when their files change, so that one that is renewed is shown without a restart. New files that cannot be used
//! change nothing but the health of the source.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use wire::{certificates, provider};

use crate::health::Board;

/// How often the files are looked at. Certificates are renewed days before they expire.
const LOOK: Duration = Duration::from_mins(1);

/// What we show to clients, as the files have it.
pub(crate) struct Certified {
    certificate: PathBuf,
    key: PathBuf,
    board: Board,
    /// How often the files are looked at.
    every: Duration,
    state: Mutex<State>,
}

struct State {
    acceptor: TlsAcceptor,
    /// How the files looked that it was made of.
    made_of: Looks,
    looked: Instant,
}

/// How a certificate and its key look from outside: when this changes, they are other files.
type Looks = [Option<(u64, SystemTime)>; 2];

impl Certified {
    /// What these files have; nothing where there are none. What goes wrong later is written on the board.
    pub(crate) fn open(certificate: Option<&Path>, key: Option<&Path>, board: &Board) -> Result<Option<Self>, String> {
        let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
        let made_of = looks(certificate, key);
        let state = State { acceptor: acceptor(certificate, key)?, made_of, looked: Instant::now() };
        Ok(Some(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            board: board.clone(),
            every: LOOK,
            state: Mutex::new(state),
        }))
    }

    /// What is to be shown now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        // Every change is complete before anything can panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= self.every {
            state.looked = Instant::now();
            let now = looks(&self.certificate, &self.key);
            if now != state.made_of {
                match acceptor(&self.certificate, &self.key) {
                    Ok(acceptor) => (state.acceptor, state.made_of) = (acceptor, now),
                    // One of the two may have been replaced just now and the other a moment later: so it is tried again.
                    Err(error) => {
                        let what =
                            format!("the new certificate cannot be used, and the old one is still shown: {error}");
                        tracing::warn!("{what}");
                        self.board.failed(&what);
                    }
                }
            }
        }
        state.acceptor.clone()
    }
}

fn looks(certificate: &Path, key: &Path) -> Looks {
    [certificate, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    })
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("the private key in {} cannot be read: {error}", key.display()))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| format!("{} and {} do not go together: {error}", certificate.display(), key.display()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::ServerName;
    use wire::connector;

    use super::*;

    /// Writes a new certificate for this name; `at` is the time the files carry.
    fn issue(folder: &Path, name: &str, at: u64) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        write(folder, &made.cert.pem(), &made.signing_key.serialize_pem(), at);
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    }

    fn write(folder: &Path, certificate: &str, key: &str, at: u64) {
        for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
            std::fs::write(folder.join(name), text).unwrap();
            let file = std::fs::File::options().write(true).open(folder.join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(at)).unwrap();
        }
    }

    /// Whether a client that trusts what was issued last, and asks for this name, is let in.
    async fn shows(certified: &Certified, folder: &Path, name: &str) -> bool {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let acceptor = certified.acceptor();
        let served = tokio::spawn(async move { acceptor.accept(ours).await.is_ok() });
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let known = connector(Some(&folder.join("ca.pem"))).unwrap().connect(name, theirs).await.is_ok();
        let _ = served.await;
        known
    }

    #[tokio::test]
    async fn renewed_certificates_are_shown_and_broken_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        issue(folder, "a.example", 1);
        let board = Board::new("in", "smtp");
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let mut certified = Certified::open(Some(&certificate), Some(&key), &board).unwrap().unwrap();
        certified.every = Duration::ZERO;
        assert!(shows(&certified, folder, "a.example").await);
        issue(folder, "b.example", 2);
        assert!(shows(&certified, folder, "b.example").await, "the new one is shown");
        assert_eq!(board.read().errors, 0);
        write(folder, "nonsense", "nonsense", 3);
        assert!(shows(&certified, folder, "b.example").await, "the old one stays");
        let said = board.read().last_error.unwrap().message;
        assert!(said.contains("the old one is still shown") && said.contains("cert.pem"), "{said}");
        std::fs::remove_file(&key).unwrap();
        assert!(shows(&certified, folder, "b.example").await, "also where a file is gone");
        issue(folder, "c.example", 4);
        assert!(shows(&certified, folder, "c.example").await, "and once it is mended the new one is shown");
        certified.every = Duration::from_hours(1);
        issue(folder, "d.example", 5);
        assert!(!shows(&certified, folder, "d.example").await, "the files are not looked at all the time");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        issue(folder.path(), "a.example", 1);
        let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
        issue(folder.path(), "b.example", 1);
        let certificate = std::fs::read_to_string(folder.path().join("cert.pem")).unwrap();
        write(folder.path(), &certificate, &key, 2);
        let paths = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let refused = Certified::open(Some(&paths.0), Some(&paths.1), &Board::default()).err().unwrap();
        assert!(refused.contains("do not go together"), "{refused}");
    }
}

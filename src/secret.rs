//! Secrets at rest: sealed with XChaCha20-Poly1305 under a key that never enters the database.
use crate::error::{Error, Result};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The shortest key material accepted, in bytes.
const SHORTEST_KEY: usize = 32;
const NONCE: usize = 24;

/// Where the key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Given directly, by `PROXBOX_SECRET_KEY`.
    Given(SecretString),
    /// A file that must be there.
    File(PathBuf),
    /// A file beside the SQLite database, made on the first start.
    Beside(PathBuf),
    /// A key, and the former one while values lie under both.
    Changing { new: Box<KeySource>, old: Box<KeySource> },
}

/// Seals and opens secrets, each bound to its place: a value moved to another row or column does not open.
#[derive(Debug)]
pub struct Sealer {
    current: Key,
    /// Opens what still lies under it.
    former: Option<Key>,
}

/// One key, and its name.
pub struct Key {
    cipher: XChaCha20Poly1305,
    id: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The place of a secret, which is part of what the seal protects.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub row: &'a str,
    pub column: &'a str,
}

impl KeySource {
    /// Reads the key. `fresh` tells whether the database holds nothing sealed yet: only then a missing key may be made.
    pub fn read(&self, fresh: bool) -> Result<Sealer> {
        self.read_from(fresh, "PROXBOX_SECRET_KEY")
    }

    /// `variable` is where a key that was given directly came from.
    fn read_from(&self, fresh: bool, variable: &str) -> Result<Sealer> {
        match self {
            Self::Changing { new, old } => {
                new.read_from(fresh, variable)?.with_former(old.read_from(false, "PROXBOX_SECRET_KEY_OLD")?)
            }
            Self::Given(key) => Sealer::new(key.expose_secret().as_bytes(), variable),
            Self::File(path) => from_file(path),
            Self::Beside(path) if path.exists() => from_file(path),
            Self::Beside(path) if fresh => {
                make_file(path)?;
                from_file(path)
            }
            Self::Beside(path) => Err(Error::Key(format!(
                "the key file {} is missing, and this database holds secrets that only its key opens; put the file \
                 back, or set PROXBOX_SECRET_KEY or PROXBOX_SECRET_KEY_FILE",
                path.display()
            ))),
        }
    }
}

fn from_file(path: &Path) -> Result<Sealer> {
    let told = |error| Error::Key(format!("cannot read the key file {}: {error}", path.display()));
    let key = SecretBox::new(Box::new(fs::read(path).map_err(told)?));
    warn_if_readable(path);
    Sealer::new(key.expose_secret().trim_ascii(), &format!("the key file {}", path.display()))
}

#[cfg(unix)]
fn warn_if_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        tracing::warn!("the key file {} can be read by others; chmod 600 it", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_: &Path) {}

fn make_file(path: &Path) -> Result<()> {
    let told = |error| Error::Key(format!("cannot make the key file {}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    // It gets its name when it is complete: nobody reads half a key.
    let mut file = tempfile::Builder::new().prefix(".proxbox-").tempfile_in(folder).map_err(told)?;
    file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(told)?;
    match file.persist_noclobber(path) {
        // Another process of the same first start was quicker.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop).map_err(|error| told(error.error)),
    }
}

impl Sealer {
    /// A sealer of this key material, at least 32 bytes; `origin` names it in errors.
    pub fn new(key: &[u8], origin: &str) -> Result<Self> {
        Ok(Self { current: Key::new(key, origin)?, former: None })
    }

    /// It opens what this other one sealed, too.
    fn with_former(self, former: Self) -> Result<Self> {
        if self.current.id == former.current.id {
            let id = &self.current.id;
            return Err(Error::Key(format!("the new key and the old one (PROXBOX_SECRET_KEY_OLD) are the same: {id}")));
        }
        Ok(Self { former: Some(former.current), ..self })
    }

    /// Which key this is, without telling anything about it.
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// Which key the former one is, if one is given.
    pub fn former_id(&self) -> Option<&str> {
        self.former.as_ref().map(|key| key.id.as_str())
    }

    /// The key of this id, if it is one of the given ones.
    pub fn key(&self, id: &str) -> Result<&Key> {
        let mut keys = std::iter::once(&self.current).chain(&self.former);
        keys.find(|key| key.id == id).ok_or_else(|| {
            let given = self.former_id().map_or_else(
                || format!("the key given is {}", self.key_id()),
                |former| format!("the keys given are {} and, as the old one, {former}", self.key_id()),
            );
            Error::Key(format!(
                "the database was sealed under the key {id}, but {given}; set PROXBOX_SECRET_KEY or \
                 PROXBOX_SECRET_KEY_FILE to the right one, and PROXBOX_SECRET_KEY_OLD or PROXBOX_SECRET_KEY_OLD_FILE \
                 to the former one while the key is being changed"
            ))
        })
    }

    /// As [`Key::seal`], under the current key.
    pub fn seal(&self, secret: &[u8], place: Place<'_>) -> Result<String> {
        self.current.seal(secret, place)
    }

    /// The secret, if one of the keys sealed it at this place.
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<SecretBox<Vec<u8>>> {
        let (id, body) = parts(sealed).ok_or_else(|| place.damaged())?;
        self.key(id)?.open(body, place)
    }
}

/// The id of the key under which a value lies, if it is a sealed one.
pub fn key_of(sealed: &str) -> Option<&str> {
    parts(sealed).map(|(id, _)| id)
}

/// The id of the key, and the nonce and ciphertext.
fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix("v1.")?.split_once('.')
}

impl Key {
    fn new(key: &[u8], origin: &str) -> Result<Self> {
        if key.len() < SHORTEST_KEY {
            return Err(Error::Key(format!("{origin} holds {} bytes; at least {SHORTEST_KEY} are needed", key.len())));
        }
        let derive = |info: &[u8], out: &mut [u8]| {
            let told = |_| Error::Internal("the key could not be derived".into());
            Hkdf::<Sha256>::new(Some(b"proxbox-graphql"), key).expand(info, out).map_err(told)
        };
        let (mut cipher, mut id) = ([0; 32], [0; 4]);
        derive(b"seal v1", &mut cipher)?;
        derive(b"key id v1", &mut id)?;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { cipher: XChaCha20Poly1305::new(&cipher.into()), id })
    }

    /// The sealed form: `v1.<key id>.<nonce and ciphertext>`.
    pub fn seal(&self, secret: &[u8], place: Place<'_>) -> Result<String> {
        let nonce = rand::random::<[u8; NONCE]>();
        let payload = Payload { msg: secret, aad: &place.bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::Internal("a secret could not be sealed".into()))?;
        Ok(format!("v1.{}.{}", self.id, BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    fn open(&self, body: &str, place: Place<'_>) -> Result<SecretBox<Vec<u8>>> {
        let body = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| place.damaged())?;
        let (nonce, sealed) = body.split_first_chunk::<NONCE>().ok_or_else(|| place.damaged())?;
        let payload = Payload { msg: sealed, aad: &place.bytes() };
        let secret = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| place.damaged())?;
        Ok(SecretBox::new(Box::new(secret)))
    }
}

impl Place<'_> {
    /// Lengths first, so that no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        [self.table, self.row, self.column]
            .iter()
            .flat_map(|part| (part.len() as u32).to_be_bytes().into_iter().chain(part.bytes()))
            .collect()
    }

    fn damaged(&self) -> Error {
        Error::Key(format!("a sealed value does not open ({}.{} of {})", self.table, self.column, self.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { table: "proxmox_endpoint", row: "1", column: "password" };

    fn sealer(seed: u8) -> Sealer {
        Sealer::new(&[seed; 32], "the test's key").expect("long enough")
    }

    #[test]
    fn a_seal_opens_only_at_its_place_and_with_its_key() {
        let sealed = sealer(1).seal(b"s3cret", PLACE).expect("sealed");
        assert!(!sealed.contains("s3cret"));
        let opened = sealer(1).open(&sealed, PLACE).expect("opens");
        assert_eq!(opened.expose_secret().as_slice(), b"s3cret");
        for place in [Place { row: "2", ..PLACE }, Place { column: "token_value", ..PLACE }] {
            assert!(sealer(1).open(&sealed, place).is_err(), "moved to {place:?}");
        }
        let error = sealer(2).open(&sealed, PLACE).expect_err("another key").to_string();
        assert!(error.contains(sealer(1).key_id()) && error.contains(sealer(2).key_id()), "{error}");
        let (other, again) = (sealed.replace('.', ""), sealer(1).seal(b"s3cret", PLACE).expect("sealed"));
        assert!(sealer(1).open(&other, PLACE).is_err());
        assert_ne!(sealed, again, "a nonce is used once");
    }

    #[test]
    fn the_former_key_opens_and_the_current_one_seals() {
        let both = sealer(2).with_former(sealer(1)).expect("two keys");
        assert_eq!((both.key_id(), both.former_id()), (sealer(2).key_id(), Some(sealer(1).key_id())));
        for sealed in [sealer(1).seal(b"s3cret", PLACE), sealer(2).seal(b"s3cret", PLACE), both.seal(b"s3cret", PLACE)]
        {
            let opened = both.open(&sealed.expect("sealed"), PLACE).expect("opens");
            assert_eq!(opened.expose_secret().as_slice(), b"s3cret");
        }
        let sealed = both.seal(b"s3cret", PLACE).expect("sealed");
        assert_eq!(key_of(&sealed), Some(sealer(2).key_id()));
        let error = both.open(&sealer(3).seal(b"", PLACE).expect("sealed"), PLACE).expect_err("a third").to_string();
        for id in [1, 2, 3].map(|seed| sealer(seed).key_id().to_owned()) {
            assert!(error.contains(&id), "{error}");
        }
        assert!(sealer(1).with_former(sealer(1)).is_err(), "the same key twice");
    }

    #[test]
    fn short_keys_are_refused() {
        assert!(Sealer::new(b"too short", "PROXBOX_SECRET_KEY").is_err());
    }

    #[test]
    fn a_key_file_is_made_once_and_only_for_a_fresh_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxbox.key");
        let source = KeySource::Beside(path.clone());
        assert!(source.read(false).expect_err("not fresh").to_string().contains("is missing"));
        let first = source.read(true).expect("made");
        assert_eq!(first.key_id(), source.read(false).expect("read").key_id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }
}

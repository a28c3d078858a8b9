//! Where configuration lies on this host, and its text; of `config` the only file that asks for either.
//! Judges no text.

use std::io;
use std::path::{Path, PathBuf};

use crate::os::files::{self, Writers};
use crate::words;

use super::settings::Wrong;

/// Where to look, and how strictly.
#[derive(Debug)]
pub(super) struct Places {
    /// `None`: root, or no home is known.
    pub user: Option<PathBuf>,
    pub main: PathBuf,
    pub folder: PathBuf,
    /// What root reads decides what root starts: nobody else may write it.
    pub as_root: bool,
}

#[derive(Debug)]
pub(super) enum Unread {
    Missing,
    Refused(Wrong),
}

impl Places {
    pub(super) fn of_this_host() -> Self {
        let as_root = rustix::process::geteuid().is_root();
        Self {
            user: if as_root { None } else { user_file() },
            main: PathBuf::from("/etc/unhang/unhang.toml"),
            folder: PathBuf::from("/etc/unhang/conf.d"),
            as_root,
        }
    }

    pub(super) fn read(&self, path: &Path) -> Result<String, Unread> {
        let (bytes, writers) = files::read_bounded(path, LARGEST).map_err(|error| {
            let too_large = error.kind() == io::ErrorKind::FileTooLarge;
            if too_large { Unread::Refused("is larger than 1 MiB".into()) } else { Unread::from(error) }
        })?;
        self.trusts(writers, &Thing::File(path))?;
        String::from_utf8(bytes).map_err(|error| {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count().saturating_add(1);
            Unread::Refused(format!("line {line} is not UTF-8").into())
        })
    }

    /// The files of a folder that end in .toml, in name order, without hidden ones (an editor's).
    pub(super) fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, Unread> {
        let (names, writers) = files::names_ending(folder, ".toml")?;
        self.trusts(writers, &Thing::Folder(folder))?;
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    /// Why a folder is not as safe as what lies in it.
    pub(super) fn exposure(&self, folder: &Path) -> Option<Wrong> {
        self.trusts(files::writers(folder).ok()?, &Thing::Folder(folder)).err().map(Unread::wrong)
    }

    fn trusts(&self, writers: Writers, thing: &Thing<'_>) -> Result<(), Unread> {
        match distrust(writers) {
            Some(what) if self.as_root => Err(Unread::Refused(Wrong::cure(what, self.cure(thing)))),
            _ => Ok(()),
        }
    }

    /// Only what is unhang's own is taken from others. Any other folder is somebody's: without its writers, /tmp or a
    /// home breaks the host.
    fn cure(&self, thing: &Thing<'_>) -> String {
        let own = |folder: &Path| folder == self.folder || Some(folder) == self.main.parent();
        match thing {
            Thing::Folder(folder) if !own(folder) => {
                "put the file into a folder that only root may write, such as /etc/unhang".to_owned()
            }
            Thing::File(path) | Thing::Folder(path) => {
                let path = words::shell_word(&path.display().to_string());
                format!("chown root {path} && chmod go-w {path}")
            }
        }
    }
}

/// What is judged by who may write it.
enum Thing<'a> {
    File(&'a Path),
    Folder(&'a Path),
}

impl Unread {
    /// Another place was looked at before.
    pub(super) fn nor(self, path: &Path) -> Self {
        match self {
            Self::Missing => Self::Refused(missing(&format!("no such file, nor {}", path.display()))),
            refused @ Self::Refused(_) => refused,
        }
    }

    pub(super) fn wrong(self) -> Wrong {
        match self {
            Self::Refused(wrong) => wrong,
            Self::Missing => missing("no such file"),
        }
    }
}

fn missing(what: &str) -> Wrong {
    let sample = "two lines in it are enough: [service.NAME] and url = \"http://localhost:8000/health/\"";
    Wrong::cure(what, sample)
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing;
        }
        let cure = "run it as root; or, if no secret stands in it, chmod o+rX it";
        Self::Refused(format!("cannot be read: {}", words::io_or_cure(&error, cure)).into())
    }
}

const LARGEST: u64 = 1024 * 1024;

fn distrust(Writers { owner, mode }: Writers) -> Option<String> {
    if owner != 0 {
        Some(format!("its owner, user {owner}, could make root start anything"))
    } else if mode & 0o022 == 0 {
        None
    } else {
        Some(format!("others may write it (mode {:04o}), who could make root start anything", mode & 0o7777))
    }
}

/// The base directory specification: a relative `XDG_CONFIG_HOME` counts as none.
#[expect(clippy::disallowed_methods, reason = "where the user's own file is is said by the environment")]
fn user_file() -> Option<PathBuf> {
    let absolute = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("unhang/unhang.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_advice_takes_rights_from_a_folder_that_is_not_unhangs_own() {
        let places = Places {
            user: None,
            main: "/etc/unhang/unhang.toml".into(),
            folder: "/etc/unhang/conf.d".into(),
            as_root: true,
        };
        let folder = |path: &str| places.cure(&Thing::Folder(Path::new(path)));
        for shared in ["/tmp", "/var/tmp", "/", "/etc", "/home", "/home/anna", "/opt/shop", "."] {
            let cure = "put the file into a folder that only root may write, such as /etc/unhang";
            assert_eq!(folder(shared), cure, "{shared}");
        }
        assert_eq!(folder("/etc/unhang"), "chown root /etc/unhang && chmod go-w /etc/unhang");
        assert_eq!(
            folder("/etc/unhang/conf.d/"),
            "chown root /etc/unhang/conf.d/ && chmod go-w /etc/unhang/conf.d/"
        );
        let file = places.cure(&Thing::File(Path::new("/tmp/a b; 'x'.toml")));
        let word = r"'/tmp/a b; '\''x'\''.toml'";
        assert_eq!(file, format!("chown root {word} && chmod go-w {word}"));
    }

    #[test]
    fn who_may_write_what_root_reads() {
        for (owner, mode, trusted) in [
            (0, 0o644, true),
            (0, 0o600, true),
            (0, 0o755, true),
            (0, 0o664, false),
            (0, 0o646, false),
            (0, 0o1777, false),
            (1000, 0o644, false),
        ] {
            assert_eq!(distrust(Writers { owner, mode }).is_none(), trusted, "{owner} {mode:o}");
        }
    }
}

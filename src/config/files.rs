//! Where configuration lies on this host, and its text; of `config` the only file that asks for either.
//! Judges no text.

use std::io;
use std::path::{Path, PathBuf};

use crate::os::files::{self, Writers};
use crate::words;

use super::settings::Problem;

/// Where to look, and how strictly.
#[derive(Debug)]
pub(super) struct ConfigPlaces {
    /// `None`: root, or no home is known.
    pub user: Option<PathBuf>,
    pub main: PathBuf,
    pub folder: PathBuf,
    /// What root reads decides what root starts: nobody else may write it.
    pub as_root: bool,
}

#[derive(Debug)]
pub(super) enum FileProblem {
    Missing,
    Unreadable(Problem),
}

impl ConfigPlaces {
    pub(super) fn of_this_host() -> Self {
        let as_root = rustix::process::geteuid().is_root();
        Self {
            user: if as_root { None } else { user_config_file() },
            main: PathBuf::from("/etc/unhang/unhang.toml"),
            folder: PathBuf::from("/etc/unhang/conf.d"),
            as_root,
        }
    }

    pub(super) fn read(&self, path: &Path) -> Result<String, FileProblem> {
        let (bytes, writers) = files::read_bounded(path, MAX_CONFIG_BYTES).map_err(|error| {
            let too_large = error.kind() == io::ErrorKind::FileTooLarge;
            if too_large {
                FileProblem::Unreadable("is larger than 1 MiB".into())
            } else {
                FileProblem::from(error)
            }
        })?;
        self.check_writers(writers, &Thing::File(path))?;
        String::from_utf8(bytes).map_err(|error| {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count().saturating_add(1);
            FileProblem::Unreadable(format!("line {line} is not UTF-8").into())
        })
    }

    /// The files of a folder that end in .toml, in name order, without hidden ones (an editor's).
    pub(super) fn list_toml_files(&self, folder: &Path) -> Result<Vec<PathBuf>, FileProblem> {
        let (names, writers) = files::names_ending(folder, ".toml")?;
        self.check_writers(writers, &Thing::Folder(folder))?;
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    /// Why a folder is not as safe as what lies in it.
    pub(super) fn unsafe_folder(&self, folder: &Path) -> Option<Problem> {
        self.check_writers(files::who_may_write(folder).ok()?, &Thing::Folder(folder))
            .err()
            .map(FileProblem::into_problem)
    }

    fn check_writers(&self, writers: Writers, thing: &Thing<'_>) -> Result<(), FileProblem> {
        match unsafe_owner_or_mode(writers) {
            Some(what) if self.as_root => {
                Err(FileProblem::Unreadable(Problem::with_cure(what, self.unsafe_path_cure(thing))))
            }
            _ => Ok(()),
        }
    }

    /// Only what is unhang's own is taken from others. Any other folder is somebody's: without its writers, /tmp or a
    /// home breaks the host.
    fn unsafe_path_cure(&self, thing: &Thing<'_>) -> String {
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

impl FileProblem {
    /// Another place was looked at before.
    pub(super) fn also_looked_at(self, path: &Path) -> Self {
        match self {
            Self::Missing => Self::Unreadable(missing_file(&format!("no such file, nor {}", path.display()))),
            refused @ Self::Unreadable(_) => refused,
        }
    }

    pub(super) fn into_problem(self) -> Problem {
        match self {
            Self::Unreadable(wrong) => wrong,
            Self::Missing => missing_file("no such file"),
        }
    }
}

fn missing_file(what: &str) -> Problem {
    let sample = "two lines in it are enough: [service.NAME] and url = \"http://localhost:8000/health/\"";
    Problem::with_cure(what, sample)
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Missing;
        }
        let cure = "run it as root; or, if no secret stands in it, chmod o+rX it";
        Self::Unreadable(format!("cannot be read: {}", words::io_error_or_cure(&error, cure)).into())
    }
}

const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

fn unsafe_owner_or_mode(Writers { owner, mode }: Writers) -> Option<String> {
    if owner != 0 {
        Some(format!("owned by user {owner}, who could run commands as root"))
    } else if mode & 0o022 == 0 {
        None
    } else {
        Some(format!("writable by others (mode {:04o}), who could run commands as root", mode & 0o7777))
    }
}

/// The base directory specification: a relative `XDG_CONFIG_HOME` counts as none.
#[expect(clippy::disallowed_methods, reason = "where the user's own file is is said by the environment")]
fn user_config_file() -> Option<PathBuf> {
    let absolute = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("unhang/unhang.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_advice_takes_rights_from_a_folder_that_is_not_unhangs_own() {
        let places = ConfigPlaces {
            user: None,
            main: "/etc/unhang/unhang.toml".into(),
            folder: "/etc/unhang/conf.d".into(),
            as_root: true,
        };
        let folder = |path: &str| places.unsafe_path_cure(&Thing::Folder(Path::new(path)));
        for shared in ["/tmp", "/var/tmp", "/", "/etc", "/home", "/home/anna", "/opt/shop", "."] {
            let cure = "put the file into a folder that only root may write, such as /etc/unhang";
            assert_eq!(folder(shared), cure, "{shared}");
        }
        assert_eq!(folder("/etc/unhang"), "chown root /etc/unhang && chmod go-w /etc/unhang");
        assert_eq!(
            folder("/etc/unhang/conf.d/"),
            "chown root /etc/unhang/conf.d/ && chmod go-w /etc/unhang/conf.d/"
        );
        let file = places.unsafe_path_cure(&Thing::File(Path::new("/tmp/a b; 'x'.toml")));
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
            assert_eq!(unsafe_owner_or_mode(Writers { owner, mode }).is_none(), trusted, "{owner} {mode:o}");
        }
    }
}

//! Whether a program could be started as cron would start it, found without starting anything.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::files;

/// The PATH of a crontab that sets none (crontab(5)).
pub(crate) const CRON_PATH: &str = "/usr/bin:/bin";

/// Where administrators and packages put programs besides, to tell where one was found.
const OTHER_FOLDERS: &str = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin";

/// What the kernel reads of a file to learn how it is run (BINPRM_BUF_SIZE).
const MAX_FIRST_LINE_BYTES: u64 = 256;

/// Why a program cannot be started.
#[derive(Debug)]
pub(crate) enum ProgramObstacle {
    /// There is no such file.
    Missing {
        /// A program of that name in another folder.
        elsewhere: Option<PathBuf>,
    },
    /// cron would not look in the folder where it is.
    NotForCron(PathBuf),
    IsFolder,
    NotExecutable(PathBuf),
    /// A pipe, a device; or it cannot be looked at.
    Unusable(io::Error),
    /// What its first line (`#!`) names cannot be started.
    NoInterpreter(String),
    /// It is a text that does not say what runs it, which the kernel refuses.
    NoFirstLine,
}

/// Why cron could not start this program. A name without a slash is looked for in each folder of its PATH, as
/// execvp(3) does.
pub(crate) fn find_obstacle(program: &str) -> Option<ProgramObstacle> {
    if program.contains('/') {
        return find_obstacle_at(Path::new(program));
    }
    let mut refused = None;
    for folder in std::env::split_paths(CRON_PATH) {
        match find_obstacle_at(&folder.join(program)) {
            None => return None,
            Some(ProgramObstacle::Missing { .. } | ProgramObstacle::IsFolder) => {}
            Some(obstacle) => refused = Some(obstacle),
        }
    }
    refused.or_else(|| Some(find_elsewhere(program).map_or(MISSING, ProgramObstacle::NotForCron)))
}

/// An error: this process could not start the program. A name without a slash is looked for in each folder of its own
/// PATH, as execvp(3) does.
#[expect(clippy::disallowed_methods, reason = "where a program is looked for is said by the environment")]
pub(crate) fn find_in_own_path(program: &str) -> io::Result<()> {
    if program.contains('/') {
        return files::is_program(Path::new(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut tried = std::env::split_paths(&path).map(|folder| files::is_program(&folder.join(program)));
    if tried.any(|found| found.is_ok()) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

const MISSING: ProgramObstacle = ProgramObstacle::Missing { elsewhere: None };

fn find_obstacle_at(path: &Path) -> Option<ProgramObstacle> {
    match files::is_program(path) {
        Ok(()) => find_obstacle_in_first_line(path),
        // A file in place of a folder on the way is no program either.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            let elsewhere = path.file_name().and_then(OsStr::to_str).and_then(find_elsewhere);
            Some(ProgramObstacle::Missing { elsewhere })
        }
        Err(_) if path.is_dir() => Some(ProgramObstacle::IsFolder),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.is_file() => {
            Some(ProgramObstacle::NotExecutable(path.to_owned()))
        }
        Err(error) => Some(ProgramObstacle::Unusable(error)),
    }
}

/// Looks for a program in the caller's PATH, and where programs mostly are.
#[expect(clippy::disallowed_methods, reason = "what the caller's shell finds is said by the environment")]
fn find_elsewhere(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&own).chain(std::env::split_paths(CRON_PATH));
    let mut tried = folders
        .chain(std::env::split_paths(OTHER_FOLDERS))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name));
    tried.find(|path| files::is_program(path).is_ok())
}

/// A script is run by the program that its first line names (execve(2)). What cannot be read is taken for good.
fn find_obstacle_in_first_line(path: &Path) -> Option<ProgramObstacle> {
    let begin = files::read_begin(path, MAX_FIRST_LINE_BYTES).ok()?;
    let Some(line) = begin.strip_prefix(b"#!") else {
        let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        return (begin.is_empty() || begin.iter().take(8).all(is_text))
            .then_some(ProgramObstacle::NoFirstLine);
    };
    // A carriage return at its end is part of the name for the kernel.
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
    let interpreter = Path::new(OsStr::from_bytes(words.next().unwrap_or_default()));
    if files::is_program(interpreter).is_err() {
        return Some(ProgramObstacle::NoInterpreter(interpreter.to_string_lossy().into_owned()));
    }
    // env(1) looks for its first word in PATH; before that stand its options and variables.
    let is_env = interpreter.file_name().is_some_and(|name| name == "env");
    let asked = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'=')).filter(|_| is_env)?;
    let asked = String::from_utf8_lossy(asked).into_owned();
    let is_found =
        std::env::split_paths(CRON_PATH).any(|folder| files::is_program(&folder.join(&asked)).is_ok());
    (!is_found).then_some(ProgramObstacle::NoInterpreter(asked))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_program_is_judged_as_the_kernel_and_cron_would() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str, mode: u32| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let found = |program: &str| find_obstacle(program).map(|obstacle| format!("{obstacle:?}"));
        for good in [
            "sh".to_owned(),
            "/bin/sh".to_owned(),
            file("script", "#!/bin/sh\n", 0o755),
            file("spaced", "#! /bin/sh -e\n", 0o755),
            file("env", "#!/usr/bin/env -S A=1 sh -e\n", 0o755),
            file("binary", "\u{7f}ELF", 0o755),
        ] {
            assert_eq!(found(&good), None, "{good}");
        }
        for (bad, expected) in [
            ("no-such-program".to_owned(), "Missing { elsewhere: None }"),
            ("/nowhere/sh".to_owned(), "Missing { elsewhere: Some("),
            ("/bin/sh/x-y".to_owned(), "Missing { elsewhere: None }"),
            ("/bin".to_owned(), "IsFolder"),
            ("/dev/null".to_owned(), "Unusable("),
            (file("plain", "#!/bin/sh\n", 0o644), "NotExecutable("),
            (file("gone", "#!/no/python\n", 0o755), "NoInterpreter(\"/no/python\")"),
            (file("dos", "#!/bin/sh\r\nexit\r\n", 0o755), "NoInterpreter(\"/bin/sh\\r\")"),
            (file("asks", "#!/usr/bin/env no-such\n", 0o755), "NoInterpreter(\"no-such\")"),
            (file("nothing", "#!\n", 0o755), "NoInterpreter(\"\")"),
            (file("text", "systemctl restart shop\n", 0o755), "NoFirstLine"),
            (file("empty", "", 0o755), "NoFirstLine"),
        ] {
            let found = found(&bad).unwrap_or_default();
            assert!(found.starts_with(expected), "{bad}: {found}");
        }
    }
}

//! A process by the file that holds its number. A file outlives its process, and the kernel gives the number to
//! another: whoever began after the file was written is not meant by it. Clocks are set, so that this is believed only
//! of a file that was right before in this boot; and who was right once is so for as long as it lives.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::os::files;
use crate::os::proc::processes::{self, ProcessState};
use crate::probe::fault::{classify_read_error, quote_error};
use crate::probe::kind::ProbeResult;
use crate::probe::{ProbeContext, with_timeout};

/// PostgreSQL writes eight lines more.
const MAX_PID_FILE_BYTES: u64 = 4096;

/// 1 s, and what the whole seconds of the file's time leave out.
const SLACK: Duration = Duration::from_secs(2);

/// What was found of a process and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PidFileContent {
    pid: u32,
    look: ProcessState,
    /// Since 1970.
    written: Duration,
    boot: String,
}

pub(super) fn probe_pid_file(file: &str, ground: &ProbeContext<'_>) -> ProbeResult {
    let path = file.to_owned();
    match with_timeout::run_with_timeout(ground.limit, move || read_pid_file(Path::new(&path))) {
        Ok(Ok(Some(seen))) => judge_pid_file(&seen, file, ground.memory),
        Ok(Ok(None)) => ProbeResult::unknown(format!("{file} does not begin with the number of a process")),
        // Whoever writes one takes it away at its end.
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            ProbeResult::failing(format!("there is no {file}"))
        }
        Ok(Err(error)) => ProbeResult::from_doubt(classify_read_error(file, &error)),
        Err(doubt) => ProbeResult::from_doubt(doubt),
    }
}

fn read_pid_file(path: &Path) -> io::Result<Option<PidFileContent>> {
    let (bytes, _) = files::read_bounded(path, MAX_PID_FILE_BYTES)?;
    let written = files::modified_at(path)?;
    let Some(pid) = parse_pid(&String::from_utf8_lossy(&bytes)) else { return Ok(None) };
    Ok(Some(PidFileContent {
        pid,
        look: processes::process_state(pid)?,
        written,
        boot: processes::boot_id(),
    }))
}

/// Of its first line.
fn parse_pid(text: &str) -> Option<u32> {
    let line = text.lines().next()?.trim();
    line.parse().ok().filter(|pid| *pid > 0 && line.bytes().all(|byte| byte.is_ascii_digit()))
}

fn judge_pid_file(seen: &PidFileContent, file: &str, memory: Option<&str>) -> ProbeResult {
    let PidFileContent { pid, look, written, boot } = seen;
    let file = quote_error(&file);
    let (start, began) = match look {
        ProcessState::Gone => return ProbeResult::failing(format!("process {pid} of {file} is gone")),
        ProcessState::Hidden => {
            let cure = super::rights_cure();
            return ProbeResult::unknown(format!(
                "process {pid} of {file} is not shown to this user: {cure}"
            ));
        }
        ProcessState::Running { start, began } => (start, *began),
    };
    let this = format!("{boot} {pid} {start}");
    if memory == Some(&this) || began.saturating_sub(SLACK) <= *written {
        return ProbeResult::ok(format!("process {pid} of {file} lives")).with_cursor(this);
    }
    let was_right = memory.and_then(|memory| memory.split(' ').next()).is_some_and(|known| known == boot);
    if was_right && !boot.is_empty() {
        return ProbeResult::failing(format!(
            "process {pid} began after {file} was written: it is another one"
        ));
    }
    ProbeResult::unknown(format!("process {pid} began after {file} was written, or the clock was set since"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "/run/shop.pid";

    fn lives(start: u64, began: u64, written: u64) -> PidFileContent {
        let look = ProcessState::Running { start, began: Duration::from_secs(began) };
        PidFileContent { pid: 7, look, written: Duration::from_secs(written), boot: "b1".to_owned() }
    }

    fn well(start: u64) -> ProbeResult {
        ProbeResult::ok("process 7 of /run/shop.pid lives").with_cursor(format!("b1 7 {start}"))
    }

    #[test]
    fn a_process_that_began_before_its_file_was_written_is_meant_by_it() {
        for (began, written) in [(10, 10), (10, 900), (12, 10)] {
            assert_eq!(judge_pid_file(&lives(1, began, written), FILE, None), well(1), "{began} {written}");
        }
    }

    #[test]
    fn another_process_of_the_same_number_is_not_meant() {
        let another = lives(5, 13, 10);
        let failing = "process 7 began after /run/shop.pid was written: it is another one";
        assert_eq!(judge_pid_file(&another, FILE, Some("b1 7 1")), ProbeResult::failing(failing));
        let doubt = "process 7 began after /run/shop.pid was written, or the clock was set since";
        for memory in [None, Some(""), Some("b0 7 1"), Some("b0 7 5"), Some("b11 7 1"), Some("7 5")] {
            assert_eq!(judge_pid_file(&another, FILE, memory), ProbeResult::unknown(doubt), "{memory:?}");
        }
        let nowhere = PidFileContent { boot: String::new(), ..another };
        assert_eq!(judge_pid_file(&nowhere, FILE, Some(" 7 1")), ProbeResult::unknown(doubt));
    }

    #[test]
    fn a_clock_that_is_set_makes_no_process_another() {
        assert_eq!(judge_pid_file(&lives(5, 10, 10), FILE, None), well(5));
        // An hour on, and the file's time stays what it was.
        assert_eq!(judge_pid_file(&lives(5, 3610, 10), FILE, Some("b1 7 5")), well(5));
    }

    #[test]
    fn who_is_gone_is_told_from_who_is_not_shown() {
        let of = |look| judge_pid_file(&PidFileContent { look, ..lives(1, 1, 1) }, FILE, Some("b1 7 1"));
        assert_eq!(of(ProcessState::Gone), ProbeResult::failing("process 7 of /run/shop.pid is gone"));
        let hidden = format!(
            "process 7 of /run/shop.pid is not shown to this user: {}",
            crate::probe::process::rights_cure()
        );
        assert_eq!(of(ProcessState::Hidden), ProbeResult::unknown(hidden));
    }

    #[test]
    fn a_file_begins_with_its_number() {
        for (text, expected) in [
            ("4711\n", Some(4711)),
            (" 4711 ", Some(4711)),
            ("4711\n/var/lib/postgresql/15/main\n1700000000\n", Some(4711)),
            ("", None),
            ("\n4711\n", None),
            ("0\n", None),
            ("-1\n", None),
            ("+1\n", None),
            ("4711 4712\n", None),
            ("4294967296\n", None),
            ("none\n", None),
        ] {
            assert_eq!(parse_pid(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_no_number_is_none(text in "\\PC{0,12}") {
            prop_assert!(parse_pid(&text).is_none() || text.trim().bytes().all(|byte| byte.is_ascii_digit()));
        }

        #[test]
        fn only_who_lives_is_well(memory in "(b1 7 [0-9]|\\PC{0,9})", start in 0..9_u64, began in 0..99_u64, written in 0..99_u64) {
            let found = judge_pid_file(&lives(start, began, written), FILE, Some(&memory));
            let right = began <= written + 2 || memory == format!("b1 7 {start}");
            prop_assert_eq!(found == well(start), right);
        }
    }
}

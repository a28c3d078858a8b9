//! `command = ["pg_isready", "-q"]`: a program of the operator's, without a shell, whose whole process group is
//! killed when time is over. Its exit status tells, or its output; the first line of that is kept.
#![expect(clippy::disallowed_methods, reason = "this probe starts the operator's program")]

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::fnv::fnv1a_hash;
use crate::os::proc::confinement;
use crate::os::process::{self, ProcessEnd, ProcessOutput};
use crate::plan::{KeySpec, KindSpec, Params, Program, ValueType, accept_text};
use crate::words;

use super::answer::ProbeContext;
use super::body;
use super::fault::{classify_scarcity, quote_error};
use super::kind::{ProbeKind, ProbeResult, Status};

pub(super) const KIND: ProbeKind = ProbeKind {
    spec: KindSpec::new(COMMAND, &[EXITS, CONTAINS, EVERY, body::MAX])
        .validate(body::limit_conflict)
        .starts(|given| given.list(&COMMAND).first().map(|word| Program::Configured(word))),
    ask: probe_command,
};

const COMMAND: KeySpec = KeySpec::new("command", ValueType::Command)
    .help("A program and its arguments, no shell: well if it ends with 0");
const EXITS: KeySpec = KeySpec::new("exits", ValueType::OneOf(&["zero", PLUGIN]))
    .default("zero")
    .help("plugin: 1 warns, 2 fails, 3 is unknown");
const CONTAINS: KeySpec =
    KeySpec::new("contains", ValueType::Text(accept_text)).help("What its output must hold");

const EVERY: KeySpec = KeySpec::new("every", ValueType::Span)
    .help("So long a good result stands, before the program is started again");

/// The convention of monitoring plugins (monitoring-plugins.org, development guidelines): 1 warns, 2 is
/// critical, 3 is not known.
const PLUGIN: &str = "plugin";

fn probe_command(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let memory = Memory::of(ground.memory.unwrap_or_default());
    let every = given.span(&EVERY);
    if let Some(found) = every.and_then(|every| last_result(given, every, memory.last, ground.now)) {
        return found;
    }
    let found = ask_now(given, ground);
    let proof = confinement::find_sandbox().map(|sandbox| proof_of(given, &sandbox));
    doubt_in_sandbox(found, given, memory, proof.as_deref(), ground.now)
}

/// What was remembered: in which sandbox it was well, and the last result where one stands for a time.
#[derive(Debug, Clone, Copy)]
struct Memory<'a> {
    proof: Option<&'a str>,
    last: &'a str,
}

impl<'a> Memory<'a> {
    fn of(text: &'a str) -> Self {
        match text.split_once(' ').filter(|(proof, _)| proof.starts_with(WELL_IN)) {
            Some((proof, last)) => Self { proof: Some(proof), last },
            None => Self { proof: None, last: text },
        }
    }
}

const WELL_IN: &str = "in=";

/// That this very program was well in this very sandbox.
fn proof_of(given: &Params, sandbox: &str) -> String {
    format!("{WELL_IN}{:016x}", fnv1a_hash([result_subject(given).as_str(), sandbox].join(" ").as_bytes()))
}

/// `proof`: of the sandbox of this run, if it is in one. What fails there and never was well there may fail for what
/// was taken from it.
fn doubt_in_sandbox(
    found: ProbeResult,
    given: &Params,
    memory: Memory<'_>,
    proof: Option<&str>,
    now: Duration,
) -> ProbeResult {
    let is_proven = proof.is_none() || memory.proof == proof;
    let kept = |proof: Option<&str>, last: &str| {
        proof.map_or_else(|| last.to_owned(), |proof| [proof, " ", last].concat())
    };
    let is_kept = given.span(&EVERY).is_some();
    let (is, words) = match &found.is {
        Status::Ok(words) => ("well", words),
        Status::Warning(words) => ("near", words),
        Status::Failing(words) if !is_proven => {
            return ProbeResult::unknown(format!("{words}{NEVER_WELL_HERE}"));
        }
        // What fails is asked in every run: it is to count, and its end to be seen.
        Status::Failing(_) | Status::Unknown(_) | Status::Http(_) if is_kept => {
            return found.with_cursor(kept(memory.proof, ""));
        }
        Status::Failing(_) | Status::Unknown(_) | Status::Http(_) => return found,
    };
    let last = if is_kept { memory_of(given, now, is, words) } else { String::new() };
    let proof = proof.or(memory.proof);
    // Nothing to remember is nothing to write.
    if proof.is_none() && last.is_empty() { found } else { found.with_cursor(kept(proof, &last)) }
}

const NEVER_WELL_HERE: &str = "; never well in the sandbox of this run: see The sandbox in unhang(8)";

/// The good result of a run before, with its age. `None`: there is none of this program, or it is too old.
fn last_result(given: &Params, every: Duration, memory: &str, now: Duration) -> Option<ProbeResult> {
    let [told_of, then, is, words] = memory.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
    let then = Duration::from_secs(then.parse().ok()?);
    // A clock that was set back makes it older than it is known to be.
    let age = now.checked_sub(then).filter(|age| told_of == result_subject(given) && *age < every)?;
    let with_age = format!("{words} ({} ago)", words::format_duration(age));
    match is {
        "well" => Some(ProbeResult::ok(with_age)),
        "near" => Some(ProbeResult::warning(with_age)),
        _ => None,
    }
}

fn memory_of(given: &Params, now: Duration, is: &str, words: &str) -> String {
    format!("{} {} {is} {words}", result_subject(given), now.as_secs())
}

/// What tells that a result is that of this very program, judged alike.
fn result_subject(given: &Params) -> String {
    let words = given.list(&COMMAND).iter().map(String::as_str);
    let all: Vec<&str> = words.chain([given.text(&EXITS), given.text(&CONTAINS)]).collect();
    format!("{:016x}", fnv1a_hash(all.join("\0").as_bytes()))
}

fn ask_now(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    let Some((program, arguments)) = given.list(&COMMAND).split_first() else {
        return ProbeResult::unknown("there is no command");
    };
    let mut command = Command::new(program);
    command.args(arguments);
    match process::run_program(command, ground.limit, body::limit_of(given).saturating_add(1)) {
        Ok(ran) => judge_run(&ran, given, &words::format_duration(ground.limit)),
        Err(error) => not_begun(program, &error),
    }
}

/// A program that is not there says nothing of the service.
fn not_begun(program: &str, error: &io::Error) -> ProbeResult {
    match classify_scarcity(error) {
        Some(doubt) => ProbeResult::from_doubt(doubt),
        None => ProbeResult::unknown(format!("{program} cannot be started: {}", words::io_error_text(error))),
    }
}

fn judge_run(ran: &ProcessOutput, given: &Params, limit: &str) -> ProbeResult {
    let said = telling_line(&ran.stdout).or_else(|| telling_line(&ran.stderr)).unwrap_or_default();
    let with = |what: String| if said.is_empty() { what } else { format!("{what}: {said}") };
    let ProcessEnd::Exited(status) = ran.end else {
        return ProbeResult::failing(with(format!("not ended within {limit}")));
    };
    let is_plugin = given.text(&EXITS) == PLUGIN;
    match status.code() {
        // As shells and env(1) say that there was nothing to run.
        Some(code @ (126 | 127)) => ProbeResult::unknown(with(format!("exit status {code}"))),
        // So a shell says it of what it started.
        Some(code) if code == 128 + Signal::SYS.as_raw() => {
            ProbeResult::unknown(with(NO_SUCH_CALL.to_owned()))
        }
        Some(0) => judge_output(ran, given, &said),
        Some(1) if is_plugin => ProbeResult::warning(with("WARNING".to_owned())),
        Some(2) if is_plugin => ProbeResult::failing(with("CRITICAL".to_owned())),
        Some(code) if is_plugin => ProbeResult::unknown(with(format!("exit status {code}"))),
        Some(code) => ProbeResult::failing(with(format!("exit status {code}"))),
        None if status.signal() == Some(Signal::SYS.as_raw()) => {
            ProbeResult::unknown(with(NO_SUCH_CALL.to_owned()))
        }
        None => ProbeResult::failing(with("killed by a signal".to_owned())),
    }
}

/// It says nothing of the service: whoever started us forbade it (seccomp(2)).
const NO_SUCH_CALL: &str = "killed for a system call that the sandbox of this run forbids (SIGSYS)";

fn judge_output(ran: &ProcessOutput, given: &Params, said: &str) -> ProbeResult {
    let (wanted, limit) = (given.text(&CONTAINS), body::limit_of(given));
    let has = String::from_utf8_lossy(&ran.stdout).contains(wanted);
    match (has, said) {
        (true, "") => ProbeResult::ok("exit status 0"),
        (true, said) => ProbeResult::ok(said),
        // One byte more was kept.
        (false, _) if ran.stdout.len() > limit => {
            let limit = body::format_limit(limit);
            ProbeResult::unknown(format!(
                "its output is longer than {limit}, and so far has no \"{}\": raise body.max",
                quote_error(&wanted)
            ))
        }
        (false, said) => {
            ProbeResult::failing(format!("its output has no \"{}\": {said}", quote_error(&wanted)))
        }
    }
}

/// The first one; of a traceback of Python's the one behind its frames, which says why. Without what may drive a
/// terminal.
fn telling_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    // Of an error that came of another one, the last.
    let frames = text.rfind(TRACEBACK).filter(|_| first.starts_with(TRACEBACK)).and_then(|at| text.get(at..));
    let is_of_a_frame = |line: &str| line.starts_with([' ', '\t']) || line.is_empty();
    let why = frames.and_then(|frames| frames.lines().skip(1).find(|line| !is_of_a_frame(line)));
    Some(quote_error(&why.unwrap_or(first).trim()))
}

const TRACEBACK: &str = "Traceback (most recent call last)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ParamValue;
    use std::time::Instant;

    fn sh(script: &str, keys: &[(&'static str, &str)]) -> ProbeResult {
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        run(words, keys, Duration::from_secs(5))
    }

    fn run(words: Vec<String>, keys: &[(&'static str, &str)], limit: Duration) -> ProbeResult {
        let mut given = Params::default();
        given.0.insert("command", ParamValue::List(words));
        given.0.extend(keys.iter().map(|(key, value)| (*key, ParamValue::Text((*value).to_owned()))));
        probe_command(&given, &ProbeContext { limit, ..ProbeContext::default() })
    }

    #[test]
    fn the_exit_status_tells() {
        for (script, expected) in [
            ("exit 0", ProbeResult::ok("exit status 0")),
            ("echo; echo ' accepting connections '; echo more", ProbeResult::ok("accepting connections")),
            ("exit 1", ProbeResult::failing("exit status 1")),
            ("echo no response; exit 2", ProbeResult::failing("exit status 2: no response")),
            ("echo why >&2; exit 3", ProbeResult::failing("exit status 3: why")),
            (
                "printf 'Traceback (most recent call last):\\n  File \"manage.py\"\\nKeyError: 1\\n' >&2; exit 1",
                ProbeResult::failing("exit status 1: KeyError: 1"),
            ),
            (
                "printf 'Traceback (most recent call last):\\n  a\\nKeyError: 1\\n\\nand then:\\n\\nTraceback (most recent call last):\\n  b\\n    ^\\nDown: refused\\n\\tIs it running?\\n'; exit 1",
                ProbeResult::failing("exit status 1: Down: refused"),
            ),
            (
                "printf 'Traceback (most recent call last):\\n  and its end is cut'; exit 1",
                ProbeResult::failing("exit status 1: Traceback (most recent call last):"),
            ),
            ("exit 127", ProbeResult::unknown("exit status 127")),
            ("kill -9 $$", ProbeResult::failing("killed by a signal")),
            (r"printf '\033[31mred\n'; exit 1", ProbeResult::failing(r"exit status 1: \u{1b}[31mred")),
        ] {
            assert_eq!(sh(script, &[]), expected, "{script}");
        }
    }

    #[test]
    fn a_good_result_stands_for_its_time_and_a_bad_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let told = dir.path().join("told");
        let script = format!("read code <{0}; echo \"$code asked\"; exit $code", told.display());
        let ask_at = |seconds: u64, code: &str, script: &str, memory: Option<&str>| {
            std::fs::write(&told, code).unwrap();
            let mut given = Params::default();
            let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
            given.0.insert("command", ParamValue::List(words));
            given.0.insert("every", ParamValue::Span(Duration::from_secs(3600)));
            given.0.insert("exits", ParamValue::Text("plugin".to_owned()));
            let (limit, now) = (Duration::from_secs(5), Duration::from_secs(seconds));
            probe_command(&given, &ProbeContext { now, limit, memory, ..ProbeContext::default() }).in_parts()
        };
        let (found, memory) = ask_at(10_000, "0", &script, None);
        assert_eq!(found, ProbeResult::ok("0 asked"));
        let memory = memory.unwrap();
        for (at, code, script, expected) in [
            (10_120, "2", script.as_str(), ProbeResult::ok("0 asked (2 min ago)")),
            (13_599, "2", &script, ProbeResult::ok("0 asked (59 min 59 s ago)")),
            (13_600, "2", &script, ProbeResult::failing("CRITICAL: 2 asked")),
            // The clock was set back; and this is another program.
            (9_000, "2", &script, ProbeResult::failing("CRITICAL: 2 asked")),
            (10_120, "2", &format!("{script} "), ProbeResult::failing("CRITICAL: 2 asked")),
        ] {
            assert_eq!(ask_at(at, code, script, Some(&memory)).0, expected, "{at}");
        }
        // A warning stands too; nothing stands of what fails.
        let (_, warned) = ask_at(20_000, "1", &script, None);
        assert_eq!(
            ask_at(20_060, "0", &script, warned.as_deref()).0,
            ProbeResult::warning("WARNING: 1 asked (60 s ago)")
        );
        let (_, failed) = ask_at(20_000, "2", &script, Some(&memory));
        assert_eq!(ask_at(20_060, "0", &script, failed.as_deref()).0, ProbeResult::ok("0 asked"));
        for broken in ["", "a", "a b c d", "0000000000000000 1 well x"] {
            assert_eq!(ask_at(2, "0", &script, Some(broken)).0, ProbeResult::ok("0 asked"), "{broken}");
        }
    }

    #[test]
    fn what_was_never_well_in_a_sandbox_is_not_known_there() {
        let given = |script: &str| {
            let mut given = Params::default();
            let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
            given.0.insert("command", ParamValue::List(words));
            given
        };
        let (probe, now) = (given("true"), Duration::from_secs(9));
        let weigh = |found: ProbeResult, memory: &str, sandbox: Option<&str>| {
            let proof = sandbox.map(|sandbox| proof_of(&probe, sandbox));
            doubt_in_sandbox(found, &probe, Memory::of(memory), proof.as_deref(), now).in_parts()
        };
        let failing = || ProbeResult::failing("exit status 1");
        let not_known = ProbeResult::unknown(format!("exit status 1{NEVER_WELL_HERE}"));
        assert_eq!(weigh(failing(), "", None), (failing(), None), "in none");
        assert_eq!(weigh(failing(), "", Some("2 1 22")), (not_known.clone(), None));
        let (_, well) = weigh(ProbeResult::ok("fine"), "", Some("2 1 22"));
        let well = well.unwrap();
        assert_eq!(weigh(failing(), &well, Some("2 1 22")), (failing(), None), "it was well there");
        assert_eq!(weigh(failing(), &well, Some("2 1 0")), (not_known.clone(), None), "not in this one");
        assert_eq!(
            weigh(ProbeResult::ok("fine"), &well, None).1,
            Some(well.clone()),
            "cron takes no proof away"
        );
        let other = proof_of(&given("false"), "2 1 22");
        assert_eq!(
            weigh(failing(), &format!("{other} "), Some("2 1 22")).0,
            not_known,
            "nor has this program"
        );
    }

    #[test]
    fn a_forbidden_system_call_is_no_evidence() {
        for script in ["kill -SYS $$", "exec 2>/dev/null; sh -c 'kill -SYS $$'; exit $?"] {
            assert_eq!(sh(script, &[]), ProbeResult::unknown(NO_SUCH_CALL), "{script}");
            assert_eq!(sh(script, &[("exits", "plugin")]), ProbeResult::unknown(NO_SUCH_CALL), "{script}");
        }
    }

    #[test]
    fn a_plugin_has_exit_statuses_of_its_own() {
        for (script, expected) in [
            ("echo OK - fine", ProbeResult::ok("OK - fine")),
            ("echo near; exit 1", ProbeResult::warning("WARNING: near")),
            ("exit 2", ProbeResult::failing("CRITICAL")),
            ("exit 3", ProbeResult::unknown("exit status 3")),
            ("exit 4", ProbeResult::unknown("exit status 4")),
        ] {
            assert_eq!(sh(script, &[("exits", "plugin")]), expected, "{script}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_told_from_one() {
        let contains = [("contains", "PONG")];
        assert_eq!(sh("echo PONG", &contains), ProbeResult::ok("PONG"));
        let loading = "LOADING Redis is loading the dataset in memory";
        let expected = ProbeResult::failing(format!("its output has no \"PONG\": {loading}"));
        assert_eq!(sh(&format!("echo {loading}"), &contains), expected);
    }

    #[test]
    fn a_text_that_may_come_behind_the_limit_is_not_missed() {
        let noisy = |bytes: u64, max: u64| {
            let mut given = Params::default();
            let script = format!("yes | head -c {bytes}; echo PONG");
            given
                .0
                .insert("command", ParamValue::List(["/bin/sh", "-c", &script].map(str::to_owned).to_vec()));
            given.0.insert("contains", ParamValue::Text("PONG".to_owned()));
            given.0.insert("body.max", ParamValue::Number(max));
            probe_command(&given, &ProbeContext { limit: Duration::from_secs(5), ..ProbeContext::default() })
        };
        assert_eq!(noisy(100_000, 128 * 1024), ProbeResult::ok("y"));
        let longer = "its output is longer than 64K, and so far has no \"PONG\": raise body.max";
        assert_eq!(noisy(100_000, 64 * 1024), ProbeResult::unknown(longer));
    }

    #[test]
    fn time_over_kills_the_whole_group_and_a_missing_program_is_no_evidence() {
        let began = Instant::now();
        let words = ["/bin/sh", "-c", "echo begun; sleep 60 & sleep 61"].map(str::to_owned).to_vec();
        let found = run(words, &[], Duration::from_millis(300));
        assert_eq!(found, ProbeResult::failing("not ended within 300 ms: begun"));
        assert!(began.elapsed() < Duration::from_secs(5));
        let found = run(vec!["/no/such".to_owned()], &[], Duration::from_secs(1));
        assert_eq!(found, ProbeResult::unknown("/no/such cannot be started: No such file or directory"));
    }
}

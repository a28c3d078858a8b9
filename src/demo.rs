//! `unhang demo`: a small web server of ours hangs, and the ordinary `unhang run` finds and restarts it,
//! in a folder that goes away again. Everything in it is real but the two minutes between ticks. No
//! other room calls this one.
#![expect(clippy::disallowed_methods, reason = "starts the server and `unhang run`, as cron would")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal};

use crate::exit::Exit;
use crate::os::folder::Folder;
use crate::os::process;
use crate::places::MAX_STATE_BYTES;
use crate::report::{self, Terminal};

/// In the demo's folder: who the server is, where it listens, and that it shall hang.
const SERVER: &str = "server";
const PORT: &str = "port";
const HANG: &str = "hang";
const DEMO: &str = "demo";

/// The bound of each of these files, in bytes, for who writes it and who reads it.
const MAX_FILE_BYTES: u64 = 64;

/// Longer than the whole demo takes.
const LIFETIME: Duration = Duration::from_secs(60);

/// For a server to come up or go away.
const PATIENCE: Duration = Duration::from_secs(10);

/// cron's two minutes, shortened; a little longer than the `--min-gap` of the demo.
const BETWEEN_TICKS: Duration = Duration::from_millis(1_200);

pub(crate) fn run_demo(screen: &Terminal) -> anyhow::Result<Exit> {
    let told = |error| anyhow!("demo: {error:#}; nothing was touched but a folder of its own");
    in_own_folder(screen).map_err(told)
}

fn in_own_folder(screen: &Terminal) -> anyhow::Result<Exit> {
    let dir = std::env::temp_dir().join(format!("unhang-demo-{}", std::process::id()));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .with_context(|| format!("{}: cannot be made", dir.display()))?;
    let shown = show_demo(&dir, screen);
    stop_server(&dir);
    let _ = std::fs::remove_dir_all(&dir);
    shown
}

/// Hidden: the server. Hangs for ever once it is told to; only a restart helps.
pub(crate) fn serve_demo_app(dir: &Path) -> anyhow::Result<Exit> {
    let folder = Folder::open(dir).with_context(|| format!("{}", dir.display()))?;
    let listener = match read_number(&folder, PORT) {
        Some(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, u16::try_from(port)?)),
        None => at_a_lasting_port(),
    };
    let listener = listener.context("cannot listen")?;
    folder.replace(PORT, listener.local_addr()?.port().to_string().as_bytes(), MAX_FILE_BYTES)?;
    folder.replace(SERVER, process_identity(std::process::id()).as_bytes(), MAX_FILE_BYTES)?;
    let (hung, flag) = (Arc::new(AtomicBool::new(false)), dir.join(HANG));
    thread::Builder::new().spawn(move || {
        for stream in listener.incoming().flatten() {
            let (hung, flag) = (Arc::clone(&hung), flag.clone());
            let _ = thread::Builder::new().spawn(move || answer_connection(stream, &hung, &flag));
        }
    })?;
    outlive_nobody(&folder, dir);
    Ok(Exit::Healthy)
}

/// One that the kernel gives to nobody by itself (ip(7), ip_local_port_range: from 32768 on): between two lives of
/// the server, nobody else gets it.
fn at_a_lasting_port() -> io::Result<TcpListener> {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or_default();
    let mut tried = (first..).take(100).map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    tried.find(Result::is_ok).unwrap_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
}

/// Hidden: the restart command of the demo.
pub(crate) fn restart_demo_app(dir: &Path) -> anyhow::Result<Exit> {
    stop_server(dir);
    start_server(dir)?;
    Ok(Exit::Healthy)
}

fn show_demo(dir: &Path, screen: &Terminal) -> anyhow::Result<Exit> {
    let folder = Folder::open(dir)?;
    folder.replace(DEMO, process_identity(std::process::id()).as_bytes(), MAX_FILE_BYTES)?;
    start_server(dir)?;
    let port = read_number(&folder, PORT).context("the server did not say its port")?;
    let url = format!("http://127.0.0.1:{port}/health/");
    let say = |text: &str| print_paragraph(text, screen);
    let expect = |code: i32, explanation: &str| run_and_explain(dir, &url, code, explanation, screen);
    say(&format!("A small web server of ours answers at {url}."));
    say(&format!("Everything is kept in {}, which goes away at the end.\n", dir.display()));

    say("cron would run this every 2 minutes; here it is a bit more than a second:\n");
    say(&format!("  $ {}\n", run_command(dir, &url)?.1));
    expect(0, "Healthy: it says nothing, and exits with 0.\n")?;

    say("Now the server hangs: it takes connections, and never answers. systemd would call it active.\n");
    folder.replace(HANG, b"", MAX_FILE_BYTES)?;
    thread::sleep(BETWEEN_TICKS);
    expect(1, "One failure is not enough: it is counted, and the run exits with 1.")?;
    say(&state_line(dir)?);
    thread::sleep(BETWEEN_TICKS);
    expect(0, "The second one was: looked at again, restarted, and proven healthy.\n")?;
    expect(0, "The next run has nothing to say. What it remembers:")?;
    say(&state_line(dir)?);
    say("That was it. To watch a service of yours: see README.md, or `unhang run --help`.");
    Ok(Exit::Healthy)
}

/// Runs one tick, whose log lines appear as they happen, and explains it.
fn run_and_explain(
    dir: &Path,
    url: &str,
    code: i32,
    explanation: &str,
    screen: &Terminal,
) -> anyhow::Result<()> {
    let mut command = run_command(dir, url)?.0;
    let status = command.status().context("unhang cannot run itself")?;
    if status.code() != Some(code) {
        bail!("this run ended with {status}, and should have with {code}; please report it");
    }
    print_paragraph(explanation, screen);
    Ok(())
}

/// The command, and how one would type it.
fn run_command(dir: &Path, url: &str) -> anyhow::Result<(Command, String)> {
    let exe = own_path()?;
    let restart = format!("['{}', 'demo-restart', '{}']", exe.display(), dir.display());
    let arguments = [
        ("--restart-command", restart),
        ("--url", url.to_owned()),
        ("--name", "Demo".to_owned()),
        ("--timeout", "1s".to_owned()),
        ("--min-gap", "1s".to_owned()),
        ("--grace", "1s".to_owned()),
        ("--boot-grace", "0s".to_owned()),
        ("--log-file", dir.join("demo.log").display().to_string()),
        ("--state-dir", dir.join("state").display().to_string()),
    ];
    let mut command = plain_command(&exe);
    command.args(["run", "-v"]);
    for (flag, value) in &arguments {
        command.args([flag, value.as_str()]);
    }
    let typed = format!("unhang run -v --url {url} --restart-command ... --timeout 1s --min-gap 1s ...");
    Ok((command, typed))
}

/// Nothing of the user's environment may change what the demo shows.
fn plain_command(exe: &Path) -> Command {
    let mut command = Command::new(exe);
    command.env_clear();
    for name in ["PATH", "TZ", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// What the state file says, in one line.
fn state_line(dir: &Path) -> anyhow::Result<String> {
    let bytes = Folder::open(&dir.join("state"))?
        .read("Demo.json", MAX_STATE_BYTES)?
        .context("no state was written")?;
    let state: serde_json::Value = serde_json::from_slice(&bytes)?;
    let restarts = state.get("restarts").and_then(|restarts| restarts.as_array()).into_iter().flatten();
    let outcomes: Vec<&str> = restarts.filter_map(|restart| restart.get("outcome")?.as_str()).collect();
    let told = ["verdict", "reason", "cause/code", "streak", "failures"]
        .map(|at| (at.split('/').next().unwrap_or(at), at));
    let told: Vec<String> = told
        .iter()
        .filter_map(|(key, at)| Some(format!("{key} {}", state.pointer(&format!("/{at}"))?)))
        .collect();
    let line = format!("  state/Demo.json: {}", told.join(", "));
    let outcomes = if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") };
    Ok(format!("{}; restarts: {outcomes}\n", line.replace('"', "")))
}

fn start_server(dir: &Path) -> anyhow::Result<()> {
    let mut command = plain_command(&own_path()?);
    command.arg("demo-server").arg(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: Ctrl-C ends the demo, and the server cleans up after it.
    command.process_group(0).spawn().context("the server cannot be started")?;
    let folder = Folder::open(dir)?;
    await_that(|| {
        read_number(&folder, PORT).is_some_and(is_answering)
            && folder.read(SERVER, MAX_FILE_BYTES).is_ok_and(|who| who.is_some())
    })
    .context("the server does not come up")
}

fn stop_server(dir: &Path) {
    let Ok(folder) = Folder::open(dir) else { return };
    let Some((pid, started)) = read_identity(&folder, SERVER) else { return };
    if process::is_running(pid, started)
        && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    let _ = await_that(|| !process::is_running(pid, started));
    let _ = folder.remove(SERVER);
}

/// One connection. A hung server keeps what it took.
fn answer_connection(mut stream: TcpStream, hung: &AtomicBool, flag: &Path) {
    let mut head = Vec::new();
    let mut some = [0; 512];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(n) if n > 0 => head.extend_from_slice(some.get(..n).unwrap_or_default()),
            Ok(_) | Err(_) => return,
        }
    }
    if flag.exists() {
        hung.store(true, Ordering::Relaxed);
        let _ = std::fs::remove_file(flag);
    }
    if hung.load(Ordering::Relaxed) {
        thread::sleep(LIFETIME);
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n");
}

/// Until the demo has ended, however that came; then nothing of it is left.
fn outlive_nobody(folder: &Folder, dir: &Path) {
    let began = Instant::now();
    while began.elapsed() < LIFETIME
        && read_identity(folder, DEMO).is_some_and(|(pid, started)| process::is_running(pid, started))
    {
        thread::sleep(Duration::from_millis(200));
    }
    let _ = std::fs::remove_dir_all(dir);
}

fn is_answering(port: u64) -> bool {
    u16::try_from(port).is_ok_and(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
}

fn await_that(mut is_so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > PATIENCE {
            bail!("not within {} s", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A process's number and start, so that no later one is taken for it.
fn process_identity(pid: u32) -> String {
    format!("{pid} {}", process::start_time(pid).unwrap_or(0))
}

fn read_identity(folder: &Folder, name: &str) -> Option<(u32, u64)> {
    let bytes = folder.read(name, MAX_FILE_BYTES).ok()??;
    let text = String::from_utf8(bytes).ok()?;
    let (pid, started) = text.split_once(' ')?;
    Some((pid.parse().ok()?, started.parse().ok()?))
}

fn read_number(folder: &Folder, name: &str) -> Option<u64> {
    String::from_utf8(folder.read(name, MAX_FILE_BYTES).ok()??).ok()?.parse().ok()
}

fn own_path() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("unhang cannot find itself")
}

fn print_paragraph(text: &str, screen: &Terminal) {
    text.split('\n').flat_map(|line| screen.wrap(line)).for_each(report::print_line);
}

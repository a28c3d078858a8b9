//! Every state file there can be, and every folder for it: what a run makes of it, and that the service is healed
//! all the same.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::injected::{HEAL, failed_once, heals};
use crate::laws::{Laws, State};
use crate::messages;
use crate::stage::{DISK, MEMORY, Stage, is_root};

/// What stands where the state should, and what a run says of it.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    put: fn(&Stage),
    says: &'static str,
    /// What runs after it may say.
    later: &'static [&'static str],
    /// `None`: it is left alone, and so is the service.
    healed_within: Option<usize>,
    /// Nobody else can try it.
    pub(crate) only: Who,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    Root,
    /// Root may read and write whatever its rights are.
    User,
}

impl Who {
    pub(crate) fn are_we(self) -> bool {
        self == Self::Anybody || (self == Self::Root) == is_root()
    }
}

const ASIDE: &str =
    "unhang: app: state file unreadable (*): kept as app.json.corrupt-*; counting from zero\n";
const NEWER: &str = "unhang: app: *app.json was written by a newer unhang (version *); skipped: *\n";
const UNREAD: &str = "unhang: app: cannot read *app.json: *; skipped in this run\n";
const IN_MEMORY: &str = "unhang: app: cannot save the state to disk: *; kept in memory until the disk works (a reboot loses it)\n";
const UNUSABLE: &str = "unhang: app: state file unreadable (*): its folder cannot be used; counting from zero\n\
                        unhang: app: cannot save the state to disk: *; kept in memory until the disk works (a reboot loses it)\n";

const fn broken(name: &'static str, put: fn(&Stage)) -> Shape {
    Shape { name, put, says: ASIDE, later: &[], healed_within: Some(3), only: Who::Anybody }
}

pub(crate) const SHAPES: &[Shape] = &[
    broken("empty", |stage| put(stage, b"")),
    broken("blank", |stage| put(stage, b" \n\n")),
    broken("zeros", |stage| put(stage, &[0; 4096])),
    broken("version-0", |stage| version(stage, "0")),
    broken("version-minus-1", |stage| version(stage, "-1")),
    broken("version-text", |stage| version(stage, "\"1\"")),
    broken("version-null", |stage| version(stage, "null")),
    broken("version-1.5", |stage| version(stage, "1.5")),
    broken("version-1e99", |stage| version(stage, "1e99")),
    broken("version-twice", |stage| version(stage, "1, \"version\": 2")),
    Shape { says: NEWER, healed_within: None, ..broken("version-2", |stage| version(stage, "2")) },
    Shape {
        says: NEWER,
        healed_within: None,
        ..broken("version-largest", |stage| version(stage, "18446744073709551615"))
    },
    broken("deep", |stage| put(stage, "[".repeat(60_000).as_bytes())),
    broken("large", |stage| put(stage, " ".repeat(65_537).as_bytes())),
    broken("huge", |stage| {
        put(stage, b"");
        let file = fs::File::options().write(true).open(stage.path(DISK).join("app.json")).unwrap();
        file.set_len(1 << 40).unwrap();
    }),
    broken("link", |stage| {
        fs::rename(stage.path(DISK).join("app.json"), stage.path("outside.json")).unwrap();
        link(stage, "outside.json");
    }),
    broken("link-to-nothing", |stage| link(stage, "nothing")),
    broken("link-to-itself", |stage| link(stage, "disk/unhang/app.json")),
    broken("folder", |stage| {
        away(stage);
        fs::create_dir_all(stage.path(DISK).join("app.json/full/of")).unwrap();
    }),
    broken("fifo", |stage| {
        away(stage);
        let path = stage.path(DISK).join("app.json");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    }),
    broken("socket", |stage| {
        away(stage);
        let path = stage.path(DISK).join("app.json");
        drop(UnixListener::bind(&path).unwrap());
    }),
    Shape {
        only: Who::Root,
        ..broken("device", |stage| {
            away(stage);
            command(
                "mknod",
                &["-m", "666", &stage.path(DISK).join("app.json").display().to_string(), "c", "1", "5"],
            );
        })
    },
    Shape {
        only: Who::Root,
        says: "",
        ..broken("of-another", |stage| {
            let path = stage.path(DISK).join("app.json");
            std::os::unix::fs::chown(&path, Some(12_345), Some(12_345)).unwrap();
            rights(stage, "disk/unhang/app.json", 0o600);
        })
    },
    Shape {
        says: UNREAD,
        healed_within: None,
        only: Who::User,
        ..broken("without-rights", |stage| rights(stage, "disk/unhang/app.json", 0))
    },
    Shape { says: "", ..broken("folder-missing", |stage| fs::remove_dir_all(stage.path(DISK)).unwrap()) },
    Shape {
        says: UNUSABLE,
        later: &[KEPT],
        only: Who::Root,
        ..broken("folder-of-all", |stage| rights(stage, DISK, 0o777))
    },
    Shape {
        says: UNUSABLE,
        later: &[KEPT],
        only: Who::Root,
        ..broken("folder-of-another", |stage| {
            std::os::unix::fs::chown(stage.path(DISK), Some(12_345), None).unwrap();
        })
    },
    Shape {
        says: UNUSABLE,
        later: &[KEPT],
        only: Who::Root,
        ..broken("folder-a-link", |stage| {
            fs::rename(stage.path(DISK), stage.path("elsewhere")).unwrap();
            symlink(stage.path("elsewhere"), stage.path(DISK)).unwrap();
        })
    },
    Shape {
        says: IN_MEMORY,
        later: &[KEPT],
        only: Who::Root,
        ..broken("folder-read-only", |stage| {
            let folder = stage.path(DISK).display().to_string();
            command("mount", &["--bind", &folder, &folder]);
            command("mount", &["-o", "remount,bind,ro", &folder]);
        })
    },
    Shape {
        says: IN_MEMORY,
        later: &[KEPT],
        only: Who::Root,
        ..broken("folder-full", |stage| {
            let state = fs::read(stage.path(DISK).join("app.json")).unwrap();
            let folder = stage.path(DISK).display().to_string();
            command("mount", &["-t", "tmpfs", "-o", "size=16k,mode=755", "none", &folder]);
            stage.put("disk/unhang/app.json", &state);
            let mut at = 0;
            while fs::write(stage.path(DISK).join(format!("filler{at}.lock")), [0; 4096]).is_ok() {
                at += 1;
            }
        })
    },
];

const KEPT: &str =
    "unhang: app: cannot save the state to disk: *; kept in memory until the disk works (a reboot loses it)";

fn put(stage: &Stage, bytes: &[u8]) {
    stage.put("disk/unhang/app.json", bytes);
}

fn away(stage: &Stage) {
    fs::remove_file(stage.path(DISK).join("app.json")).unwrap();
}

fn link(stage: &Stage, to: &str) {
    let _ = fs::remove_file(stage.path(DISK).join("app.json"));
    symlink(stage.path(to), stage.path(DISK).join("app.json")).unwrap();
}

fn version(stage: &Stage, version: &str) {
    let text = String::from_utf8(stage.counted()).unwrap();
    put(stage, text.replace("\"version\":1", &format!("\"version\":{version}")).as_bytes());
}

fn rights(stage: &Stage, path: &str, mode: u32) {
    fs::set_permissions(stage.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn command(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn shape(stage: &Stage, shape: &Shape) -> Laws {
    stage.keys("");
    stage.on_restart(HEAL);
    failed_once(stage);
    (shape.put)(stage);
    let mut laws = Laws::default();
    let ticked = stage.tick();
    laws.hold("it is said", messages::matches(shape.says, &ticked.stderr), || {
        format!("{:?}, not {:?}", ticked.stderr, shape.says)
    });
    let code = if shape.healed_within.is_none() { Some(3) } else { ticked.code().filter(|code| *code < 2) };
    laws.hold("how it ends", ticked.code() == code, || format!("{:?}", ticked.status));
    let facts = stage.facts();
    match shape.healed_within {
        Some(within) => {
            laws.of_the_stage(&ticked, &facts, 1);
            heals(stage, &mut laws, shape.later, within);
        }
        None => {
            let before = facts.copies.clone();
            for _ in 0..3 {
                let ticked = stage.tick();
                laws.hold("it is said", messages::matches(shape.says, &ticked.stderr), || {
                    ticked.stderr.clone()
                });
            }
            let after = stage.facts();
            laws.hold("it is left alone", before == after.copies && after.restarts == 0, || after.texts());
        }
    }
    give_back(stage);
    laws
}

/// For the next.
fn give_back(stage: &Stage) {
    if is_root() {
        let _ = Command::new("umount").arg("-l").arg(stage.path(DISK)).output();
    }
    if stage.path(DISK).is_dir() && !stage.path(DISK).is_symlink() {
        let _ = std::os::unix::fs::chown(stage.path(DISK), Some(rustix::process::geteuid().as_raw()), None);
        rights(stage, DISK, 0o755);
    }
    let _ = fs::remove_dir_all(stage.path("elsewhere"));
}

/// A state with everything in it.
const WHOLE: &str = r#"{"version":1,"sequence":7,"verdict":"held","reason":"backoff","cause":{"code":"status","http":502},"streak":1,"failures":3,"successes":0,"lives":0,"incarnation":"aaaa","since":{"wall":"2026-02-07T17:00:00Z","boot_id":"b","boottime_ms":5000},"failed_at":{"wall":"2026-02-07T17:02:00Z","boot_id":"b","boottime_ms":125000},"healthy_since":{"wall":"2026-02-07T16:00:00Z","boottime_ms":5},"restarts":[{"wall":"2026-02-07T17:02:00Z","boot_id":"b","boottime_ms":125000,"outcome":"not_healed","incarnation":"i"}],"intent":{"incarnation":"i","boot_id":"b","was_down":false,"pid":7,"pid_started":9},"backoff":{"step":1,"wall":"2026-02-07T17:02:00Z","boottime_ms":125000},"looked":{"unit":"app.service","boot_id":"b"},"faults":{"log":{"wall":"2026-02-07T17:02:00Z","boottime_ms":125000}}}
"#;

/// How each byte is changed, but for cutting there.
const FLIPS: [u8; 9] = [0xff, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80];

/// The state cut at every byte, and each byte changed: a service for each, many in one run.
pub(crate) fn damages(full: bool) -> Vec<(String, Vec<u8>)> {
    let whole = WHOLE.as_bytes();
    let mut damaged = Vec::new();
    for at in 0..whole.len() {
        damaged.push((format!("cut-{at}"), whole[..at].to_vec()));
        let flips = if full { &FLIPS[..] } else { &FLIPS[at % 9..=at % 9] };
        for flip in flips {
            let mut bytes = whole.to_vec();
            bytes[at] ^= flip;
            damaged.push((format!("byte-{at}-{flip:02x}"), bytes));
        }
    }
    damaged
}

/// `is_well`: then none may be restarted, whatever stands in the state.
pub(crate) fn damage(stage: &Stage, damaged: &[(String, Vec<u8>)], is_well: bool) -> Laws {
    stage.executable("restart.sh", "#!/bin/sh\necho \"restart $2\" >>\"$1/ledger\"\n: >\"$1/healthy/$2\"\n");
    let mut config =
        "[host]\nboot_grace = \"0s\"\n[defaults]\nverify = \"200ms\"\ngrace = \"200ms\"\n".to_owned();
    for (name, _) in damaged {
        let _ = writeln!(
            config,
            "[service.{name}]\nurl = \"http://127.0.0.1:PORT/{name}\"\nlog_file = \"/dev/null\"\n\
             restart = [\"HERE/restart.sh\", \"HERE\", \"{name}\"]"
        );
    }
    stage.config(&config);
    stage.empty();
    for (name, bytes) in damaged {
        stage.put(&format!("{DISK}/{name}.json"), bytes);
        let flag = stage.path(&format!("healthy/{name}"));
        if is_well { fs::write(flag, "").unwrap() } else { drop(fs::remove_file(flag)) }
    }
    let mut laws = Laws::default();
    let first = stage.tick();
    let unknown = messages::unknown(&first.stderr, &[]);
    laws.hold("nothing printed but what the manual lists", unknown.is_none(), || format!("{unknown:?}"));
    laws.hold("how it ends", matches!(first.code(), Some(0 | 1 | 3)), || {
        format!("{:?}, {}", first.status, first.stderr)
    });
    let asked = fs::read_to_string(stage.path("ledger")).unwrap();
    laws.hold("a healthy service is never restarted", !is_well || asked.is_empty(), || asked.clone());
    for (name, bytes) in damaged {
        let was = String::from_utf8_lossy(bytes).into_owned();
        let said =
            first.stderr.lines().find(|line| line.starts_with(&format!("unhang: {name}: "))).unwrap_or("");
        let now = fs::read(stage.path(&format!("{DISK}/{name}.json"))).ok();
        let aside = aside(stage, name);
        let is_cut = name.starts_with("cut-") && bytes.len() + 1 < WHOLE.len();
        laws.hold("a cut state is told", !is_cut || said.contains("state file unreadable"), || was.clone());
        let kept = match said {
            "" => aside.is_empty(),
            _ if said.contains("a newer unhang") => now.as_deref() == Some(bytes),
            _ => aside == [bytes.clone()],
        };
        laws.hold("it is read, set aside whole, or left alone", kept, || format!("{said:?}: {was}"));
        let readable = now.is_none_or(|now| now == *bytes || State::read(&now).is_some());
        laws.hold("the state is readable or set aside", readable, || was.clone());
        let restarts = asked.lines().filter(|line| *line == format!("restart {name}")).count();
        laws.hold("no restart beyond the one due", restarts <= usize::from(!is_cut), || {
            format!("{restarts}: {was}")
        });
    }
    let again = stage.tick();
    let quiet =
        messages::unknown_but(&again.stderr, &["unhang: *: * was written by a newer unhang (version *); *"]);
    laws.hold("what follows has nothing to say", quiet.is_none(), || format!("{quiet:?}"));
    laws
}

fn aside(stage: &Stage, name: &str) -> Vec<Vec<u8>> {
    let start = format!("{name}.json.corrupt-");
    let found =
        [DISK, MEMORY].into_iter().flat_map(|folder| fs::read_dir(stage.path(folder)).into_iter().flatten());
    let ours = found.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(&start));
    ours.map(|entry| fs::read(entry.path()).unwrap()).collect()
}

//! How often runs are started, as far as the usual places say so, and whether failures add up then.

use std::path::Path;
use std::time::Duration;

use crate::config;
use crate::os::{files, time_limit};
use crate::plan::{Plan, Service};
use crate::toml_text::format_duration;

/// Where a schedule may be, and how it is written there. Units in `/etc` hide those of packages.
const PLACES: [(&str, Form); 9] = [
    ("etc/cron.d/unhang", Form::Cron),
    ("etc/crontab", Form::Cron),
    ("var/spool/cron/crontabs/root", Form::Cron),
    ("var/spool/cron/root", Form::Cron),
    ("etc/systemd/system/unhang.timer", Form::Timer),
    ("usr/local/lib/systemd/system/unhang.timer", Form::Timer),
    ("usr/lib/systemd/system/unhang.timer", Form::Timer),
    ("etc/systemd/system/unhang-every.service", Form::Every),
    ("usr/lib/systemd/system/unhang-every.service", Form::Every),
];

const MAX_FILE_BYTES: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy)]
enum Form {
    /// A line of crontab(5), with or without a user.
    Cron,
    /// `OnCalendar=` of systemd.timer(5).
    Timer,
    /// `--every` of `ExecStart=`.
    Every,
}

/// The shortest time between two runs, and the file that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Schedule {
    every: Duration,
    file: String,
}

/// A line for each service whose `stale_after` is too near to the schedule. None where the schedule is not known.
pub(crate) fn advise_on_schedule(plan: &Plan) -> Vec<String> {
    let Some(schedule) = find_schedule(Path::new("/")) else { return Vec::new() };
    plan.services.iter().filter_map(|service| schedule_advice(&schedule, service)).collect()
}

fn schedule_advice(schedule: &Schedule, service: &Service) -> Option<String> {
    let Schedule { every, file } = schedule;
    let policy = &service.policy;
    // So much that a run which is left out costs no count.
    let enough = every.saturating_mul(3) / 2;
    if policy.max_failures < 2 || policy.stale_after >= enough {
        return None;
    }
    let what =
        if policy.is_stale(*every) { "no failures add up" } else { "a run left out begins the count again" };
    let (key, every, enough) = (&service.key, format_duration(*every), format_duration(enough));
    Some(format!(
        "service.{key}.stale_after: too near to the {every} from one run to the next (/{file}): {what}; set {enough} or more"
    ))
}

/// The most frequent schedule of this host, since each of them starts runs. `None`: there is none, or one is not
/// understood.
fn find_schedule(root: &Path) -> Option<Schedule> {
    let mut found: Option<Schedule> = None;
    for (file, form) in PLACES {
        let read = |path: &Path| files::read_bounded(path, MAX_FILE_BYTES);
        let Ok((bytes, _)) = time_limit::touch_within(&root.join(file), read) else { continue };
        for line in String::from_utf8_lossy(&bytes).lines().filter(|line| starts_runs(line, form)) {
            let every = parse_interval(line, form)?;
            if found.as_ref().is_none_or(|found| every < found.every) {
                found = Some(Schedule { every, file: file.to_owned() });
            }
        }
    }
    found
}

fn starts_runs(line: &str, form: Form) -> bool {
    let line = line.trim_start();
    match form {
        Form::Cron => !line.starts_with('#') && line.contains("unhang") && line.contains(" run"),
        Form::Timer => line.starts_with("On") && line.contains("Sec=") || line.starts_with("OnCalendar="),
        Form::Every => line.starts_with("ExecStart="),
    }
}

fn parse_interval(line: &str, form: Form) -> Option<Duration> {
    match form {
        Form::Cron => of_cron(line),
        Form::Timer => {
            let minutes = line.trim().strip_prefix("OnCalendar=*:0/")?;
            let minutes = minutes.trim_end_matches(" UTC").trim_end_matches(":00");
            even_minutes(minutes.parse().ok()?, 60)
        }
        Form::Every => {
            let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "--every").skip(1);
            config::parse_period_flag("--every", words.next()?).ok()
        }
    }
}

/// The time between two runs of a crontab line. `None`: not all of its runs are equally far apart.
fn of_cron(line: &str) -> Option<Duration> {
    let mut fields = line.split_ascii_whitespace();
    let minute = fields.next()?;
    if minute == "@hourly" {
        return Some(Duration::from_secs(3_600));
    }
    let (hour, days) = (fields.next()?, [fields.next()?, fields.next()?, fields.next()?]);
    if days != ["*"; 3] {
        return None;
    }
    match (minute, hour) {
        ("*", "*") => Some(Duration::from_secs(60)),
        (minute, "*") if minute.parse::<u32>().is_ok() => Some(Duration::from_secs(3_600)),
        (minute, "*") => even_minutes(minute.strip_prefix("*/")?.parse().ok()?, 60),
        (minute, hour) if minute.parse::<u32>().is_ok() => {
            let hours: u32 = hour.strip_prefix("*/")?.parse().ok()?;
            even_minutes(hours.checked_mul(60)?, 24 * 60)
        }
        _ => None,
    }
}

fn even_minutes(step: u32, of: u32) -> Option<Duration> {
    (of.checked_rem(step) == Some(0)).then(|| Duration::from_secs(u64::from(step) * 60))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_that_tell_how_often_runs_begin() {
        let minutes = |n: u64| Some(Duration::from_secs(n * 60));
        for (line, form, expected) in [
            ("*/2 * * * * root systemctl -q is-active unhang.timer || unhang run", Form::Cron, minutes(2)),
            ("*/10 * * * * /usr/local/bin/unhang run", Form::Cron, minutes(10)),
            ("* * * * * root unhang run -v", Form::Cron, minutes(1)),
            ("7 * * * * root unhang run", Form::Cron, minutes(60)),
            ("@hourly root unhang run", Form::Cron, minutes(60)),
            ("0 */6 * * * root unhang run", Form::Cron, minutes(360)),
            ("*/7 * * * * root unhang run", Form::Cron, None),
            ("0,5 * * * * root unhang run", Form::Cron, None),
            ("*/5 8-17 * * * root unhang run", Form::Cron, None),
            ("*/5 * * * 1-5 root unhang run", Form::Cron, None),
            ("*/0 * * * * root unhang run", Form::Cron, None),
            ("OnCalendar=*:0/2 UTC", Form::Timer, minutes(2)),
            ("OnCalendar=*:0/15:00", Form::Timer, minutes(15)),
            ("OnCalendar=daily", Form::Timer, None),
            ("OnUnitActiveSec=5min", Form::Timer, None),
            ("ExecStart=/usr/local/bin/unhang run --every 90s", Form::Every, Some(Duration::from_secs(90))),
            ("ExecStart=/usr/local/bin/unhang run", Form::Every, None),
        ] {
            assert!(starts_runs(line, form), "{line}");
            assert_eq!(parse_interval(line, form), expected, "{line}");
        }
        assert!(!starts_runs("# */2 * * * * root unhang run", Form::Cron));
        assert!(!starts_runs("*/5 * * * * root backup.sh", Form::Cron));
    }

    #[test]
    fn the_most_frequent_schedule_counts_and_one_that_is_not_understood_hides_all() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(find_schedule(root.path()), None);
        write("etc/cron.d/unhang", "SHELL=/bin/sh\n# unhang run\n*/10 * * * * root unhang run\n");
        let cron = Schedule { every: Duration::from_secs(600), file: "etc/cron.d/unhang".to_owned() };
        assert_eq!(find_schedule(root.path()), Some(cron));
        write("etc/systemd/system/unhang.timer", "[Timer]\nOnCalendar=*:0/2 UTC\nAccuracySec=1s\n");
        let every = find_schedule(root.path()).map(|schedule| schedule.every);
        assert_eq!(every, Some(Duration::from_secs(120)));
        write("etc/crontab", "*/5 8-17 * * * root unhang run\n");
        assert_eq!(find_schedule(root.path()), None);
    }
}

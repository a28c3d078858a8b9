//! `unit = "redis.service"`: does systemd say that it is active? In systemd's own words, of which one that we do not
//! know is no evidence.

use std::time::Duration;

use crate::managers::systemd::single_property;
use crate::plan::{KeySpec, KindSpec, Params, ProbeTarget, SystemdScope, ValueType};

use super::answer::ProbeContext;
use super::fault::quote_error;
use super::kind::{ProbeKind, ProbeResult, Status};
use super::systemctl::show_unit;

pub(super) const KIND: ProbeKind =
    ProbeKind { spec: KindSpec::new(UNIT, &[SCOPE, RESTARTS]), ask: probe_unit };

const UNIT: KeySpec = KeySpec::new("unit", ValueType::Unit).help("A unit of systemd: well if it is active");

const SCOPE: KeySpec = KeySpec::new("scope", ValueType::OneOf(&["system", USER]))
    .default("system")
    .help("Whose systemd is asked");

const RESTARTS: KeySpec = KeySpec::new("crash_loop.restarts", ValueType::Number { from: 1, to: 1_000 })
    .default("2")
    .help("It fails if systemd has restarted it so often since the last run; once warns");

/// The systemd of the user who runs unhang.
const USER: &str = "user";

const SHOW_PROPERTIES: &str =
    "LoadState,ActiveState,SubState,Result,NRestarts,Type,RemainAfterExit,TriggeredBy";

fn probe_unit(given: &Params, ground: &ProbeContext<'_>) -> ProbeResult {
    match show_unit((given.text(&UNIT), scope_of(given)), SHOW_PROPERTIES, ground.limit) {
        Ok(text) => with_restarts(&text, ground.memory, given.number(&RESTARTS)),
        Err(found) => found,
    }
}

/// The unit of a probe of this kind, if systemd knows none of that name: it would fail in every run. Over within `limit`.
pub(crate) fn find_unknown_unit(asks: &ProbeTarget, limit: Duration) -> Option<(&str, SystemdScope)> {
    let ProbeTarget::Kind { kind, given } = asks else { return None };
    if *kind != UNIT.name {
        return None;
    }
    let unit = (given.text(&UNIT), scope_of(given));
    let text = show_unit(unit, SHOW_PROPERTIES, limit).ok()?;
    let has = |name: &str, value: &str| single_property(&text, name) == Some(value);
    (has("LoadState", "not-found") && has("ActiveState", "inactive")).then_some(unit)
}

fn scope_of(given: &Params) -> SystemdScope {
    if given.text(&SCOPE) == USER { SystemdScope::User } else { SystemdScope::System }
}

/// A unit that falls and is started again is up at most looks: only systemd's count of its own restarts tells. A restart
/// by somebody sets that to zero.
fn with_restarts(text: &str, before: Option<&str>, most: Option<u64>) -> ProbeResult {
    let found = judge_unit(text);
    let Some(now) = single_property(text, "NRestarts").and_then(|count| count.parse::<u64>().ok()) else {
        return found;
    };
    let before = before.and_then(|count| count.parse::<u64>().ok()).unwrap_or(now);
    let since = now.saturating_sub(before);
    let told = || match since {
        1 => "restarted once by systemd since the last run".to_owned(),
        _ => format!("restarted {since} times by systemd since the last run"),
    };
    let found = match found {
        ProbeResult { is: Status::Ok(_) | Status::Warning(_), .. }
            if most.is_some_and(|most| since >= most) =>
        {
            ProbeResult::failing(told())
        }
        ProbeResult { is: Status::Ok(_), .. } if since > 0 => ProbeResult::warning(told()),
        found => found,
    };
    found.with_cursor(now.to_string())
}

/// A unit that runs is well although its file is gone, or masks it.
fn judge_unit(text: &str) -> ProbeResult {
    let of = |name: &str| single_property(text, name);
    let (Some(load), Some(active), Some(sub)) = (of("LoadState"), of("ActiveState"), of("SubState")) else {
        return ProbeResult::unknown("systemctl show: not understood");
    };
    let with = |more: &str| quote_error(&format!("{active} ({more})"));
    match active {
        // As `systemctl is-active` counts them; the third since systemd 257.
        "active" | "reloading" | "refreshing" => ProbeResult::ok(with(sub)),
        // At work, unless it fell and is tried again.
        "activating" | "deactivating" if is_job(text) && !sub.starts_with("auto-restart") => {
            ProbeResult::ok(with(sub))
        }
        "activating" => ProbeResult::warning(with(sub)),
        "inactive" | "failed" if load != "loaded" => ProbeResult::failing(quote_error(&load)),
        "failed" => ProbeResult::failing(with(of("Result").unwrap_or(sub))),
        "inactive" if is_job(text) => match of("Result") {
            Some(result) if result != "success" => ProbeResult::failing(with(result)),
            Some(_) | None => ProbeResult::ok(with(sub)),
        },
        "inactive" | "deactivating" => ProbeResult::failing(with(sub)),
        _ => ProbeResult::unknown(format!("systemctl show: ActiveState={}", quote_error(&active))),
    }
}

/// It does its work and ends: a oneshot that does not stay active, or a unit that a timer or a path starts each time.
fn is_job(text: &str) -> bool {
    let has = |name: &str, value: &str| single_property(text, name) == Some(value);
    let is_passing = has("Type", "oneshot") && !has("RemainAfterExit", "yes");
    let mut triggers = single_property(text, "TriggeredBy").unwrap_or_default().split_ascii_whitespace();
    is_passing || triggers.any(|by| matches!(by.rsplit_once('.'), Some((_, "timer" | "path"))))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// See tests/host/recorded/README.md.
    fn recorded(name: &str) -> String {
        let path = format!("{}/tests/host/recorded/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[rustfmt::skip]
    #[test]
    fn a_real_systemd_is_taken_at_its_word() {
        for (name, expected) in [
            ("running",              ProbeResult::ok("active (running)")),
            ("masked-running",       ProbeResult::ok("active (running)")),
            ("file-gone-running",    ProbeResult::ok("active (running)")),
            ("oneshot-remain",       ProbeResult::ok("active (exited)")),
            ("oneshot-done",         ProbeResult::ok("inactive (dead)")),
            ("reloading",            ProbeResult::ok("reloading (reload)")),
            ("activating",           ProbeResult::warning("activating (start)")),
            ("auto-restart",         ProbeResult::warning("activating (auto-restart)")),
            ("crashed",              ProbeResult::failing("failed (exit-code)")),
            ("crashed-sigkill",      ProbeResult::failing("failed (signal)")),
            ("start-limit-hit",      ProbeResult::failing("failed (start-limit-hit)")),
            ("stopped",              ProbeResult::failing("inactive (dead)")),
            ("never-started",        ProbeResult::failing("inactive (dead)")),
            ("deactivating-stop",    ProbeResult::failing("deactivating (stop-sigterm)")),
            ("not-found",            ProbeResult::failing("not-found")),
        ] {
            assert_eq!(judge_unit(&recorded(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_unit_that_does_its_work_and_ends_is_well_unless_it_ended_badly() {
        let of = |state: &str, more: &str| {
            judge_unit(&format!("LoadState=loaded\nActiveState={state}\nSubState=dead\n{more}\n"))
        };
        let oneshot = "Type=oneshot\nRemainAfterExit=no\nTriggeredBy=backup.timer";
        for (state, more, expected) in [
            (
                "inactive",
                "Result=success\nType=oneshot\nRemainAfterExit=no",
                ProbeResult::ok("inactive (dead)"),
            ),
            (
                "inactive",
                "Result=success\nType=simple\nTriggeredBy=backup.timer",
                ProbeResult::ok("inactive (dead)"),
            ),
            (
                "inactive",
                "Result=success\nType=simple\nTriggeredBy=a.socket b.path",
                ProbeResult::ok("inactive (dead)"),
            ),
            ("activating", &format!("Result=success\n{oneshot}"), ProbeResult::ok("activating (dead)")),
            ("deactivating", &format!("Result=success\n{oneshot}"), ProbeResult::ok("deactivating (dead)")),
            ("inactive", oneshot, ProbeResult::ok("inactive (dead)")),
            ("failed", &format!("Result=exit-code\n{oneshot}"), ProbeResult::failing("failed (exit-code)")),
            ("inactive", &format!("Result=timeout\n{oneshot}"), ProbeResult::failing("inactive (timeout)")),
            // These stay up, or somebody stopped them.
            (
                "inactive",
                "Result=success\nType=oneshot\nRemainAfterExit=yes",
                ProbeResult::failing("inactive (dead)"),
            ),
            (
                "inactive",
                "Result=success\nType=simple\nTriggeredBy=a.socket",
                ProbeResult::failing("inactive (dead)"),
            ),
            (
                "inactive",
                "Result=success\nType=notify\nTriggeredBy=",
                ProbeResult::failing("inactive (dead)"),
            ),
        ] {
            assert_eq!(of(state, more), expected, "{state} {more}");
        }
        let masked = format!("LoadState=masked\nActiveState=inactive\nSubState=dead\n{oneshot}\n");
        assert_eq!(judge_unit(&masked), ProbeResult::failing("masked"));
    }

    #[test]
    fn what_systemd_does_not_say_is_not_known() {
        for text in [
            "",
            "\n",
            "ActiveState=active\n",
            "LoadState=loaded\nActiveState=active\n",
            "LoadState=loaded\nActiveState=active\nSubState=running",
            "LoadState=loaded\nActiveState=\nSubState=running\n",
            "LoadState=loaded\nActiveState=maintenance\nSubState=running\n",
            "LoadState=loaded\nActiveState=active\nSubState=running\n\nActiveState=failed\n",
        ] {
            assert!(
                matches!(format!("{:?}", judge_unit(text)).as_str(), said if said.contains("Unknown(")),
                "{text}"
            );
        }
        let masked = "LoadState=masked\nActiveState=inactive\nSubState=dead\n";
        assert_eq!(judge_unit(masked), ProbeResult::failing("masked"));
    }

    #[test]
    fn a_crash_loop_is_seen_though_the_unit_is_up_at_each_look() {
        let of = |restarts: &str, before: Option<&str>, state: &str| {
            let text = format!("LoadState=loaded\nActiveState={state}\nSubState=x\nNRestarts={restarts}\n");
            with_restarts(&text, before, Some(2))
        };
        let well = |count: &str| ProbeResult::ok("active (x)").with_cursor(count.to_owned());
        let told = |times| format!("restarted {times} by systemd since the last run");
        assert_eq!(of("7", None, "active"), well("7"), "nobody looked before");
        assert_eq!(of("7", Some("7"), "active"), well("7"));
        assert_eq!(of("0", Some("7"), "active"), well("0"), "somebody restarted it");
        assert_eq!(
            of("8", Some("7"), "active"),
            ProbeResult::warning(told("once")).with_cursor("8".to_owned())
        );
        assert_eq!(
            of("9", Some("7"), "active"),
            ProbeResult::failing(told("2 times")).with_cursor("9".to_owned())
        );
        assert_eq!(
            of("9", Some("7"), "activating"),
            ProbeResult::failing(told("2 times")).with_cursor("9".to_owned())
        );
        assert_eq!(
            of("9", Some("7"), "failed"),
            ProbeResult::failing("failed (x)").with_cursor("9".to_owned())
        );
        assert_eq!(of("many", Some("7"), "active"), ProbeResult::ok("active (x)"));
    }

    proptest! {
        #[test]
        fn only_an_active_unit_is_well(at in 0..600_usize, text in "(\\PC|\n|=|ActiveState=){0,60}") {
            let whole = recorded("crashed");
            let cut = whole.get(..at.min(whole.len())).unwrap_or_default();
            for text in [format!("{cut}{text}"), format!("{text}{cut}"), text] {
                let is_well = judge_unit(&text) == ProbeResult::ok("active (running)");
                prop_assert!(!is_well || text.contains("ActiveState=active"), "{}", text);
            }
        }
    }
}

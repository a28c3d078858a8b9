//! The faults of the monitors that unhang takes the place of, each with what shows that unhang has it not: the name of
//! a test or of a scenario, or the sentence of one of tests/services. A test that is renamed or dropped is missed here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that fails says where"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Which of them had it, what it was, and what shows that it is gone.
struct Fault(&'static str, &'static str, &'static [&'static str]);

/// Faults of deploys, backups and web pages are left out: what unhang does not do it cannot do wrong.
const FAULTS: &[Fault] = &[
    Fault(
        "ROAMS, telegram-bot, AI-IA",
        "its installer could empty the crontab, or write a line twice",
        &["it_edits_no_crontab", "the_cron_file_is_idle_only_while_the_timer_is_active"],
    ),
    Fault(
        "ROAMS, WHIT, telegram-bot",
        "counter, log, lock and process ids lay in /tmp, for everybody to write, link and compute with",
        &[
            "nothing_is_kept_in_tmp_any_more",
            "a_folder_for_the_state_that_others_may_write_is_not_used",
            "a_state_that_is_a_link_is_not_followed",
            "a_log_is_never_written_through_a_link",
            "no_bytes_make_it_panic",
        ],
    ),
    Fault(
        "ROAMS, telegram-bot",
        "it restarted for ever: no bound, no wait, no end",
        &[
            "backoff_doubles_while_restarts_do_not_help",
            "the_budget_holds_and_says_until_when",
            "a_restart_that_never_heals_stays_within_backoff_and_budget",
            "promises_1_to_6_hold_over_any_history",
        ],
    ),
    Fault(
        "ROAMS, telegram-bot, AI-IA",
        "a fixed sleep and one look were the proof: what takes longer to start was restarted for ever",
        &[
            "a_restart_that_outlives_the_wait_is_closed_by_the_next_tick",
            "the_life_that_our_restart_brought_forth_heals_it_later",
            "grace_after_a_start_and_two_runs_at_once_are_not_counted",
        ],
    ),
    Fault(
        "WHIT",
        "a start was good after 5 s, and the service died after 8",
        &["the_example_of_whit_takes_no_start_for_good_that_dies_eight_seconds_later"],
    ),
    Fault(
        "ROAMS, telegram-bot, AI-IA",
        "no lock, or one that a kill left behind: runs met each other",
        &[
            "one_run_at_a_time_and_the_other_says_so_by_its_exit_code",
            "a_restart_that_takes_longer_than_the_tick_happens_once",
            "kill_9_in_the_middle_of_a_restart_costs_no_second_one",
            "one_lock_at_a_time",
        ],
    ),
    Fault(
        "ROAMS",
        "the counter was emptied by a full disk or a crash, and not looked at when it was read",
        &[
            "a_full_disk_keeps_the_old_file",
            "a_full_disk_keeps_the_old_state_and_memory_the_new",
            "a_torn_or_changed_file_is_not_misread",
            "a_corrupt_state_is_kept_and_told_and_counting_begins_at_zero",
        ],
    ),
    Fault(
        "ROAMS, WHIT",
        "what systemctl answered was not heard, and a spent start limit left the service dead",
        &[
            "a_hung_service_with_a_spent_start_limit_is_healed",
            "what_becomes_of_a_restart_is_seen_and_not_believed",
            "an_answer_of_systemctl_is_not_the_outcome",
        ],
    ),
    Fault(
        "ROAMS, telegram-bot",
        "it and systemd restarted the same thing without knowing of each other",
        &[
            "a_crash_loop_is_left_to_systemd_and_named",
            "somebody_elses_restart_between_two_failed_ticks_starts_the_count_afresh",
        ],
    ),
    Fault(
        "ROAMS, telegram-bot",
        "it restarted in the middle of a deploy",
        &[
            "a_paused_service_is_not_restarted_and_gets_a_full_count_afterwards",
            "a_deploy_that_is_killed_half_way_is_left_alone_while_it_runs_and_its_hang_is_healed_after_it",
            "while_dpkg_is_at_work_everything_is_held",
        ],
    ),
    Fault(
        "ROAMS",
        "it started what had been stopped and disabled on purpose",
        &[
            "a_service_that_was_stopped_cleanly_stays_stopped",
            "a_service_that_is_disabled_and_failed_is_left_alone",
            "a_masked_service_is_left_alone",
        ],
    ),
    Fault(
        "ROAMS, AI-IA",
        "\"unhealthy\" was taken for \"healthy\"",
        &["a_word_counts_as_a_whole", "what_says_bad_anywhere_is_never_healthy"],
    ),
    Fault(
        "ROAMS, WHIT",
        "a redirect to https counted as down, or as up",
        &["a_redirect_to_https_that_is_not_followed_is_told_apart", "healthy_is_a_status_that_is_wanted"],
    ),
    Fault(
        "ROAMS, TeamTrack, AI-IA",
        "a check that can never pass restarted, or rolled back, again and again",
        &[
            "what_was_never_healthy_as_it_is_asked_gets_one_restart",
            "a_page_that_is_not_there_is_not_restarted_for_again_and_again",
        ],
    ),
    Fault(
        "ROAMS, TeamTrack",
        "the page that was asked said nothing of the database",
        &[
            "the_example_of_roams_heals_a_hang_and_names_a_database_that_is_away",
            "TeamTrack: a database that fails is named, under 503 and under 200",
        ],
    ),
    Fault(
        "ROAMS",
        "it restarted the application for what a restart cannot mend: its database",
        &["a_service_whose_database_is_away_is_left_alone_and_so_is_the_database"],
    ),
    Fault(
        "ROAMS, telegram-bot",
        "its log grew without end",
        &["a_log_that_was_rotated_goes_on_in_the_new_file", "a_year_leaves_no_more_behind_than_a_day"],
    ),
    Fault(
        "WHIT, AI-IA",
        "the exit status of a check was swallowed: by a pipe, by || true, by what came behind",
        &["the_exit_status_tells", "signals_reach_the_command_and_its_end_is_that_of_unhang"],
    ),
    Fault(
        "WHIT",
        "a port was looked for in a text, where :8003 is in :80031 too",
        &["a_port_that_nobody_listens_at_is_refused", "only_sockets_that_listen_at_that_place_count"],
    ),
    Fault(
        "ROAMS, WHIT, telegram-bot, AI-IA",
        "something that hangs hung the monitor",
        &[
            "timed_out_connecting",
            "timed_out_reading",
            "time_over_kills_the_whole_group_and_a_missing_program_is_no_evidence",
            "a_systemd_that_does_not_answer_costs_five_seconds",
            "a_restart_that_waits_for_systemd_ends_before_the_deadline_of_a_second_service",
        ],
    ),
    Fault(
        "WHIT, telegram-bot, AI-IA",
        "what could not be checked was taken for well: a skipped preflight, an empty figure, 999 days",
        &[
            "a_probe_that_cannot_be_carried_out_is_unknown_and_counts_nothing",
            "a_certificate_that_cannot_be_seen_counts_for_nothing",
            "what_is_not_said_is_not_known",
            "where_nothing_was_asked_nothing_is_healthy",
        ],
    ),
    Fault(
        "telegram-bot",
        "what could not be checked was taken for down: a client that was not installed restarted all, every minute",
        &[
            "a_probe_that_cannot_be_carried_out_is_unknown_and_counts_nothing",
            "what_cannot_be_told_is_not_down",
        ],
    ),
    Fault(
        "ROAMS, WHIT, telegram-bot",
        "pkill and pgrep -f met editors, themselves, and whatever had the word in its arguments",
        &[
            "a_program_is_counted_by_its_file",
            "the_processes_of_the_unit_itself_are_counted_in_its_control_group",
        ],
    ),
    Fault(
        "WHIT, AI-IA",
        "whatever it found, it ended with 0, or was made to",
        &[
            "of_several_the_worst_is_told",
            "a_restart_that_does_not_help_says_so_and_the_count_goes_on",
            "of_several_the_gravest",
        ],
    ),
    Fault(
        "TeamTrack",
        "nothing ever started the monitor, and nobody noticed",
        &["status_says_when_cron_does_not_run", "a_healthy_service_that_no_run_looks_after_is_a_warning"],
    ),
    Fault(
        "TeamTrack",
        "it lived in what it watched, and kept its count in memory",
        &[
            "a_run_killed_right_after_its_restart_and_a_reboot_lose_nothing",
            "a_restart_that_a_reboot_cut_short_stays_spent",
            "one_run_follows_the_other_until_somebody_ends_it",
        ],
    ),
    Fault(
        "TeamTrack",
        "what had not been told was remembered as told; that it was over, nobody said",
        &["told_when_it_begins_and_then_hourly", "a_failure_between_healthy_answers_is_forgiven_and_told"],
    ),
    Fault(
        "TeamTrack",
        "of a webhook's answers only 200 was a yes",
        &["a_hook_is_posted_to_and_its_secret_shows_nowhere", "what_was_sent_is_told_from_what_was_not"],
    ),
    Fault(
        "TeamTrack",
        "five recoveries an hour became five for ever: the count never fell",
        &["the_budget_is_never_overdrawn_and_comes_back", "never_for_ever"],
    ),
    Fault(
        "TeamTrack",
        "what it called measured was a constant, or the host's",
        &["the_time_is_told_by_phase", "a_unit_near_its_memory_limit_warns_and_one_over_fail_is_restarted"],
    ),
    Fault(
        "TeamTrack",
        "who slept was alarmed about, and a ping that woke it was not waited for",
        &["TeamTrack: at the third failure it is woken, and that is proven"],
    ),
    Fault(
        "TeamTrack, AI-IA",
        "it had an address of its own, without a password, for whoever came by",
        &["it_listens_at_no_port_but_in_its_demo"],
    ),
    Fault(
        "telegram-bot",
        "it read its own log, found its own words there, and restarted for them, for ever",
        &["what_unhang_itself_logs_is_no_evidence", "a_line_is_evidence_of_one_run"],
    ),
    Fault(
        "telegram-bot",
        "an old line, of whatever program, restarted all",
        &[
            "the_example_of_telegram_bot_restarts_the_one_part_that_fails",
            "the_last_words_of_the_old_life_are_no_evidence_against_the_new_one",
            "another_log_begins_anew",
        ],
    ),
    Fault(
        "telegram-bot",
        "one part that failed restarted every part, at its first failure, and the database on another folder",
        &[
            "the_example_of_telegram_bot_restarts_the_one_part_that_fails",
            "a_failure_between_healthy_answers_is_forgiven_and_told",
            "a_restart_must_not_start_or_stop_another_unit_against_somebodys_will",
        ],
    ),
    Fault(
        "telegram-bot",
        "any answer was a good one: 404, or \"unhealthy\" under 200",
        &["healthy_is_a_status_that_is_wanted", "what_a_body_says_of_its_own_health_is_believed_and_named"],
    ),
    Fault("telegram-bot", "a zombie was taken for alive", &["a_zombie_has_ended"]),
    Fault(
        "telegram-bot",
        "a file named a process of long ago, and another one was killed",
        &["another_process_of_the_same_number_is_not_meant", "that_of_a_command_ends_with_its_process"],
    ),
    Fault("telegram-bot", "each line stood in its log twice", &["the_log_lines_are_those_of_the_old_script"]),
    Fault(
        "telegram-bot, AI-IA",
        "secrets stood in the script, or in the list of processes",
        &[
            "what_the_configuration_keeps_secret_is_in_no_list_of_processes",
            "every_value_is_shown_with_its_origin_and_no_secret_with_it",
        ],
    ),
    Fault(
        "AI-IA",
        "it died at its first figure, and none ever warned",
        &[
            "a_full_memory_warns_and_counts_only_if_it_is_to",
            "a_high_load_warns_and_counts_only_if_it_is_to",
            "a_disk_is_as_full_as_df_says",
        ],
    ),
    Fault(
        "AI-IA",
        "a container was looked for by a name that it had not, or started that somebody had stopped",
        &[
            "another_container_is_not_taken_for_it",
            "$engine: a container that somebody stopped stays stopped",
            "AI-IA: a database that somebody stopped stays stopped, and what requires it is left alone",
        ],
    ),
    Fault(
        "AI-IA",
        "JSON was pasted together, and shown as it came",
        &[
            "every_object_is_as_its_schema_says",
            "nothing_from_outside_drives_a_terminal_wherever_it_is_shown",
        ],
    ),
    Fault(
        "ROAMS, AI-IA",
        "there was no backup, and nobody was told",
        &["a_backup_that_is_not_made_any_more_is_warned_of_and_restarts_nothing"],
    ),
    Fault("AI-IA", "its log was full of the terminal's colours", &["colour_is_for_terminals_only"]),
];

#[test]
fn every_fault_of_the_replaced_monitors_has_a_test() {
    let (rust, shell) = (texts(&["src", "tests"], "rs"), texts(&["tests/host", "tests/services"], ""));
    let mut missed = Vec::new();
    for Fault(of, what, shown_by) in FAULTS {
        assert!(!shown_by.is_empty(), "{of}: {what}");
        for name in *shown_by {
            let is_there = if name.contains(' ') {
                shell.contains(name)
            } else {
                rust.contains(&format!("fn {name}(")) || shell.contains(&format!("\n{name}() {{"))
            };
            if !is_there {
                missed.push(format!("{of}: {what}: no {name}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn it_edits_no_crontab() {
    let code = texts(&["src"], "rs");
    assert!(!code.contains("\"crontab\"") && !code.contains("/var/spool/cron"));
}

#[test]
fn it_listens_at_no_port_but_in_its_demo() {
    for file in files(&["src"], "rs") {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let place = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_string_lossy().into_owned();
        let is_for_tests = ["tests", "scenes", "demo"].iter().any(|part| place.contains(part));
        let listens = ["TcpListener", "UnixListener", "UdpSocket", "net::listen", "net::accept"];
        assert!(is_for_tests || !listens.iter().any(|word| code.contains(word)), "{place}");
    }
}

/// All of them, one behind the other.
fn texts(folders: &[&str], suffix: &str) -> String {
    let mut all = String::new();
    for file in files(folders, suffix) {
        all.push_str(&fs::read_to_string(file).unwrap_or_default());
    }
    assert!(!all.is_empty());
    all
}

fn files(folders: &[&str], suffix: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found
}

//! Where reading goes on, over all that happens to log files.

use std::fs::{self, OpenOptions};

use crate::probe::kind::ProbeResult;
use crate::probe::log::tests::{Stage, append};

use super::*;

fn error(line: &str) -> ProbeResult {
    ProbeResult::failing(format!("1 line matches \"ERROR\": {line}"))
}

fn nothing() -> ProbeResult {
    ProbeResult::ok("no new line")
}

fn begun(text: &str) -> Stage {
    let mut stage = Stage::failing_on_error();
    stage.says(text);
    stage.begin();
    stage
}

#[test]
fn only_lines_that_have_ended_count() {
    let mut stage = begun("ERROR of before\nERROR that goes ");
    stage.run(nothing());
    stage.says("on");
    stage.run(nothing());
    stage.says("\nERROR");
    stage.run(error("ERROR that goes on"));
    stage.says(" 2\n");
    stage.run(error("ERROR 2"));
    stage.run(nothing());
}

#[test]
fn a_renamed_log_is_read_to_its_end_and_then_the_new_one() {
    let mut stage = begun("ERROR of before\n");
    stage.says("ERROR 1\n");
    fs::rename(stage.log(), stage.path("app.log.1")).unwrap();
    stage.says("ERROR 2\nok\n");
    stage.run(ProbeResult::failing("2 lines match \"ERROR\": ERROR 1"));
    stage.run(nothing());
    append(&stage.path("app.log.1"), "ERROR too late\n");
    stage.run(nothing());
}

#[test]
fn a_renamed_log_that_is_compressed_or_gone_is_missed_and_the_new_one_read() {
    let mut stage = begun("ERROR of before\n");
    fs::copy(stage.log(), stage.path("app.log.1")).unwrap();
    append(&stage.path("app.log.1"), "ERROR of another one\n");
    stage.says("ERROR 1\n");
    fs::rename(stage.log(), stage.path("app.log.1.gz")).unwrap();
    stage.says("ERROR 2\n");
    stage.run(error("ERROR 2"));
}

#[test]
fn between_two_files_there_is_none_and_the_rest_is_not_lost() {
    let mut stage = begun("ERROR of before\n");
    stage.says("ERROR 1\n");
    fs::rename(stage.log(), stage.path("app.log.1")).unwrap();
    stage.run(ProbeResult::unknown(format!("{}: no such file", stage.log().display())));
    stage.says("ok\n");
    stage.run(error("ERROR 1"));
}

#[test]
fn a_log_that_comes_later_is_all_new() {
    let mut stage = Stage::failing_on_error();
    stage.run(ProbeResult::unknown(format!("{}: no such file", stage.log().display())));
    stage.says("ERROR 1\n");
    stage.run(error("ERROR 1"));
    stage.run(nothing());
}

#[test]
fn a_truncated_log_is_read_from_its_start() {
    let mut stage = begun("ERROR of before\nok\n");
    OpenOptions::new().write(true).truncate(true).open(stage.log()).unwrap();
    stage.says("ERROR 1\n");
    stage.run(error("ERROR 1"));
}

#[test]
fn a_truncated_log_that_has_grown_past_the_place_is_read_from_its_start() {
    let mut stage = begun("ERROR of before\nok\n");
    OpenOptions::new().write(true).truncate(true).open(stage.log()).unwrap();
    stage.says("ERROR 1\nok\nok\nok\nok\nok\nok\nok\nok\n");
    stage.run(error("ERROR 1"));
}

#[test]
fn the_hole_that_a_writer_leaves_is_none_of_its_words() {
    let mut stage = Stage::new(&[("fail", &["^ERROR"])]);
    stage.says("fine\nfine\n");
    stage.begin();
    let file = OpenOptions::new().write(true).truncate(true).open(stage.log()).unwrap();
    file.set_len(100_000).unwrap();
    stage.says("ERROR 1\n");
    stage.run(ProbeResult::failing("1 line matches \"^ERROR\": ERROR 1"));
}

#[test]
fn a_copy_in_its_place_is_no_news() {
    let mut stage = begun("ERROR of before\nfine\n");
    fs::copy(stage.log(), stage.path("copy")).unwrap();
    fs::rename(stage.path("copy"), stage.log()).unwrap();
    stage.run(nothing());
    stage.says("ERROR 1\n");
    stage.run(error("ERROR 1"));
}

#[test]
fn a_log_that_was_emptied_and_one_that_is_empty_are_quiet() {
    let mut stage = begun("");
    stage.run(nothing());
    stage.says("ok\n");
    stage.run(ProbeResult::ok("1 new line, and it does not match"));
    OpenOptions::new().write(true).truncate(true).open(stage.log()).unwrap();
    stage.run(nothing());
    stage.run(nothing());
}

#[test]
fn of_more_than_a_mebibyte_the_newest_is_read_and_it_is_told() {
    let mut stage = begun("");
    let padding = format!("{}\n", "x".repeat(1023));
    stage.says(format!("ERROR too old\n{}", padding.repeat(2048)));
    stage.run(ProbeResult::ok("1023 new lines, and none matches; the 1026 KiB before them were not read"));
    stage.says(format!("{}ERROR new\n", padding.repeat(1025)));
    let told = "1 line matches \"ERROR\": ERROR new; the 2 KiB before them were not read";
    stage.run(ProbeResult::failing(told));
    stage.run(nothing());
}

#[test]
fn of_a_renamed_log_so_much_is_read_as_the_new_one_leaves_room_for() {
    let mut stage = begun("");
    let padding = format!("{}\n", "x".repeat(1023));
    stage.says(format!("ERROR 1\n{}ERROR 2\n", padding.repeat(10)));
    fs::rename(stage.log(), stage.path("app.log.1")).unwrap();
    stage.says(padding.repeat(1020));
    let told = "1 line matches \"ERROR\": ERROR 2; the 8 KiB before them were not read";
    stage.run(ProbeResult::failing(told));
}

#[test]
fn a_line_that_never_ends_is_waited_for() {
    let mut stage = begun("");
    stage.says("x".repeat(1_500_000));
    stage.run(nothing());
    stage.says("\nERROR 1\n");
    let told = "1 line matches \"ERROR\": ERROR 1; the 1465 KiB before them were not read";
    stage.run(ProbeResult::failing(told));
    let mut stage = begun(&"x".repeat(20_000));
    stage.says("ERROR\n");
    stage.run(error("ERROR"));
}

#[test]
fn what_is_no_log_is_not_known() {
    let mut stage = Stage::failing_on_error();
    fs::create_dir(stage.log()).unwrap();
    stage.run(ProbeResult::unknown(format!("{}: is not a regular file", stage.log().display())));
}

#[test]
fn a_place_is_read_as_it_was_written() {
    let place = LogPosition { inode: u64::MAX, offset: 0, mark: 7 };
    assert_eq!(LogPosition::read(&place.written()), Some(place));
    for odd in ["", "1 2", "1 2 3 4", "1 2 g", "1  2", "1 2 3 "] {
        assert_eq!(LogPosition::read(odd), None, "{odd}");
    }
}

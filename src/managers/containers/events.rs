//! Whether somebody stopped a container, by the events that Docker remembers. `container inspect` keeps no word of
//! that: a container that `docker stop` ended and one that a stray SIGKILL ended look alike.

use std::time::Duration;

use super::inspected::Inspected;
use super::{ContainerRuntime, MAX_INSPECT_BYTES, read_answer, runtime_command};
use crate::os::process;

/// What comes before the end of a container by `docker kill` comes right before it.
const KILL_TO_END: u64 = 15;

/// Whether the events show that this container ended, and that nobody asked the runtime for it. `false` also where they
/// do not reach back so far, or cannot be had. Podman's are not asked for: 4.3 has none of a stop that took SIGKILL.
/// `wall`: since 1970. Over within `limit`.
pub(super) fn nobody_stopped(
    container: &Inspected,
    runtime: ContainerRuntime<'_>,
    wall: Duration,
    limit: Duration,
) -> bool {
    if matches!(runtime, ContainerRuntime::Podman) {
        return false;
    }
    // The daemon remembers the last 256 events of all containers, however old. It waits for the end of `until`.
    let until = wall.as_secs().saturating_add(1).to_string();
    let format = "{{.Time}} {{.Actor.ID}} {{.Action}}";
    let mut command = runtime_command(runtime);
    command.args(["events", "--since", "1", "--until", &until, "--format", format]);
    let answer =
        process::run_program(command, limit, MAX_INSPECT_BYTES).ok().and_then(|ran| read_answer(&ran).ok());
    answer.and_then(|text| docker_shows(&text, container.id())) == Some(true)
}

/// A line for each event, oldest first: seconds since 1970, the id, what happened. `None`: the events do not tell.
fn docker_shows(text: &str, id: &str) -> Option<bool> {
    let events: Vec<(u64, &str, &str)> = text.lines().filter_map(parse_line).collect();
    let own = || events.iter().filter(|(_, of, _)| *of == id);
    let (ended, ..) = own().rfind(|(.., what)| *what == "die")?;
    // The oldest event may be the end, and what came before it forgotten.
    let (oldest, ..) = events.first()?;
    if oldest.saturating_add(KILL_TO_END) > *ended {
        return None;
    }
    let of_this_life = own().rev().take_while(|(time, _, what)| *what != "start" || time > ended);
    Some(!of_this_life.into_iter().any(|(.., what)| ["kill", "stop"].contains(what)))
}

fn parse_line(line: &str) -> Option<(u64, &str, &str)> {
    let mut words = line.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_that_nobody_asked_for_is_shown() {
        for (events, expected) in [
            // `docker stop`, in the order of the daemon.
            ("1 a start\n100 a kill\n110 a kill\n110 a die\n111 a stop", Some(false)),
            ("1 a start\n100 a kill\n100 a die", Some(false)),
            // kill -9 from outside, or the kernel for want of memory.
            ("1 a start\n100 a die", Some(true)),
            ("1 b exec_create: true\n1 a start\n99 a oom\n100 a die", Some(true)),
            // Another one was stopped; this one was before, and started again.
            ("1 a start\n100 b kill\n100 b die\n100 b stop\n101 a die", Some(true)),
            ("1 a kill\n1 a die\n1 a stop\n2 a start\n100 a die", Some(true)),
            // A reload by a signal is not told from an end by it.
            ("1 a start\n50 a kill\n100 a die", Some(false)),
            // The beginning is forgotten.
            ("100 a die", None),
            ("90 b start\n100 a die\n150 b start", None),
            ("1 a start", None),
            ("", None),
            ("melting\n1", None),
        ] {
            assert_eq!(docker_shows(events, "a"), expected, "{events}");
        }
    }
}

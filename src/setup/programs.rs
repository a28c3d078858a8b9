//! The programs that a plan starts: could cron start each of them? In words, with what helps.

use std::path::Path;

use crate::os::programs::{CRON_PATH, ProgramObstacle, find_obstacle};
use crate::plan::Program;
use crate::words;

/// What is wrong with a program, and what helps.
pub(super) fn describe_obstacle(program: Program<'_>) -> Option<(String, String)> {
    let (Program::Configured(name) | Program::Fixed(name)) = program;
    let install = "install it, or correct the path".to_owned();
    Some(match find_obstacle(name)? {
        ProgramObstacle::Missing { elsewhere: None } => {
            let cure = match program {
                Program::Fixed(_) => "install it".to_owned(),
                // A whole command line, as for a shell.
                Program::Configured(_) if name.contains(' ') => {
                    r#"write each word apart: ["cmd", "an argument"]"#.to_owned()
                }
                Program::Configured(_) => install,
            };
            (format!("there is no program {name}"), cure)
        }
        ProgramObstacle::Missing { elsewhere: Some(found) } => {
            (format!("there is no program {name}"), format!("write its full path: {}", found.display()))
        }
        ProgramObstacle::NotForCron(found) => {
            let cure = match program {
                Program::Configured(_) => format!("write its full path: {}", found.display()),
                Program::Fixed(_) => format!("type ln -s {} /usr/bin/", shell_word(&found)),
            };
            (format!("cron would not find {name} (its PATH is {CRON_PATH})"), cure)
        }
        ProgramObstacle::IsFolder => {
            (format!("{name} is a folder"), "write the path of a program".to_owned())
        }
        ProgramObstacle::NotExecutable(path) => {
            let word = shell_word(&path);
            (format!("{} may not be executed", path.display()), format!("type chmod +x {word}"))
        }
        ProgramObstacle::Unusable(error) => {
            (format!("{name} is no program: {}", words::io_error_text(&error)), install)
        }
        ProgramObstacle::NoInterpreter(asked) => {
            let asked = words::escaped(&asked);
            (
                format!("{name} is to be run by {asked}, which is not there"),
                "correct its first line".to_owned(),
            )
        }
        ProgramObstacle::NoFirstLine => {
            (format!("{name} is a text that no program runs"), "let its first line say what does".to_owned())
        }
    })
}

fn shell_word(path: &Path) -> String {
    words::shell_word(&path.display().to_string())
}

//! A restart that somebody else does when a URL is posted to, such as a deploy hook of a hosting service. The URL,
//! and headers below it, stand in a file, since they are secrets. What is asked is put together here, and what came
//! of it is judged here; asking is `probe`'s.

use std::path::Path;
use std::time::Duration;

use unhang_core::{Cause, Observation, Phase};

use crate::managers::RestartResponse;
use crate::os::{files, time_limit, way};
use crate::plan::{KeySpec, MethodSpec, UrlTarget, ValueType};
use crate::words;

use super::{Method, RestartCourse};

const FILE: KeySpec = KeySpec::new("restart.hook", ValueType::File("/etc/unhang/shop.hook"))
    .help("Instead of a unit: a file with a URL to post to");

pub(super) const METHOD: Method = Method {
    spec: MethodSpec::unseen("none; restarted by a hook; its state cannot be seen", FILE, &[], |given| {
        given.text(&FILE)
    }),
    look: None,
    course: RestartCourse::Post(|given| read_hook_file(Path::new(given.text(&FILE)))),
    obstacle: |given| read_hook_file(Path::new(given.text(&FILE))).err(),
};

/// For the answer to the request, not for what it sets going.
pub(crate) const HOOK_TIME_LIMIT: Duration = Duration::from_secs(20);

/// What the file of a hook holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HookRequest {
    pub(crate) target: UrlTarget,
    pub(crate) headers: Vec<(String, String)>,
}

/// An error never holds a word of the file.
fn read_hook_file(path: &Path) -> Result<HookRequest, String> {
    let wrong = |what: &str| format!("{}: {what}", path.display());
    let (bytes, theirs) = time_limit::touch_within(path, |path| {
        Ok((
            files::read_secret(path, MAX_HOOK_BYTES)?,
            way::reach(path)?.find_changeable().map(Path::to_owned),
        ))
    })
    .map_err(|error| wrong(&words::io_error_text(&error)))?;
    // Whoever writes it says where root posts to.
    if let Some(theirs) = theirs {
        let theirs = theirs.display();
        return Err(wrong(&format!(
            "others may change {theirs}, and so what is posted to (chown root, chmod go-w)"
        )));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    parse_hook_file(&text)
        .ok_or_else(|| wrong("it must hold a URL, and below it headers such as Authorization: Bearer ..."))
}

/// What came of it. A life that is not seen is proven by the probe alone.
pub(crate) fn parse_response(seen: &Observation, timeout: Duration) -> RestartResponse {
    match seen {
        Observation::Healthy => RestartResponse::Accepted,
        Observation::Unknown(doubt) => {
            RestartResponse::NotStarted(format!("the hook was not asked: {}", words::doubt_text(doubt)))
        }
        Observation::Unhealthy(cause) => {
            // Of a redirect, a probe's keys are told, which a hook has not.
            let told = words::cause_text(cause, timeout).filter(|_| !matches!(cause, Cause::Redirect(_)));
            let why = told.unwrap_or_else(|| words::answer_text(cause));
            let why = format!("the hook was not carried out: {why}");
            match cause {
                Cause::Refused
                | Cause::NoSocket
                | Cause::Tls(_)
                | Cause::TimedOut(Phase::Lookup | Phase::Connect | Phase::Tls) => {
                    RestartResponse::NotStarted(why)
                }
                // The request is out: it may have been heard.
                Cause::Reset | Cause::Closed(_) | Cause::TimedOut(_) => RestartResponse::NoAnswer(why),
                Cause::Status(_)
                | Cause::ToHttps(_)
                | Cause::Redirect(_)
                | Cause::Maintenance(_)
                | Cause::NotHttp(_)
                | Cause::TooLarge
                | Cause::Probe(_)
                | Cause::Named(..) => RestartResponse::Failed(why),
            }
        }
    }
}

const MAX_HOOK_BYTES: u64 = 16 * 1024;

fn parse_hook_file(text: &str) -> Option<HookRequest> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let url = lines.next()?;
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    let headers = headers.collect::<Option<Vec<_>>>()?;
    Some(HookRequest { target: UrlTarget::parse_http(url)?, headers })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test sets its own stage")]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use unhang_core::{Doubt, Redirect};

    #[test]
    fn the_file_is_a_url_and_headers_and_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hook");
        let read = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            read_hook_file(&file)
        };
        let good = "https://api.example/deploy/x?key=secret\n\nAuthorization: Bearer a:b\n";
        let headers = vec![("Authorization".to_owned(), "Bearer a:b".to_owned())];
        assert_eq!(
            read(good, 0o600),
            Ok(HookRequest {
                target: UrlTarget::parse_http("https://api.example/deploy/x?key=secret").unwrap(),
                headers
            })
        );
        for (text, mode, why) in [
            (good, 0o620, "others may read or write it (chmod 600)"),
            (good, 0o644, "others may read or write it (chmod 600)"),
            ("", 0o600, "it must hold a URL, and below it headers such as Authorization: Bearer ..."),
            ("secret", 0o600, "it must hold a URL, and below it headers such as Authorization: Bearer ..."),
            (
                "https://x/\nsecret",
                0o600,
                "it must hold a URL, and below it headers such as Authorization: Bearer ...",
            ),
        ] {
            let told = read(text, mode).unwrap_err();
            assert_eq!(told, format!("{}: {why}", file.display()));
            assert!(!told.contains("secret"));
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let told = read(good, 0o600).unwrap_err();
        assert!(told.contains(&format!("others may change {}, and so", dir.path().display())), "{told}");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(4711), None).unwrap();
            let told = read_hook_file(&file).unwrap_err();
            assert!(told.contains(&format!("others may change {}, and so", file.display())), "{told}");
        }
        assert!(
            read_hook_file(&dir.path().join("none"))
                .unwrap_err()
                .ends_with("none: No such file or directory")
        );
    }

    #[test]
    fn what_was_sent_is_told_from_what_was_not() {
        let asked = |seen: Observation| parse_response(&seen, Duration::from_secs(5));
        let unhealthy = |cause| asked(Observation::Unhealthy(cause));
        assert_eq!(asked(Observation::Healthy), RestartResponse::Accepted);
        assert!(
            matches!(unhealthy(Cause::Status(401)), RestartResponse::Failed(why) if why.ends_with("HTTP 401"))
        );
        let moved = Cause::Redirect(Redirect { status: 301, to: "/".to_owned(), needs: 1 });
        assert!(matches!(unhealthy(moved), RestartResponse::Failed(why) if why.ends_with("HTTP 301")));
        assert!(matches!(unhealthy(Cause::Refused), RestartResponse::NotStarted(_)));
        assert!(matches!(unhealthy(Cause::TimedOut(Phase::FirstByte)), RestartResponse::NoAnswer(_)));
        assert!(matches!(asked(Observation::Unknown(Doubt::NoRoute)), RestartResponse::NotStarted(_)));
    }
}

//! A URL, as it is typed after `check`: a question that can be asked, or faults that tell nothing of it.

use std::sync::LazyLock;

use ureq::http::{Request, Uri};

use super::{SECRET, is_one_harmless_line, typed};
use unhang::cli::Cli;
use unhang::config;
use unhang::plan::{HttpRequest, UrlTarget};

pub fn holds(bytes: &[u8]) {
    static CLI: LazyLock<Cli> = LazyLock::new(|| typed(&["check"]));
    let Ok(url) = str::from_utf8(bytes) else { return }; // clap refuses it
    match config::request_for_url(&CLI.config_sources(), url) {
        Ok((shown, question)) => {
            is_one_harmless_line(&shown);
            let hidden = url.split_once('?').map_or("", |(_, query)| query);
            assert!(
                !hidden.contains(SECRET) || url.matches(SECRET).count() > 1 || !shown.contains(SECRET),
                "{shown}"
            );
            can_be_asked(question.http_request().unwrap());
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a word");
            for fault in faults {
                let fault = fault.to_string();
                is_one_harmless_line(&fault);
                assert!(!fault.contains(SECRET), "{fault}");
            }
        }
    }
}

/// What `probe` takes for granted of every question.
pub(super) fn can_be_asked(question: &HttpRequest) {
    if let UrlTarget::Tcp { host, port } = &question.target {
        return assert!(!host.is_empty() && *port > 0 && !host.contains(['@', '/', ' ']), "{host:?}");
    }
    let url = question.target.request_url();
    assert!(!url.contains(|c: char| c.is_control() || c == ' '), "{url:?}");
    let uri: Uri = url.parse().unwrap();
    assert!(uri.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme)), "{url:?}");
    let authority = uri.authority().unwrap().as_str();
    assert!(!authority.contains('@') && !uri.host().unwrap().is_empty(), "{url:?}");
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    assert!(port.is_none_or(|port| port.parse().is_ok_and(|port: u16| port > 0)), "{url:?}");
    assert_eq!(port.and_then(|port| port.parse().ok()), uri.port_u16(), "{url:?}");
    assert!(
        Request::builder().method(question.method.as_str()).uri(url.as_ref()).body(()).is_ok(),
        "{url:?}"
    );
    if let UrlTarget::HttpOverUnix { socket, .. } = &question.target {
        assert_eq!(authority, "localhost");
        let path = socket.to_str().unwrap();
        assert!(path.starts_with('/') && path.len() <= 107, "{path:?}");
        is_one_harmless_line(path);
    }
}

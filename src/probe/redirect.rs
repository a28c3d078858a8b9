//! Where an answer leads, and what is asked there. A redirect that cannot be followed is judged by its status, as if
//! no redirect were followed. Pure.

use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, LOCATION};
use ureq::http::uri::{PathAndQuery, Scheme};
use ureq::http::{Method, Request, Response, Uri};

/// Where an answer leads.
#[derive(Debug)]
pub(super) enum Lead {
    /// It is no redirect, or names no place.
    Nowhere,
    /// To a place that no URL of HTTP names; as the answer has it.
    NotUnderstood(String),
    To(Box<Request<()>>),
}

pub(super) fn next_location<T>(asked: &Request<()>, answer: &Response<T>) -> Lead {
    let status = answer.status().as_u16();
    let location = answer.headers().get(LOCATION).map(|location| as_url(location.as_bytes()));
    let (300..=303 | 307 | 308, Some(location)) = (status, location.filter(|location| !location.is_empty()))
    else {
        return Lead::Nowhere;
    };
    let Some(uri) = resolve_location(asked.uri(), &location) else { return Lead::NotUnderstood(location) };
    let mut next = asked.clone();
    *next.uri_mut() = uri;
    // RFC 9110, 15.4: 307 and 308 keep the method; of the others browsers and curl make a GET.
    if !matches!(status, 307 | 308) && ![Method::GET, Method::HEAD].contains(asked.method()) {
        *next.method_mut() = Method::GET;
        next.headers_mut().remove(CONTENT_LENGTH);
    }
    next.headers_mut().remove(AUTHORIZATION);
    next.headers_mut().remove(COOKIE);
    Lead::To(Box::new(next))
}

/// As browsers send it: what no URL may hold is percent-encoded. Without a fragment, which is for readers of a page.
fn as_url(location: &[u8]) -> String {
    let location = location.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
    let encoded = location.iter().map(|byte| match byte {
        b'!'..=b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// To another host, or out of TLS.
pub(super) fn leads_away(own: &Uri, uri: &Uri) -> bool {
    let same_host = own.host().zip(uri.host()).is_some_and(|(own, other)| own.eq_ignore_ascii_case(other));
    !same_host || (own.scheme() == Some(&Scheme::HTTPS) && uri.scheme() != Some(&Scheme::HTTPS))
}

/// RFC 3986, 5.2. `None`: it is no URL of HTTP.
fn resolve_location(base: &Uri, location: &str) -> Option<Uri> {
    let scheme = base.scheme_str()?;
    let uri: Uri = if location.starts_with("//") {
        format!("{scheme}:{location}").parse().ok()?
    } else if has_scheme(location) {
        location.parse().ok()?
    } else {
        let mut parts = base.clone().into_parts();
        parts.path_and_query = Some(join_path(base, location)?);
        Uri::from_parts(parts).ok()?
    };
    let is_http = [Some("http"), Some("https")].contains(&uri.scheme_str());
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

fn has_scheme(location: &str) -> bool {
    let before = location.split(['/', '?']).next().unwrap_or_default();
    before.contains(':')
}

fn join_path(base: &Uri, location: &str) -> Option<PathAndQuery> {
    let (path, query) =
        location.split_once('?').map_or((location, None), |(path, query)| (path, Some(query)));
    let path = match path {
        "" => base.path().to_owned(),
        _ if path.starts_with('/') => without_dots(path),
        _ => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            without_dots(&format!("{folder}/{path}"))
        }
    };
    query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")).parse().ok()
}

/// RFC 3986, 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let is_folder = [".", ".."].contains(&path.rsplit('/').next().unwrap_or_default());
    format!("/{}{}", kept.join("/"), if is_folder && !kept.is_empty() { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_or_no_tls_is_away() {
        let away = |own: &str, other: &str| leads_away(&own.parse().unwrap(), &other.parse().unwrap());
        for (own, other, is_away) in [
            ("http://shop/", "http://SHOP:8000/x", false),
            ("http://shop/", "https://shop/", false),
            ("https://shop/", "https://shop:444/", false),
            ("https://shop/", "http://shop/", true),
            ("http://shop/", "http://blog/", true),
            ("http://127.0.0.1/", "http://localhost/", true),
        ] {
            assert_eq!(away(own, other), is_away, "{own} {other}");
        }
    }

    #[test]
    fn a_location_is_read_from_where_it_was_found() {
        let base = "https://shop:8000/a/b/c?d".parse().unwrap();
        for (location, expected) in [
            ("http://blog/x?y#z", Some("http://blog/x?y")),
            ("HTTPS://blog", Some("https://blog/")),
            ("//blog:81/x", Some("https://blog:81/x")),
            ("/x", Some("https://shop:8000/x")),
            ("/x/../y/.", Some("https://shop:8000/y/")),
            ("x", Some("https://shop:8000/a/b/x")),
            ("./x:y", Some("https://shop:8000/a/b/x:y")),
            ("../x", Some("https://shop:8000/a/x")),
            ("../../../../x", Some("https://shop:8000/x")),
            ("../..", Some("https://shop:8000/")),
            ("?e", Some("https://shop:8000/a/b/c?e")),
            ("/?u=http://x", Some("https://shop:8000/?u=http://x")),
            ("/\u{f6} x", Some("https://shop:8000/%C3%B6%20x")),
            ("ftp://shop/", None),
            ("x:y", None),
            ("http://", None),
            ("http://[/", None),
            ("//", None),
        ] {
            let resolved = resolve_location(&base, &as_url(location.as_bytes())).map(|uri| uri.to_string());
            assert_eq!(resolved.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn what_is_asked_there_is_what_the_status_says() {
        for (status, method, expected) in [
            (301, "POST", "GET"),
            (302, "GET", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (307, "POST", "POST"),
            (308, "DELETE", "DELETE"),
        ] {
            let asked = Request::builder().method(method).uri("http://shop/");
            let asked = asked.header("authorization", "x").header("x-a", "b").header("content-length", "0");
            let answer = Response::builder().status(status).header("location", "/x").body(()).unwrap();
            let Lead::To(next) = next_location(&asked.body(()).unwrap(), &answer) else { panic!("{status}") };
            assert_eq!((next.method().as_str(), next.uri().path()), (expected, "/x"), "{status} {method}");
            assert!(next.headers().contains_key("x-a") && !next.headers().contains_key("authorization"));
            assert_eq!(next.headers().contains_key("content-length"), expected == method);
        }
        for (status, location) in [(200, "/x"), (304, "/x"), (305, "/x"), (404, "/x"), (302, ""), (302, "#x")]
        {
            let asked = Request::builder().uri("http://shop/").body(()).unwrap();
            let answer = Response::builder().status(status).header("location", location).body(()).unwrap();
            assert!(matches!(next_location(&asked, &answer), Lead::Nowhere), "{status} {location}");
        }
    }
}

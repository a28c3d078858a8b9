//! Reads the head of an answer as servers really write it, and writes for ureq what of it decides: the status, how
//! long the body is, what the body is, and where a redirect leads. A header line that breaks the rules of HTTP says
//! nothing about the health of a service, so only the status line must be right. Pure; memory and input are bounded.

use std::mem;

/// Bytes of all heads of one answer, interim ones (1xx) included. Browsers and curl give up at 256 to 300 KiB.
const MAX_BYTES: usize = 1024 * 1024;

/// Bytes kept of one header. What is longer is left out: only a `Location` could be, and then leads nowhere.
const MAX_KEPT: usize = 16 * 1024;

/// Of every status line.
const BEGINNING: &[u8] = b"HTTP/1.";

/// Headers besides those of the length that are kept as they came. The last of each counts.
const KEPT: [&str; 4] = ["location", "content-type", "content-encoding", "date"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadProgress {
    /// The head goes on.
    More,
    /// The head ended after so many of the bytes that were given last.
    Ended { used: usize, head: CleanHead },
    /// The answer does not begin with a status line of HTTP/1.
    NoStatusLine(Vec<u8>),
    /// There is still no end after `MAX_BYTES`.
    TooLarge,
}

/// The head of a final answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CleanHead {
    /// A well-formed head of HTTP/1 with the same meaning.
    pub(super) text: Vec<u8>,
    /// False: the headers contradict each other, or themselves, about where the body ends. `text` then has no length.
    pub(super) is_length_clear: bool,
}

#[derive(Debug)]
pub(super) struct AnswerHead {
    /// A header that is kept besides, without its value; in lower case.
    wanted: Option<String>,
    spent: usize,
    /// The physical line that is being read.
    line: LinePrefix,
    /// The header line before it, which may go on.
    header: LinePrefix,
    head: Option<Head>,
}

/// The first `MAX_KEPT` bytes of a line.
#[derive(Debug, Default)]
struct LinePrefix {
    bytes: Vec<u8>,
    is_cut: bool,
}

#[derive(Debug)]
struct Head {
    status_line: Vec<u8>,
    is_interim: bool,
    length: Length,
    coding: Coding,
    kept: [Option<Vec<u8>>; KEPT.len()],
    has_wanted: bool,
}

/// What `Content-Length` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Unsaid,
    Bytes(u64),
    Unclear,
}

/// What `Transfer-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Unsaid,
    Chunked,
    Unclear,
}

impl AnswerHead {
    pub(super) fn new(wanted: Option<String>) -> Self {
        Self { wanted, spent: 0, line: LinePrefix::default(), header: LinePrefix::default(), head: None }
    }

    /// Takes the next bytes of the answer.
    pub(super) fn read(&mut self, bytes: &[u8]) -> HeadProgress {
        let mut used = 0;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            used += piece.len();
            self.spent += piece.len();
            self.line.push(piece);
            if self.head.is_none() && !self.line.may_be_status_line() {
                return HeadProgress::NoStatusLine(mem::take(&mut self.line.bytes));
            }
            if piece.ends_with(b"\n") {
                let mut line = mem::take(&mut self.line);
                line.trim_end();
                match self.take_line(line) {
                    HeadProgress::Ended { head, .. } => return HeadProgress::Ended { used, head },
                    HeadProgress::More => {}
                    other @ (HeadProgress::NoStatusLine(_) | HeadProgress::TooLarge) => return other,
                }
            }
            if self.spent >= MAX_BYTES {
                return HeadProgress::TooLarge;
            }
        }
        HeadProgress::More
    }

    /// A whole line, without its end.
    fn take_line(&mut self, line: LinePrefix) -> HeadProgress {
        let Some(head) = &mut self.head else {
            // RFC 9112, 2.2 has it of requests: empty lines before the first are overlooked.
            if line.bytes.is_empty() {
                return HeadProgress::More;
            }
            self.head = Head::begun_with(&line.bytes);
            return if self.head.is_some() {
                HeadProgress::More
            } else {
                HeadProgress::NoStatusLine(line.bytes)
            };
        };
        // RFC 9112, 5.2: a line that begins with white space goes on with the header before it.
        if line.bytes.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if !self.header.bytes.is_empty() {
                self.header.push(b" ");
                self.header.push(line.bytes.trim_ascii());
                self.header.is_cut |= line.is_cut;
            }
            return HeadProgress::More;
        }
        let is_end = line.bytes.is_empty();
        let header = mem::replace(&mut self.header, line);
        head.take_header(&header, self.wanted.as_deref());
        if !is_end {
            return HeadProgress::More;
        }
        match self.head.take().filter(|head| !head.is_interim) {
            Some(head) => HeadProgress::Ended { used: 0, head: head.into_bytes(self.wanted.as_deref()) },
            None => HeadProgress::More,
        }
    }
}

impl LinePrefix {
    fn push(&mut self, bytes: &[u8]) {
        let room = MAX_KEPT.saturating_sub(self.bytes.len()).min(bytes.len());
        self.is_cut |= room < bytes.trim_ascii_end().len();
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// Without the end of the line: LF, or CR LF.
    fn trim_end(&mut self) {
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
        }
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
    }

    /// So far: what speaks another protocol need not end a line.
    fn may_be_status_line(&self) -> bool {
        let begins = self.bytes.get(..BEGINNING.len()).unwrap_or(&self.bytes);
        let is_http = BEGINNING.get(..begins.len()).is_some_and(|http| http.eq_ignore_ascii_case(begins));
        is_http || [&b"\r"[..], b"\r\n", b"\n"].contains(&&*self.bytes)
    }
}

impl Head {
    /// `HTTP/1.1 200 OK`. `None`: this is no status line.
    fn begun_with(line: &[u8]) -> Option<Self> {
        // RFC 9112, 4: words between white space, whatever white space it is.
        let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        let version = words.next().and_then(|word| word.split_last());
        let is_http = version
            .is_some_and(|(minor, begins)| minor.is_ascii_digit() && begins.eq_ignore_ascii_case(BEGINNING));
        let digits = words.next().filter(|digits| digits.len() == 3)?;
        let is_status = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
        (is_http && is_status).then(|| Self {
            status_line: [b"HTTP/1.1 ", digits].concat(),
            is_interim: digits.starts_with(b"1") && digits != b"101",
            length: Length::Unsaid,
            coding: Coding::Unsaid,
            kept: [const { None }; KEPT.len()],
            has_wanted: false,
        })
    }

    /// Without a colon, or without a name, it is no header, and nothing else either.
    fn take_header(&mut self, header: &LinePrefix, wanted: Option<&str>) {
        let Some(colon) = header.bytes.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = header.bytes.split_at(colon);
        // RFC 9112, 5.1: a space before the colon is taken away from an answer.
        let name = name.trim_ascii_end();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            self.length = if header.is_cut { Length::Unclear } else { self.length.merge(value) };
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.coding = if header.is_cut { Coding::Unclear } else { self.coding.merge(value) };
        } else if wanted.is_some_and(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes())) {
            self.has_wanted = true;
        }
        let place =
            KEPT.iter().zip(&mut self.kept).find(|(kept, _)| name.eq_ignore_ascii_case(kept.as_bytes()));
        if let Some((_, place)) = place {
            // RFC 9110, 5.5: what drives a terminal in a value is replaced by a space.
            let plain = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
            *place = (!header.is_cut).then(|| value.iter().map(plain).collect());
        }
    }

    fn into_bytes(self, wanted: Option<&str>) -> CleanHead {
        let is_length_clear = match (self.coding, self.length) {
            (Coding::Unclear, _) | (Coding::Unsaid, Length::Unclear) => false,
            (Coding::Chunked, _) | (Coding::Unsaid, Length::Unsaid | Length::Bytes(_)) => true,
        };
        let mut text = self.status_line;
        let mut add = |name: &str, value: &[u8]| {
            text.extend_from_slice(b"\r\n");
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
        };
        match (self.coding, self.length) {
            // RFC 9112, 6.3: with both, this one counts.
            (Coding::Chunked, _) => add("transfer-encoding", b"chunked"),
            (Coding::Unsaid, Length::Bytes(length)) => add("content-length", length.to_string().as_bytes()),
            (Coding::Unsaid | Coding::Unclear, _) => {}
        }
        for (name, value) in KEPT.iter().zip(&self.kept) {
            if let Some(value) = value {
                add(name, value);
            }
        }
        if let Some(wanted) = wanted.filter(|_| self.has_wanted) {
            add(wanted, b"");
        }
        text.extend_from_slice(b"\r\n\r\n");
        CleanHead { text, is_length_clear }
    }
}

impl Length {
    /// Also with what another such header says: `5, 5` is 5, and `5, 6` is nothing.
    fn merge(self, value: &[u8]) -> Self {
        let number = |text: &[u8]| {
            let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            is_number.then(|| str::from_utf8(text).ok()?.parse().ok()).flatten()
        };
        value.split(|byte| *byte == b',').fold(self, |before, text| {
            match (before, number(text.trim_ascii())) {
                (Self::Unsaid, Some(length)) => Self::Bytes(length),
                (Self::Bytes(length), Some(same)) if length == same => before,
                _ => Self::Unclear,
            }
        })
    }
}

impl Coding {
    /// Also with what another such header says. Chunks of something else are asked for by nobody.
    fn merge(self, value: &[u8]) -> Self {
        match self {
            Self::Unsaid if value.eq_ignore_ascii_case(b"chunked") => Self::Chunked,
            Self::Unsaid | Self::Chunked if value.eq_ignore_ascii_case(b"identity") => self,
            Self::Unsaid | Self::Chunked | Self::Unclear => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OK: &str = "HTTP/1.1 200 OK\r\n";

    fn read(answer: &[u8], pieces: usize) -> HeadProgress {
        let mut head = AnswerHead::new(Some("x-maintenance".to_owned()));
        let mut before = 0;
        for piece in answer.chunks(pieces) {
            match head.read(piece) {
                HeadProgress::More => before += piece.len(),
                HeadProgress::Ended { used, head } => {
                    return HeadProgress::Ended { used: before + used, head };
                }
                other => return other,
            }
        }
        HeadProgress::More
    }

    /// The clean head, without its status line and its end; `unclear` where the length is.
    fn headers(head: &str) -> String {
        let HeadProgress::Ended { head, .. } = read(format!("{OK}{head}\r\n").as_bytes(), 7) else {
            panic!("{head}")
        };
        let text = String::from_utf8(head.text).unwrap();
        let rest = text.strip_prefix("HTTP/1.1 200\r\n").unwrap().strip_suffix("\r\n").unwrap();
        if head.is_length_clear {
            rest.replace("\r\n", "|")
        } else {
            format!("unclear|{}", rest.replace("\r\n", "|"))
        }
    }

    #[test]
    fn what_decides_is_kept_and_mended_and_the_rest_left_out() {
        for (head, expected) in [
            ("", ""),
            ("x-a: b\r\n y\r\n", ""),
            ("location: /a\r\n  /b\r\n\t/c\r\n", "location: /a /b /c|"),
            ("Content-Length : 5\r\n", "content-length: 5|"),
            ("content-length:5\nX-(A): b\n: x\nno colon\n\u{1}: y\n", "content-length: 5|"),
            ("content-length: 5, 5\r\ncontent-length: 5\r\n", "content-length: 5|"),
            ("content-length: 5\r\ncontent-length: 6\r\n", "unclear|"),
            ("content-length: -1\r\n", "unclear|"),
            ("content-length: 18446744073709551616\r\n", "unclear|"),
            ("content-length: 5\r\n 6\r\n", "unclear|"),
            ("Transfer-Encoding: Chunked\r\ncontent-length: x\r\n", "transfer-encoding: chunked|"),
            ("transfer-encoding: gzip, chunked\r\ncontent-length: 5\r\n", "unclear|"),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", "unclear|"),
            ("transfer-encoding: identity\r\ncontent-length: 5\r\n", "content-length: 5|"),
            ("Content-Type: a\u{1}b\r\n", "content-type: a b|"),
            ("date: 1\r\ndate: 2\r\n", "date: 2|"),
            ("X-MAINTENANCE: on\r\n", "x-maintenance: |"),
            ("x-maintenance\r\n", ""),
            (" content-length: 5\r\n", ""),
        ] {
            assert_eq!(headers(head), expected, "{head:?}");
        }
        let large = format!("set-cookie: {}\r\ncontent-length: 5\r\n", "y".repeat(20_000));
        assert_eq!(headers(&large), "content-length: 5|");
        assert_eq!(headers(&format!("location: {}\r\n", "y".repeat(20_000))), "");
        assert_eq!(headers(&format!("content-length: 5{}6\r\n", " ".repeat(20_000))), "unclear|");
        assert_eq!(
            headers(&format!("{}content-length: 5\r\n", "x: y\r\n".repeat(10_000))),
            "content-length: 5|"
        );
    }

    #[test]
    fn only_the_status_line_must_be_right() {
        for line in [
            "HTTP/1.1 abc",
            "HTTP/1.1 000 X",
            "HTTP/1.x 200",
            "HTTP/1.1200 200",
            "HTTP/1.1 20",
            "HTTP/2 200",
            "HTTP/1.1 2000",
            "SSH-2.0-x",
            "x",
        ] {
            let read = read(format!("{line}\r\n\r\n").as_bytes(), 100);
            assert!(
                matches!(&read, HeadProgress::NoStatusLine(begins) if line.as_bytes().starts_with(begins.trim_ascii())),
                "{line}: {read:?}"
            );
        }
        for line in
            ["HTTP/1.1  200 OK", "http/1.1 200", "HTTP/1.1\t200\tOK", "HTTP/1.2 200 \u{1}", "HTTP/1.0 200"]
        {
            let HeadProgress::Ended { head, .. } = read(format!("{line}\n\n").as_bytes(), 3) else {
                panic!("{line}")
            };
            assert_eq!(head.text, b"HTTP/1.1 200\r\n\r\n", "{line}");
        }
        assert!(matches!(read(b"\x15\x03", 100), HeadProgress::NoStatusLine(_)), "no line need end");
        let interim = "\r\nHTTP/1.1 103 X\r\ncontent-length: 9\r\n\r\nHTTP/1.0 204\n\nbody";
        let HeadProgress::Ended { used, head } = read(interim.as_bytes(), 100) else { panic!() };
        assert_eq!((used, &*head.text), (interim.len() - 4, &b"HTTP/1.1 204\r\n\r\n"[..]));
    }

    #[test]
    fn what_has_no_end_is_bounded_in_all() {
        for (start, again) in [
            ("HTTP/1.1 200 ", "OK"),
            ("HTTP/1.1 200 OK\r\nx: ", "y"),
            ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
            ("HTTP/1.1 200 OK\r\nx: y\r\n", " y\r\n"),
            ("", "HTTP/1.1 100 Continue\r\n\r\n"),
            ("", "\r\n"),
        ] {
            let answer = format!("{start}{}", again.repeat(MAX_BYTES));
            let mut head = AnswerHead::new(None);
            let mut read = answer.as_bytes().chunks(1000).map(|piece| head.read(piece));
            let ends = read.position(|progress| progress != HeadProgress::More);
            assert!(ends.is_some_and(|ends| ends <= MAX_BYTES / 1000), "{start}");
            assert!(head.line.bytes.capacity() + head.header.bytes.capacity() <= 4 * MAX_KEPT, "{start}");
        }
    }

    proptest! {
        #[test]
        fn how_an_answer_is_cut_changes_nothing(
            lines in proptest::collection::vec("[ -~\\t\\x01]{0,12}(: [0-9a-z]{1,3})?\r?\n", 0..8),
            pieces in 1..40_usize,
        ) {
            let answer = format!("{OK}{}\r\nbody", lines.concat());
            prop_assert_eq!(read(answer.as_bytes(), pieces), read(answer.as_bytes(), answer.len()));
        }
    }
}

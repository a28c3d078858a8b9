//! What was read of a body, as text: unpacked where it came compressed, and in the character set that its head names.
//! Pure, and bounded whatever the body unpacks to.

use std::borrow::Cow;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::fault::quote_error;

/// What was read of the body of an answer, and how its head says that it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw<'a> {
    /// As much as the limit allows, and one byte more where there is more.
    pub(super) bytes: &'a [u8],
    /// `Content-Encoding`
    pub(super) encoding: Option<&'a str>,
    /// `Content-Type`
    pub(super) content_type: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct BodyText<'a> {
    pub(super) text: Cow<'a, str>,
    /// It is not certain what its letters are, but for ASCII.
    pub(super) is_guessed: bool,
    /// False: the body goes on behind the text.
    pub(super) is_whole: bool,
}

/// An error: why it cannot be read, and the cure. `limit`: bytes that are looked at.
pub(super) fn read_text<'a>(raw: &Raw<'a>, limit: usize) -> Result<BodyText<'a>, String> {
    let (bytes, is_whole) = unpack_body(raw, limit)?;
    let charset = Charset::named(raw.content_type.and_then(charset_of).as_deref(), &bytes)?;
    let (text, is_guessed) = match bytes {
        Cow::Borrowed(bytes) => decode_text(bytes, charset),
        Cow::Owned(bytes) => {
            let (text, is_guessed) = decode_text(&bytes, charset);
            (Cow::Owned(text.into_owned()), is_guessed)
        }
    };
    Ok(BodyText { text, is_guessed, is_whole })
}

fn unpack_body<'a>(raw: &Raw<'a>, limit: usize) -> Result<(Cow<'a, [u8]>, bool), String> {
    let (read, is_whole) = cut_at(raw.bytes, limit);
    let packings = raw.encoding.unwrap_or_default().split(',').map(str::trim);
    let mut packings =
        packings.filter(|packing| !packing.is_empty() && !packing.eq_ignore_ascii_case("identity"));
    let unpacked = match (packings.next(), packings.next()) {
        _ if read.is_empty() => return Ok((Cow::Borrowed(read), is_whole)),
        // No text begins so: a file that was compressed before, and is served as it is.
        (None, _) if read.starts_with(&GZIP) => unpack_gzip(read, limit),
        (None, _) => return Ok((Cow::Borrowed(read), is_whole)),
        (Some(gzip), None) if ["gzip", "x-gzip"].iter().any(|name| gzip.eq_ignore_ascii_case(name)) => {
            unpack_gzip(read, limit)
        }
        (Some(deflate), None) if deflate.eq_ignore_ascii_case("deflate") => inflate_zlib(read, limit),
        (Some(_), _) => None,
    };
    let unreadable = || {
        let packing = quote_error(&raw.encoding.unwrap_or_default());
        format!(
            "the body came compressed ({packing}) and cannot be read: have the server honour Accept-Encoding"
        )
    };
    let Unpacked { mut bytes, ended } = unpacked.ok_or_else(unreadable)?;
    let all = bytes.len() <= limit;
    bytes.truncate(limit);
    if all && !ended && is_whole {
        return Err("the body came compressed, and its end is missing".to_owned());
    }
    Ok((Cow::Owned(bytes), all && ended && is_whole))
}

/// False: there is more than `limit`.
fn cut_at(bytes: &[u8], limit: usize) -> (&[u8], bool) {
    bytes.get(..limit).filter(|_| bytes.len() > limit).map_or((bytes, true), |part| (part, false))
}

/// At most a byte more than the limit.
struct Unpacked {
    bytes: Vec<u8>,
    /// The end of the packed data is in.
    ended: bool,
}

/// One member behind the other (RFC 1952). `None`: it is no gzip, or broken.
fn unpack_gzip(mut packed: &[u8], limit: usize) -> Option<Unpacked> {
    let mut bytes = Vec::new();
    loop {
        let data = match data_of_gzip(packed) {
            Gzip::Data(data) => data,
            Gzip::Cut => return Some(Unpacked { bytes, ended: false }),
            Gzip::None => return None,
        };
        let (rest, ended) = inflate_into(data, 0, limit, &mut bytes)?;
        // A checksum and a length follow.
        let next = rest.get(8..).unwrap_or_default();
        if !ended || next.is_empty() || bytes.len() > limit || !next.starts_with(&GZIP) {
            return Some(Unpacked { bytes, ended });
        }
        packed = next;
    }
}

const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// What begins as gzip does.
#[derive(Debug)]
enum Gzip<'a> {
    /// What stands behind its header.
    Data(&'a [u8]),
    /// The header goes on behind what is there.
    Cut,
    /// It is something else.
    None,
}

fn data_of_gzip(packed: &[u8]) -> Gzip<'_> {
    if !GZIP.starts_with(packed.get(..GZIP.len()).unwrap_or(packed)) {
        return Gzip::None;
    }
    behind_gzip_header(packed).map_or(Gzip::Cut, Gzip::Data)
}

/// `None`: the header is cut.
fn behind_gzip_header(packed: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = packed.split_at_checked(10)?;
    let flags = *header.get(3)?;
    if flags & 4 != 0 {
        let (&[low, high], behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes([low, high]))..)?;
    }
    // A name and a comment, which end with a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let zero = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(zero + 1..)?;
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// Zlib by the rule, bare deflate by habit of some servers (RFC 9110, 8.4.1.2).
fn inflate_zlib(packed: &[u8], limit: usize) -> Option<Unpacked> {
    [TINFL_FLAG_PARSE_ZLIB_HEADER, 0].into_iter().find_map(|flags| {
        let mut bytes = Vec::new();
        let (_, ended) = inflate_into(packed, flags, limit, &mut bytes)?;
        Some(Unpacked { bytes, ended })
    })
}

/// What is behind the data, and whether they ended. `into` holds a byte more than `limit` at most. `None`: broken.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open enum")]
fn inflate_into<'a>(
    packed: &'a [u8],
    flags: u32,
    limit: usize,
    into: &mut Vec<u8>,
) -> Option<(&'a [u8], bool)> {
    let mut state = Box::<DecompressorOxide>::default();
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (mut rest, begin) = (packed, into.len());
    let mut out = 0;
    let most = limit.saturating_add(1).saturating_sub(begin);
    let mut unpacked = vec![0; packed.len().saturating_mul(2).clamp(64, 64 * 1024).min(most)];
    let ended = loop {
        let (status, read, written) = decompress(&mut state, rest, &mut unpacked, out, flags);
        out += written;
        rest = rest.get(read..)?;
        match status {
            TINFLStatus::Done => break true,
            TINFLStatus::HasMoreOutput if unpacked.len() < most => {
                unpacked.resize(unpacked.len().saturating_mul(2).min(most), 0);
            }
            // The input is cut, or enough is in.
            TINFLStatus::HasMoreOutput
            | TINFLStatus::NeedsMoreInput
            | TINFLStatus::FailedCannotMakeProgress => {
                break false;
            }
            _ => return None,
        }
    };
    into.extend_from_slice(unpacked.get(..out)?);
    Some((rest, ended))
}

/// What the head says that the body is written in. Servers often name one for all their pages, whatever those are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Unsaid,
    Utf8,
    Windows1252,
    /// Another one in which ASCII is written as it is.
    OfAscii,
}

impl Charset {
    /// An error: not even ASCII could be read of it.
    fn named(name: Option<&str>, bytes: &[u8]) -> Result<Self, String> {
        let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        match name {
            None if has_mark => Err(unreadable_text("utf-16")),
            None => Ok(Self::Unsaid),
            Some("utf-8" | "utf8") => Ok(Self::Utf8),
            Some(name) if WINDOWS_1252.contains(&name) => Ok(Self::Windows1252),
            Some(name) if OF_ASCII.iter().any(|start| name.starts_with(start)) => Ok(Self::OfAscii),
            Some(name) => Err(unreadable_text(name)),
        }
    }
}

fn unreadable_text(charset: &str) -> String {
    let charset = quote_error(&charset);
    format!("the body is written in {charset}, which unhang cannot read: have the server send UTF-8")
}

/// With whether all but its ASCII is a guess. What reads as UTF-8 is UTF-8, whatever the head says.
fn decode_text(bytes: &[u8], charset: Charset) -> (Cow<'_, str>, bool) {
    match str::from_utf8(bytes) {
        Ok(text) => {
            let is_as_named = text.is_ascii() || matches!(charset, Charset::Unsaid | Charset::Utf8);
            (Cow::Borrowed(text), !is_as_named)
        }
        // The last letter is cut.
        Err(error) if error.error_len().is_none() && matches!(charset, Charset::Unsaid | Charset::Utf8) => {
            (String::from_utf8_lossy(bytes), false)
        }
        Err(_) => {
            let text = bytes.iter().copied().map(of_windows_1252).collect();
            (Cow::Owned(text), charset != Charset::Windows1252)
        }
    }
}

/// `text/html; charset="ISO-8859-1"`, in lower case.
fn charset_of(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|one| one.split_once('='));
    let (_, named) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let named = named.trim().trim_matches(['"', '\'']).trim();
    (!named.is_empty()).then(|| named.to_ascii_lowercase())
}

/// Names that browsers read as windows-1252 (encoding.spec.whatwg.org), which has more than the others.
const WINDOWS_1252: [&str; 9] = [
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "latin1",
    "latin-1",
    "us-ascii",
    "ascii",
    "windows-1252",
    "cp1252",
];

/// How the names begin of others in which ASCII is ASCII.
const OF_ASCII: [&str; 15] = [
    "windows-",
    "cp125",
    "cp866",
    "iso-8859-",
    "iso8859-",
    "iso_8859-",
    "latin",
    "koi8-",
    "euc-",
    "gb",
    "big5",
    "shift_jis",
    "sjis",
    "tis-620",
    "macintosh",
];

fn of_windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80)
        .and_then(|at| HIGH.get(usize::from(at)).copied())
        .unwrap_or_else(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    fn read(
        bytes: &[u8],
        encoding: &str,
        content_type: &str,
        limit: usize,
    ) -> Result<(String, bool), String> {
        let raw = Raw { bytes, encoding: Some(encoding), content_type: Some(content_type) };
        read_text(&raw, limit).map(|read| (read.text.into_owned(), read.is_whole))
    }

    fn gzip(flags: u8, fields: &[u8], text: &str) -> Vec<u8> {
        [&GZIP[..], &[flags, 0, 0, 0, 0, 0, 3], fields, &compress_to_vec(text.as_bytes(), 6), &[0; 8]]
            .concat()
    }

    #[test]
    fn what_came_compressed_is_unpacked() {
        let text = "healthy ".repeat(100);
        let whole = |packed: &[u8], encoding| read(packed, encoding, "", 10_000);
        let expected = Ok((text.clone(), true));
        assert_eq!(whole(&gzip(0, b"", &text), "gzip"), expected);
        assert_eq!(whole(&gzip(2 | 4 | 8 | 16, b"\x02\0abname\0comment\0cc", &text), " X-GZip"), expected);
        assert_eq!(whole(&compress_to_vec_zlib(text.as_bytes(), 6), "deflate"), expected);
        assert_eq!(whole(&compress_to_vec(text.as_bytes(), 6), "Deflate"), expected);
        assert_eq!(whole(text.as_bytes(), "identity"), expected);
        assert_eq!(whole(&gzip(0, b"", &text), ""), expected, "and nobody said so");
        assert_eq!(whole(b"", "gzip"), Ok((String::new(), true)));
        let two = [gzip(0, b"", &text), gzip(0, b"", "end")].concat();
        assert_eq!(whole(&two, "gzip"), Ok((format!("{text}end"), true)));
    }

    #[test]
    fn what_cannot_be_unpacked_is_not_judged() {
        let packed = gzip(0, b"", &"healthy".repeat(100));
        for (bytes, encoding) in [
            (&packed[..packed.len() - 12], "gzip"),
            (&packed[..5], "gzip"),
            (b"plain text", "gzip"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff", "gzip"),
            (b"\xff\xff", "deflate"),
            (&packed, "br"),
            (&packed, "zstd"),
            (&packed, "gzip, br"),
        ] {
            assert!(read(bytes, encoding, "", 10_000).is_err(), "{encoding} {bytes:?}");
        }
    }

    #[test]
    fn a_bomb_is_unpacked_as_far_as_the_limit() {
        let bomb = gzip(0, b"", &"0".repeat(50_000_000));
        let (text, is_whole) = read(&bomb, "gzip", "", 100_000).unwrap();
        assert_eq!((text.len(), is_whole), (100_000, false));
        let exact = gzip(0, b"", &"0".repeat(100_000));
        assert_eq!(read(&exact, "gzip", "", 100_000).unwrap(), ("0".repeat(100_000), true));
        let (text, is_whole) = read(&bomb, "gzip", "", 10).unwrap();
        assert_eq!((text.as_str(), is_whole), ("", false), "its beginning alone");
        assert_eq!(read(b"0123", "", "", 3), Ok(("012".to_owned(), false)));
        assert_eq!(read(b"012", "", "", 3), Ok(("012".to_owned(), true)));
    }

    #[test]
    fn a_body_is_read_in_the_character_set_of_its_head() {
        for (bytes, content_type, expected) in [
            (&b"ge\xf6ffnet"[..], "text/html; charset=ISO-8859-1", Some("geöffnet")),
            (b"ge\xf6ffnet", "text/html;Charset = \"latin1\"; x=y", Some("geöffnet")),
            (b"\x80 ge\xf6ffnet", "text/plain; charset=windows-1252", Some("€ geöffnet")),
            (b"ge\xf6ffnet", "text/html", Some("geöffnet")),
            ("geöffnet".as_bytes(), "", Some("geöffnet")),
            ("geöffnet".as_bytes(), "text/html; charset=utf-8", Some("geöffnet")),
            ("geöffnet".as_bytes(), "text/html; charset=iso-8859-1", Some("geöffnet")),
            (b"ge\xf6ffnet", "text/html; charset=UTF8", Some("geöffnet")),
            ("gef\u{fc}".as_bytes().split_last().unwrap().1, "text/html; charset=utf-8", Some("gef\u{fffd}")),
            (b"open", "text/html; charset=KOI8-R", Some("open")),
            (b"open", "text/html; charset=gb2312", Some("open")),
            (b"ok", "text/html; charset=us-ascii", Some("ok")),
            (b"ok", "text/html; charset=", Some("ok")),
            (b"ge\xf6", "text/html; charset=ibm037", None),
            (b"ge\xf6", "text/html; charset=utf-7", None),
            (b"o\0k\0", "text/html; charset=utf-16", None),
            (b"\xff\xfeo\0k\0", "text/html", None),
        ] {
            let read = read(bytes, "", content_type, 100).ok();
            assert_eq!(read.as_ref().map(|(text, _)| text.as_str()), expected, "{content_type}");
        }
    }
}

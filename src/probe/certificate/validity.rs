//! When a certificate begins and ends, out of its DER (X.690; RFC 5280, 4.1): webpki reads it too, and tells nobody.
//! Pure and total: what is not understood to the end is no validity.

use chrono::NaiveDate;

/// In seconds since 1970; both ends are within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) begins: i64,
    pub(super) ends: i64,
}

pub(super) fn read_validity(der: &[u8]) -> Option<Validity> {
    let mut certificate = Der(Der(der).next_content(SEQUENCE)?);
    let mut signed = Der(certificate.next_content(SEQUENCE)?);
    // In those of version 1 it is left out.
    if signed.0.first() == Some(&VERSION) {
        signed.next_content(VERSION)?;
    }
    for before in [SERIAL_NUMBER, SEQUENCE, SEQUENCE] {
        signed.next_content(before)?;
    }
    let mut validity = Der(signed.next_content(SEQUENCE)?);
    let (begins, ends) = (validity.next_time()?, validity.next_time()?);
    validity.0.is_empty().then_some(Validity { begins, ends })
}

const SEQUENCE: u8 = 0x30;
const SERIAL_NUMBER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// Explicit and of number 0.
const VERSION: u8 = 0xa0;

/// What is left to read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Of the next element, if it is of that kind.
    fn next_content(&mut self, kind: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next_element()?;
        (found == kind).then_some(content)
    }

    fn next_element(&mut self) -> Option<(u8, &'a [u8])> {
        let (kind, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..0x80 => (usize::from(*first), rest),
            // So many bytes of length follow; four are enough for any certificate.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
                (usize::try_from(length).ok()?, rest)
            }
            0x80 | 0x85.. => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*kind, content))
    }

    fn next_time(&mut self) -> Option<i64> {
        let (kind, text) = self.next_element()?;
        match kind {
            UTC_TIME => {
                let (year, rest) = text.split_at_checked(2)?;
                // RFC 5280, 4.1.2.5.1
                let year = parse_digits(year)?;
                parse_time(if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = text.split_at_checked(4)?;
                parse_time(parse_digits(year)?, rest)
            }
            _ => None,
        }
    }
}

/// `MMDDHHMMSSZ`, the one form that certificates may have.
fn parse_time(year: u32, rest: &[u8]) -> Option<i64> {
    let digits = rest.strip_suffix(b"Z").filter(|digits| digits.len() == 10)?;
    let mut two = digits.chunks(2).map(parse_digits);
    let (month, day) = (two.next()??, two.next()??);
    let (hour, minute, second) = (two.next()??, two.next()??, two.next()??);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(date.and_hms_opt(hour, minute, second)?.and_utc().timestamp())
}

fn parse_digits(digits: &[u8]) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn certificate(years: (i32, i32)) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(["shop.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 2);
        params.not_after = rcgen::date_time_ymd(years.1, 11, 30);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn midnight(year: i32, month: u32, day: u32) -> i64 {
        NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp()
    }

    /// Both forms of a time: from 2050 on it has four digits for the year.
    #[test]
    fn the_validity_is_read_in_both_forms() {
        for years in [(2020, 2049), (2026, 2050), (1950, 2026), (2051, 9999), (1949, 2026)] {
            let expected = Validity { begins: midnight(years.0, 1, 2), ends: midnight(years.1, 11, 30) };
            assert_eq!(read_validity(&certificate(years)), Some(expected), "{years:?}");
        }
    }

    fn element(kind: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 0x80);
        [&[kind, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// Of version 1, as old printers and switches have it.
    fn of_version_1(times: &[u8]) -> Vec<u8> {
        let before = [element(SERIAL_NUMBER, &[1]), element(SEQUENCE, &[]), element(SEQUENCE, &[])].concat();
        element(SEQUENCE, &element(SEQUENCE, &[before, element(SEQUENCE, times)].concat()))
    }

    #[test]
    fn times_are_read_as_they_must_be_written() {
        let of = |from: &str, to: &str| {
            let time = |text: &str| {
                element(if text.len() < 15 { UTC_TIME } else { GENERALIZED_TIME }, text.as_bytes())
            };
            read_validity(&of_version_1(&[time(from), time(to)].concat()))
        };
        let leap = Validity { begins: midnight(2024, 2, 29), ends: midnight(2026, 3, 1) + 86_399 };
        assert_eq!(of("240229000000Z", "260301235959Z"), Some(leap));
        assert_eq!(of("20240229000000Z", "260301235959Z"), Some(leap));
        for wrong in [
            "250229000000Z",
            "260013000000Z",
            "261301000000Z",
            "260101240000Z",
            "260101006000Z",
            "2601010000Z",
            "260101000000",
            "260101000000+0100",
            "2601010000001Z",
            "26010100000:Z",
            "26010100000 Z",
            "26010100000Z",
            "2601010000000Z",
            "Z",
            "",
        ] {
            assert_eq!(of("240229000000Z", wrong), None, "{wrong}");
            assert_eq!(of(wrong, "240229000000Z"), None, "{wrong}");
        }
        let third = [element(UTC_TIME, b"240229000000Z"), element(UTC_TIME, b"260301235959Z"), vec![5, 0]];
        assert_eq!(super::read_validity(&of_version_1(&third.concat())), None);
    }

    #[test]
    fn lengths_that_lead_out_of_it_are_refused() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x30, 0xff],
            &[0x30, 0x82, 1],
        ] {
            assert_eq!(read_validity(der), None, "{der:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_is_read_without_a_panic(der: Vec<u8>) {
            let _ = read_validity(&der);
        }

        /// Where it is cut before its validity ends, there is none.
        #[test]
        fn a_certificate_that_is_cut_says_nothing_wrong(cut in 0_usize..400) {
            let whole = certificate((2020, 2049));
            let validity = read_validity(&whole);
            prop_assert!(validity.is_some());
            prop_assert_eq!(read_validity(&whole[..cut.min(whole.len() - 1)]), None);
        }

        #[test]
        fn a_byte_that_is_wrong_breaks_nothing(at in 0_usize..400, byte: u8) {
            let mut some = certificate((2020, 2049));
            let at = at.min(some.len() - 1);
            some[at] = byte;
            let _ = read_validity(&some);
        }
    }
}

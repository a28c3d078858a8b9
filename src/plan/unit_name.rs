//! What may stand for a unit of systemd, wherever an operator names one: the key `unit` of a service, a probe, a log
//! in the journal. Pure: asks systemd nothing.

/// Why a text names no single unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnitNameFault {
    /// It would match several.
    Pattern,
    /// A template; `instance` is what could be meant.
    Template { instance: String },
    /// It has a character that no unit has, is too long, or empty.
    Malformed,
}

/// systemd allows 255 bytes, but so does the file system, and unhang's lock file adds `.lock`.
pub(crate) const MAX_UNIT_NAME_BYTES: usize = 250;

const UNIT_SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// The units of the root of the file system and of all control groups: the only ones that begin with a dash.
const ROOTS: [&str; 2] = ["-.mount", "-.slice"];

/// The whole name of the unit. As systemctl does: without a suffix, a service is meant.
///
/// # Errors
/// When the text names no single unit.
pub(crate) fn parse_unit_name(text: &str) -> Result<String, UnitNameFault> {
    let suffix = UNIT_SUFFIXES.iter().find(|suffix| text.ends_with(**suffix));
    let unit = if suffix.is_some() { text.to_owned() } else { format!("{text}.service") };
    let stem = unit.strip_suffix(suffix.unwrap_or(&".service")).unwrap_or_default();
    if text.contains(['*', '?', '[']) {
        return Err(UnitNameFault::Pattern);
    }
    if stem.ends_with('@') {
        let instance = format!("{stem}NAME{}", unit.strip_prefix(stem).unwrap_or_default());
        return Err(UnitNameFault::Template { instance });
    }
    let begins_well = !stem.starts_with(['-', '@']) || ROOTS.contains(&text);
    if stem.is_empty() || !begins_well || unit.len() > MAX_UNIT_NAME_BYTES || !unit.bytes().all(is_unit_byte)
    {
        return Err(UnitNameFault::Malformed);
    }
    Ok(unit)
}

fn is_unit_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":_.\\@-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_named_with_or_without_its_suffix() {
        for (text, unit) in [
            ("redis.service", "redis.service"),
            ("redis", "redis.service"),
            ("redis.conf", "redis.conf.service"),
            ("pg@15-main", "pg@15-main.service"),
            ("a.socket", "a.socket"),
            ("-.slice", "-.slice"),
            ("-.mount", "-.mount"),
            ("dev-disk\\x2d1.mount", "dev-disk\\x2d1.mount"),
            ("a.b.timer", "a.b.timer"),
        ] {
            assert_eq!(parse_unit_name(text).as_deref(), Ok(unit), "{text}");
        }
    }

    #[test]
    fn what_names_no_single_unit_is_a_fault() {
        let long = "a".repeat(MAX_UNIT_NAME_BYTES);
        for text in
            ["", ".service", "a b.service", "a/b.service", "ä.service", "-x", "-.service", "@a", &long]
        {
            assert_eq!(parse_unit_name(text), Err(UnitNameFault::Malformed), "{text}");
        }
        assert_eq!(parse_unit_name("redis*.service"), Err(UnitNameFault::Pattern));
        let instance = "pg@NAME.service".to_owned();
        assert_eq!(parse_unit_name("pg@"), Err(UnitNameFault::Template { instance }));
    }
}

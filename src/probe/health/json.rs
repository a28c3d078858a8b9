//! A JSON text as it stands, with every member of a table: of a key that is said twice, both count. Bounded in depth,
//! so that a thread's small stack holds it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Bodies that are about have 5 levels; each takes some of a probe's stack.
const MAX_DEPTH: usize = 24;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Table(Vec<(String, Json)>),
}

impl Json {
    /// `None`: it is no JSON, or nested deeper than anything that is about.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = DepthLeft(MAX_DEPTH).deserialize(&mut reader).ok()?;
        reader.end().ok().map(|()| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// As JSON writes it, a text without quotes. `None`: a list or a table.
    pub(super) fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Null => Some("null".to_owned()),
            Self::Truth(truth) => Some(truth.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Table(_) => None,
        }
    }
}

/// How many more levels there may be.
#[derive(Clone, Copy)]
struct DepthLeft(usize);

impl DepthLeft {
    fn below<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for DepthLeft {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DepthLeft {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Json, A::Error> {
        let below = self.below()?;
        let mut members = Vec::new();
        while let Some(name) = table.next_key::<String>()? {
            members.push((name, table.next_value_seed(below)?));
        }
        Ok(Json::Table(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_members_of_one_name_are_kept() {
        let Some(Json::Table(members)) = Json::read(r#"{"a": 1, "a": [null, true, 0.5, "x"]}"#) else {
            panic!()
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "a"]);
    }

    /// On a stack like that of a probe's thread, of which HTTP and the probe take some.
    #[test]
    fn what_is_nested_too_deep_is_none_and_takes_no_more_stack() {
        let read = |depth: usize| {
            let text = format!("{}1{}", r#"{"a":["#.repeat(depth / 2), "]}".repeat(depth / 2));
            let thread = std::thread::Builder::new().stack_size(64 * 1024);
            thread.spawn(move || Json::read(&text).is_some()).unwrap().join().unwrap()
        };
        assert!(read(MAX_DEPTH));
        assert!(!read(MAX_DEPTH + 2));
        assert!(!read(100_000));
        assert!(Json::read("{} x").is_none());
    }
}

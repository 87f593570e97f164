//! Booleans as the SDKs write them.

use serde::{Deserialize, Deserializer, de};

/// A boolean that an SDK may write as `true`, `1`, `"true"`, `"1"` or, meaning false, as `""`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Flag {
    /// Reads the value of a query parameter.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Some(Self(true)),
            "false" | "0" | "" => Some(Self(false)),
            _ if text.eq_ignore_ascii_case("true") => Some(Self(true)),
            _ if text.eq_ignore_ascii_case("false") => Some(Self(false)),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Flag;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a boolean")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
                match value {
                    0 => Ok(Flag(false)),
                    1 => Ok(Flag(true)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(value), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Flag, E> {
                Flag::parse(value).ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
            }

            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

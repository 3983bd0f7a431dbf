use serde::Serialize;
use serde::de::{Deserialize, IgnoredAny};
#[cfg(all(feature = "transfer", feature = "_blocking"))]
use serde_json::value::RawValue;

use crate::model::invalid::{InvalidInput, MAX_JSON_DEPTH, Problem};
use crate::model::json_tree::JsonTree;

/// Text that is known to be JSON. It is stored as it was given: order of keys, digits, escapes and spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json(Box<str>);

impl Json {
    pub(crate) fn from_value(
        field: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Self, InvalidInput> {
        let text = serde_json::to_string(value).map_err(|error| {
            InvalidInput::new(field, Problem::NotSerializable { reason: error.to_string() })
        })?;
        check_depth(field, &text)?;
        Ok(Self(text.into()))
    }

    pub(crate) fn from_text(field: &'static str, text: impl Into<Box<str>>) -> Result<Self, InvalidInput> {
        let text = text.into();
        serde_json::from_str::<IgnoredAny>(&text)
            .map_err(|error| InvalidInput::new(field, Problem::NotJson { reason: error.to_string() }))?;
        check_depth(field, &text)?;
        Ok(Self(text))
    }

    /// Text that has been read as JSON.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn from_raw(field: &'static str, text: &RawValue) -> Result<Self, InvalidInput> {
        check_depth(field, text.get())?;
        Ok(Self(text.get().into()))
    }

    /// From a database; it was checked before it was written.
    pub(crate) fn stored(text: Box<str>) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Why it is no JSON, if it was written by hand.
    pub(crate) fn problem(&self) -> Option<String> {
        serde_json::from_str::<IgnoredAny>(&self.0).err().map(|error| error.to_string())
    }

    pub(crate) fn decode<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }

    /// For a comparison. `None` if it was written by hand and is nested too deep.
    pub(crate) fn tree(&self) -> Option<JsonTree<'_>> {
        check_depth("json", &self.0).ok()?;
        JsonTree::of(&self.0)
    }

    pub(crate) fn check_size(&self, field: &'static str, limit: usize) -> Result<(), InvalidInput> {
        let bytes = self.0.len();
        if bytes > limit {
            return Err(InvalidInput::new(field, Problem::TooLarge { bytes, limit }));
        }
        Ok(())
    }
}

/// `text` must be JSON: then a bracket outside of a string is one level in or out.
fn check_depth(field: &'static str, text: &str) -> Result<(), InvalidInput> {
    // Most JSON has fewer brackets than may be open at once, and counting them is many times faster.
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= MAX_JSON_DEPTH {
        return Ok(());
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth > MAX_JSON_DEPTH {
            return Err(InvalidInput::new(field, Problem::TooDeep { limit: MAX_JSON_DEPTH }));
        }
    }
    Ok(())
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return,
            _ => {}
        }
    }
}

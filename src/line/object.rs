use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::de::IgnoredAny;

/// A line that is being written: an object.
pub(crate) struct Object<'l> {
    line: &'l mut Vec<u8>,
    separator: u8,
}

impl<'l> Object<'l> {
    pub(crate) fn begin(line: &'l mut Vec<u8>) -> Self {
        Self { line, separator: b'{' }
    }

    pub(crate) fn field(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.key(key);
        serde_json::to_writer(&mut *self.line, value).expect("numbers, texts and booleans are always JSON");
    }

    pub(crate) fn optional(&mut self, key: &str, value: Option<&(impl Serialize + ?Sized)>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// Text in which nothing is to be escaped.
    pub(crate) fn plain(&mut self, key: &str, text: &str) {
        self.key(key);
        self.line.push(b'"');
        self.line.extend_from_slice(text.as_bytes());
        self.line.push(b'"');
    }

    /// JSON as it is, so that other programs find their way in it; if it would not fit into a line, as text.
    pub(crate) fn json(&mut self, keys: [&str; 2], json: &str) {
        let [key, key_of_text] = keys;
        if !fits(json) {
            return self.field(key_of_text, json);
        }
        self.key(key);
        self.line.extend_from_slice(json.as_bytes());
    }

    pub(crate) fn time(&mut self, key: &str, time: DateTime<Utc>) {
        self.plain(key, &time.to_rfc3339_opts(SecondsFormat::Micros, true));
    }

    fn key(&mut self, key: &str) {
        self.line.extend_from_slice(&[self.separator, b'"']);
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
        self.separator = b',';
    }

    /// An event is left open, so that `check` can follow.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn end(self) {
        self.line.push(b'}');
    }
}

/// Whether it is read back from a line as it is: a reader takes no space around it for a part of it.
fn fits(json: &str) -> bool {
    // All bytes, and not up to the first: many at a time are compared then.
    let has_breaks = json.bytes().fold(false, |found, byte| found | (byte == b'\n') | (byte == b'\r'));
    !has_breaks
        && json.trim_matches([' ', '\t']).len() == json.len()
        && serde_json::from_str::<IgnoredAny>(json).is_ok()
}

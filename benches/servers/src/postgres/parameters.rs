use std::ops::Range;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// PostgreSQL counts microseconds from the beginning of the year 2000.
const EPOCH: i64 = 946_684_800_000_000;

pub type Oid = u32;
pub const BOOLEAN: Oid = 16;
pub const LONG: Oid = 20;
pub const INTEGER: Oid = 23;
pub const TEXT: Oid = 25;
pub const TIME: Oid = 1184;
pub const ID: Oid = 2950;
pub const LONGS: Oid = 1016;
pub const INTEGERS: Oid = 1007;
pub const TEXTS: Oid = 1009;
pub const TIMES: Oid = 1185;
pub const IDS: Oid = 2951;

/// The parameters of a statement, one after the other, in PostgreSQL's binary format.
#[derive(Default)]
pub struct Parameters {
    bytes: Vec<u8>,
    values: Vec<Option<Range<usize>>>,
}

impl Parameters {
    pub fn new() -> Self {
        Self::default()
    }

    /// `None` for NULL.
    pub fn values(&self) -> Vec<Option<&[u8]>> {
        self.values.iter().map(|value| value.clone().map(|range| &self.bytes[range])).collect()
    }

    pub fn text(self, text: &str) -> Self {
        self.value(|bytes| bytes.extend(text.as_bytes()))
    }

    pub fn boolean(self, value: bool) -> Self {
        self.value(|bytes| bytes.push(value.into()))
    }

    pub fn long(self, number: i64) -> Self {
        self.value(|bytes| bytes.extend(number.to_be_bytes()))
    }

    pub fn time(self, time: DateTime<Utc>) -> Self {
        self.value(|bytes| put_time(bytes, time))
    }

    pub fn ids(self, ids: &[Uuid]) -> Self {
        self.array(ID, ids, |bytes, id| bytes.extend(id.as_bytes()))
    }

    pub fn longs(self, longs: &[i64]) -> Self {
        self.array(LONG, longs, |bytes, long| bytes.extend(long.to_be_bytes()))
    }

    pub fn integers(self, integers: &[i32]) -> Self {
        self.array(INTEGER, integers, |bytes, integer| bytes.extend(integer.to_be_bytes()))
    }

    pub fn texts(self, texts: &[impl AsRef<str>]) -> Self {
        self.array(TEXT, texts, |bytes, text| bytes.extend(text.as_ref().as_bytes()))
    }

    pub fn times(self, times: &[DateTime<Utc>]) -> Self {
        self.array(TIME, times, |bytes, &time| put_time(bytes, time))
    }

    /// An array of this many NULLs.
    pub fn nulls(self, number: usize) -> Self {
        self.value(|bytes| {
            put_array_header(bytes, TEXT, number, true);
            (0..number).for_each(|_| bytes.extend((-1i32).to_be_bytes()));
        })
    }

    fn array<T>(self, element_type: Oid, elements: &[T], put: impl Fn(&mut Vec<u8>, &T)) -> Self {
        self.value(|bytes| {
            put_array_header(bytes, element_type, elements.len(), false);
            for element in elements {
                let length_at = bytes.len();
                bytes.extend([0; 4]);
                put(bytes, element);
                let length = length(bytes.len() - length_at - 4);
                bytes[length_at..length_at + 4].copy_from_slice(&length);
            }
        })
    }

    fn value(mut self, put: impl FnOnce(&mut Vec<u8>)) -> Self {
        let begin = self.bytes.len();
        put(&mut self.bytes);
        self.values.push(Some(begin..self.bytes.len()));
        self
    }
}

fn put_time(bytes: &mut Vec<u8>, time: DateTime<Utc>) {
    bytes.extend((time.timestamp_micros() - EPOCH).to_be_bytes());
}

/// One dimension, with indexes from 1.
fn put_array_header(bytes: &mut Vec<u8>, element_type: Oid, elements: usize, has_nulls: bool) {
    bytes.extend(1i32.to_be_bytes());
    bytes.extend(i32::from(has_nulls).to_be_bytes());
    bytes.extend(element_type.to_be_bytes());
    bytes.extend(length(elements));
    bytes.extend(1i32.to_be_bytes());
}

fn length(length: usize) -> [u8; 4] {
    i32::try_from(length).expect("a bench sends little").to_be_bytes()
}

/// A time as PostgreSQL returns it.
pub fn time(bytes: &[u8]) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(long(bytes) + EPOCH).expect("a time of our days")
}

pub fn long(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(bytes.try_into().expect("eight bytes"))
}

pub fn integer(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

pub fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).expect("UTF-8").to_owned()
}

pub fn id(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).expect("sixteen bytes")
}

//! The addresses of pages.

use diesel_event_store::StreamId;
use diesel_event_store::uuid::Uuid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::heads::{Heads, Place};

/// What might mean something in an address.
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub fn event(id: Uuid) -> String {
    format!("/event/{id}")
}

/// As a file.
pub fn payload(id: Uuid) -> String {
    format!("/event/{id}/payload")
}

pub fn stream(stream: &StreamId) -> String {
    of_stream(stream.tenant_id().unwrap_or_default(), stream.aggregate_type(), stream.aggregate_id())
}

pub fn of_stream(tenant: &str, aggregate_type: &str, aggregate_id: &str) -> String {
    let address = format!("/stream?type={}&id={}", encoded(aggregate_type), encoded(aggregate_id));
    if tenant.is_empty() { address } else { format!("{address}&tenant={}", encoded(tenant)) }
}

/// The first streams of those that are wanted.
pub fn streams(wanted: &Heads) -> String {
    let Heads { tenant, aggregate_type, prefix } = wanted;
    let [tenant, aggregate_type, prefix] = [tenant, aggregate_type, prefix].map(|field| encoded(field));
    format!("/streams?type={aggregate_type}&prefix={prefix}&tenant={tenant}")
}

/// Those of them above a place.
pub fn streams_after(wanted: &Heads, place: &Place) -> String {
    let Place { tenant, aggregate_type, id } = place;
    let [tenant, aggregate_type, id] = [tenant, aggregate_type, id].map(|field| encoded(field));
    format!("{}&after_tenant={tenant}&after_type={aggregate_type}&after_id={id}", streams(wanted))
}

pub fn trace(correlation: &str) -> String {
    format!("/trace?correlation={}", encoded(correlation))
}

/// The log, with the events of a correlation id alone.
pub fn log_of(correlation: &str) -> String {
    format!("/?correlation={}", encoded(correlation))
}

/// As one value within an address, whatever characters it has.
pub fn encoded(value: &str) -> String {
    utf8_percent_encode(value, SPECIAL).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_are_in_an_address() {
        let name = StreamId::new("A/B", "#1 & ?é").unwrap();
        assert_eq!(stream(&name), "/stream?type=A%2FB&id=%231%20%26%20%3F%C3%A9");
        assert_eq!(stream(&name.in_tenant("a=b").unwrap()).rsplit('&').next(), Some("tenant=a%3Db"));
    }
}

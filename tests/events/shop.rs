//! Enums where nothing of the standard library is in scope, and the crate has another path.
#![no_implicit_prelude]

pub mod reexported {
    pub use ::diesel_event_store;
}

#[derive(::std::fmt::Debug, ::std::cmp::PartialEq, reexported::diesel_event_store::Event)]
#[event(crate = "crate::events::shop::reexported::diesel_event_store")]
pub enum OrderEvent {
    #[event(flatten)]
    Payment(PaymentEvent),
    #[event(name = "OrderShipped", version = 2, upcast(version = 1, json = unchanged))]
    Shipped { to: ::std::option::Option<::std::string::String> },
}

#[derive(::std::fmt::Debug, ::std::cmp::PartialEq, reexported::diesel_event_store::Event)]
#[event(crate = "crate::events::shop::reexported::diesel_event_store")]
pub enum PaymentEvent {
    #[event(name = "OrderPaid")]
    Paid(#[serde(default)] u64),
}

impl OrderEvent {
    pub fn paid(cents: u64) -> Self {
        Self::Payment(PaymentEvent::Paid(cents))
    }

    pub fn shipped() -> Self {
        Self::Shipped { to: ::std::option::Option::None }
    }
}

type Json = ::serde_json::Value;

fn unchanged(
    old: Json,
    _: &reexported::diesel_event_store::RecordedEvent,
) -> ::std::result::Result<Json, reexported::diesel_event_store::UpcastError> {
    ::std::result::Result::Ok(old)
}

//! The derive macro needs nothing of the standard library in scope.

use super::lock::{Lock, Result};

mod bare {
    #![no_implicit_prelude]

    #[derive(::diesel_event_store::Event)]
    #[event(lock)]
    pub enum OrderEvent {
        #[event(flatten)]
        Payment(PaymentEvent),
        #[event(name = "OrderShipped")]
        Shipped { parcel: ::std::option::Option<u32> },
    }

    #[derive(::diesel_event_store::Event)]
    #[event(lock)]
    pub enum PaymentEvent {
        #[event(name = "OrderPaid")]
        Paid(#[serde(default)] u64),
        #[event(name = "OrderRefunded")]
        Refunded,
    }
}

#[test]
fn an_enum_of_enums_is_locked_with_all_its_events() -> Result {
    let lock = Lock::of::<bare::OrderEvent>()?;
    assert_eq!(lock.finds::<bare::OrderEvent>(), []);
    for name in ["OrderShipped", "OrderPaid", "OrderRefunded"] {
        assert!(lock.text()?.contains(name), "{}", lock.text()?);
    }
    Ok(())
}

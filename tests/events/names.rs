//! Renaming in Rust changes nothing that is stored.

use diesel_event_store::Event;

mod before {
    use diesel_event_store::Event;

    #[derive(Event)]
    pub enum Shipping {
        #[event(name = "ParcelSent")]
        Sent { to: String },
    }
}

mod after {
    use diesel_event_store::Event;

    #[derive(Debug, PartialEq, Event)]
    pub enum Delivery {
        #[event(name = "ParcelSent")]
        HandedOver { to: String },
    }
}

#[test]
fn a_renamed_enum_and_variant_write_and_read_the_same() -> Result<(), Box<dyn std::error::Error>> {
    let old = before::Shipping::Sent { to: "Bo".into() }.to_new()?;
    let new = after::Delivery::HandedOver { to: "Bo".into() }.to_new()?;
    assert_eq!((old.event_type(), old.payload_json()), (new.event_type(), new.payload_json()));
    Ok(())
}

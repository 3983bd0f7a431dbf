//! The names under which events are stored: present, storable, and each only once.

use std::collections::HashSet;

use syn::{Error, LitStr, Result};

use crate::event_enum::EventEnum;
use crate::variant::Kind;

/// As in `diesel_event_store::MAX_NAME_LENGTH`.
const MAX_NAME_LENGTH: usize = 255;

const ONE_OTHER: &str = "only one variant takes what no other names: `#[event(other)] Unknown`; the others have a name: \
     `#[event(name = \"OrderPlaced\")]`";

pub(crate) fn check(events: &EventEnum) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names(events) {
        check_name(name)?;
        if !seen.insert(name.value()) {
            let text = format!(
                "the name {:?} is taken: each event is stored under its own, such as `#[event(name = \"InvoicePaid\")]`",
                name.value()
            );
            return Err(Error::new_spanned(name, text));
        }
    }
    let mut others = events.variants.iter().filter(|variant| variant.is_other());
    match others.nth(1) {
        None => Ok(()),
        Some(second) => Err(Error::new_spanned(&second.ident, ONE_OTHER)),
    }
}

fn names(events: &EventEnum) -> impl Iterator<Item = &LitStr> {
    let stored = events.variants.iter().filter_map(|variant| match &variant.kind {
        Kind::Stored(stored) => Some(stored),
        _ => None,
    });
    let retired = events.retired.iter().map(|retired| &retired.name);
    stored.flat_map(|stored| std::iter::once(&stored.name).chain(&stored.aliases)).chain(retired)
}

fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let length = text.chars().count();
    if length == 0 {
        return Err(Error::new_spanned(name, "the name is empty: `#[event(name = \"OrderPlaced\")]`"));
    }
    if length > MAX_NAME_LENGTH {
        let text = format!(
            "the name is {length} characters long; the limit is {MAX_NAME_LENGTH}: `#[event(name = \"OrderPlaced\")]`"
        );
        return Err(Error::new_spanned(name, text));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::new_spanned(
            name,
            "the name has a control character, which cannot be stored: `#[event(name = \"OrderPlaced\")]`",
        ));
    }
    Ok(())
}

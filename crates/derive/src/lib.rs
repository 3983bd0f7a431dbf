//! `#[derive(Event)]` for `diesel_event_store`: how an enum of events is stored and read. Use it through that
//! crate's feature `derive`, where the trait and its attributes are documented.

mod attributes;
mod decode;
mod encode;
mod event_enum;
mod expand;
mod lock;
mod names;
mod upcasts;
mod variant;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `diesel_event_store::Event` for an enum: each variant is an event, stored under the name that
/// stands beside it.
///
/// # What is stored
///
/// The content of the variant, as serde writes it: the value of a newtype and the named fields, with their
/// serde attributes, or `{}` if there is nothing. `#[serde(rename_all_fields = "camelCase")]` and
/// `#[serde(deny_unknown_fields)]` at the enum and `#[serde(rename_all = "camelCase")]` at a variant are
/// followed as well. What else stands there, such as an `alias` or a `skip` of a variant, is for a serde derive
/// of the enum itself and says nothing about events.
///
/// A variant without content reads every JSON object, also with `deny_unknown_fields`, and `null`. Content of
/// another form is an error.
///
/// # At a variant
///
/// | `#[event(…)]` | |
/// |---|---|
/// | `name = "OrderPlaced"` | the stored name; every variant has one |
/// | `alias = "OrderCreated"` | another name that is read as this variant, and not written |
/// | `version = 3` | the version that is written. Default: 1 |
/// | `oldest = 2` | no event of an older version exists. Default: 1 |
/// | `upcast(version = 1, json = function)` | changes the JSON of version 1 into that of version 2: `fn(serde_json::Value, &RecordedEvent) -> Result<serde_json::Value, UpcastError>`. Numbers go through `serde_json::Value`, which keeps 64 bits |
/// | `upcast(version = 2, from = OrderPlacedV2)` | version 2 is decoded as this type, from which the type of the next version is made by `From`; the last makes the value of a newtype, or the enum itself. Keeps every digit |
/// | `other` | a variant without content: what no other variant names, and no flattened enum. Only one of them all takes it |
/// | `flatten` | a variant that holds another enum of events |
///
/// Each version below the newest has its upcast; those by JSON come before those by type.
///
/// # At the enum
///
/// | `#[event(…)]` | |
/// |---|---|
/// | `retired(name = "OrderViewed")` | was recorded once, and is ignored when it is read |
/// | `retired(name = "OrderPaidAndShipped", split = function)` | is read as other events: `fn(&RecordedEvent) -> Result<Vec<OrderEvent>, UpcastError>`. They share its version, position and id |
/// | `lock` | for tests, as `#[cfg_attr(test, event(lock))]`: implements `diesel_event_store::schema_lock::Locked`, which needs the feature `schema-lock`. The values of newtypes then implement `schemars::JsonSchema`; fields may have attributes of `schemars` |
/// | `crate = "…"` | the path of `diesel_event_store`. Default: `::diesel_event_store` |
#[proc_macro_derive(Event, attributes(event, serde, schemars))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(input).unwrap_or_else(syn::Error::into_compile_error).into()
}

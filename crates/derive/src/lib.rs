//! `#[derive(Event)]` for `diesel_event_store`: how an enum of events is stored and read. Use it through that crate's
//! feature `derive`, where the trait and its attributes are documented.

mod attributes;
mod decode;
mod encode;
mod event_enum;
mod expand;
mod names;
mod upcasts;
mod variant;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// See the documentation of `diesel_event_store::Event`.
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(input).unwrap_or_else(syn::Error::into_compile_error).into()
}

//! The implementation of `Event`, put together.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

use crate::event_enum::EventEnum;
use crate::variant::{Kind, Variant};
use crate::{decode, encode, lock};

pub(crate) fn expand(input: DeriveInput) -> Result<TokenStream> {
    let events = EventEnum::parse(input)?;
    let (ident, krate) = (&events.ident, &events.krate);
    let takers = takers(&events);
    let types = types(&events);
    let encode = encode::expand(&events)?;
    let decode = decode::expand(&events)?;
    let lock = lock::expand(&events)?;
    Ok(quote! {
        const _: () = {
            use #krate::__private as __event;

            impl #krate::Event for #ident {
                const TYPES: &'static [#krate::EventType] = #types;
                const TAKES_OTHERS: bool = __event::is_taker(&[#(#takers),*]);
                #encode
                #decode
            }

            const _: bool = <#ident as #krate::Event>::TAKES_OTHERS;

            #lock
        };
    })
}

/// All names, with those of the flattened enums behind the enum's own.
fn types(events: &EventEnum) -> TokenStream {
    let krate = &events.krate;
    let own = events
        .variants
        .iter()
        .flat_map(own_types)
        .map(|(name, version)| quote!(#krate::EventType::new(#name, #version)));
    let retired = events.retired.iter().map(|retired| {
        let name = &retired.name;
        quote!(#krate::EventType::new(#name, 1))
    });
    let own = quote!(&[#(#own,)* #(#retired,)*]);
    let flattened: Vec<_> = flattened(events).map(|ty| quote!(<#ty as #krate::Event>::TYPES)).collect();
    if flattened.is_empty() {
        return own;
    }
    quote!({
        const OWN: &[#krate::EventType] = #own;
        const LENGTH: usize = OWN.len() #(+ #flattened.len())*;
        const ALL: [#krate::EventType; LENGTH] = __event::concat::<LENGTH>(&[OWN, #(#flattened),*]);
        &ALL
    })
}

fn own_types(variant: &Variant) -> Vec<(String, i32)> {
    let Kind::Stored(stored) = &variant.kind else { return Vec::new() };
    std::iter::once(&stored.name).chain(&stored.aliases).map(|name| (name.value(), stored.version)).collect()
}

pub(crate) fn flattened(events: &EventEnum) -> impl Iterator<Item = &syn::Type> {
    events.variants.iter().filter_map(|variant| match &variant.kind {
        Kind::Flattened(ty) => Some(&**ty),
        _ => None,
    })
}

/// Whether the enum itself takes what is not named, and whether each of the flattened enums does.
fn takers(events: &EventEnum) -> Vec<TokenStream> {
    let krate = &events.krate;
    let own = events.other().is_some();
    let flattened = flattened(events).map(|ty| quote!(<#ty as #krate::Event>::TAKES_OTHERS));
    std::iter::once(quote!(#own)).chain(flattened).collect()
}

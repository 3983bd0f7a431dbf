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
    let (types, clashes) = (types(&events), clashes(&events));
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
            #clashes

            #lock
        };
    })
}

/// All names, with those of the flattened enums behind the enum's own.
fn types(events: &EventEnum) -> TokenStream {
    let (krate, own) = (&events.krate, named_here(events));
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

/// The names of the enum's own variants, and the retired ones.
fn named_here(events: &EventEnum) -> TokenStream {
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
    quote!(&[#(#own,)* #(#retired,)*])
}

/// Checks while the program is compiled: of the enum and each one that is flattened, no two have one name.
fn clashes(events: &EventEnum) -> TokenStream {
    let krate = &events.krate;
    let own = (events.ident.to_string(), named_here(events));
    let flattened = flattened(events)
        .map(|ty| (quote!(#ty).to_string().replace(' ', ""), quote!(<#ty as #krate::Event>::TYPES)));
    let groups: Vec<_> = std::iter::once(own).chain(flattened).collect();
    let pairs = groups
        .iter()
        .enumerate()
        .flat_map(|(nth, one)| groups[nth + 1..].iter().map(move |other| clash(krate, one, other)));
    quote!(#(#pairs)*)
}

fn clash(
    krate: &syn::Path,
    (one, types): &(String, TokenStream),
    (other, others): &(String, TokenStream),
) -> TokenStream {
    let text = format!(
        " is the name of an event in both `{one}` and `{other}`: each event is stored under its own, such as \
         `#[event(name = \"InvoicePaid\")]`"
    );
    quote! {
        const _: () = {
            const TYPES: [&[#krate::EventType]; 2] = [#types, #others];
            const NAME: &str = __event::shared_name(TYPES[0], TYPES[1]);
            __event::refuse_shared::<{ NAME.len() + #text.len() }>(NAME, #text);
        };
    }
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

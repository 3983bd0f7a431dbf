//! `shapes`, for the schema lock.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::decode::content_ident;
use crate::event_enum::EventEnum;
use crate::expand::flattened;
use crate::variant::{Content, Kind, Stored, Variant, field_with, fields_with};

pub(crate) fn expand(events: &EventEnum) -> Result<TokenStream> {
    if !events.is_locked {
        return Ok(TokenStream::new());
    }
    let (krate, ident) = (&events.krate, &events.ident);
    let contents = contents(events)?;
    let shapes = events.variants.iter().filter_map(|variant| shape(krate, variant));
    let flattened = flattened(events);
    Ok(quote! {
        impl #krate::schema_lock::Locked for #ident {
            fn shapes() -> ::std::vec::Vec<#krate::schema_lock::Shape> {
                // For the derive of `JsonSchema`.
                #[allow(unused_imports)]
                use ::core::convert::Into as _;
                #contents
                #[allow(unused_mut)]
                let mut shapes = ::std::vec![#(#shapes),*];
                #(::core::iter::Extend::extend(&mut shapes, <#flattened as #krate::schema_lock::Locked>::shapes());)*
                shapes
            }
        }
    })
}

fn shape(krate: &syn::Path, variant: &Variant) -> Option<TokenStream> {
    let Kind::Stored(Stored { name, aliases, version, content, .. }) = &variant.kind else { return None };
    let event_type = quote!(#krate::EventType::new(#name, #version));
    let shape = quote!(#krate::schema_lock::Shape);
    let content_ident = content_ident(variant);
    let shape = match content {
        Content::Nothing => quote!(#shape::without_content(#event_type)),
        Content::Newtype(value) => {
            let value = field_with(value, DESCRIBED);
            match &*value.attrs {
                [] => quote!(#shape::of::<#value>(#event_type)),
                _ => quote!(#shape::of::<#content_ident>(#event_type)),
            }
        }
        Content::Fields(_) => quote!(#shape::of::<#content_ident>(#event_type)),
    };
    Some(quote!(#shape #(.alias(#aliases))*))
}

/// The attributes of a field that a schema is made of.
const DESCRIBED: &[&str] = &["serde", "schemars"];

/// What has the schemas of the variants with fields, and with values that have attributes.
fn contents(events: &EventEnum) -> Result<TokenStream> {
    let contents = events.variants.iter().filter_map(|variant| match &variant.kind {
        Kind::Stored(stored) => content(events, variant, &stored.content).transpose(),
        _ => None,
    });
    let contents = contents.collect::<Result<Vec<_>>>()?;
    Ok(quote!(#(#contents)*))
}

fn content(events: &EventEnum, variant: &Variant, content: &Content) -> Result<Option<TokenStream>> {
    let (krate, ident) = (&events.krate, content_ident(variant));
    let schemars = quote!(#krate::schema_lock::schemars);
    let schemars_path = schemars.to_string().replace(' ', "");
    Ok(match content {
        Content::Nothing => None,
        Content::Newtype(value) => {
            let value = field_with(value, DESCRIBED);
            (!value.attrs.is_empty()).then(|| {
                quote! {
                    #[derive(#schemars::JsonSchema)]
                    #[schemars(crate = #schemars_path)]
                    #[allow(non_camel_case_types, dead_code)]
                    struct #ident(#value);
                }
            })
        }
        Content::Fields(fields) => {
            let (renaming, fields) = (events.renaming(variant)?, fields_with(fields, DESCRIBED));
            Some(quote! {
                #[derive(#schemars::JsonSchema)]
                #[schemars(crate = #schemars_path)]
                #(#renaming)*
                #[allow(non_camel_case_types, dead_code)]
                struct #ident { #(#fields),* }
            })
        }
    })
}

//! `shapes`, for the schema lock.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::attributes::as_rename_all;
use crate::decode::content_ident;
use crate::event_enum::EventEnum;
use crate::expand::flattened;
use crate::variant::{Content, Kind, Stored, Variant, fields_with};

pub(crate) fn expand(events: &EventEnum) -> Result<TokenStream> {
    if !events.is_locked {
        return Ok(TokenStream::new());
    }
    let (krate, ident) = (&events.krate, &events.ident);
    let contents = contents(events)?;
    let shapes = events.variants.iter().filter_map(|variant| shape(krate, variant));
    let flattened: Vec<_> = flattened(events).collect();
    let count = flattened.len();
    Ok(quote! {
        impl #krate::schema_lock::Locked for #ident {
            fn shapes() -> ::std::vec::Vec<#krate::schema_lock::Shape> {
                #contents
                let own = ::std::vec![#(#shapes),*];
                let flattened: [::std::vec::Vec<#krate::schema_lock::Shape>; #count] =
                    [#(<#flattened as #krate::schema_lock::Locked>::shapes()),*];
                own.into_iter().chain(flattened.into_iter().flatten()).collect()
            }
        }
    })
}

fn shape(krate: &syn::Path, variant: &Variant) -> Option<TokenStream> {
    let Kind::Stored(Stored { name, version, content, .. }) = &variant.kind else { return None };
    let event_type = quote!(#krate::EventType::new(#name, #version));
    let shape = quote!(#krate::schema_lock::Shape);
    Some(match content {
        Content::Nothing => quote!(#shape::without_content(#event_type)),
        Content::Newtype(ty) => quote!(#shape::of::<#ty>(#event_type)),
        Content::Fields(_) => {
            let content = content_ident(variant);
            quote!(#shape::of::<#content>(#event_type))
        }
    })
}

/// What has the schemas of the variants with fields.
fn contents(events: &EventEnum) -> Result<TokenStream> {
    let krate = &events.krate;
    let schemars = quote!(#krate::schema_lock::schemars);
    let schemars_path = schemars.to_string().replace(' ', "");
    let renamed = events.serde.iter().map(as_rename_all).collect::<Result<Vec<_>>>()?;
    let contents = events.variants.iter().filter_map(|variant| {
        let Kind::Stored(Stored { content: Content::Fields(fields), .. }) = &variant.kind else {
            return None;
        };
        let (content, serde) = (content_ident(variant), &variant.serde);
        let fields = fields_with(fields, &["serde", "schemars"]);
        Some(quote! {
            #[derive(#schemars::JsonSchema)]
            #[schemars(crate = #schemars_path)]
            #(#renamed)*
            #(#serde)*
            #[allow(non_camel_case_types, dead_code)]
            struct #content { #(#fields),* }
        })
    });
    Ok(quote!(#(#contents)*))
}

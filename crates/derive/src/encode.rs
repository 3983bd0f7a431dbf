//! `event_type` and `to_new`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use crate::event_enum::EventEnum;
use crate::variant::{Content, Kind, Stored, Variant, field_with, fields_with};

pub(crate) fn expand(events: &EventEnum) -> Result<TokenStream> {
    let krate = &events.krate;
    let types = events.variants.iter().map(|variant| event_type(events, variant));
    let arms = events.variants.iter().map(|variant| to_new(events, variant));
    let content = content(events)?;
    Ok(quote! {
        fn event_type(&self) -> #krate::EventType {
            match self { #(#types,)* }
        }

        fn to_new(&self) -> ::core::result::Result<#krate::NewEvent, #krate::InvalidInput> {
            #content
            match self { #(#arms,)* }
        }
    })
}

fn event_type(events: &EventEnum, variant: &Variant) -> TokenStream {
    let (krate, ident) = (&events.krate, &variant.ident);
    match &variant.kind {
        Kind::Stored(Stored { name, version, .. }) => {
            quote!(Self::#ident { .. } => #krate::EventType::new(#name, #version))
        }
        Kind::Flattened(_) => quote!(Self::#ident(event) => #krate::Event::event_type(event)),
        Kind::Other => quote!(Self::#ident => #krate::EventType::new("", 1)),
    }
}

fn to_new(events: &EventEnum, variant: &Variant) -> TokenStream {
    let (krate, ident) = (&events.krate, &variant.ident);
    match &variant.kind {
        Kind::Stored(Stored { content: Content::Nothing, .. }) => {
            quote!(Self::#ident => __event::new_event(#krate::Event::event_type(self), &__event::Nothing))
        }
        Kind::Stored(_) => {
            quote!(Self::#ident { .. } => __event::new_event(#krate::Event::event_type(self), &__Content(self)))
        }
        Kind::Flattened(_) => quote!(Self::#ident(event) => #krate::Event::to_new(event)),
        Kind::Other => quote!(Self::#ident => ::core::result::Result::Err(__event::not_recordable())),
    }
}

/// serde's own way to serialise a type from outside, without its tag: just the content, and without copying
/// it.
fn content(events: &EventEnum) -> Result<TokenStream> {
    let has_content = |variant: &Variant| matches!(&variant.kind, Kind::Stored(stored) if !matches!(stored.content, Content::Nothing));
    if !events.variants.iter().any(has_content) {
        return Ok(TokenStream::new());
    }
    let (krate, ident, serde) = (&events.krate, &events.ident, &events.serde);
    let remote = ident.to_string();
    let serde_path = serde_path(krate);
    let variants = events.variants.iter().map(shadow);
    Ok(quote! {
        #[derive(__event::serde::Serialize)]
        #[serde(crate = #serde_path, remote = #remote, untagged)]
        #(#serde)*
        #[allow(dead_code)]
        enum __Shadow { #(#variants,)* }

        struct __Content<'a>(&'a #ident);

        impl __event::serde::Serialize for __Content<'_> {
            fn serialize<S: __event::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                __Shadow::serialize(self.0, serializer)
            }
        }
    })
}

/// The path by which serde's macros find serde.
pub(crate) fn serde_path(krate: &syn::Path) -> String {
    format!("{}::__private::serde", quote!(#krate)).replace(' ', "")
}

fn shadow(variant: &Variant) -> TokenStream {
    let (ident, renaming) = (&variant.ident, variant.rename_all.iter());
    match &variant.kind {
        Kind::Stored(Stored { content: Content::Newtype(value), .. }) => {
            let value = field_with(value, &["serde"]);
            quote!(#ident(#value))
        }
        Kind::Stored(Stored { content: Content::Fields(fields), .. }) => {
            let fields = fields_with(fields, &["serde"]);
            quote!(#(#renaming)* #ident { #(#fields),* })
        }
        Kind::Stored(_) | Kind::Other => quote!(#[serde(skip)] #ident),
        Kind::Flattened(ty) => quote!(#[serde(skip)] #ident(#ty)),
    }
}

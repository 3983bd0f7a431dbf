//! `decode`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{LitStr, Result};

use crate::attributes::{Retired, Step};
use crate::encode::serde_path;
use crate::event_enum::EventEnum;
use crate::variant::{Content, Kind, Stored, Variant, field_with, fields_with};

pub(crate) fn expand(events: &EventEnum) -> Result<TokenStream> {
    let krate = &events.krate;
    let contents = contents(events)?;
    let stored = events.variants.iter().filter_map(|variant| match &variant.kind {
        Kind::Stored(stored) => Some(by_version(variant, stored)),
        _ => None,
    });
    let retired = events.retired.iter().map(|retired| read_retired(krate, retired));
    let flattened = || {
        events.variants.iter().filter_map(|variant| match &variant.kind {
            Kind::Flattened(ty) => Some((variant, &**ty)),
            _ => None,
        })
    };
    let named = flattened().map(|(variant, ty)| {
        let is_named = quote! {
            __event::has_name(<#ty as #krate::Event>::TYPES, event_type)
        };
        read_flattened(krate, variant, ty, &is_named)
    });
    let taken = flattened().map(|(variant, ty)| {
        read_flattened(krate, variant, ty, &quote!(<#ty as #krate::Event>::TAKES_OTHERS))
    });
    let otherwise = match events.other() {
        Some(Variant { ident, .. }) => quote!(Ok(#krate::Decoded::One(Self::#ident))),
        None => quote!(Err(#krate::EventError::unknown_type(recorded))),
    };
    Ok(quote! {
        fn decode(
            recorded: &#krate::RecordedEvent,
        ) -> ::core::result::Result<#krate::Decoded<Self>, #krate::EventError> {
            use ::core::result::Result::{Err, Ok};
            #contents
            let event = match #krate::RecordedEvent::event_type(recorded) {
                #(#stored,)*
                #(#retired,)*
                #[allow(unused_variables)]
                event_type => {
                    #(#named)*
                    #(#taken)*
                    return #otherwise;
                }
            };
            #[allow(unreachable_code)]
            Ok(#krate::Decoded::One(event))
        }
    })
}

/// The arm for an event of this variant, whatever its version.
fn by_version(variant: &Variant, stored: &Stored) -> TokenStream {
    let Stored { name, aliases, version: newest, upcasts, .. } = stored;
    let oldest = upcasts.oldest;
    let is_read = read_newest(variant, stored);
    let older = (oldest..=i32::MAX).zip(0..upcasts.steps.len()).map(|(version, nth)| {
        let read = read_older(variant, stored, version, &upcasts.steps[nth..]);
        quote!(#version => #read)
    });
    let names: Vec<&LitStr> = std::iter::once(name).chain(aliases).collect();
    quote! {
        #(#names)|* => match recorded.event_version() {
            #newest => #is_read,
            #(#older,)*
            _ => return Err(__event::unreadable_version(recorded, #oldest, #newest)),
        }
    }
}

/// Straight from the text.
fn read_newest(variant: &Variant, stored: &Stored) -> TokenStream {
    let content = match stored.content {
        Content::Nothing => quote!(__event::nothing(recorded)),
        _ => quote!(__event::content(recorded)),
    };
    read(variant, stored, &content)
}

/// The variant, from what decodes its content as any type.
fn read(variant: &Variant, stored: &Stored, decoded: &TokenStream) -> TokenStream {
    let (ident, content) = (&variant.ident, content_ident(variant));
    match &stored.content {
        Content::Nothing => quote!({ let __event::Nothing = #decoded?; Self::#ident }),
        Content::Newtype(field) if field_with(field, DECODED).attrs.is_empty() => {
            quote!(Self::#ident(#decoded?))
        }
        Content::Newtype(_) => quote!({ let content: #content = #decoded?; Self::#ident(content.0) }),
        Content::Fields(fields) => {
            let names = fields.named.iter().map(|field| &field.ident);
            quote!({ let content: #content = #decoded?; Self::#ident { #(#names: content.#names),* } })
        }
    }
}

/// First the steps that change JSON, then those by type.
fn read_older(variant: &Variant, stored: &Stored, version: i32, steps: &[Step]) -> TokenStream {
    let ident = &variant.ident;
    let mut body = TokenStream::new();
    let mut is_json = false;
    let mut is_typed = false;
    for (version, step) in (version..=i32::MAX).zip(steps) {
        body.extend(match step {
            Step::Json(function) => {
                let value = if is_json { quote!(content) } else { quote!(__event::value(recorded)?) };
                is_json = true;
                quote!(let content = __event::step(recorded, #version, #function(#value, recorded))?;)
            }
            Step::Typed(ty) if is_typed => quote!(let content: #ty = ::core::convert::From::from(content);),
            Step::Typed(ty) => {
                is_typed = true;
                match is_json {
                    true => quote!(let content: #ty = __event::changed(recorded, content)?;),
                    false => quote!(let content: #ty = __event::content(recorded)?;),
                }
            }
        });
    }
    let last = match (&stored.content, is_typed) {
        (Content::Newtype(_), true) => quote!(Self::#ident(::core::convert::From::from(content))),
        (_, true) => quote!(<Self as ::core::convert::From<_>>::from(content)),
        (_, false) => read(variant, stored, &quote!(__event::changed(recorded, content))),
    };
    quote!({ #body #last })
}

pub(crate) fn content_ident(variant: &Variant) -> syn::Ident {
    format_ident!("__EventContentOf{}", variant.ident)
}

/// The attributes of a field that say how it is decoded.
const DECODED: &[&str] = &["serde"];

/// What the JSON is decoded as of the variants with fields, and with values that have attributes.
fn contents(events: &EventEnum) -> Result<TokenStream> {
    let contents = events.variants.iter().filter_map(|variant| match &variant.kind {
        Kind::Stored(stored) => content(events, variant, &stored.content).transpose(),
        _ => None,
    });
    let contents = contents.collect::<Result<Vec<_>>>()?;
    Ok(quote!(#(#contents)*))
}

fn content(events: &EventEnum, variant: &Variant, content: &Content) -> Result<Option<TokenStream>> {
    let (ident, serde_path) = (content_ident(variant), serde_path(&events.krate));
    Ok(match content {
        Content::Nothing => None,
        Content::Newtype(value) => {
            let value = field_with(value, DECODED);
            (!value.attrs.is_empty()).then(|| {
                quote! {
                    #[derive(__event::serde::Deserialize)]
                    #[serde(crate = #serde_path)]
                    #[allow(non_camel_case_types)]
                    struct #ident(#value);
                }
            })
        }
        Content::Fields(fields) => {
            let (attributes, fields) = (events.reading(variant)?, fields_with(fields, DECODED));
            Some(quote! {
                #[derive(__event::serde::Deserialize)]
                #[serde(crate = #serde_path)]
                #(#attributes)*
                #[allow(non_camel_case_types)]
                struct #ident { #(#fields),* }
            })
        }
    })
}

fn read_retired(krate: &syn::Path, Retired { name, split }: &Retired) -> TokenStream {
    match split {
        None => quote!(#name => return Ok(#krate::Decoded::Ignored)),
        Some(split) => quote! {
            #name => return match #split(recorded) {
                Ok(events) => Ok(#krate::Decoded::Many(events)),
                Err(error) => Err(#krate::EventError::upcast(recorded, recorded.event_version(), error)),
            }
        },
    }
}

fn read_flattened(
    krate: &syn::Path,
    variant: &Variant,
    ty: &syn::Type,
    condition: &TokenStream,
) -> TokenStream {
    let ident = &variant.ident;
    quote! {
        if #condition {
            return <#ty as #krate::Event>::decode(recorded).map(|events| events.map(Self::#ident));
        }
    }
}

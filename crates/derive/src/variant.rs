//! A variant: the name it is stored under, and what its content is.

use syn::{Attribute, Error, Field, Fields, FieldsNamed, Ident, LitStr, Result, Type};

use crate::attributes::VariantAttributes;
use crate::upcasts::Upcasts;

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) kind: Kind,
    /// What serde is told about the variant's fields.
    pub(crate) serde: Vec<Attribute>,
}

pub(crate) enum Kind {
    /// An event of its own.
    Stored(Stored),
    /// Another enum of events.
    Flattened(Box<Type>),
    /// What no other variant names.
    Other,
}

pub(crate) struct Stored {
    pub(crate) name: LitStr,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) version: i32,
    pub(crate) upcasts: Upcasts,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// `Placed(OrderPlaced)`: the JSON is that of the type.
    Newtype(Box<Type>),
    /// `LineAdded { sku: String }`: the JSON has the fields.
    Fields(FieldsNamed),
    /// `Paid`: the JSON is `{}`.
    Nothing,
}

impl Variant {
    pub(crate) fn parse(variant: syn::Variant) -> Result<Self> {
        let attributes = VariantAttributes::parse(&variant.attrs)?;
        let kind = kind(&variant, attributes)?;
        let serde =
            variant.attrs.into_iter().filter(|attribute| attribute.path().is_ident("serde")).collect();
        Ok(Self { ident: variant.ident, kind, serde })
    }

    pub(crate) fn is_other(&self) -> bool {
        matches!(self.kind, Kind::Other)
    }
}

fn kind(variant: &syn::Variant, attributes: VariantAttributes) -> Result<Kind> {
    if attributes.is_other {
        return match variant.fields {
            Fields::Unit => Ok(Kind::Other),
            _ => Err(Error::new_spanned(
                variant,
                "the variant for events of other types has no content: `#[event(other)] Unknown`",
            )),
        };
    }
    if attributes.is_flattened {
        return match newtype(&variant.fields) {
            Some(field) => Ok(Kind::Flattened(Box::new(field.ty.clone()))),
            None => Err(Error::new_spanned(
                variant,
                "`flatten` stands at a variant that holds another enum of events: `#[event(flatten)] Payment(PaymentEvent)`",
            )),
        };
    }
    stored(variant, attributes).map(Kind::Stored)
}

fn stored(variant: &syn::Variant, attributes: VariantAttributes) -> Result<Stored> {
    let VariantAttributes { name, aliases, version, oldest, upcasts, .. } = attributes;
    let Some(name) = name else {
        let ident = &variant.ident;
        return Err(Error::new_spanned(
            variant,
            format!(
                "the name under which this is stored is missing; it is never taken from the Rust name, so that a rename \
                 changes nothing that is recorded: `#[event(name = \"{ident}\")]`"
            ),
        ));
    };
    let version = version.unwrap_or(1);
    let upcasts = Upcasts::check(variant, version, oldest, upcasts)?;
    Ok(Stored { name, aliases, version, upcasts, content: content(variant)? })
}

fn content(variant: &syn::Variant) -> Result<Content> {
    match (&variant.fields, newtype(&variant.fields)) {
        (Fields::Unit, _) => Ok(Content::Nothing),
        (Fields::Named(fields), _) => Ok(Content::Fields(fields.clone())),
        (_, Some(field)) => Ok(Content::Newtype(Box::new(field.ty.clone()))),
        _ => Err(Error::new_spanned(
            &variant.fields,
            "the content is one value, or named fields: `Placed(OrderPlaced)` or `LineAdded { sku: String }`",
        )),
    }
}

fn newtype(fields: &Fields) -> Option<&Field> {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    }
}

/// The fields as they stand in the enum, with those of their attributes that the derives of a copy know.
pub(crate) fn fields_with(fields: &FieldsNamed, known: &[&str]) -> Vec<Field> {
    let mut fields: Vec<Field> = fields.named.iter().cloned().collect();
    for field in &mut fields {
        field.attrs.retain(|attribute| known.iter().any(|name| attribute.path().is_ident(name)));
    }
    fields
}

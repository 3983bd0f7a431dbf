//! A variant: the name it is stored under, and what its content is.

use syn::{Attribute, Error, Field, Fields, FieldsNamed, Ident, LitStr, Result, Type};

use crate::attributes::{VariantAttributes, refuse_at_field, refuse_with, rename_all};
use crate::upcasts::Upcasts;

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) kind: Kind,
    /// How serde is told to rename the variant's fields.
    pub(crate) rename_all: Option<Attribute>,
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
    /// `Placed(OrderPlaced)`: the JSON is that of the type, or what the attributes of the value say.
    Newtype(Box<Field>),
    /// `LineAdded { sku: String }`: the JSON has the fields.
    Fields(FieldsNamed),
    /// `Paid`: the JSON is `{}`.
    Nothing,
}

impl Variant {
    pub(crate) fn parse(variant: syn::Variant) -> Result<Self> {
        let attributes = VariantAttributes::parse(&variant.attrs)?;
        refuse_with(&variant.attrs)?;
        variant.fields.iter().try_for_each(|field| refuse_at_field(&field.attrs))?;
        let kind = kind(&variant, attributes)?;
        let rename_all = rename_all(&variant.attrs)?;
        Ok(Self { ident: variant.ident, kind, rename_all })
    }

    pub(crate) fn is_other(&self) -> bool {
        matches!(self.kind, Kind::Other)
    }
}

fn kind(variant: &syn::Variant, attributes: VariantAttributes) -> Result<Kind> {
    if attributes.is_other && (attributes.is_flattened || attributes.are_of_an_event()) {
        return Err(Error::new_spanned(
            variant,
            "the variant for events of other types has no name or version of its own: `#[event(other)] Unknown`",
        ));
    }
    if attributes.is_flattened && attributes.are_of_an_event() {
        return Err(Error::new_spanned(
            variant,
            "the flattened enum says the names and versions of its events: `#[event(flatten)] Payment(PaymentEvent)`",
        ));
    }
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
        (_, Some(field)) => Ok(Content::Newtype(Box::new(field.clone()))),
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
    fields.named.iter().map(|field| field_with(field, known)).collect()
}

/// The same of one field.
pub(crate) fn field_with(field: &Field, known: &[&str]) -> Field {
    let mut field = field.clone();
    field.attrs.retain(|attribute| known.iter().any(|name| attribute.path().is_ident(name)));
    field
}

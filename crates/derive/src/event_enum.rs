//! The enum as the user has written it, checked.

use syn::{Attribute, Data, DeriveInput, Error, Ident, Path, Result, parse_quote};

use crate::attributes::{EnumAttributes, Retired, as_rename_all};
use crate::names;
use crate::variant::Variant;

pub(crate) struct EventEnum {
    pub(crate) ident: Ident,
    pub(crate) krate: Path,
    pub(crate) retired: Vec<Retired>,
    pub(crate) variants: Vec<Variant>,
    /// What serde is told about the fields of all variants.
    pub(crate) serde: Vec<Attribute>,
    /// Whether fields that are not declared are refused.
    pub(crate) is_strict: bool,
    /// Whether a test compares what is stored with a lock file.
    pub(crate) is_locked: bool,
}

const NO_ENUM: &str = "events are the variants of an enum, each with the name it is stored under:

    #[derive(Event)]
    enum OrderEvent {
        #[event(name = \"OrderPlaced\")]
        Placed(OrderPlaced),
    }";

const NO_PARAMETERS: &str = "an enum of events has no generic parameters, because what is recorded under a name has one \
     form: `enum OrderEvent { #[event(name = \"OrderPlaced\")] Placed(OrderPlaced) }`";

impl EventEnum {
    pub(crate) fn parse(input: DeriveInput) -> Result<Self> {
        let Data::Enum(data) = input.data else { return Err(Error::new_spanned(&input.ident, NO_ENUM)) };
        if !input.generics.params.is_empty() {
            return Err(Error::new_spanned(&input.generics, NO_PARAMETERS));
        }
        if data.variants.is_empty() {
            return Err(Error::new_spanned(&input.ident, NO_ENUM));
        }
        let EnumAttributes { krate, retired, serde, is_strict, is_locked } =
            EnumAttributes::parse(&input.attrs)?;
        let variants = data.variants.into_iter().map(Variant::parse).collect::<Result<Vec<_>>>()?;
        let events = Self { ident: input.ident, krate, retired, variants, serde, is_strict, is_locked };
        names::check(&events)?;
        Ok(events)
    }

    /// How the fields of this variant are renamed: as it says itself, or as the enum says for all.
    pub(crate) fn renaming(&self, variant: &Variant) -> Result<Vec<Attribute>> {
        match &variant.rename_all {
            Some(own) => Ok(vec![own.clone()]),
            None => self.serde.iter().map(as_rename_all).collect(),
        }
    }

    /// What serde is told about a struct with the fields of this variant, when it is read.
    pub(crate) fn reading(&self, variant: &Variant) -> Result<Vec<Attribute>> {
        let strict = self.is_strict.then(|| parse_quote!(#[serde(deny_unknown_fields)]));
        Ok(self.renaming(variant)?.into_iter().chain(strict).collect())
    }

    /// The variant for what no other names.
    pub(crate) fn other(&self) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.is_other())
    }
}

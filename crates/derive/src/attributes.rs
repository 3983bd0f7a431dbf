//! What stands in `#[event(…)]`.

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::token::Paren;
use syn::{Attribute, Error, Expr, Lit, LitInt, LitStr, Meta, Path, Result, Token, Type, parse_quote};

/// An event that was recorded once: ignored when it is read, or split into others.
pub(crate) struct Retired {
    pub(crate) name: LitStr,
    pub(crate) split: Option<Path>,
}

pub(crate) struct EnumAttributes {
    pub(crate) krate: Path,
    pub(crate) retired: Vec<Retired>,
    pub(crate) serde: Vec<Attribute>,
    pub(crate) is_locked: bool,
}

impl EnumAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self {
            krate: parse_quote!(::diesel_event_store),
            retired: Vec::new(),
            serde: Vec::new(),
            is_locked: false,
        };
        for attribute in attributes {
            if attribute.path().is_ident("event") {
                attribute.parse_nested_meta(|meta| parsed.add(&meta))?;
            }
            if attribute.path().is_ident("serde") && is_about_fields(attribute)? {
                parsed.serde.push(attribute.clone());
            }
        }
        Ok(parsed)
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("retired") {
            self.retired.push(retired(meta)?);
            return Ok(());
        }
        if meta.path.is_ident("lock") {
            self.is_locked = true;
            return Ok(());
        }
        if meta.path.is_ident("crate") {
            self.krate = meta.value()?.parse::<LitStr>()?.parse()?;
            return Ok(());
        }
        Err(meta.error(
            "an enum of events knows `#[event(retired(name = \"…\"))]`, with `split = function` if it is to be read as \
             others, `#[event(lock)]` and `#[event(crate = \"…\")]`; names and versions stand at its variants",
        ))
    }
}

const RETIRED: &str =
    "a retired event has the name it was stored under: `#[event(retired(name = \"OrderViewed\"))]`";

fn retired(meta: &ParseNestedMeta<'_>) -> Result<Retired> {
    if !meta.input.peek(Paren) {
        return Err(meta.error(RETIRED));
    }
    let (mut name, mut split) = (None, None);
    meta.parse_nested_meta(|part| {
        if part.path.is_ident("name") {
            return set(&part, &mut name, part.value()?.parse()?).map_err(|_| part.error(RETIRED));
        }
        if part.path.is_ident("split") {
            return set(&part, &mut split, part.value()?.parse()?).map_err(|_| part.error(RETIRED));
        }
        Err(part.error("a retired event has a `name`, and `split = function` if it is read as others"))
    })?;
    let name = name.ok_or_else(|| meta.error(RETIRED))?;
    Ok(Retired { name, split })
}

/// `rename_all_fields` is for the content of the variants; anything else is for the enum's own serde derive.
fn is_about_fields(attribute: &Attribute) -> Result<bool> {
    let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
    let is_about_fields = parts.iter().any(|part| part.path().is_ident("rename_all_fields"));
    if is_about_fields && parts.len() > 1 {
        return Err(Error::new_spanned(
            attribute,
            "`rename_all_fields` stands in an attribute of its own: `#[serde(rename_all_fields = \"camelCase\")]`",
        ));
    }
    Ok(is_about_fields)
}

/// How a version is read as the next.
pub(crate) enum Step {
    /// A function changes the JSON.
    Json(Path),
    /// It is decoded as this type, from which the next is made.
    Typed(Box<Type>),
}

pub(crate) struct Upcast {
    pub(crate) version: i32,
    pub(crate) step: Step,
    pub(crate) at: Path,
}

/// What stands at a variant.
#[derive(Default)]
pub(crate) struct VariantAttributes {
    pub(crate) name: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) version: Option<i32>,
    pub(crate) oldest: Option<i32>,
    pub(crate) upcasts: Vec<Upcast>,
    pub(crate) is_other: bool,
    pub(crate) is_flattened: bool,
}

const AT_A_VARIANT: &str = "a variant knows `name`, `version`, `oldest`, `alias`, `upcast(version = 1, json = function)`, \
     `upcast(version = 1, from = Type)`, `other` and `flatten`: `#[event(name = \"OrderPlaced\", version = 2)]`";

impl VariantAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("event")) {
            attribute.parse_nested_meta(|meta| parsed.add(&meta))?;
        }
        Ok(parsed)
    }

    /// Whether they say how an event is stored.
    pub(crate) fn are_of_an_event(&self) -> bool {
        let Self { name, aliases, version, oldest, upcasts, .. } = self;
        let has_versions = version.is_some() || oldest.is_some() || !upcasts.is_empty();
        name.is_some() || !aliases.is_empty() || has_versions
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let path = &meta.path;
        if path.is_ident("name") {
            return set(meta, &mut self.name, meta.value()?.parse()?);
        }
        if path.is_ident("version") {
            return set(meta, &mut self.version, version(meta)?);
        }
        if path.is_ident("oldest") {
            return set(meta, &mut self.oldest, version(meta)?);
        }
        if path.is_ident("alias") {
            self.aliases.push(meta.value()?.parse()?);
        } else if path.is_ident("upcast") {
            self.upcasts.push(upcast(meta)?);
        } else if path.is_ident("other") {
            self.is_other = true;
        } else if path.is_ident("flatten") {
            self.is_flattened = true;
        } else {
            return Err(meta.error(AT_A_VARIANT));
        }
        Ok(())
    }
}

fn set<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this is said twice")),
    }
}

fn version(meta: &ParseNestedMeta<'_>) -> Result<i32> {
    let literal: LitInt = meta.value()?.parse()?;
    match literal.base10_parse() {
        Ok(version @ 1..) => Ok(version),
        _ => Err(Error::new_spanned(literal, "a version is a number from 1 to 2147483647")),
    }
}

const UPCAST: &str = "an upcast says from which version, and how: `upcast(version = 1, json = function)` with \
     `fn(serde_json::Value, &RecordedEvent) -> Result<serde_json::Value, UpcastError>`, or \
     `upcast(version = 1, from = Type)`, decoded as that type, from which the next is made by `From`";

fn upcast(meta: &ParseNestedMeta<'_>) -> Result<Upcast> {
    if !meta.input.peek(Paren) {
        return Err(meta.error(UPCAST));
    }
    let (mut from_version, mut step) = (None, None);
    meta.parse_nested_meta(|part| {
        if part.path.is_ident("version") {
            return set(&part, &mut from_version, version(&part)?);
        }
        if part.path.is_ident("json") {
            let function = Step::Json(part.value()?.parse()?);
            return set(&part, &mut step, function);
        }
        if part.path.is_ident("from") {
            let from = Step::Typed(part.value()?.parse()?);
            return set(&part, &mut step, from);
        }
        Err(part.error(UPCAST))
    })?;
    match (from_version, step) {
        (Some(version), Some(step)) => Ok(Upcast { version, step, at: meta.path.clone() }),
        _ => Err(meta.error(UPCAST)),
    }
}

/// Nothing is known there. What is not known must not be passed over: personal data would be stored in clear.
pub(crate) fn refuse_at_field(attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find(|attribute| attribute.path().is_ident("event")) {
        None => Ok(()),
        Some(attribute) => Err(Error::new_spanned(
            attribute,
            "`#[event(…)]` stands at a variant or at the enum: `#[event(name = \"OrderPlaced\")] Placed { sku: String }`; \
             how a field is stored is said to serde: `#[serde(rename = \"qty\")] quantity: u32`. Nothing encrypts personal \
             data: it would be stored in clear",
        )),
    }
}

/// What a variant would say about how all of its content is written, its fields say each for itself.
pub(crate) fn refuse_with(attributes: &[Attribute]) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        let is_with = |part: &&Meta| WITH.iter().any(|name| part.path().is_ident(name));
        if let Some(part) = parts.iter().find(is_with) {
            return Err(Error::new_spanned(
                part,
                "this stands at the value or the field that it is about: `Paid(#[serde(with = \"as_text\")] u64)` or \
                 `Paid { #[serde(with = \"as_text\")] cents: u64 }`",
            ));
        }
    }
    Ok(())
}

const WITH: [&str; 3] = ["with", "serialize_with", "deserialize_with"];

/// Of what serde is told about a variant, what concerns its content: the rest is for the enum's own serde
/// derive.
pub(crate) fn rename_all(attributes: &[Attribute]) -> Result<Option<Attribute>> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        if let Some(part) = parts.iter().find(|part| part.path().is_ident("rename_all")) {
            return Ok(Some(parse_quote!(#[serde(#part)])));
        }
    }
    Ok(None)
}

/// The text of a `#[serde(rename_all_fields = "…")]`, as a `rename_all`.
pub(crate) fn as_rename_all(attribute: &Attribute) -> Result<Attribute> {
    let Meta::NameValue(pair) = attribute.parse_args()? else {
        return Err(Error::new_spanned(attribute, "this is written `rename_all_fields = \"camelCase\"`"));
    };
    let Expr::Lit(rule) = &pair.value else {
        return Err(Error::new_spanned(attribute, "this is written `rename_all_fields = \"camelCase\"`"));
    };
    let Lit::Str(rule) = &rule.lit else {
        return Err(Error::new_spanned(attribute, "this is written `rename_all_fields = \"camelCase\"`"));
    };
    Ok(parse_quote!(#[serde(rename_all = #rule)]))
}

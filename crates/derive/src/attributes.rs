//! What stands in `#[event(…)]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
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
    /// What serde is told about the fields of all variants.
    pub(crate) serde: Vec<Attribute>,
    /// Whether fields that are not declared are refused.
    pub(crate) is_strict: bool,
    pub(crate) is_locked: bool,
}

impl EnumAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self {
            krate: parse_quote!(::diesel_event_store),
            retired: Vec::new(),
            serde: Vec::new(),
            is_strict: false,
            is_locked: false,
        };
        for attribute in attributes {
            if attribute.path().is_ident("event") {
                check_form(attribute, AT_THE_ENUM)?;
                attribute.parse_nested_meta(|meta| parsed.add(&meta))?;
            }
            if attribute.path().is_ident("serde") {
                parsed.add_serde(attribute)?;
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
            self.krate =
                value::<LitStr>(meta, CRATE)?.parse().map_err(|error| Error::new(error.span(), CRATE))?;
            return Ok(());
        }
        Err(meta.error(AT_THE_ENUM))
    }

    /// `rename_all_fields` and `deny_unknown_fields` are for the content of the variants; anything else is for
    /// the enum's own serde derive.
    fn add_serde(&mut self, attribute: &Attribute) -> Result<()> {
        let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        let has = |name: &str| parts.iter().any(|part| part.path().is_ident(name));
        self.is_strict |= has("deny_unknown_fields");
        if !has("rename_all_fields") {
            return Ok(());
        }
        if parts.len() > 1 {
            return Err(Error::new_spanned(
                attribute,
                "`rename_all_fields` stands in an attribute of its own: `#[serde(rename_all_fields = \"camelCase\")]`",
            ));
        }
        self.serde.push(attribute.clone());
        Ok(())
    }
}

const AT_THE_ENUM: &str = "an enum of events knows `#[event(retired(name = \"…\"))]`, with `split = function` if it is \
     to be read as others, `#[event(lock)]` and `#[event(crate = \"…\")]`; names and versions stand at its variants: \
     `#[event(name = \"OrderPlaced\", version = 2)]`";

const CRATE: &str = "the path of `diesel_event_store` is a text: `#[event(crate = \"crate::reexported::diesel_event_store\")]`";

/// `#[event(…)]` with names inside: what else could stand there has a message of its own.
fn check_form(attribute: &Attribute, form: &'static str) -> Result<()> {
    let Meta::List(list) = &attribute.meta else { return Err(Error::new_spanned(attribute, form)) };
    refuse_literals(&list.tokens, form)
}

/// Where a name should begin.
fn refuse_literals(tokens: &TokenStream, form: &'static str) -> Result<()> {
    let mut is_beginning = true;
    for token in tokens.clone() {
        if let (true, TokenTree::Literal(literal)) = (is_beginning, &token) {
            return Err(Error::new(literal.span(), form));
        }
        is_beginning = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
    }
    Ok(())
}

/// What stands in the brackets behind a name.
fn parse_list(
    meta: &ParseNestedMeta<'_>,
    form: &'static str,
    part: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    if !meta.input.peek(Paren) {
        return Err(meta.error(form));
    }
    if let Some((TokenTree::Group(list), _)) = meta.input.cursor().token_tree() {
        refuse_literals(&list.stream(), form)?;
    }
    meta.parse_nested_meta(part)
}

fn value<T: Parse>(meta: &ParseNestedMeta<'_>, form: &'static str) -> Result<T> {
    let value = meta.value().and_then(|input| input.parse());
    value.map_err(|error| Error::new(error.span(), form))
}

const RETIRED: &str = "a retired event has the name it was stored under: `#[event(retired(name = \"OrderViewed\"))]`, and \
     `split = function` if it is read as others";

fn retired(meta: &ParseNestedMeta<'_>) -> Result<Retired> {
    let (mut name, mut split) = (None, None);
    parse_list(meta, RETIRED, |part| {
        if part.path.is_ident("name") {
            return set(&part, &mut name, value(&part, RETIRED)?, RETIRED);
        }
        if part.path.is_ident("split") {
            return set(&part, &mut split, value(&part, RETIRED)?, RETIRED);
        }
        Err(part.error(RETIRED))
    })?;
    let name = name.ok_or_else(|| meta.error(RETIRED))?;
    Ok(Retired { name, split })
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
            check_form(attribute, AT_A_VARIANT)?;
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
            return set(meta, &mut self.name, value(meta, NAME)?, NAME);
        }
        if path.is_ident("version") {
            return set(meta, &mut self.version, version(meta)?, VERSION);
        }
        if path.is_ident("oldest") {
            return set(meta, &mut self.oldest, version(meta)?, VERSION);
        }
        if path.is_ident("alias") {
            self.aliases.push(value(meta, NAME)?);
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

const NAME: &str = "the name under which an event is stored is a text: `#[event(name = \"OrderPlaced\")]`, and \
     `alias = \"OrderCreated\"` for each further one that is read";

const VERSION: &str =
    "a version is a number from 1 to 2147483647: `#[event(name = \"OrderPlaced\", version = 2, oldest = 2)]`";

fn set<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T, form: &str) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error(format_args!("this is said twice: {form}"))),
    }
}

fn version(meta: &ParseNestedMeta<'_>) -> Result<i32> {
    let literal: LitInt = value(meta, VERSION)?;
    match literal.base10_parse() {
        Ok(version @ 1..) => Ok(version),
        _ => Err(Error::new_spanned(literal, VERSION)),
    }
}

const UPCAST: &str = "an upcast says from which version, and how: `upcast(version = 1, json = function)` with \
     `fn(serde_json::Value, &RecordedEvent) -> Result<serde_json::Value, UpcastError>`, or \
     `upcast(version = 1, from = Type)`, decoded as that type, from which the next is made by `From`";

fn upcast(meta: &ParseNestedMeta<'_>) -> Result<Upcast> {
    let (mut from_version, mut step) = (None, None);
    parse_list(meta, UPCAST, |part| {
        if part.path.is_ident("version") {
            return set(&part, &mut from_version, version(&part)?, UPCAST);
        }
        if part.path.is_ident("json") {
            return set(&part, &mut step, Step::Json(value(&part, UPCAST)?), UPCAST);
        }
        if part.path.is_ident("from") {
            return set(&part, &mut step, Step::Typed(value(&part, UPCAST)?), UPCAST);
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

//! How older versions of an event are brought up to the newest.

use syn::{Error, Result};

use crate::attributes::{Step, Upcast};

pub(crate) struct Upcasts {
    /// The oldest version that exists.
    pub(crate) oldest: i32,
    /// From the oldest version to the newest, one step per version.
    pub(crate) steps: Vec<Step>,
}

impl Upcasts {
    pub(crate) fn check(
        variant: &syn::Variant,
        newest: i32,
        oldest: Option<i32>,
        mut upcasts: Vec<Upcast>,
    ) -> Result<Self> {
        upcasts.sort_by_key(|upcast| upcast.version);
        let oldest = oldest.unwrap_or(1);
        if oldest > newest {
            let text = format!(
                "`oldest` is {oldest}, above the version of the event, which is {newest}: `#[event(version = {oldest}, \
                 oldest = {oldest})]`"
            );
            return Err(Error::new_spanned(variant, text));
        }
        for (expected, upcast) in (oldest..=i32::MAX).zip(&upcasts) {
            if upcast.version >= newest {
                let text = format!(
                    "there is nothing to bring up from version {from}: the newest is {newest}. An upcast leads to the next \
                     version: `#[event(version = {next}, upcast(version = {from}, json = function))]`",
                    from = upcast.version,
                    next = upcast.version.saturating_add(1)
                );
                return Err(Error::new_spanned(&upcast.at, text));
            }
            if upcast.version < expected {
                let text = format!(
                    "version {from} is brought up twice, or lies before `oldest`: each version from `oldest` on has one \
                     upcast: `#[event(version = {next}, oldest = {from}, upcast(version = {from}, json = function))]`",
                    from = upcast.version,
                    next = upcast.version.saturating_add(1)
                );
                return Err(Error::new_spanned(&upcast.at, text));
            }
            if upcast.version > expected {
                return Err(missing(variant, expected, newest));
            }
        }
        let first_missing = oldest + i32::try_from(upcasts.len()).unwrap_or(i32::MAX);
        if first_missing < newest {
            return Err(missing(variant, first_missing, newest));
        }
        refuse_json_after_types(&upcasts)?;
        Ok(Self { oldest, steps: upcasts.into_iter().map(|upcast| upcast.step).collect() })
    }
}

fn missing(variant: &syn::Variant, version: i32, newest: i32) -> Error {
    let text = format!(
        "version {version} cannot be read: say how it becomes version {next}, or that no event of it exists:

    #[event(upcast(version = {version}, json = function))]
    #[event(upcast(version = {version}, from = Type))]
    #[event(oldest = {newest})]",
        next = version + 1
    );
    Error::new_spanned(variant, text)
}

fn refuse_json_after_types(upcasts: &[Upcast]) -> Result<()> {
    let is_typed = |upcast: &&Upcast| matches!(upcast.step, Step::Typed(_));
    match upcasts.iter().skip_while(|upcast| !is_typed(upcast)).find(|upcast| !is_typed(upcast)) {
        None => Ok(()),
        Some(late) => Err(Error::new_spanned(
            &late.at,
            "a step that changes JSON cannot follow one by type, whose outcome is no JSON any more: write this step as \
             `from = Type`, too",
        )),
    }
}

//! What an address says. If it cannot be understood, there is a page that tells why.

use std::error::Error;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::site::Site;
use super::trouble::Trouble;

/// The values behind the question mark.
pub struct Said<T>(pub T);

/// The last part of the path.
pub struct Named(pub String);

impl<T: DeserializeOwned> FromRequestParts<Site> for Said<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        said(parts).map(Self).map_err(|why| site.trouble(Trouble::wrong(why)))
    }
}

impl FromRequestParts<Site> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let path = Path::from_request_parts(parts, site).await;
        path.map(|Path(name)| Self(name)).map_err(|why| site.trouble(Trouble::wrong(why.body_text())))
    }
}

fn said<T: DeserializeOwned>(parts: &Parts) -> Result<T, String> {
    // Otherwise something else would be looked for than was said.
    let query = percent_decode_str(parts.uri.query().unwrap_or_default());
    query.decode_utf8().map_err(|error| format!("the address is no UTF-8: {error}"))?;
    match Query::try_from_uri(&parts.uri) {
        Ok(Query(said)) => Ok(said),
        Err(why) => Err(why.source().map_or_else(|| why.body_text(), ToString::to_string)),
    }
}

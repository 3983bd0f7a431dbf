use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The files that pages are shown with. They are in the command, so that nothing is fetched from elsewhere.
const ASSETS: [(&str, &str, &str); 3] = [
    ("browse.css", "text/css; charset=utf-8", include_str!("../../assets/browse.css")),
    ("browse.js", "text/javascript; charset=utf-8", include_str!("../../assets/browse.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

pub async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, _, _)| *known == name) {
        Some(&(_, kind, content)) => ([(header::CONTENT_TYPE, kind)], content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

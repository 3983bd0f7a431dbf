//! The routes.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use diesel_event_store::{Executed, Position};
use tracing::Instrument;

use crate::app::App;
use crate::command_headers::CommandHeaders;
use crate::error::AppError;
use crate::order::{AddLine, Order, Place};
use crate::{health, open_orders, orders};

pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/orders/{id}", get(look_at).put(place))
        .route("/orders/{id}/lines", post(add_line))
        .route("/orders/{id}/payment", post(pay))
        .route("/open-orders", get(open_orders))
        .route("/health", get(health))
        .layer(middleware::from_fn(traced))
        .with_state(app)
}

async fn place(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: CommandHeaders,
    Json(command): Json<Place>,
) -> Result<Response, AppError> {
    let mut conn = app.pool.get().await?;
    Ok(answer(orders::place(&mut conn, &headers, &id, &command).await?))
}

async fn add_line(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: CommandHeaders,
    Json(line): Json<AddLine>,
) -> Result<Response, AppError> {
    let mut conn = app.pool.get().await?;
    Ok(answer(orders::add_line(&mut conn, headers, &id, line).await?))
}

async fn pay(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: CommandHeaders,
) -> Result<Response, AppError> {
    let mut conn = app.pool.get().await?;
    Ok(answer(orders::pay(&mut conn, &headers, &id).await?))
}

async fn look_at(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, AppError> {
    let mut conn = app.pool.get().await?;
    let order = orders::look_at(&mut conn, &id).await?;
    Ok(([(ETAG, tag(order.version))], Json(order.state)).into_response())
}

/// Of what the client has written it says `Read-After`, a position.
async fn open_orders(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, AppError> {
    let after = match headers.get("read-after") {
        Some(position) => Some(position_of(position).ok_or(AppError::ReadAfter)?),
        None => None,
    };
    let mut conn = app.pool.get().await?;
    Ok(Json(open_orders::all(&mut conn, after).await?).into_response())
}

fn position_of(header: &HeaderValue) -> Option<Position> {
    Position::new(header.to_str().ok()?.parse().ok()?).ok()
}

async fn health(State(app): State<Arc<App>>) -> Result<Response, AppError> {
    let mut conn = app.pool.get().await?;
    let health = health::look(&mut conn, app.is_running().await).await?;
    let status = if health.is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(health)).into_response())
}

/// A span per request, which a subscriber for OpenTelemetry joins to the trace of the caller.
async fn traced(request: Request, next: Next) -> Response {
    let parent = request.headers().get("traceparent").and_then(|parent| parent.to_str().ok());
    let span = tracing::info_span!(
        "request",
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        traceparent = parent,
        http.response.status_code = tracing::field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// The order as it is now. `Position` is what a client sends back to read what it has written.
fn answer(done: Executed<Order>) -> Response {
    let position = done.events().last().map(|event| event.position().to_string());
    let mut response = ([(ETAG, tag(done.version))], Json(done.state)).into_response();
    if let Some(position) = position.and_then(|position| position.parse().ok()) {
        response.headers_mut().insert("position", position);
    }
    response
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

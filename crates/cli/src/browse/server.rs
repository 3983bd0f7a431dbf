use std::net::Ipv4Addr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::connections::Connections;
use super::guard::{DOOR, Guard, guard};
use super::site::Site;
use super::trouble::Trouble;
use super::{
    assets, event_page, health_page, live, log_page, payload, projections_page, stream_page, streams_page,
    trace_page,
};
use crate::failure::Result;

pub struct Server {
    listener: TcpListener,
    site: Site,
}

impl Server {
    /// On this computer's own address, where no other can reach it, and a port that is free.
    pub async fn bind(connections: Connections) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let guard = Guard::new(listener.local_addr()?.port())?;
        Ok(Self { listener, site: Site::new(connections, guard) })
    }

    /// What to open first.
    pub fn address(&self) -> String {
        let guard = &self.site.guard;
        format!("http://{}{DOOR}?token={}", guard.host, guard.token.as_str())
    }

    pub async fn run(self) -> Result {
        Ok(axum::serve(self.listener, router(self.site)).await?)
    }
}

fn router(site: Site) -> Router {
    Router::new()
        .route(DOOR, get(open))
        .route("/", get(log_page::log_page))
        .route("/live", get(live::live))
        .route("/streams", get(streams_page::streams_page))
        .route("/stream", get(stream_page::stream_page))
        .route("/event/{id}", get(event_page::event_page))
        .route("/event/{id}/payload", get(payload::payload))
        .route("/trace", get(trace_page::trace_page))
        .route("/projections", get(projections_page::projections_page))
        .route("/health", get(health_page::health_page))
        .route("/assets/{name}", get(assets::asset))
        .fallback(no_page)
        .layer(middleware::from_fn_with_state(site.clone(), guard))
        .with_state(site)
}

#[derive(Deserialize)]
struct Shown {
    token: String,
}

/// For the token, a browser gets a cookie, and an address without it. Others are shown no page of ours.
async fn open(State(site): State<Site>, shown: Result<Query<Shown>, QueryRejection>) -> Response {
    match shown {
        Ok(Query(Shown { token })) if site.guard.token.is(&token) => {
            ([(header::SET_COOKIE, site.guard.set_cookie())], Redirect::to("/")).into_response()
        }
        _ => (StatusCode::FORBIDDEN, "this is not the token that the command has printed\n").into_response(),
    }
}

async fn no_page(State(site): State<Site>) -> Response {
    site.trouble(Trouble::missing("there is no such page"))
}

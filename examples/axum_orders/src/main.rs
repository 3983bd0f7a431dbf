//! `cargo run --package axum_orders`, on SQLite, or on PostgreSQL with a `DATABASE_URL` of it.

use std::env;
use std::error::Error;

use axum_orders::app::App;
use axum_orders::http;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "orders.db".to_owned());
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let app = App::open(&url).await?;
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);

    // The requests that are under way are answered, then the projection ends after its batch.
    axum::serve(listener, http::router(app.clone())).with_graceful_shutdown(asked_to_stop()).await?;
    app.close().await?;
    Ok(())
}

async fn asked_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("a handler for SIGTERM");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

//! `cargo run --package axum_orders`, on SQLite, or on PostgreSQL with a `DATABASE_URL` of it.

use std::env;
use std::error::Error;
use std::io;

use axum_orders::app::App;
use axum_orders::http;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "orders.db".to_owned());
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let app = App::open(&url).await?;
    let listener = TcpListener::bind(address).await?;
    // Before the address is told: who knows it may ask for the end at once.
    let asked_to_stop = asked_to_stop()?;
    println!("http://{}", listener.local_addr()?);

    // The requests that are under way are answered, then the projection ends after its batch.
    axum::serve(listener, http::router(app.clone())).with_graceful_shutdown(asked_to_stop).await?;
    app.close().await?;
    Ok(())
}

/// From this call on, neither SIGTERM nor Ctrl-C ends the program by itself.
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

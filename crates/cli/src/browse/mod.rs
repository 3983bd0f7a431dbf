//! `browse`: the store in a web browser. The server answers this computer alone, and a browser that has opened
//! the address which the command prints. Nothing is fetched from elsewhere, and nothing is changed.

mod about_time;
mod assets;
mod connections;
mod difference;
mod event_page;
mod guard;
mod health_page;
mod links;
mod live;
mod log_page;
mod payload;
mod projections_page;
mod said;
mod search;
mod server;
mod shown;
mod site;
mod stream_page;
mod streams_page;
mod token;
mod trace_page;
mod trouble;
mod wanted;

use serde_json::json;

use crate::failure::Result;
use crate::output::Output;
use connections::Connections;
use server::Server;

pub fn browse(url: Option<&str>, output: &mut Output) -> Result {
    let connections = Connections::to(url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(connections).await?;
        let address = server.address();
        let text = format!("{address}\n\nOpen it in a browser on this computer. Ctrl-C ends it.");
        output.answer(&json!({ "address": address }), text)?;
        output.flush()?;
        server.run().await
    })
}

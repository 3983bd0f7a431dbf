//! The program itself, and what is asked of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::database::{Database, Result};

pub struct Service {
    process: Child,
    client: Client,
    address: String,
}

impl Service {
    /// Returns when it answers.
    pub fn start(database: &Database) -> Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_axum_orders"))
            .env("DATABASE_URL", database.url())
            .env("ADDRESS", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self { process, client: Client::new(), address: address.trim().to_owned() })
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.address))
    }

    pub fn place(&self, order: &str, customer: &str) -> RequestBuilder {
        self.client.put(format!("{}/orders/{order}", self.address)).json(&json!({ "customer": customer }))
    }

    pub fn add(&self, order: &str, article: &str, pieces: i32) -> RequestBuilder {
        let line = json!({ "article": article, "pieces": pieces });
        self.client.post(format!("{}/orders/{order}/lines", self.address)).json(&line)
    }

    pub fn pay(&self, order: &str) -> RequestBuilder {
        self.client.post(format!("{}/orders/{order}/payment", self.address))
    }

    pub fn kill(mut self) -> Result {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// As a supervisor does it.
    pub fn ask_to_stop(&self) -> Result {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status()?;
        assert!(told.success());
        Ok(())
    }

    pub fn ended(mut self) -> Result<ExitStatus> {
        Ok(self.process.wait()?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Its status and its order, or its error.
pub async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value)> {
    let response = request.send().await?;
    Ok((response.status(), response.json().await?))
}

pub fn etag(response: &Response) -> Option<String> {
    Some(response.headers().get("etag")?.to_str().ok()?.to_owned())
}

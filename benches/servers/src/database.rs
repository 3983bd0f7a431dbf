use std::env;

use uuid::Uuid;

/// The name of the bench's own database, on the server whose URL is in an environment variable.
pub struct Place {
    pub name: String,
    pub server_url: String,
}

impl Place {
    pub fn in_server(variable: &str) -> Self {
        let server_url = env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set. It names a server where databases can be created; scripts/server starts one"
            )
        });
        Self { name: format!("des_bench_{}", Uuid::now_v7().simple()), server_url }
    }

    /// The URL of the new database.
    pub fn url(&self) -> String {
        let (server, _) = self.server_url.rsplit_once('/').expect("a server's URL ends with a database");
        format!("{server}/{}", self.name)
    }
}

//! What the servers have in common: the tests share one, and each has a database of its own there.

use std::env;
use std::sync::{Condvar, Mutex};

use diesel_event_store::uuid::Uuid;

use crate::Result;

/// A name for a new database in a server, and leave to have it. Whoever drops the database drops this
/// afterwards.
pub struct Place {
    name: String,
    server_url: String,
    _turn: Turn,
}

impl Place {
    /// In the server whose URL is in this environment variable.
    pub fn in_server(variable: &str) -> Result<Self> {
        let server_url = env::var(variable).map_err(|_| {
            format!(
                "{variable} is not set. It names a server where databases can be created; \
                 scripts/test starts one, and so does scripts/server"
            )
        })?;
        let name = format!("des_test_{}", Uuid::now_v7().simple());
        Ok(Self { name, server_url, _turn: Turn::wait() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn server_url(&self) -> &str {
        &self.server_url
    }

    /// The URL of the new database.
    pub fn url(&self) -> String {
        let (address, parameters) = match self.server_url.split_once('?') {
            Some((address, parameters)) => (address, format!("?{parameters}")),
            None => (self.server_url.as_str(), String::new()),
        };
        let (scheme, rest) = address.split_once("://").expect("a server's URL begins with a scheme");
        let server = rest.split('/').next().unwrap_or(rest);
        format!("{scheme}://{server}/{}{parameters}", self.name)
    }
}

/// A server allows a hundred connections or so, and a test may need nine.
struct Turn;

static TAKEN: Mutex<u32> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();
const TURNS: u32 = 10;

impl Turn {
    fn wait() -> Self {
        let taken = TAKEN.lock().expect("nobody panics while counting");
        let mut taken =
            GIVEN_BACK.wait_while(taken, |taken| *taken == TURNS).expect("nobody panics while counting");
        *taken += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock().expect("nobody panics while counting") -= 1;
        GIVEN_BACK.notify_one();
    }
}

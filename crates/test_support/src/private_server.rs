//! A server for one test alone, which may kill it. `scripts/server` knows how.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::Result;

pub struct PrivateServer {
    parent: TempDir,
    url: String,
}

impl PrivateServer {
    /// A kind of server that the script knows, with settings as that server takes them.
    pub fn start(kind: &str, settings: &[&str]) -> Result<Self> {
        // The server may run as another user, who must be able to pass.
        let passable = PermissionsExt::from_mode(0o755);
        let parent = tempfile::Builder::new().permissions(passable).tempdir()?;
        let mut server = Self { parent, url: String::new() };
        let folder = server.folder();
        let arguments = ["start", kind, &folder.display().to_string(), "--"];
        server.url = script(arguments.iter().chain(settings))?;
        Ok(server)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that belongs to the server, and of which it is made: its data, for one.
    pub fn folder(&self) -> PathBuf {
        self.parent.path().join("server")
    }

    /// SIGKILL to all its processes.
    pub fn kill(&self) -> Result {
        self.run("kill")
    }

    pub fn stop(&self) -> Result {
        self.run("stop")
    }

    /// Its URL stays the same.
    pub fn restart(&self) -> Result {
        self.run("restart")
    }

    /// SIGKILL to one of the nodes of a cluster, which count from 1.
    pub fn kill_node(&self, node: usize) -> Result {
        script(&["kill", &self.node(node)]).map(drop)
    }

    /// It joins the others again.
    pub fn restart_node(&self, node: usize) -> Result {
        script(&["restart", &self.node(node)]).map(drop)
    }

    fn node(&self, node: usize) -> String {
        self.folder().join(format!("node{node}")).display().to_string()
    }

    /// A program of the server's own version, as the user that the server runs as.
    pub fn program(&self, command: &[&str]) -> Result {
        let folder = self.folder().display().to_string();
        script(["run", &folder].iter().chain(command)).map(drop)
    }

    fn run(&self, command: &str) -> Result {
        script(&[command, &self.folder().display().to_string()]).map(drop)
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("the server in {} could not be stopped: {error}", self.folder().display());
        }
    }
}

/// What it has printed.
fn script<'a>(arguments: impl IntoIterator<Item = &'a &'a str>) -> Result<String> {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/server"))
        .args(arguments)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

//! The command, as a person has started it.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Browse {
    child: Child,
    /// What to open first.
    pub address: String,
}

impl Browse {
    /// From the folder of the file, so that its name is short.
    pub fn of(file: &Path) -> Self {
        let program = env::var_os("DIESEL_EVENT_STORE")
            .expect("DIESEL_EVENT_STORE names the command that is tested; scripts/test browse builds it");
        let mut command = Command::new(program);
        command.arg("browse").env("DATABASE_URL", file.file_name().expect("it is a file"));
        let child =
            command.current_dir(file.parent().expect("it is in a folder")).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim_end().to_owned() }
    }

    pub fn url(&self, path: &str) -> String {
        let (server, _) = self.address.split_once("/open").expect("the address leads to the door");
        format!("{server}{path}")
    }

    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Browse {
    fn drop(&mut self) {
        self.end();
    }
}

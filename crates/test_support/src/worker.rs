//! A process that does one job on a database. It reports line by line on its standard output, and is told on
//! its standard input when to go on.

use std::env;
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use crate::LONG;

/// The first argument of a process that is a worker.
pub const ARGUMENT: &str = "worker";

/// What a worker is called to do, with the database and the other arguments.
pub type Job = (&'static str, fn(path: &str, arguments: &[String]));

/// In the worker: does the job that the arguments name.
pub fn run(jobs: &[Job], arguments: &[String]) {
    let [name, path, rest @ ..] = arguments else { panic!("{ARGUMENT} JOB DATABASE …") };
    let (_, job) = jobs.iter().find(|(known, _)| known == name).expect("the name of a job");
    job(path, rest);
}

/// In the worker: tells the test something. It has left the process when this returns.
pub fn report(line: impl Display) {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).expect("the test listens");
}

/// In the worker: says that it is ready, and waits until it is told to go on.
pub fn wait_for_the_others() {
    report("ready");
    order();
}

/// In the worker: the next line it is told.
pub fn order() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("the test speaks UTF-8");
    line.trim_end().to_owned()
}

/// In the test: a worker that is running. It is killed when it is dropped.
pub struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Worker {
    pub fn start(job: &str, path: &Path, arguments: &[String]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg(ARGUMENT)
            .arg(job)
            .arg(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (heard, lines) = mpsc::channel();
        // Read all the time, so that the worker never waits for the test.
        thread::spawn(move || {
            while let Some(line) = whole_line(&mut stdout) {
                if heard.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, lines }
    }

    /// The next line of its report, or `None` if it has ended.
    pub fn line(&self) -> Option<String> {
        self.lines.recv().ok()
    }

    /// The same, of a worker that may be stuck.
    pub fn line_unless_stuck(&self) -> Option<String> {
        match self.lines.recv_timeout(LONG) {
            Err(RecvTimeoutError::Timeout) => panic!("a worker has reported nothing for {LONG:?}"),
            heard => heard.ok(),
        }
    }

    pub fn wait_until_ready(&self) {
        assert_eq!(self.line().as_deref(), Some("ready"));
    }

    pub fn tell(&mut self, line: impl Display) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// `STOP` suspends it, and `CONT` lets it go on.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap();
        assert!(status.success(), "kill -{signal} {id}: {status}");
    }

    /// SIGKILL. Returns what else it had reported.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it has not been killed but has ended by itself");
        self.lines.iter().collect()
    }

    /// Waits until it has done its job. Returns what else it reported.
    pub fn finish(mut self) -> Vec<String> {
        let lines = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success(), "a worker has failed");
        lines
    }

    /// The same, for a job that may be stuck.
    pub fn finish_unless_stuck(self) {
        while self.line_unless_stuck().is_some() {}
        self.finish();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A killed process may leave a line that has no end.
fn whole_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    line.strip_suffix('\n').map(str::to_owned)
}

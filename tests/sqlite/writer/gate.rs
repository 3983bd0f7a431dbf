//! A request that keeps the writer busy, so that what a test sends meanwhile is one group.

use std::sync::mpsc::{self, Receiver, Sender};

use diesel_event_store::Error;
use diesel_event_store::sqlite::{Ticket, Writer};

pub struct Gate {
    open: Sender<()>,
    passed: Ticket<(), Error>,
}

impl Gate {
    /// When this returns, the writer stands at the gate.
    pub fn close(writer: &Writer) -> Self {
        let (open, wait): (_, Receiver<()>) = mpsc::channel();
        let (here, arrived) = mpsc::channel();
        let passed = writer
            .transaction(move |_| {
                here.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            })
            .send();
        arrived.recv().unwrap();
        Self { open, passed }
    }

    pub fn open(self) {
        self.open.send(()).unwrap();
        self.passed.wait().unwrap();
    }
}

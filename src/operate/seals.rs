use std::iter::Peekable;
use std::vec;

use uuid::Uuid;

use super::finding::Finding;
use crate::line::chain::{Chain, LineHash};
use crate::model::position::Position;
use crate::model::seal::Seal;

/// The seals of a log, which are compared while it is read.
pub(super) struct Seals {
    seals: Peekable<vec::IntoIter<Seal>>,
    chain: Chain,
    events: i64,
    /// Up to the last one that was compared.
    sealed_to: Position,
    pub(super) compared: u64,
    /// The last one. What lies above is not proved by any.
    pub(super) end: Position,
}

impl Seals {
    pub(super) fn of_log(log_id: Uuid, seals: Vec<Seal>) -> Self {
        Self {
            end: seals.last().map_or(Position::START, |last| last.position),
            seals: seals.into_iter().peekable(),
            chain: Chain::of_log(log_id),
            events: 0,
            sealed_to: Position::START,
            compared: 0,
        }
    }

    /// One more event, or what is left of it.
    pub(super) fn add(&mut self, position: Position, hash: LineHash) -> Vec<Finding> {
        let findings = self.compare(|seal| seal.position < position);
        self.chain.add_hash(hash);
        self.events += 1;
        findings
    }

    /// Those for which that holds and that were not compared yet: the events up to them were read.
    pub(super) fn compare(&mut self, is_next: impl Fn(&Seal) -> bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        while let Some(seal) = self.seals.next_if(&is_next) {
            findings.extend(self.compare_one(&seal));
        }
        findings
    }

    /// The next one is over the events behind this one, whether this one fits or not.
    fn compare_one(&mut self, seal: &Seal) -> Option<Finding> {
        let fits = seal.chain == self.chain.text() && seal.events == self.events;
        let finding = Finding::Seal { position: seal.position, after: self.sealed_to };
        self.chain = Chain::read(&seal.chain).unwrap_or(self.chain);
        (self.events, self.sealed_to) = (seal.events, seal.position);
        self.compared += 1;
        (!fits).then_some(finding)
    }
}

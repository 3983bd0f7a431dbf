use std::collections::HashMap;

use diesel_event_store::{NewEvent, RecordedEvent};

use super::entry::Entry;

/// What the writers themselves know of what became of their events since the last quiet moment.
#[derive(Default)]
pub struct Ledger {
    committed: Vec<Entry>,
    withdrawn: Vec<String>,
    /// The ids of a transaction whose commit was not answered.
    unclear: Vec<Vec<String>>,
}

impl Ledger {
    pub fn committed(&mut self, events: &[RecordedEvent]) {
        self.committed.extend(events.iter().map(Entry::from));
    }

    pub fn withdrawn(&mut self, ids: impl IntoIterator<Item = String>) {
        self.withdrawn.extend(ids);
    }

    pub fn unclear(&mut self, ids: impl IntoIterator<Item = String>) {
        self.unclear.push(ids.into_iter().collect());
    }

    pub fn unclear_transactions(&self) -> usize {
        self.unclear.len()
    }

    pub fn merge(&mut self, other: Self) {
        self.committed.extend(other.committed);
        self.withdrawn.extend(other.withdrawn);
        self.unclear.extend(other.unclear);
    }

    /// The table holds what is known to be committed, nothing that is known to be withdrawn, and of each
    /// transaction whose outcome is unclear everything or nothing.
    pub fn assert_kept_in(&self, table: &[Entry]) {
        let mut unaccounted: HashMap<&str, &Entry> =
            table.iter().map(|entry| (entry.event_id.as_str(), entry)).collect();
        for entry in &self.committed {
            let found = unaccounted.remove(entry.event_id.as_str());
            assert_eq!(found, Some(entry), "acknowledged, and then");
        }
        for id in &self.withdrawn {
            assert_eq!(unaccounted.get(id.as_str()), None, "withdrawn, and there all the same");
        }
        for ids in &self.unclear {
            let found = ids.iter().filter_map(|id| unaccounted.remove(id.as_str())).count();
            assert!(found == 0 || found == ids.len(), "{found} events of a transaction of {}", ids.len());
        }
        assert!(unaccounted.is_empty(), "written by nobody: {unaccounted:?}");
    }
}

pub fn ids_of_new(events: &[NewEvent]) -> Vec<String> {
    events.iter().map(|event| event.id().to_string()).collect()
}

pub fn ids_of(events: &[RecordedEvent]) -> Vec<String> {
    events.iter().map(|event| event.id().to_string()).collect()
}

/// Counts the versions of all aggregates as it is shown what has been committed.
#[derive(Default)]
pub struct Versions(HashMap<(String, String), i64>);

impl Versions {
    /// They go on without a gap, in the order of the positions.
    pub fn assert_continued_by(&mut self, committed: &[Entry]) {
        for entry in committed {
            let aggregate = (entry.aggregate_type.clone(), entry.aggregate_id.clone());
            let version = self.0.entry(aggregate).or_default();
            *version += 1;
            assert_eq!(entry.version, *version, "{entry:?}");
        }
    }
}

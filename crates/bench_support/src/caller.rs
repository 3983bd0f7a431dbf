use crate::workload::{Append, aggregate_id};

/// Appends one event at a time to aggregates that no other caller appends to, ten events per aggregate.
pub struct Caller {
    number: usize,
    appended: usize,
}

impl Caller {
    pub fn new(number: usize) -> Self {
        Self { number, appended: 0 }
    }

    pub fn next_append(&mut self) -> Append {
        const EVENTS_EACH: usize = 10;
        let (aggregate, version) = (self.appended / EVENTS_EACH, self.appended % EVENTS_EACH);
        self.appended += 1;
        Append {
            aggregate_id: format!("{}-{}", aggregate_id(aggregate), self.number),
            version: i64::try_from(version).expect("a small number"),
        }
    }
}

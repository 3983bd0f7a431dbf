use diesel_event_store::{EventFilter, LogQuery, RecordedEvent};

use super::links::encoded;

/// Which events are wanted, as a form says it: fields that are empty say nothing.
#[derive(Clone)]
pub struct Wanted {
    /// With commas between.
    pub types: String,
    pub correlation: String,
}

impl Wanted {
    pub fn is_everything(&self) -> bool {
        self.types().is_empty() && self.correlation.is_empty()
    }

    fn types(&self) -> Vec<&str> {
        self.types.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
    }

    /// For new events, which are few.
    pub fn narrow(&self, query: LogQuery) -> LogQuery {
        match self.types() {
            types if types.is_empty() => self.narrow_by_index(query),
            types => self.narrow_by_index(query).event_types(types),
        }
    }

    /// What the database finds without reading the whole log.
    pub fn narrow_by_index(&self, query: LogQuery) -> LogQuery {
        match &*self.correlation {
            "" => query,
            correlation => query.correlation_id(correlation),
        }
    }

    /// Whether it is of one of the types.
    pub fn has_type_of(&self, event: &RecordedEvent) -> bool {
        match self.types() {
            types if types.is_empty() => true,
            types => EventFilter::new().event_types(types).matches(event),
        }
    }

    /// Within an address.
    pub fn in_address(&self) -> String {
        format!("types={}&correlation={}", encoded(&self.types), encoded(&self.correlation))
    }
}

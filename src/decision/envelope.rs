use serde::Serialize;

use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::invalid::{InvalidInput, check_name};
use crate::model::json::Json;

/// What all events of a command have in common beside their content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    correlation_id: Option<Box<str>>,
    causation_id: Option<Box<str>>,
    metadata: Option<Result<Json, InvalidInput>>,
}

impl Envelope {
    pub(crate) fn correlation_id(self, id: impl ToString) -> Self {
        Self { correlation_id: Some(id.to_string().into()), ..self }
    }

    pub(crate) fn causation_id(self, id: impl ToString) -> Self {
        Self { causation_id: Some(id.to_string().into()), ..self }
    }

    pub(crate) fn metadata(self, metadata: &(impl Serialize + ?Sized)) -> Self {
        Self { metadata: Some(Json::from_value("metadata", metadata)), ..self }
    }

    /// Of what happens because of this event.
    pub(crate) fn caused_by(self, recorded: &RecordedEvent) -> Self {
        let envelope = self.causation_id(recorded.id());
        match recorded.correlation_id() {
            Some(id) => envelope.correlation_id(id),
            None => envelope,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidInput> {
        for (field, id) in [("correlation_id", &self.correlation_id), ("causation_id", &self.causation_id)] {
            id.as_deref().map_or(Ok(()), |id| check_name(field, id))?;
        }
        match &self.metadata {
            Some(Err(invalid)) => Err(invalid.clone()),
            _ => Ok(()),
        }
    }

    /// What the event says itself is kept where this says nothing.
    pub(super) fn around(&self, mut new: NewEvent) -> NewEvent {
        let content = &mut new.content;
        set(&mut content.correlation_id, self.correlation_id.as_ref());
        set(&mut content.causation_id, self.causation_id.as_ref());
        set(&mut content.metadata, self.metadata.as_ref().and_then(|metadata| metadata.as_ref().ok()));
        new
    }
}

fn set<T: Clone>(field: &mut Option<T>, value: Option<&T>) {
    if let Some(value) = value {
        *field = Some(value.clone());
    }
}

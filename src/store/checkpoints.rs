use crate::model::checkpoint::Checkpoint;
use crate::model::invalid::check_name;
use crate::model::position::Position;
use crate::storage::backend::Backend;
use crate::storage::checkpoints::CheckpointError;

pub(crate) fn load(
    backend: &mut dyn Backend,
    projection_name: &str,
) -> Result<Option<Checkpoint>, CheckpointError> {
    check_name("projection_name", projection_name)?;
    Ok(backend.checkpoint(projection_name)?)
}

pub(crate) fn save(
    backend: &mut dyn Backend,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    let checkpoint = Checkpoint::now(projection_name, position)?;
    if backend.advance_checkpoint(&checkpoint)? {
        return Ok(());
    }
    let saved = backend.checkpoint(projection_name)?.map_or(Position::START, |saved| saved.position);
    Err(CheckpointError::Backward { projection_name: checkpoint.projection_name, saved, requested: position })
}

pub(crate) fn rewind(
    backend: &mut dyn Backend,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    Ok(backend.set_checkpoint(&Checkpoint::now(projection_name, position)?)?)
}

pub(crate) fn delete(backend: &mut dyn Backend, projection_name: &str) -> Result<bool, CheckpointError> {
    check_name("projection_name", projection_name)?;
    Ok(backend.delete_checkpoint(projection_name)?)
}

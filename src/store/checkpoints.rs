use crate::model::checkpoint::Checkpoint;
use crate::model::invalid::check_name;
use crate::model::position::Position;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::lent::Blocking;

pub(crate) fn load(
    mut database: Blocking<'_>,
    projection_name: &str,
) -> Result<Option<Checkpoint>, CheckpointError> {
    check_name("projection_name", projection_name)?;
    Ok(database.checkpoint(projection_name)?)
}

pub(crate) fn save(
    mut database: Blocking<'_>,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    let checkpoint = Checkpoint::now(projection_name, position)?;
    if database.advance_checkpoint(&checkpoint)? {
        return Ok(());
    }
    let saved = database.checkpoint(projection_name)?.map_or(Position::START, |saved| saved.position);
    Err(CheckpointError::Backward { projection_name: checkpoint.projection_name, saved, requested: position })
}

pub(crate) fn rewind(
    mut database: Blocking<'_>,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    Ok(database.set_checkpoint(&Checkpoint::now(projection_name, position)?)?)
}

pub(crate) fn delete(mut database: Blocking<'_>, projection_name: &str) -> Result<bool, CheckpointError> {
    check_name("projection_name", projection_name)?;
    Ok(database.delete_checkpoint(projection_name)?)
}

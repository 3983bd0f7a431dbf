use super::Error;
use crate::projection::ProjectionError;
use crate::store::run_again::RunAgain;

impl RunAgain for Error {
    fn may_run_again(&self) -> bool {
        match self {
            Error::Append(error) => error.may_run_again(),
            Error::Read(error) => error.may_run_again(),
            Error::Checkpoint(error) => error.may_run_again(),
            Error::Projection(ProjectionError::Database(error)) | Error::Database(error) => {
                error.may_run_again()
            }
            _ => false,
        }
    }
}

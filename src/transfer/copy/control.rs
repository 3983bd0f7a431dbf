use std::error::Error;

use super::copied::Copied;

/// What is to happen now that little is left to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The log moves: the source is frozen, and the target opens.
    Switch,
    /// The target goes on following the source, and the same is asked again.
    Follow,
    /// The copy ends with [`CopyError::NotSwitched`](super::CopyError::NotSwitched). The next call goes on.
    Stop,
}

/// Goes along with a copy, and decides what is next: see [`copy_with`](super::copy_with()).
///
/// ```
/// use std::error::Error;
/// use std::process::Command;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use diesel_event_store::transfer::{Copied, CopyControl, Next};
///
/// struct Mover<'a> {
///     stop: &'a AtomicBool,
/// }
///
/// impl CopyControl for Mover<'_> {
///     fn caught_up(&mut self, _so_far: &Copied) -> Next {
///         Next::Switch
///     }
///
///     fn goes_on(&mut self, so_far: &Copied) -> bool {
///         println!("to position {}", so_far.last_position());
///         !self.stop.load(Ordering::Relaxed)
///     }
///
///     fn move_read_models(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
///         match Command::new("./copy-tables").status()?.success() {
///             true => Ok(()),
///             false => Err("the tables were not copied".into()),
///         }
///     }
/// }
/// # let stop = AtomicBool::new(false);
/// # fn is_control(_: impl CopyControl) {}
/// # is_control(Mover { stop: &stop });
/// ```
pub trait CopyControl {
    /// The target has nearly everything that the source has. Until this has answered nothing is copied, so
    /// one that says [`Next::Follow`] waits a moment before.
    fn caught_up(&mut self, so_far: &Copied) -> Next;

    /// Called after each batch, before the source is frozen. `false` ends the copy with
    /// [`CopyError::Stopped`](super::CopyError::Stopped). The next call goes on.
    fn goes_on(&mut self, so_far: &Copied) -> bool {
        let _ = so_far;
        true
    }

    /// The source is frozen for this copy already: an earlier call was ended in the middle of its switch, or
    /// another process switches now. `true` finishes the switch; `false` ends the copy with
    /// [`CopyError::MidSwitch`](super::CopyError::MidSwitch).
    fn resumes_switch(&mut self) -> bool {
        true
    }

    /// Copies the read models of the projections that are [kept](super::CopyOptions::keep): both logs are
    /// closed and equal, and no worker changes a read model on the source any more. Called again if the copy
    /// does not come to its end and is run again.
    ///
    /// # Errors
    ///
    /// Ends the copy with [`CopyError::ReadModels`](super::CopyError::ReadModels). The source stays frozen:
    /// copy again, or [`abandon`](super::abandon()).
    fn move_read_models(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// Asks once.
pub(super) struct Asked<F>(pub(super) Option<F>);

impl<F: FnOnce(&Copied) -> bool> CopyControl for Asked<F> {
    fn caught_up(&mut self, so_far: &Copied) -> Next {
        let switches = self.0.take().is_some_and(|switch| switch(so_far));
        if switches { Next::Switch } else { Next::Stop }
    }
}

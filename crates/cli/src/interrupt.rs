//! Ctrl-C: the first ends a command behind what it has begun to write, the second at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// As a shell says of a program that was interrupted.
pub const EXIT_CODE: u8 = 130;

static IS_WANTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on.
pub fn listen() -> io::Result<()> {
    // In this order: the second signal finds what the first has set.
    flag::register_conditional_shutdown(SIGINT, EXIT_CODE.into(), Arc::clone(&IS_WANTED))?;
    flag::register(SIGINT, Arc::clone(&IS_WANTED))?;
    Ok(())
}

pub fn is_wanted() -> bool {
    IS_WANTED.load(Ordering::Relaxed)
}

/// What a file says then that is read or written.
pub fn refuse() -> io::Result<()> {
    if is_wanted() { Err(io::Error::other("interrupted")) } else { Ok(()) }
}

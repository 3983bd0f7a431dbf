use super::handler::Handler;

/// Whether a projection's handler blocks or is awaited: [`Blocks`] or `Awaits`.
pub trait Kind: sealed::Sealed + Sized + 'static {
    /// What an application does with events, on connections of this type.
    #[doc(hidden)]
    type Handler<C>: Send + Sync;
}

/// The handler is a function that blocks, on one of diesel's connections.
#[derive(Debug)]
pub enum Blocks {}

impl Kind for Blocks {
    type Handler<C> = Handler<C>;
}

/// The handler is awaited, on one of diesel-async's connections.
#[cfg(feature = "_async")]
#[derive(Debug)]
pub enum Awaits {}

#[cfg(feature = "_async")]
impl Kind for Awaits {
    type Handler<C> = super::asynchronous::handler::AwaitedHandler<C>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Blocks {}

    #[cfg(feature = "_async")]
    impl Sealed for super::Awaits {}
}

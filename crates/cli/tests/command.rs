//! The real command on real databases: what a person sees, and what a program reads.

#[cfg(feature = "sqlite")]
mod command {
    pub mod copying;
    pub mod copying_killed;
    pub mod files;
    pub mod freezing;
    pub mod killed;
    pub mod looking;
    pub mod operating;
    pub mod pipes;
    pub mod run;
    pub mod servers;
    pub mod shop;
    pub mod sound;
}

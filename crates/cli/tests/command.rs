//! The real command on real databases: what a person sees, and what a program reads.

#[cfg(feature = "sqlite")]
mod command {
    pub mod advice;
    pub mod archiving;
    #[cfg(feature = "browse")]
    pub mod browse_guard;
    #[cfg(feature = "browse")]
    pub mod browse_pages;
    #[cfg(feature = "browse")]
    pub mod browser;
    pub mod colours;
    pub mod copying;
    pub mod copying_killed;
    pub mod doctor;
    #[cfg(feature = "mysql")]
    pub mod doctor_mysql;
    #[cfg(feature = "postgres")]
    pub mod doctor_postgres;
    pub mod files;
    pub mod freezing;
    #[cfg(unix)]
    pub mod interrupting;
    pub mod killed;
    pub mod looking;
    pub mod only_looking;
    pub mod operating;
    pub mod pipes;
    pub mod progress;
    pub mod run;
    pub mod secrets;
    pub mod servers;
    pub mod shop;
    pub mod sound;
    #[cfg(target_os = "linux")]
    pub mod terminal;
}

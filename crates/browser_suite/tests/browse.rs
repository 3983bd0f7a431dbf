//! `diesel-event-store browse` in a real Chromium: what a person sees, with and without a mouse, a large screen,
//! and JavaScript.

mod browse {
    pub mod browser;
    pub mod chromium;
    pub mod keyboard;
    pub mod live;
    pub mod looking;
    pub mod names;
    pub mod picture;
    pub mod scriptless;
    pub mod shop;
    pub mod small;
    pub mod strangers;
    pub mod visit;
}

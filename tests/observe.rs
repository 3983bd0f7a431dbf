//! What the application's own recorder and subscriber are told. A test program of its own, because both are the whole
//! process's.

mod observe {
    mod recorded;
    mod subscriber;
}

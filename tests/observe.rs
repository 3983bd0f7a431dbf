//! What the application's own recorder and subscriber are told. A test program of its own, because both can
//! be the whole process's.

mod observe {
    mod observed;
    mod projections;
    mod recorded;
    mod runners;
    mod subscriber;
}

/// Lists the tests of a file beside them, and makes the function `tests` of them, which takes the database as
/// its type. A test that is not listed is dead code to the compiler, which reports it.
#[macro_export]
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub fn tests<D: $crate::TestDatabase>() -> Vec<(&'static str, fn() -> $crate::Result)> {
            vec![$((stringify!($name), $name::<D> as fn() -> $crate::Result)),+]
        }
    };
}

//! The one place where the crate chooses between databases.

/// Evaluates an expression on the database that a `Blocking` is.
macro_rules! dispatch {
    ($blocking:expr, $database:ident => $call:expr) => {
        match $blocking {
            #[cfg(feature = "sqlite")]
            $crate::storage::lent::Blocking::Sqlite($database) => $call,
            #[cfg(feature = "postgres")]
            $crate::storage::lent::Blocking::Postgres($database) => $call,
            #[cfg(feature = "mysql")]
            $crate::storage::lent::Blocking::Mysql($database) => $call,
            #[cfg(not(feature = "_blocking"))]
            $crate::storage::lent::Blocking::None($database) => $call,
        }
    };
}

pub(crate) use dispatch;

/// Defines a trait of operations that each database implements, and gives `Blocking` methods of the same
/// names that return at once. It implements the trait, too, for what is made of several operations. Those of
/// which each is `one by one` on its way to the database can also be awaited on a connection of diesel-async's.
macro_rules! operations {
    (one by one: $($operations:tt)+) => {
        $crate::storage::operations::operations! { $($operations)+ }
        #[cfg(feature = "_async")]
        $crate::storage::asynchronous::one_by_one::one_by_one! { $($operations)+ }
    };
    (
        $(#[$about:meta])*
        pub(crate) trait $operations:ident {
            $(
                $(#[$doc:meta])*
                fn $name:ident(&mut self $(, $argument:ident: $type:ty)* $(,)?) -> $output:ty;
            )+
        }
    ) => {
        $(#[$about])*
        pub(crate) trait $operations: Send {
            $(
                $(#[$doc])*
                fn $name(&mut self $(, $argument: $type)*) -> impl Future<Output = $output> + Send;
            )+
        }

        impl $crate::storage::lent::Blocking<'_> {
            $(
                $(#[$doc])*
                #[inline]
                pub(crate) fn $name(&mut self $(, $argument: $type)*) -> $output {
                    $crate::storage::operations::dispatch!(self, database => {
                        $crate::storage::now::now($operations::$name(database, $($argument),*))
                    })
                }
            )+
        }

        impl $operations for $crate::storage::lent::Blocking<'_> {
            $(
                #[inline]
                async fn $name(&mut self $(, $argument: $type)*) -> $output {
                    $crate::storage::lent::Blocking::$name(self $(, $argument)*)
                }
            )+
        }
    };
}

pub(crate) use operations;

/// Implements a trait of operations for a connection that was lent. On SQLite each operation runs on one of the
/// runtime's threads, and what it is given is carried there.
macro_rules! one_by_one {
    (
        $(#[$about:meta])*
        pub(crate) trait $operations:ident {
            $(
                $(#[$doc:meta])*
                fn $name:ident(&mut self $(, $argument:ident: $type:ty)* $(,)?) -> $output:ty;
            )+
        }
    ) => {
        impl $operations for $crate::storage::asynchronous::connection::AsyncConnectionRef<'_> {
            $(
                async fn $name(&mut self $(, $argument: $type)*) -> $output {
                    match self {
                        #[cfg(feature = "async-sqlite")]
                        Self::Sqlite(conn) => {
                            $(let $argument = $crate::storage::asynchronous::carry::Carry::carry($argument);)*
                            $crate::storage::asynchronous::awaited::on_thread(conn, move |conn| {
                                let database = &mut $crate::storage::lent::Sqlite(conn);
                                $crate::storage::now::now($operations::$name(
                                    database,
                                    $($crate::storage::asynchronous::carry::Carried::lend(&$argument)),*
                                ))
                            })
                            .await
                        }
                        #[cfg(feature = "async-postgres")]
                        Self::Postgres(conn) => {
                            let database = &mut $crate::storage::lent::Postgres(&mut **conn);
                            $operations::$name(database, $($argument),*).await
                        }
                        #[cfg(feature = "async-mysql")]
                        Self::Mysql(conn) => {
                            let mut conn = $crate::storage::asynchronous::in_turn::InTurn::new(conn);
                            let database = &mut $crate::storage::lent::Mysql(&mut conn);
                            $operations::$name(database, $($argument),*).await
                        }
                    }
                }
            )+
        }
    };
}

pub(crate) use one_by_one;

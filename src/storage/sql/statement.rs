use diesel::query_builder::AstPass;

use crate::storage::sql::dialect::Dialect;

/// A statement with a fixed text, for one backend or for every one. Which connection sends it is another
/// matter. diesel's query builder prepares `diesel::update` and upserts anew at each execution, which costs
/// more than running them.
///
/// Every `?` takes the next field, and `{now}`, `{or_nothing}`, `{or_replace}`, `{events_on}` and `{end_on}` are what
/// the [`Dialect`] says. With `-> (…)` it returns rows of these SQL types. It is prepared once per connection. A statement
/// for one backend says the SQL type of each field, a statement for every database the function of `Dialect`
/// that binds it.
macro_rules! statement {
    (
        for every database;
        $(#[$doc:meta])*
        $name:ident $(<$life:lifetime>)? $({ $($field:ident: $rust:ty => $bind:ident),+ $(,)? })? $(-> $row:ty)?,
        $sql:expr
    ) => {
        $crate::storage::sql::statement::statement! {
            @declare
            $(#[$doc])*
            $name $(<$life>)? { $($($field: $rust),+)? } $(-> $row)?
        }

        impl<DB: $crate::storage::sql::dialect::Dialect> diesel::query_builder::QueryFragment<DB>
            for $crate::storage::sql::statement::statement!(@any $name $(<$life>)?)
        {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, DB>,
            ) -> diesel::result::QueryResult<()> {
                $crate::storage::sql::statement::statement!(@pieces pieces $sql);
                $($(
                    $crate::storage::sql::statement::push_text(&mut pieces, &mut out);
                    DB::$bind(&mut out, &self.$field)?;
                )+)?
                $crate::storage::sql::statement::push_text(&mut pieces, &mut out);
                Ok(())
            }
        }
    };
    (
        for $backend:ty;
        $(#[$doc:meta])*
        $name:ident $(<$life:lifetime>)? $({ $($field:ident: $rust:ty => $sql_type:ty),+ $(,)? })? $(-> $row:ty)?,
        $sql:expr
    ) => {
        $crate::storage::sql::statement::statement! {
            @declare
            $(#[$doc])*
            $name $(<$life>)? { $($($field: $rust),+)? } $(-> $row)?
        }

        impl diesel::query_builder::QueryFragment<$backend>
            for $crate::storage::sql::statement::statement!(@any $name $(<$life>)?)
        {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::result::QueryResult<()> {
                $crate::storage::sql::statement::statement!(@pieces pieces $sql);
                $($(
                    $crate::storage::sql::statement::push_text(&mut pieces, &mut out);
                    out.push_bind_param::<$sql_type, _>(&self.$field)?;
                )+)?
                $crate::storage::sql::statement::push_text(&mut pieces, &mut out);
                Ok(())
            }
        }
    };
    (@declare $(#[$doc:meta])* $name:ident {} $(-> $row:ty)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        $crate::storage::sql::statement::statement!(@query ($name) ($name) $(-> $row)?);
    };
    (@declare $(#[$doc:meta])* $name:ident { $($field:ident: $rust:ty),+ } $(-> $row:ty)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name {
            $(pub(crate) $field: $rust),+
        }

        $crate::storage::sql::statement::statement!(@query ($name) ($name) $(-> $row)?);
    };
    (@declare $(#[$doc:meta])* $name:ident<$life:lifetime> { $($field:ident: $rust:ty),+ } $(-> $row:ty)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<$life> {
            $(pub(crate) $field: $rust),+
        }

        $crate::storage::sql::statement::statement!(@query ($name<'_>) ($name<'static>) $(-> $row)?);
    };
    (@query ($any:ty) ($static:ty) $(-> $row:ty)?) => {
        impl diesel::query_builder::QueryId for $any {
            type QueryId = $static;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(
            impl diesel::query_builder::Query for $any {
                type SqlType = $row;
            }
        )?

        impl<C> diesel::RunQueryDsl<C> for $any {}
    };
    (@any $name:ident) => { $name };
    (@any $name:ident<$life:lifetime>) => { $name<'_> };
    (@pieces $pieces:ident $sql:expr) => {
        const PIECES: [$crate::storage::sql::statement::Piece; $crate::storage::sql::statement::count($sql)] =
            $crate::storage::sql::statement::split($sql);
        let mut $pieces = PIECES.iter();
    };
}

pub(crate) use statement;

/// A text, and what comes after it.
pub(crate) struct Piece(&'static str, Gap);

#[derive(Clone, Copy)]
enum Gap {
    Field,
    Now,
    OrNothing,
    OrReplace,
    EventsOn,
    EndOn,
    End,
}

/// Pushes everything up to the next field.
pub(crate) fn push_text<'p, DB: Dialect>(
    pieces: &mut impl Iterator<Item = &'p Piece>,
    out: &mut AstPass<'_, '_, DB>,
) {
    for Piece(text, gap) in pieces {
        out.push_sql(text);
        match gap {
            Gap::Field | Gap::End => return,
            Gap::Now => out.push_sql(DB::NOW),
            Gap::OrNothing => out.push_sql(DB::OR_NOTHING),
            Gap::OrReplace => out.push_sql(DB::OR_REPLACE),
            Gap::EventsOn => out.push_sql(DB::EVENTS_ON.0),
            Gap::EndOn => out.push_sql(DB::EVENTS_ON.1),
        }
    }
}

/// How many pieces a statement has.
pub(crate) const fn count(sql: &str) -> usize {
    let (mut pieces, mut at) = (1, 0);
    while at < sql.len() {
        if !matches!(gap(sql, at), Gap::End) {
            pieces += 1;
        }
        at += 1;
    }
    pieces
}

/// The pieces of a statement. At compile time, because diesel walks a statement several times per execution.
pub(crate) const fn split<const N: usize>(sql: &'static str) -> [Piece; N] {
    let mut pieces = [const { Piece("", Gap::End) }; N];
    let (mut rest, mut piece, mut at) = (sql, 0, 0);
    while at < rest.len() {
        let gap = gap(rest, at);
        let (text, after) = match gap {
            Gap::End => {
                at += 1;
                continue;
            }
            Gap::Field => (rest.split_at(at).0, rest.split_at(at + "?".len()).1),
            Gap::Now => (rest.split_at(at).0, rest.split_at(at + "{now}".len()).1),
            Gap::OrNothing => (rest.split_at(at).0, rest.split_at(at + "{or_nothing}".len()).1),
            Gap::OrReplace => (rest.split_at(at).0, rest.split_at(at + "{or_replace}".len()).1),
            Gap::EventsOn => (rest.split_at(at).0, rest.split_at(at + "{events_on}".len()).1),
            Gap::EndOn => (rest.split_at(at).0, rest.split_at(at + "{end_on}".len()).1),
        };
        pieces[piece] = Piece(text, gap);
        (rest, piece, at) = (after, piece + 1, 0);
    }
    pieces[piece] = Piece(rest, Gap::End);
    pieces
}

/// The gap that begins at this byte, or `End` if there is none.
const fn gap(sql: &str, at: usize) -> Gap {
    match sql.as_bytes()[at] {
        b'?' => Gap::Field,
        b'{' if sql.as_bytes()[at + 1] == b'n' => Gap::Now,
        b'{' if sql.as_bytes()[at + 4] == b'r' => Gap::OrReplace,
        b'{' if sql.as_bytes()[at + 2] == b'v' => Gap::EventsOn,
        b'{' if sql.as_bytes()[at + 1] == b'e' => Gap::EndOn,
        b'{' => Gap::OrNothing,
        _ => Gap::End,
    }
}

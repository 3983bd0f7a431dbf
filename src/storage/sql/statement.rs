use diesel::query_builder::AstPass;

use crate::storage::sql::dialect::Dialect;

/// A statement with a fixed text, for one backend or for every one. Which connection sends it is another
/// matter. diesel's query builder prepares `diesel::update` and upserts anew at each execution, which costs
/// more than running them.
///
/// Every `?` takes the next field, and the other [`GAPS`] are what the [`Dialect`] says. With `-> (…)` it
/// returns rows of these SQL types. It is prepared once per connection. A statement for one backend says the
/// SQL type of each field, a statement for every database the function of `Dialect` that binds it.
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
    OneRow,
    All,
    EventsOn,
    EndOn,
    EndLimit,
    AsTheyAre,
    End,
}

/// What they are in a statement.
const GAPS: [(&str, Gap); 10] = [
    ("?", Gap::Field),
    ("{now}", Gap::Now),
    ("{or_nothing}", Gap::OrNothing),
    ("{or_replace}", Gap::OrReplace),
    ("{one_row}", Gap::OneRow),
    ("{all}", Gap::All),
    ("{events_on}", Gap::EventsOn),
    ("{end_on}", Gap::EndOn),
    ("{end_limit}", Gap::EndLimit),
    ("{as_they_are}", Gap::AsTheyAre),
];

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
            Gap::OneRow => out.push_sql(DB::ONE_ROW),
            Gap::All => out.push_sql(DB::ALL),
            Gap::EventsOn => out.push_sql(DB::EVENTS_ON.0),
            Gap::EndOn => out.push_sql(DB::EVENTS_ON.1),
            Gap::EndLimit => out.push_sql(DB::END_LIMIT),
            Gap::AsTheyAre => out.push_sql(DB::AS_THEY_ARE),
        }
    }
}

/// How many pieces a statement has.
pub(crate) const fn count(sql: &str) -> usize {
    let (mut pieces, mut at) = (1, 0);
    while at < sql.len() {
        if gap(sql, at).is_some() {
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
        match gap(rest, at) {
            Some((name, gap)) => {
                pieces[piece] = Piece(rest.split_at(at).0, gap);
                (rest, piece, at) = (rest.split_at(at + name.len()).1, piece + 1, 0);
            }
            None => at += 1,
        }
    }
    pieces[piece] = Piece(rest, Gap::End);
    pieces
}

/// The gap that begins at this byte.
const fn gap(sql: &str, at: usize) -> Option<(&'static str, Gap)> {
    let mut nth = 0;
    while nth < GAPS.len() {
        if has(sql.as_bytes(), at, GAPS[nth].0.as_bytes()) {
            return Some(GAPS[nth]);
        }
        nth += 1;
    }
    None
}

/// Whether this text has that one from this byte on.
const fn has(text: &[u8], at: usize, part: &[u8]) -> bool {
    let mut nth = 0;
    while nth < part.len() {
        if at + nth >= text.len() || text[at + nth] != part[nth] {
            return false;
        }
        nth += 1;
    }
    true
}

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::statements::Statements;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, NO_TENANT, OrderPlaced};
use bench_support::workload::Append;

/// The same appends without diesel_event_store, on a connection of diesel-async's.
pub struct ByHand {
    conn: AsyncPgConnection,
    create: Texts,
    append: Texts,
}

impl ByHand {
    pub fn new(conn: AsyncPgConnection, statements: &Statements) -> Self {
        Self { conn, create: Texts::of(&statements.create), append: Texts::of(&statements.append) }
    }

    pub async fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let payloads: Vec<String> = payloads.iter().map(OrderPlaced::to_json).collect();
        let rows: Vec<(i64, i64)> = match append.version {
            0 => Statement::<Create>::new(&self.create, append, &payloads).load(&mut self.conn).await,
            _ => Statement::<Advance>::new(&self.append, append, &payloads).load(&mut self.conn).await,
        }
        .expect("the append");
        rows.into_iter().max().expect("the version is the expected one").1
    }
}

/// A statement, cut in pieces where a value comes for the first time.
struct Texts([String; VALUES + 1]);

const VALUES: usize = 18;

impl Texts {
    fn of(statement: &str) -> Self {
        let mut rest = statement;
        Self(std::array::from_fn(|nth| match nth {
            VALUES => rest.to_owned(),
            _ => {
                let placeholder = format!("${}", nth + 1);
                let (text, after) = rest.split_once(&placeholder).expect("as many values as are given");
                rest = after;
                text.to_owned()
            }
        }))
    }
}

/// diesel keeps a prepared statement per type.
enum Create {}
enum Advance {}

struct Statement<'a, S> {
    texts: &'a Texts,
    append: &'a Append,
    added: i64,
    now: DateTime<Utc>,
    ids: Vec<Uuid>,
    nths: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<i32>,
    payloads: &'a [String],
    nothing: Vec<Option<&'a str>>,
    created_at: Vec<DateTime<Utc>>,
    which: PhantomData<S>,
}

impl<'a, S> Statement<'a, S> {
    fn new(texts: &'a Texts, append: &'a Append, payloads: &'a [String]) -> Self {
        let (now, number) = (Utc::now(), payloads.len());
        let added = i64::try_from(number).expect("a short batch");
        Self {
            texts,
            append,
            added,
            now,
            ids: payloads.iter().map(|_| Uuid::now_v7()).collect(),
            nths: (1..=added).collect(),
            event_types: vec![EVENT_TYPE; number],
            event_versions: vec![1; number],
            payloads,
            nothing: vec![None; number],
            created_at: vec![now; number],
            which: PhantomData,
        }
    }
}

impl<S> QueryFragment<Pg> for Statement<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut texts = self.texts.0.iter();
        macro_rules! bind {
            ($($sql_type:ty: $value:expr;)+) => {
                $(
                    out.push_sql(texts.next().expect("a piece before each value"));
                    out.push_bind_param::<$sql_type, _>($value)?;
                )+
            };
        }
        bind! {
            Text: NO_TENANT;
            Text: AGGREGATE_TYPE;
            Text: &self.append.aggregate_id;
            BigInt: &self.added;
            Timestamptz: &self.now;
            Array<diesel::sql_types::Uuid>: &self.ids;
            BigInt: &self.append.version;
            BigInt: &self.append.version;
            Bool: &true;
            Array<BigInt>: &self.nths;
            Array<Text>: &self.event_types;
            Array<Integer>: &self.event_versions;
            Array<Text>: self.payloads;
            Array<Nullable<Text>>: &self.nothing;
            Array<Nullable<Text>>: &self.nothing;
            Array<Nullable<Text>>: &self.nothing;
            Array<Nullable<Text>>: &self.nothing;
            Array<Timestamptz>: &self.created_at;
        }
        out.push_sql(texts.next().expect("a piece after the last value"));
        Ok(())
    }
}

impl<S: 'static> QueryId for Statement<'_, S> {
    type QueryId = Statement<'static, S>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S> Query for Statement<'_, S> {
    type SqlType = (BigInt, BigInt);
}

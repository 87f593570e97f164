//! The one place where statements are put together.

#![expect(clippy::disallowed_types, reason = "this is what everybody else uses in its place")]

use sqlx::query::{Query, QueryAs};
use sqlx::{Database, Encode, FromRow, QueryBuilder, Type};

/// A statement in the making: text that stands in this source, and bound parameters. There is no way
/// for anything else to become a part of it.
pub(super) struct Sql<D: Database>(QueryBuilder<D>);

impl<D: Database<Arguments: Default>> Sql<D> {
    pub fn new(text: &'static str) -> Self {
        Self(QueryBuilder::new(text))
    }

    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.0.push(text);
        self
    }

    /// A parameter with this value.
    pub fn push_bind<'t>(&mut self, value: impl Encode<'t, D> + Type<D>) -> &mut Self {
        self.0.push_bind(value);
        self
    }

    pub fn build(&mut self) -> Query<'_, D, D::Arguments> {
        self.0.build()
    }

    pub fn build_query_as<'q, T: FromRow<'q, D::Row>>(&'q mut self) -> QueryAs<'q, D, T, D::Arguments> {
        self.0.build_query_as()
    }
}

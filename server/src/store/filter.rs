//! Queries as SQL, the same for every database but for what its [`Dialect`] says. Whatever a caller
//! sent goes into bound parameters, paths into custom data included.

use std::slice::from_ref;

use sqlx::{Database, Encode, Type};

use super::source::{Operand, Source, SqlField};
use super::sql::Sql;
use crate::query::{Filter, IdRange, Path, Sort, Target, Test, Value};

/// What each database says in its own way. The answers are the same on all.
pub(super) trait Dialect: Database {
    const TRUE: &'static str;
    const FALSE: &'static str;
    /// Between two values: whether they differ, where NULL is a value like any other.
    const DIFFERS_FROM: &'static str;
    /// The function that finds one text in another: 0 when it is not there.
    const FIND: &'static str;

    /// The value as a bound parameter: [`bind`], which asks more of a database than can be said here.
    fn push_value(sql: &mut Sql<Self>, value: &Value);

    /// Whether `value` is one of those wanted.
    fn push_in(sql: &mut Sql<Self>, value: &'static str, wanted: &[Value]);

    /// Whether the values that `all` selects are those wanted, in any order.
    fn push_same_set(sql: &mut Sql<Self>, all: &'static str, wanted: &[Value]);

    /// Whether the custom value is one of those wanted.
    fn push_is_one_of(sql: &mut Sql<Self>, column: &'static str, path: &Path, wanted: &[Value]);

    /// Whether the custom value is a list, and one of its elements is wanted.
    fn push_has_one_of(sql: &mut Sql<Self>, column: &'static str, path: &Path, wanted: &[Value]);

    /// Whether the custom value has the type of the other and stands in this order to it, which is
    /// written as `sign`.
    fn push_compare(sql: &mut Sql<Self>, column: &'static str, path: &Path, sign: &'static str, other: &Value);

    /// Whether there is a custom value.
    fn push_exists(sql: &mut Sql<Self>, column: &'static str, path: &Path, exists: bool);

    /// The text among the searched ones; NULL when there is none.
    fn push_words(sql: &mut Sql<Self>, column: &'static str, path: &Path);

    /// The custom value as keys to sort by in this direction, each with a comma after it.
    fn push_sort_keys(sql: &mut Sql<Self>, column: &'static str, path: &Path, descending: bool);
}

/// Appends a condition that is true of the rows the filter means, and false or NULL of others.
///
/// `AND` and `OR` take NULL for false, as `WHERE` does; only a negation has to say so. (Making
/// every condition two-valued would keep it from using an index.)
pub(super) fn push<D: Dialect, F: SqlField<D>>(sql: &mut Sql<D>, filter: &Filter<F>) {
    match filter {
        Filter::And(of) => push_joined(sql, of, " AND ", D::TRUE),
        Filter::Or(of) => push_joined(sql, of, " OR ", D::FALSE),
        Filter::Nor(of) => {
            push_joined(sql, of, " OR ", D::FALSE);
            sql.push(" IS NOT TRUE");
        }
        Filter::Field(target, test) => {
            sql.push("(");
            match target {
                Target::Builtin(field) => push_builtin(sql, field.source(), test),
                Target::Custom(path) => push_custom::<D, F>(sql, path, test),
            }
            sql.push(")");
        }
    }
}

fn push_joined<D: Dialect, F: SqlField<D>>(
    sql: &mut Sql<D>,
    of: &[Filter<F>],
    operator: &'static str,
    empty: &'static str,
) {
    sql.push("(");
    if of.is_empty() {
        sql.push(empty);
    }
    for (i, filter) in of.iter().enumerate() {
        if i > 0 {
            sql.push(operator);
        }
        push(sql, filter);
    }
    sql.push(")");
}

fn push_builtin<D: Dialect>(sql: &mut Sql<D>, source: Source, test: &Test) {
    match (source, test) {
        (Source::One(operand), test) => push_operand(sql, &operand, test),
        (Source::Many { any, one, all }, Test::SameSet(wanted)) => {
            // Not needed for the answer, but it finds by an index what the rest would look for.
            if !wanted.is_empty() {
                sql.push(any);
                D::push_in(sql, one.value, wanted);
                sql.push(") AND ");
            }
            D::push_same_set(sql, all, wanted);
        }
        (Source::Many { any, one, .. }, test) => {
            sql.push(any);
            push_operand(sql, &one, test);
            sql.push(")");
        }
    }
}

fn push_operand<D: Dialect>(sql: &mut Sql<D>, operand: &Operand, test: &Test) {
    let Operand { value, words } = operand;
    match test {
        Test::Equal(wanted) | Test::Contains(wanted) => {
            sql.push(value).push(" = ");
            D::push_value(sql, wanted);
        }
        Test::NotEqual(wanted) => {
            sql.push(value).push(" ").push(D::DIFFERS_FROM).push(" ");
            D::push_value(sql, wanted);
        }
        Test::Exists(true) => {
            sql.push(value).push(" IS NOT NULL");
        }
        Test::Exists(false) => {
            sql.push(value).push(" IS NULL");
        }
        Test::Compare(order, wanted) => {
            sql.push(value).push(" ").push(order.sign()).push(" ");
            D::push_value(sql, wanted);
        }
        Test::In(wanted) | Test::SameSet(wanted) => D::push_in(sql, value, wanted),
        Test::NotIn(wanted) => {
            sql.push("(");
            D::push_in(sql, value, wanted);
            sql.push(") IS NOT TRUE");
        }
        Test::Autocomplete(text) | Test::Text(text) => push_find(sql, text, |sql| {
            sql.push(words);
        }),
    }
}

/// Custom values have the types of JSON: values of different types are never equal, and none comes
/// before the other.
fn push_custom<D: Dialect, F: SqlField<D>>(sql: &mut Sql<D>, path: &Path, test: &Test) {
    let column = F::CUSTOM_COLUMN;
    match test {
        Test::Equal(wanted) => D::push_is_one_of(sql, column, path, from_ref(wanted)),
        Test::NotEqual(wanted) => {
            sql.push("(");
            D::push_is_one_of(sql, column, path, from_ref(wanted));
            sql.push(") IS NOT TRUE");
        }
        Test::In(wanted) => push_is_or_has_one_of(sql, column, path, wanted),
        Test::NotIn(wanted) => {
            sql.push("(");
            push_is_or_has_one_of(sql, column, path, wanted);
            sql.push(") IS NOT TRUE");
        }
        Test::Contains(wanted) => D::push_has_one_of(sql, column, path, from_ref(wanted)),
        Test::SameSet(wanted) => {
            let wanted = Value::Json(wanted.iter().map(Value::to_json).collect());
            D::push_is_one_of(sql, column, path, &[wanted]);
        }
        Test::Compare(order, wanted) => D::push_compare(sql, column, path, order.sign(), wanted),
        Test::Exists(exists) => D::push_exists(sql, column, path, *exists),
        Test::Autocomplete(text) | Test::Text(text) => {
            push_find(sql, text, |sql| D::push_words(sql, F::WORDS_COLUMN, path));
        }
    }
}

fn push_is_or_has_one_of<D: Dialect>(sql: &mut Sql<D>, column: &'static str, path: &Path, wanted: &[Value]) {
    D::push_is_one_of(sql, column, path, wanted);
    sql.push(" OR ");
    D::push_has_one_of(sql, column, path, wanted);
}

/// Whether the text is in what `within` appends.
fn push_find<D: Dialect>(sql: &mut Sql<D>, text: &str, within: impl FnOnce(&mut Sql<D>)) {
    sql.push(D::FIND).push("(");
    within(sql);
    sql.push(", ");
    D::push_value(sql, &Value::Text(text.to_owned()));
    sql.push(") > 0");
}

/// Appends `ORDER BY`: what the caller asked for or else the default, and the id to break ties.
pub(super) fn push_sort<D: Dialect, F: SqlField<D>>(
    sql: &mut Sql<D>,
    sort: &[Sort<F>],
    default: &[Sort<F>],
    id: &'static str,
) {
    sql.push(" ORDER BY ");
    for Sort { by, descending } in if sort.is_empty() { default } else { sort } {
        match by {
            Target::Builtin(field) => {
                let (Source::One(Operand { value, .. }) | Source::Many { all: value, .. }) = field.source();
                sql.push("(").push(value).push(") ").push(direction(*descending)).push(" NULLS LAST, ");
            }
            Target::Custom(path) => D::push_sort_keys(sql, F::CUSTOM_COLUMN, path, *descending),
        }
    }
    sql.push(id);
}

pub(super) fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

/// Appends conditions on the id, each after ` AND `.
pub(super) fn push_id_range<D: Dialect>(sql: &mut Sql<D>, id: &'static str, range: &IdRange) {
    let IdRange { gt, gte, lt, lte } = range;
    for (operator, bound) in [(">", gt), (">=", gte), ("<", lt), ("<=", lte)] {
        if let Some(bound) = bound {
            sql.push(" AND ").push(id).push(" ").push(operator).push(" ");
            D::push_value(sql, &Value::Text(bound.clone()));
        }
    }
}

pub(super) fn push_page<D: Dialect>(sql: &mut Sql<D>, limit: u32, offset: u32) {
    for (word, number) in [(" LIMIT ", limit), (" OFFSET ", offset)] {
        sql.push(word);
        D::push_value(sql, &Value::Integer(number.into()));
    }
}

pub(super) fn bind<D: Database>(sql: &mut Sql<D>, value: &Value)
where
    String: for<'q> Encode<'q, D> + Type<D>,
    bool: for<'q> Encode<'q, D> + Type<D>,
    i64: for<'q> Encode<'q, D> + Type<D>,
    f64: for<'q> Encode<'q, D> + Type<D>,
{
    match value {
        Value::Text(text) => sql.push_bind(text.clone()),
        Value::Bool(bool) => sql.push_bind(*bool),
        Value::Integer(integer) => sql.push_bind(*integer),
        Value::Float(float) => sql.push_bind(*float),
        Value::Time(time) => sql.push_bind(time.as_microsecond()),
        Value::Json(json) => sql.push_bind(json.to_string()),
    };
}

//! Queries as SQL, the same for every database but for what its [`Dialect`] says. Whatever a caller
//! sent goes into bound parameters, paths into custom data included.

use std::slice::from_ref;

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::source::{Operand, Source, SqlField};
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
    fn push_value(sql: &mut QueryBuilder<Self>, value: &Value);

    /// Whether `value` is one of those wanted.
    fn push_in(sql: &mut QueryBuilder<Self>, value: &str, wanted: &[Value]);

    /// Whether the values that `all` selects are those wanted, in any order.
    fn push_same_set(sql: &mut QueryBuilder<Self>, all: &str, wanted: &[Value]);

    /// Whether the custom value is one of those wanted.
    fn push_is_one_of(sql: &mut QueryBuilder<Self>, column: &str, path: &Path, wanted: &[Value]);

    /// Whether the custom value is a list, and one of its elements is wanted.
    fn push_has_one_of(sql: &mut QueryBuilder<Self>, column: &str, path: &Path, wanted: &[Value]);

    /// Whether the custom value has the type of the other and stands in this order to it, which is
    /// written as `sign`.
    fn push_compare(sql: &mut QueryBuilder<Self>, column: &str, path: &Path, sign: &str, other: &Value);

    /// Whether there is a custom value.
    fn push_exists(sql: &mut QueryBuilder<Self>, column: &str, path: &Path, exists: bool);

    /// The text among the searched ones; NULL when there is none.
    fn push_words(sql: &mut QueryBuilder<Self>, column: &str, path: &Path);

    /// The custom value as keys to sort by in this direction, each with a comma after it.
    fn push_sort_keys(sql: &mut QueryBuilder<Self>, column: &str, path: &Path, descending: bool);
}

/// Appends a condition that is true of the rows the filter means, and false or NULL of others.
///
/// `AND` and `OR` take NULL for false, as `WHERE` does; only a negation has to say so. (Making
/// every condition two-valued would keep it from using an index.)
pub(super) fn push<D: Dialect, F: SqlField<D>>(sql: &mut QueryBuilder<D>, filter: &Filter<F>) {
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

fn push_joined<D: Dialect, F: SqlField<D>>(sql: &mut QueryBuilder<D>, of: &[Filter<F>], operator: &str, empty: &str) {
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

fn push_builtin<D: Dialect>(sql: &mut QueryBuilder<D>, source: Source, test: &Test) {
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

fn push_operand<D: Dialect>(sql: &mut QueryBuilder<D>, operand: &Operand, test: &Test) {
    let Operand { value, words } = operand;
    match test {
        Test::Equal(wanted) | Test::Contains(wanted) => {
            sql.push(format!("{value} = "));
            D::push_value(sql, wanted);
        }
        Test::NotEqual(wanted) => {
            sql.push(format!("{value} {} ", D::DIFFERS_FROM));
            D::push_value(sql, wanted);
        }
        Test::Exists(true) => {
            sql.push(format!("{value} IS NOT NULL"));
        }
        Test::Exists(false) => {
            sql.push(format!("{value} IS NULL"));
        }
        Test::Compare(order, wanted) => {
            sql.push(format!("{value} {} ", order.sign()));
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
fn push_custom<D: Dialect, F: SqlField<D>>(sql: &mut QueryBuilder<D>, path: &Path, test: &Test) {
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

fn push_is_or_has_one_of<D: Dialect>(sql: &mut QueryBuilder<D>, column: &str, path: &Path, wanted: &[Value]) {
    D::push_is_one_of(sql, column, path, wanted);
    sql.push(" OR ");
    D::push_has_one_of(sql, column, path, wanted);
}

/// Whether the text is in what `within` appends.
fn push_find<D: Dialect>(sql: &mut QueryBuilder<D>, text: &str, within: impl FnOnce(&mut QueryBuilder<D>)) {
    sql.push(format!("{}(", D::FIND));
    within(sql);
    sql.push(", ");
    D::push_value(sql, &Value::Text(text.to_owned()));
    sql.push(") > 0");
}

/// Appends `ORDER BY`: what the caller asked for or else the default, and the id to break ties.
pub(super) fn push_sort<D: Dialect, F: SqlField<D>>(
    sql: &mut QueryBuilder<D>,
    sort: &[Sort<F>],
    default: &[Sort<F>],
    id: &str,
) {
    sql.push(" ORDER BY ");
    for Sort { by, descending } in if sort.is_empty() { default } else { sort } {
        match by {
            Target::Builtin(field) => {
                let (Source::One(Operand { value, .. }) | Source::Many { all: value, .. }) = field.source();
                sql.push(format!("({value}) {} NULLS LAST, ", direction(*descending)));
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
pub(super) fn push_id_range<D: Dialect>(sql: &mut QueryBuilder<D>, id: &str, range: &IdRange) {
    let IdRange { gt, gte, lt, lte } = range;
    for (operator, bound) in [(">", gt), (">=", gte), ("<", lt), ("<=", lte)] {
        if let Some(bound) = bound {
            sql.push(format!(" AND {id} {operator} "));
            D::push_value(sql, &Value::Text(bound.clone()));
        }
    }
}

pub(super) fn push_page<D: Dialect>(sql: &mut QueryBuilder<D>, limit: u32, offset: u32) {
    for (word, number) in [(" LIMIT ", limit), (" OFFSET ", offset)] {
        sql.push(word);
        D::push_value(sql, &Value::Integer(number.into()));
    }
}

pub(super) fn bind<D: Database>(sql: &mut QueryBuilder<D>, value: &Value)
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

//! Queries as SQL. Whatever a caller sent goes into bound parameters, paths into custom data
//! included.

use sqlx::{QueryBuilder, Sqlite};

use super::source::{Operand, Source, SqlField};
use crate::query::{Filter, IdRange, Path, Sort, Target, Test, Value};

type Sql = QueryBuilder<Sqlite>;

/// Appends a condition that is true of the rows the filter means, and false or NULL of others.
///
/// `AND` and `OR` take NULL for false, as `WHERE` does; only a negation has to say so. (Making
/// every condition two-valued would keep it from using an index.)
pub(super) fn push<F: SqlField>(sql: &mut Sql, filter: &Filter<F>) {
    match filter {
        Filter::And(of) => push_joined(sql, of, " AND ", "1"),
        Filter::Or(of) => push_joined(sql, of, " OR ", "0"),
        Filter::Nor(of) => {
            push_joined(sql, of, " OR ", "0");
            sql.push(" IS NOT TRUE");
        }
        Filter::Field(target, test) => {
            sql.push("(");
            match target {
                Target::Builtin(field) => push_builtin(sql, field.source(), test),
                Target::Custom(path) => push_custom::<F>(sql, path, test),
            }
            sql.push(")");
        }
    }
}

fn push_joined<F: SqlField>(sql: &mut Sql, of: &[Filter<F>], operator: &str, empty: &str) {
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

fn push_builtin(sql: &mut Sql, source: Source, test: &Test) {
    match (source, test) {
        (Source::One(operand), test) => push_operand(sql, &operand, test),
        (Source::Many { any, one, all }, Test::SameSet(values)) => {
            // Not needed for the answer, but it finds by an index what the rest would look for.
            if !values.is_empty() {
                sql.push(any);
                push_operand(sql, &one, &Test::In(values.clone()));
                sql.push(") AND ");
            }
            let values = json_values(values);
            sql.push(format!("NOT EXISTS ({all} EXCEPT SELECT value FROM json_each("));
            sql.push_bind(values.clone());
            sql.push(")) AND NOT EXISTS (SELECT value FROM json_each(");
            sql.push_bind(values);
            sql.push(format!(") EXCEPT {all})"));
        }
        (Source::Many { any, one, .. }, test) => {
            sql.push(any);
            push_operand(sql, &one, test);
            sql.push(")");
        }
    }
}

fn push_operand(sql: &mut Sql, operand: &Operand, test: &Test) {
    let Operand { value, words } = operand;
    match test {
        Test::Equal(wanted) | Test::Contains(wanted) => {
            sql.push(format!("{value} = "));
            push_value(sql, wanted);
        }
        Test::NotEqual(wanted) => {
            sql.push(format!("{value} IS NOT "));
            push_value(sql, wanted);
        }
        Test::Exists(true) => {
            sql.push(format!("{value} IS NOT NULL"));
        }
        Test::Exists(false) => {
            sql.push(format!("{value} IS NULL"));
        }
        Test::Compare(order, wanted) => {
            sql.push(format!("{value} {} ", order.sign()));
            push_value(sql, wanted);
        }
        Test::In(wanted) | Test::SameSet(wanted) => {
            sql.push(format!("{value} IN (SELECT value FROM json_each("));
            sql.push_bind(json_values(wanted)).push("))");
        }
        Test::NotIn(wanted) => {
            sql.push(format!("{value} IS NULL OR {value} NOT IN (SELECT value FROM json_each("));
            sql.push_bind(json_values(wanted)).push("))");
        }
        Test::Autocomplete(text) | Test::Text(text) => {
            sql.push(format!("instr({words}, "));
            sql.push_bind(text.clone()).push(") > 0");
        }
    }
}

/// Custom values have the types of JSON: values of different types are never equal, and none comes
/// before the other.
fn push_custom<F: SqlField>(sql: &mut Sql, path: &Path, test: &Test) {
    let custom = F::CUSTOM_COLUMN;
    let path = json_path(path);
    match test {
        Test::Equal(wanted) => push_is_one_of::<F>(sql, &path, std::slice::from_ref(wanted)),
        Test::NotEqual(wanted) => {
            push_is_one_of::<F>(sql, &path, std::slice::from_ref(wanted));
            sql.push(" IS NOT TRUE");
        }
        Test::In(wanted) => push_is_or_has_one_of::<F>(sql, &path, wanted),
        Test::NotIn(wanted) => {
            sql.push("(");
            push_is_or_has_one_of::<F>(sql, &path, wanted);
            sql.push(") IS NOT TRUE");
        }
        Test::Contains(wanted) => push_has_one_of::<F>(sql, &path, std::slice::from_ref(wanted)),
        Test::SameSet(wanted) => {
            let wanted = Value::Json(wanted.iter().map(json).collect());
            push_is_one_of::<F>(sql, &path, &[wanted]);
        }
        Test::Compare(order, wanted) => {
            let wanted = json(wanted).to_string();
            sql.push(format!("replace(json_type({custom}, ")).push_bind(path.clone());
            sql.push("), 'real', 'integer') = replace(json_type(").push_bind(wanted.clone());
            sql.push(format!("), 'real', 'integer') AND json_extract({custom}, ")).push_bind(path);
            sql.push(format!(") {} json_extract(", order.sign())).push_bind(wanted).push(", '$')");
        }
        Test::Exists(exists) => {
            sql.push(format!("json_type({custom}, ")).push_bind(path);
            sql.push(if *exists { ") IS NOT NULL" } else { ") IS NULL" });
        }
        Test::Autocomplete(text) | Test::Text(text) => {
            let words = F::WORDS_COLUMN;
            sql.push(format!("json_type({words}, ")).push_bind(path.clone());
            sql.push(format!(") = 'text' AND instr(json_extract({words}, ")).push_bind(path);
            sql.push("), ").push_bind(text.clone()).push(") > 0");
        }
    }
}

fn push_is_or_has_one_of<F: SqlField>(sql: &mut Sql, path: &str, wanted: &[Value]) {
    push_is_one_of::<F>(sql, path, wanted);
    sql.push(" OR ");
    push_has_one_of::<F>(sql, path, wanted);
}

fn push_is_one_of<F: SqlField>(sql: &mut Sql, path: &str, wanted: &[Value]) {
    let custom = F::CUSTOM_COLUMN;
    sql.push(format!("(replace(json_type({custom}, ")).push_bind(path.to_owned());
    sql.push(format!("), 'real', 'integer'), coalesce(json_extract({custom}, ")).push_bind(path.to_owned());
    sql.push("), ''))");
    push_in(sql, wanted);
}

/// The value is a list, and one of its elements is wanted.
fn push_has_one_of<F: SqlField>(sql: &mut Sql, path: &str, wanted: &[Value]) {
    let custom = F::CUSTOM_COLUMN;
    sql.push(format!("1 = EXISTS (SELECT 1 FROM json_each({custom}, ")).push_bind(path.to_owned());
    sql.push(format!(") AS element WHERE json_type({custom}, ")).push_bind(path.to_owned());
    sql.push(") = 'array' AND (replace(element.type, 'real', 'integer'), coalesce(element.value, ''))");
    push_in(sql, wanted);
    sql.push(")");
}

/// After a pair of a JSON type and a value: whether it is one of those wanted. The database looks
/// it up in an index of them that it makes once.
fn push_in(sql: &mut Sql, wanted: &[Value]) {
    sql.push(" IN (SELECT replace(type, 'real', 'integer'), coalesce(value, '') FROM json_each(");
    sql.push_bind(json_values(wanted)).push("))");
}

/// Appends `ORDER BY`: what the caller asked for or else the default, and the id to break ties.
pub(super) fn push_sort<F: SqlField>(sql: &mut Sql, sort: &[Sort<F>], default: &[Sort<F>], id: &str) {
    sql.push(" ORDER BY ");
    for Sort { by, descending } in if sort.is_empty() { default } else { sort } {
        match by {
            Target::Builtin(field) => {
                let (Source::One(Operand { value, .. }) | Source::Many { all: value, .. }) = field.source();
                sql.push(format!("({value})"));
            }
            Target::Custom(path) => {
                sql.push(format!("json_extract({}, ", F::CUSTOM_COLUMN));
                sql.push_bind(json_path(path)).push(")");
            }
        }
        sql.push(if *descending { " DESC" } else { " ASC" });
        sql.push(" NULLS LAST, ");
    }
    sql.push(id);
}

/// Appends conditions on the id, each after ` AND `.
pub(super) fn push_id_range(sql: &mut Sql, id: &str, range: &IdRange) {
    let IdRange { gt, gte, lt, lte } = range;
    for (operator, bound) in [(">", gt), (">=", gte), ("<", lt), ("<=", lte)] {
        if let Some(bound) = bound {
            sql.push(format!(" AND {id} {operator} "));
            sql.push_bind(bound.clone());
        }
    }
}

pub(super) fn push_page(sql: &mut Sql, limit: u32, offset: u32) {
    sql.push(" LIMIT ").push_bind(limit);
    sql.push(" OFFSET ").push_bind(offset);
}

fn push_value(sql: &mut Sql, value: &Value) {
    match value {
        Value::Text(text) => sql.push_bind(text.clone()),
        Value::Bool(bool) => sql.push_bind(*bool),
        Value::Integer(integer) => sql.push_bind(*integer),
        Value::Float(float) => sql.push_bind(*float),
        Value::Time(time) => sql.push_bind(time.as_microsecond()),
        Value::Json(json) => sql.push_bind(json.to_string()),
    };
}

fn json_values(values: &[Value]) -> String {
    serde_json::Value::Array(values.iter().map(json).collect()).to_string()
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Bool(bool) => (*bool).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => (*float).into(),
        Value::Time(time) => time.as_microsecond().into(),
        Value::Json(json) => json.clone(),
    }
}

/// SQLite's notation for a path. A quoted part may hold anything, written as in JSON.
fn json_path(path: &Path) -> String {
    let mut text = String::from("$");
    for part in path.parts() {
        text.push('.');
        text.push_str(&serde_json::Value::from(part).to_string());
    }
    text
}

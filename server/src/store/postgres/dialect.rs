//! What Postgres says in its own way, with the answers that SQLite gives.

use sqlx::Postgres;

use crate::query::{Path, Value};
use crate::store::filter::{Dialect, bind, direction};
use crate::store::sql::Sql;

impl Dialect for Postgres {
    const TRUE: &'static str = "TRUE";
    const FALSE: &'static str = "FALSE";
    const DIFFERS_FROM: &'static str = "IS DISTINCT FROM";
    const FIND: &'static str = "strpos";

    fn push_value(sql: &mut Sql<Postgres>, value: &Value) {
        bind(sql, value);
    }

    fn push_in(sql: &mut Sql<Postgres>, value: &'static str, wanted: &[Value]) {
        sql.push(value).push(" = ANY(");
        push_list(sql, wanted);
        sql.push(")");
    }

    fn push_same_set(sql: &mut Sql<Postgres>, all: &'static str, wanted: &[Value]) {
        let wanted = texts(wanted);
        sql.push("NOT EXISTS (").push(all).push(" EXCEPT SELECT unnest(");
        sql.push_bind(wanted.clone());
        sql.push("::text[])) AND NOT EXISTS (SELECT unnest(");
        sql.push_bind(wanted);
        sql.push("::text[]) EXCEPT ").push(all).push(")");
    }

    fn push_is_one_of(sql: &mut Sql<Postgres>, column: &'static str, path: &Path, wanted: &[Value]) {
        sql.push("rollcall_key(");
        push_at(sql, column, path);
        sql.push(")");
        push_key_in(sql, wanted);
    }

    fn push_has_one_of(sql: &mut Sql<Postgres>, column: &'static str, path: &Path, wanted: &[Value]) {
        sql.push("EXISTS (SELECT FROM json_array_elements(rollcall_list(");
        push_at(sql, column, path);
        sql.push(")) AS element (value) WHERE rollcall_key(element.value)");
        push_key_in(sql, wanted);
        sql.push(")");
    }

    fn push_compare(sql: &mut Sql<Postgres>, column: &'static str, path: &Path, sign: &'static str, other: &Value) {
        if let Value::Text(other) = other {
            sql.push("rollcall_text(");
            push_at(sql, column, path);
            sql.push(") COLLATE \"C\" ").push(sign).push(" ").push_bind(other.clone());
        } else {
            sql.push("rollcall_number(");
            push_at(sql, column, path);
            sql.push(") ").push(sign).push(" ");
            // As its text: a number of JSON has no bounds.
            sql.push_bind(other.to_json().to_string()).push("::text::numeric");
        }
    }

    fn push_exists(sql: &mut Sql<Postgres>, column: &'static str, path: &Path, exists: bool) {
        push_at(sql, column, path);
        sql.push(if exists { " IS NOT NULL" } else { " IS NULL" });
    }

    fn push_words(sql: &mut Sql<Postgres>, column: &'static str, path: &Path) {
        sql.push("rollcall_text(");
        push_at(sql, column, path);
        sql.push(")");
    }

    fn push_sort_keys(sql: &mut Sql<Postgres>, column: &'static str, path: &Path, descending: bool) {
        // What has no number comes after what has one; descending, it is the other way round.
        let mut keys = [("rollcall_order_number(", ""), ("rollcall_order_text(", " COLLATE \"C\"")];
        if descending {
            keys.reverse();
        }
        for (key, collation) in keys {
            sql.push(key);
            push_at(sql, column, path);
            sql.push(")").push(collation).push(" ").push(direction(descending)).push(" NULLS LAST, ");
        }
    }
}

/// After a key: whether it is that of one of those wanted. The database looks it up in a table of
/// them that it makes once.
fn push_key_in(sql: &mut Sql<Postgres>, wanted: &[Value]) {
    let wanted: serde_json::Value = wanted.iter().map(Value::to_json).collect();
    sql.push(" IN (SELECT rollcall_key(value) FROM json_array_elements(");
    sql.push_bind(wanted.to_string()).push("::text::json))");
}

/// The value at this path. By names only: `->` with a number, or a path of `#>`, would reach into
/// lists.
fn push_at(sql: &mut Sql<Postgres>, column: &'static str, path: &Path) {
    sql.push("(").push(column);
    for part in path.parts() {
        sql.push(" -> ").push_bind(part.to_owned());
    }
    sql.push(")");
}

/// A list for a builtin field, whose values are all of one kind.
fn push_list(sql: &mut Sql<Postgres>, values: &[Value]) {
    match values.first() {
        // Of no type, for it has no elements either.
        None => sql.push("'{}'"),
        Some(Value::Text(_) | Value::Json(_)) => sql.push_bind(texts(values)),
        Some(Value::Bool(_)) => sql.push_bind(values.iter().filter_map(bool).collect::<Vec<_>>()),
        Some(Value::Integer(_) | Value::Float(_)) => {
            sql.push_bind(values.iter().filter_map(number).collect::<Vec<_>>())
        }
        Some(Value::Time(_)) => sql.push_bind(values.iter().filter_map(micros).collect::<Vec<_>>()),
    };
}

fn bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(bool) => Some(*bool),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(*integer as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::Time(time) => Some(time.as_microsecond()),
        _ => None,
    }
}

fn texts(values: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    values.iter().map(text).collect()
}

//! What SQLite says in its own way.

use sqlx::Sqlite;

use crate::query::{Path, Value};
use crate::store::filter::{Dialect, bind, direction};
use crate::store::sql::Sql;

impl Dialect for Sqlite {
    const TRUE: &'static str = "1";
    const FALSE: &'static str = "0";
    const DIFFERS_FROM: &'static str = "IS NOT";
    const FIND: &'static str = "instr";

    fn push_value(sql: &mut Sql<Sqlite>, value: &Value) {
        bind(sql, value);
    }

    fn push_in(sql: &mut Sql<Sqlite>, value: &'static str, wanted: &[Value]) {
        sql.push(value).push(" IN (SELECT value FROM json_each(");
        sql.push_bind(json_values(wanted)).push("))");
    }

    fn push_same_set(sql: &mut Sql<Sqlite>, all: &'static str, wanted: &[Value]) {
        let wanted = json_values(wanted);
        sql.push("NOT EXISTS (").push(all).push(" EXCEPT SELECT value FROM json_each(");
        sql.push_bind(wanted.clone());
        sql.push(")) AND NOT EXISTS (SELECT value FROM json_each(");
        sql.push_bind(wanted);
        sql.push(") EXCEPT ").push(all).push(")");
    }

    fn push_is_one_of(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path, wanted: &[Value]) {
        let path = json_path(path);
        sql.push("(replace(json_type(").push(column).push(", ").push_bind(path.clone());
        sql.push("), 'real', 'integer'), coalesce(json_extract(").push(column).push(", ").push_bind(path);
        sql.push("), ''))");
        push_typed_in(sql, wanted);
    }

    fn push_has_one_of(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path, wanted: &[Value]) {
        let path = json_path(path);
        sql.push("1 = EXISTS (SELECT 1 FROM json_each(").push(column).push(", ").push_bind(path.clone());
        sql.push(") AS element WHERE json_type(").push(column).push(", ").push_bind(path);
        sql.push(") = 'array' AND (replace(element.type, 'real', 'integer'), coalesce(element.value, ''))");
        push_typed_in(sql, wanted);
        sql.push(")");
    }

    fn push_compare(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path, sign: &'static str, other: &Value) {
        let (path, other) = (json_path(path), other.to_json().to_string());
        sql.push("replace(json_type(").push(column).push(", ").push_bind(path.clone());
        sql.push("), 'real', 'integer') = replace(json_type(").push_bind(other.clone());
        sql.push("), 'real', 'integer') AND json_extract(").push(column).push(", ").push_bind(path);
        sql.push(") ").push(sign).push(" json_extract(").push_bind(other).push(", '$')");
    }

    fn push_exists(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path, exists: bool) {
        sql.push("json_type(").push(column).push(", ").push_bind(json_path(path));
        sql.push(if exists { ") IS NOT NULL" } else { ") IS NULL" });
    }

    fn push_words(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path) {
        let path = json_path(path);
        sql.push("CASE json_type(").push(column).push(", ").push_bind(path.clone());
        sql.push(") WHEN 'text' THEN json_extract(").push(column).push(", ").push_bind(path).push(") END");
    }

    fn push_sort_keys(sql: &mut Sql<Sqlite>, column: &'static str, path: &Path, descending: bool) {
        sql.push("json_extract(").push(column).push(", ").push_bind(json_path(path));
        sql.push(") ").push(direction(descending)).push(" NULLS LAST, ");
    }
}

/// After a pair of a JSON type and a value: whether it is one of those wanted. The database looks
/// it up in an index of them that it makes once.
fn push_typed_in(sql: &mut Sql<Sqlite>, wanted: &[Value]) {
    sql.push(" IN (SELECT replace(type, 'real', 'integer'), coalesce(value, '') FROM json_each(");
    sql.push_bind(json_values(wanted)).push("))");
}

fn json_values(values: &[Value]) -> String {
    values.iter().map(Value::to_json).collect::<serde_json::Value>().to_string()
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

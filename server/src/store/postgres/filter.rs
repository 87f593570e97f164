//! Queries as SQL, with the answers that SQLite gives. Whatever a caller sent goes into bound
//! parameters, paths into custom data included.

use sqlx::{Postgres, QueryBuilder};

use super::source::{Operand, Source, SqlField};
use crate::query::{Filter, IdRange, Path, Sort, Target, Test, Value};

type Sql = QueryBuilder<Postgres>;

/// Appends a condition that is true of the rows the filter means, and false or NULL of others.
///
/// `AND` and `OR` take NULL for false, as `WHERE` does; only a negation has to say so. (Making
/// every condition two-valued would keep it from using an index.)
pub(super) fn push<F: SqlField>(sql: &mut Sql, filter: &Filter<F>) {
    match filter {
        Filter::And(of) => push_joined(sql, of, " AND ", "TRUE"),
        Filter::Or(of) => push_joined(sql, of, " OR ", "FALSE"),
        Filter::Nor(of) => {
            push_joined(sql, of, " OR ", "FALSE");
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
            let wanted = texts(values);
            sql.push(format!("NOT EXISTS ({all} EXCEPT SELECT unnest("));
            sql.push_bind(wanted.clone());
            sql.push("::text[])) AND NOT EXISTS (SELECT unnest(");
            sql.push_bind(wanted);
            sql.push(format!("::text[]) EXCEPT {all})"));
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
            sql.push(format!("{value} IS DISTINCT FROM "));
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
            sql.push(format!("{value} = ANY("));
            push_list(sql, wanted);
            sql.push(")");
        }
        Test::NotIn(wanted) => {
            sql.push(format!("({value} = ANY("));
            push_list(sql, wanted);
            sql.push(")) IS NOT TRUE");
        }
        Test::Autocomplete(text) | Test::Text(text) => {
            sql.push(format!("strpos({words}, "));
            sql.push_bind(text.clone()).push(") > 0");
        }
    }
}

/// Custom values have the types of JSON: values of different types are never equal, and none comes
/// before the other.
fn push_custom<F: SqlField>(sql: &mut Sql, path: &Path, test: &Test) {
    match test {
        Test::Equal(wanted) => push_is_one_of::<F>(sql, path, std::slice::from_ref(wanted)),
        Test::NotEqual(wanted) => {
            sql.push("(");
            push_is_one_of::<F>(sql, path, std::slice::from_ref(wanted));
            sql.push(") IS NOT TRUE");
        }
        Test::In(wanted) => push_is_or_has_one_of::<F>(sql, path, wanted),
        Test::NotIn(wanted) => {
            sql.push("(");
            push_is_or_has_one_of::<F>(sql, path, wanted);
            sql.push(") IS NOT TRUE");
        }
        Test::Contains(wanted) => push_has_one_of::<F>(sql, path, std::slice::from_ref(wanted)),
        Test::SameSet(wanted) => {
            let wanted = Value::Json(wanted.iter().map(json).collect());
            push_is_one_of::<F>(sql, path, &[wanted]);
        }
        Test::Compare(order, Value::Text(wanted)) => {
            sql.push("rollcall_text(");
            push_at(sql, F::CUSTOM_COLUMN, path);
            sql.push(format!(") COLLATE \"C\" {} ", order.sign())).push_bind(wanted.clone());
        }
        Test::Compare(order, wanted) => {
            sql.push("rollcall_number(");
            push_at(sql, F::CUSTOM_COLUMN, path);
            sql.push(format!(") {} ", order.sign()));
            // As its text: a number of JSON has no bounds.
            sql.push_bind(json(wanted).to_string()).push("::text::numeric");
        }
        Test::Exists(exists) => {
            push_at(sql, F::CUSTOM_COLUMN, path);
            sql.push(if *exists { " IS NOT NULL" } else { " IS NULL" });
        }
        Test::Autocomplete(text) | Test::Text(text) => {
            sql.push("strpos(rollcall_text(");
            push_at(sql, F::WORDS_COLUMN, path);
            sql.push("), ").push_bind(text.clone()).push(") > 0");
        }
    }
}

fn push_is_or_has_one_of<F: SqlField>(sql: &mut Sql, path: &Path, wanted: &[Value]) {
    push_is_one_of::<F>(sql, path, wanted);
    sql.push(" OR ");
    push_has_one_of::<F>(sql, path, wanted);
}

fn push_is_one_of<F: SqlField>(sql: &mut Sql, path: &Path, wanted: &[Value]) {
    sql.push("rollcall_key(");
    push_at(sql, F::CUSTOM_COLUMN, path);
    sql.push(")");
    push_in(sql, wanted);
}

/// The value is a list, and one of its elements is wanted.
fn push_has_one_of<F: SqlField>(sql: &mut Sql, path: &Path, wanted: &[Value]) {
    sql.push("EXISTS (SELECT FROM json_array_elements(rollcall_list(");
    push_at(sql, F::CUSTOM_COLUMN, path);
    sql.push(")) AS element (value) WHERE rollcall_key(element.value)");
    push_in(sql, wanted);
    sql.push(")");
}

/// After a key: whether it is that of one of those wanted. The database looks it up in a table of
/// them that it makes once.
fn push_in(sql: &mut Sql, wanted: &[Value]) {
    let wanted: serde_json::Value = wanted.iter().map(json).collect();
    sql.push(" IN (SELECT rollcall_key(value) FROM json_array_elements(");
    sql.push_bind(wanted.to_string()).push("::text::json))");
}

/// The value at this path. By names only: `->` with a number, or a path of `#>`, would reach into
/// lists.
fn push_at(sql: &mut Sql, column: &str, path: &Path) {
    sql.push("(").push(column);
    for part in path.parts() {
        sql.push(" -> ").push_bind(part.to_owned());
    }
    sql.push(")");
}

/// Appends `ORDER BY`: what the caller asked for or else the default, and the id to break ties.
pub(super) fn push_sort<F: SqlField>(sql: &mut Sql, sort: &[Sort<F>], default: &[Sort<F>], id: &str) {
    sql.push(" ORDER BY ");
    for Sort { by, descending } in if sort.is_empty() { default } else { sort } {
        let direction = if *descending { "DESC" } else { "ASC" };
        match by {
            Target::Builtin(field) => {
                let (Source::One(Operand { value, .. }) | Source::Many { all: value, .. }) = field.source();
                sql.push(format!("({value}) {direction} NULLS LAST, "));
            }
            Target::Custom(path) => {
                // What has no number comes after what has one; descending, it is the other way round.
                let mut keys = ["rollcall_order_number(", "rollcall_order_text("];
                if *descending {
                    keys.reverse();
                }
                for key in keys {
                    sql.push(key);
                    push_at(sql, F::CUSTOM_COLUMN, path);
                    let collation = if key.contains("text") { " COLLATE \"C\"" } else { "" };
                    sql.push(format!("){collation} {direction} NULLS LAST, "));
                }
            }
        }
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
    sql.push(" LIMIT ").push_bind(i64::from(limit));
    sql.push(" OFFSET ").push_bind(i64::from(offset));
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

/// A list for a builtin field, whose values are all of one kind.
fn push_list(sql: &mut Sql, values: &[Value]) {
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
        other => json(other).to_string(),
    };
    values.iter().map(text).collect()
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

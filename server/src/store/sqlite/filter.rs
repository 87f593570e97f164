//! Queries as SQL. Whatever a caller sent goes into bound parameters, paths into custom data
//! included.

use sqlx::{QueryBuilder, Sqlite};

use super::source::{Operand, Source, SqlField};
use crate::query::{Filter, IdRange, Order, Path, Sort, Target, Test, Value};

type Sql = QueryBuilder<Sqlite>;

/// Whether two values out of JSON are of one type. Integers and other numbers are.
const SAME_TYPE: &str = "(x.type = v.type
    OR x.type IN ('integer', 'real') AND v.type IN ('integer', 'real'))";

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
            sql.push(format!("{value} {} ", order.sql()));
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

/// Custom values are compared with their JSON types: `v` is what the filter wants, `x` what is
/// there.
fn push_custom<F: SqlField>(sql: &mut Sql, path: &Path, test: &Test) {
    let path = json_path(path);
    let itself = |sql: &mut Sql| {
        sql.push(format!("SELECT json_type({}, ", F::CUSTOM_COLUMN));
        sql.push_bind(path.clone());
        sql.push(format!(") AS type, json_extract({}, ", F::CUSTOM_COLUMN));
        sql.push_bind(path.clone()).push(") AS value");
    };
    let elements = |sql: &mut Sql| {
        sql.push(format!("SELECT type, value FROM json_each({}, ", F::CUSTOM_COLUMN));
        sql.push_bind(path.clone());
        sql.push(format!(") WHERE json_type({}, ", F::CUSTOM_COLUMN));
        sql.push_bind(path.clone()).push(") = 'array'");
    };
    match test {
        Test::Equal(wanted) => {
            push_any(sql, wanted_one(wanted), itself, "IS");
        }
        Test::NotEqual(wanted) => {
            sql.push("NOT ");
            push_any(sql, wanted_one(wanted), itself, "IS");
        }
        Test::Compare(order, wanted) => {
            push_any(sql, wanted_one(wanted), itself, order.sql());
        }
        Test::In(wanted) | Test::NotIn(wanted) => {
            if matches!(test, Test::NotIn(_)) {
                sql.push("NOT ");
            }
            let both = |sql: &mut Sql| {
                itself(sql);
                sql.push(" UNION ALL ");
                elements(sql);
            };
            push_any(sql, json_values(wanted), both, "IS");
        }
        Test::Contains(wanted) => {
            push_any(sql, wanted_one(wanted), elements, "IS");
        }
        Test::SameSet(wanted) => {
            let wanted = Value::Json(serde_json::Value::Array(wanted.iter().map(json).collect()));
            push_any(sql, wanted_one(&wanted), itself, "IS");
        }
        Test::Exists(exists) => {
            sql.push(format!("json_type({}, ", F::CUSTOM_COLUMN));
            sql.push_bind(path);
            sql.push(if *exists { ") IS NOT NULL" } else { ") IS NULL" });
        }
        Test::Autocomplete(text) | Test::Text(text) => {
            sql.push(format!("json_type({}, ", F::WORDS_COLUMN));
            sql.push_bind(path.clone());
            sql.push(format!(") = 'text' AND instr(json_extract({}, ", F::WORDS_COLUMN));
            sql.push_bind(path).push("), ");
            sql.push_bind(text.clone()).push(") > 0");
        }
    }
}

/// Whether one of the values there relates to one of those wanted, a JSON array.
fn push_any(sql: &mut Sql, wanted: String, there: impl Fn(&mut Sql), operator: &str) {
    sql.push("EXISTS (SELECT 1 FROM json_each(");
    sql.push_bind(wanted).push(") AS v, (");
    there(sql);
    sql.push(format!(") AS x WHERE {SAME_TYPE} AND x.value {operator} v.value)"));
}

fn wanted_one(value: &Value) -> String {
    json_values(std::slice::from_ref(value))
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

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Order::Greater => ">",
            Order::GreaterOrEqual => ">=",
            Order::Less => "<",
            Order::LessOrEqual => "<=",
        }
    }
}

use serde_json::Value as Json;

use super::parse::target;
use super::{Field, QueryError, Target};

/// One entry of a sort. Records without the value come last, whatever the direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort<F> {
    pub by: Target<F>,
    pub descending: bool,
}

impl<F: Field> Sort<F> {
    /// Reads `[{"field": …, "direction": 1 | -1}, …]`; `null` is no sort at all.
    pub fn parse(json: &Json) -> Result<Vec<Self>, QueryError> {
        let entries = match json {
            Json::Null => return Ok(Vec::new()),
            Json::Array(entries) => entries,
            _ => return Err(bad_shape()),
        };
        if entries.len() > F::SORTS {
            return Err(QueryError::TooManySorts(F::SORTS));
        }
        entries.iter().map(Self::parse_entry).collect()
    }

    fn parse_entry(json: &Json) -> Result<Self, QueryError> {
        let field = json.get("field").and_then(Json::as_str);
        let name = field.ok_or_else(bad_shape)?;
        let descending = match json.get("direction") {
            None | Some(Json::Null) => false,
            Some(direction) => match direction.as_f64() {
                Some(1.0) => false,
                Some(-1.0) => true,
                _ => return Err(bad_shape()),
            },
        };
        let not_sortable = || QueryError::NotSortable { field: name.to_owned() };
        if F::HIDDEN.contains(&name) {
            return Err(not_sortable());
        }
        let by = target::<F>(name)?;
        match by {
            Target::Builtin(field) if !field.rule().sortable => Err(not_sortable()),
            _ => Ok(Self { by, descending }),
        }
    }
}

fn bad_shape() -> QueryError {
    QueryError::BadShape { what: "sort", expected: "an array of {\"field\": name, \"direction\": 1 or -1}" }
}

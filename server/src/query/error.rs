/// Why a filter or sort was refused. The message is meant for whoever wrote the query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("field \"{field}\" expects type {expected}")]
    WrongType { field: String, expected: &'static str },
    #[error("operator {operator} is not supported for custom fields")]
    NotForCustomFields { operator: &'static str },
    #[error("operator {operator} is not supported for field \"{field}\"")]
    NotForField { operator: &'static str, field: String },
    #[error("operator \"{operator}\" of field \"{field}\" is not known")]
    UnknownOperator { operator: String, field: String },
    #[error("\"{operator}\" is not known: use $and, $or or $nor")]
    UnknownLogic { operator: String },
    #[error("\"{operator}\" expects a non-empty array of objects")]
    BadLogic { operator: &'static str },
    #[error("operator {operator} of field \"{field}\" expects {expected}")]
    BadOperand { operator: &'static str, field: String, expected: &'static str },
    #[error("field \"{field}\" cannot be filtered by")]
    NotFilterable { field: String },
    #[error("field \"{field}\" cannot be sorted by")]
    NotSortable { field: String },
    #[error("\"{field}\" is not a field's name")]
    BadName { field: String },
    #[error("{what} must be {expected}")]
    BadShape { what: &'static str, expected: &'static str },
    #[error("field \"{field}\": text may not contain U+0000")]
    NulCharacter { field: String },
    #[error("the filter is nested more than {0} levels deep")]
    TooDeep(usize),
    #[error("the filter has more than {0} conditions")]
    TooBroad(usize),
    #[error("the filter lists more than {0} values")]
    TooManyValues(usize),
    #[error("the sort has more entries than {0}")]
    TooManySorts(usize),
}

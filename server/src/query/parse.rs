//! JSON into a [`Filter`], or an error that says what is wrong with it.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::field::{Field, Kind, Operator};
use super::{Filter, Limits, Order, Path, QueryError, Target, Test, Value, words};

impl<F: Field> Filter<F> {
    /// Reads a filter as clients write it. `null` means everything, as `{}` does.
    pub fn parse(json: &Json, limits: &Limits) -> Result<Self, QueryError> {
        match json {
            Json::Null => Ok(Self::default()),
            Json::Object(conditions) => Parser { limits, conditions: 0, values: 0 }.all_of(conditions, 0),
            _ => Err(QueryError::BadShape { what: "filter", expected: "an object" }),
        }
    }
}

/// The field of this name. Whether it may be used is for the caller to see.
pub(super) fn target<F: Field>(name: &str) -> Result<Target<F>, QueryError> {
    if let Some(field) = F::named(name) {
        return Ok(Target::Builtin(field));
    }
    let bad_name = || QueryError::BadName { field: name.to_owned() };
    let path = Path::dotted(name).filter(|_| !name.contains('\0'));
    path.map(Target::Custom).ok_or_else(bad_name)
}

/// Counts what it has read, so that no filter can ask for more work than its limits allow.
struct Parser<'a> {
    limits: &'a Limits,
    conditions: usize,
    values: usize,
}

impl Parser<'_> {
    fn all_of<F: Field>(&mut self, conditions: &Map<String, Json>, depth: usize) -> Result<Filter<F>, QueryError> {
        if depth > self.limits.depth {
            return Err(QueryError::TooDeep(self.limits.depth));
        }
        let mut all = Vec::with_capacity(conditions.len().min(self.limits.conditions));
        for (name, json) in conditions {
            match name.as_str() {
                "$and" => all.push(Filter::And(self.logic("$and", json, depth)?)),
                "$or" => all.push(Filter::Or(self.logic("$or", json, depth)?)),
                "$nor" => all.push(Filter::Nor(self.logic("$nor", json, depth)?)),
                _ if name.starts_with('$') => {
                    let operator = name.clone();
                    return Err(QueryError::UnknownLogic { operator });
                }
                _ => self.field(name, json, &mut all)?,
            }
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Filter::And(all),
        })
    }

    fn logic<F: Field>(
        &mut self,
        operator: &'static str,
        json: &Json,
        depth: usize,
    ) -> Result<Vec<Filter<F>>, QueryError> {
        let bad_logic = QueryError::BadLogic { operator };
        let Json::Array(filters) = json else {
            return Err(bad_logic);
        };
        if filters.is_empty() {
            return Err(bad_logic);
        }
        let mut parsed = Vec::with_capacity(filters.len().min(self.limits.conditions));
        for filter in filters {
            let Json::Object(conditions) = filter else {
                return Err(bad_logic);
            };
            // An empty object is a condition too, lest a million of them cost nothing.
            self.count_condition()?;
            parsed.push(self.all_of(conditions, depth + 1)?);
        }
        Ok(parsed)
    }

    /// The conditions on one field: a bare value means `$eq`, several operators must all hold.
    fn field<F: Field>(&mut self, name: &str, json: &Json, all: &mut Vec<Filter<F>>) -> Result<(), QueryError> {
        if F::HIDDEN.contains(&name) {
            let field = name.to_owned();
            return Err(QueryError::NotFilterable { field });
        }
        let target = target::<F>(name)?;
        match json {
            Json::Object(operators) if operators.keys().any(|key| key.starts_with('$')) => {
                for (operator, operand) in operators {
                    let Some(operator) = Operator::named(operator) else {
                        return Err(QueryError::UnknownOperator { operator: operator.clone(), field: name.to_owned() });
                    };
                    let test = self.test(&target, name, operator, operand)?;
                    all.push(Filter::Field(target.clone(), test));
                }
            }
            bare => {
                let test = self.test(&target, name, Operator::Eq, bare)?;
                all.push(Filter::Field(target, test));
            }
        }
        Ok(())
    }

    fn test<F: Field>(
        &mut self,
        target: &Target<F>,
        name: &str,
        operator: Operator,
        operand: &Json,
    ) -> Result<Test, QueryError> {
        self.count_condition()?;
        let (kind, allowed) = match target {
            Target::Builtin(field) => (Some(field.rule().kind), field.rule().operators),
            Target::Custom(_) => (None, F::CUSTOM),
        };
        if !allowed.contains(&operator) {
            let operator = operator.name();
            return Err(match target {
                Target::Builtin(_) => QueryError::NotForField { operator, field: name.to_owned() },
                Target::Custom(_) => QueryError::NotForCustomFields { operator },
            });
        }
        if has_nul(operand) {
            return Err(QueryError::NulCharacter { field: name.to_owned() });
        }
        let bad_operand =
            |expected| QueryError::BadOperand { operator: operator.name(), field: name.to_owned(), expected };
        Ok(match operator {
            Operator::Eq if kind == Some(Kind::TextSet) => match operand {
                Json::Array(_) => Test::SameSet(self.values(kind, name, operator, operand)?),
                // No list at all is the same as an empty one.
                Json::Null => Test::SameSet(Vec::new()),
                one => Test::Contains(self.value(kind, name, one)?),
            },
            Operator::Eq => Test::Equal(self.value(kind, name, operand)?),
            Operator::Ne => Test::NotEqual(self.value(kind, name, operand)?),
            Operator::Exists => match operand {
                Json::Bool(exists) => Test::Exists(*exists),
                _ => return Err(bad_operand("a boolean")),
            },
            Operator::Gt => Test::Compare(Order::Greater, self.ordered(kind, name, operand)?),
            Operator::Gte => Test::Compare(Order::GreaterOrEqual, self.ordered(kind, name, operand)?),
            Operator::Lt => Test::Compare(Order::Less, self.ordered(kind, name, operand)?),
            Operator::Lte => Test::Compare(Order::LessOrEqual, self.ordered(kind, name, operand)?),
            Operator::In => Test::In(self.values(kind, name, operator, operand)?),
            Operator::Nin => Test::NotIn(self.values(kind, name, operator, operand)?),
            Operator::Contains => Test::Contains(self.value(kind, name, operand)?),
            Operator::Autocomplete | Operator::Q => {
                let Json::String(text) = operand else {
                    return Err(bad_operand("a string"));
                };
                let text = words(text);
                match (operator, text.strip_prefix(' ')) {
                    (_, None) => return Err(bad_operand("a letter or digit at least")),
                    (Operator::Q, Some(text)) => Test::Text(text.to_owned()),
                    _ => Test::Autocomplete(text),
                }
            }
        })
    }

    fn values(
        &mut self,
        kind: Option<Kind>,
        name: &str,
        operator: Operator,
        operand: &Json,
    ) -> Result<Vec<Value>, QueryError> {
        match operand {
            Json::Array(values) => values.iter().map(|value| self.value(kind, name, value)).collect(),
            // `{members: {$in: "john"}}` is seen in the wild and can mean only one thing.
            Json::String(_) if kind == Some(Kind::TextSet) => Ok(vec![self.value(kind, name, operand)?]),
            _ => {
                Err(QueryError::BadOperand { operator: operator.name(), field: name.to_owned(), expected: "an array" })
            }
        }
    }

    /// A value that has a place in an order.
    fn ordered(&mut self, kind: Option<Kind>, name: &str, json: &Json) -> Result<Value, QueryError> {
        let value = self.value(kind, name, json)?;
        match (kind, &value) {
            (None, Value::Bool(_) | Value::Json(_)) => {
                Err(QueryError::WrongType { field: name.to_owned(), expected: "string or number" })
            }
            _ => Ok(value),
        }
    }

    /// A value of the field's kind; of any JSON type for a custom field.
    fn value(&mut self, kind: Option<Kind>, name: &str, json: &Json) -> Result<Value, QueryError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(QueryError::TooManyValues(self.limits.values));
        }
        let value = match (kind, json) {
            (None | Some(Kind::Text | Kind::TextSet), Json::String(text)) => Some(Value::Text(text.clone())),
            (None | Some(Kind::Bool), Json::Bool(bool)) => Some(Value::Bool(*bool)),
            (None | Some(Kind::Integer), Json::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Some(Value::Integer(integer)),
                (None, Some(float)) => Some(Value::Float(float)),
                (None, None) => None,
            },
            (Some(Kind::Time), Json::String(text)) => text.parse::<Timestamp>().ok().map(Value::Time),
            (None, Json::Null | Json::Array(_) | Json::Object(_)) => Some(Value::Json(json.clone())),
            _ => None,
        };
        value.ok_or_else(|| QueryError::WrongType {
            field: name.to_owned(),
            expected: kind.map_or("number", Kind::expected),
        })
    }

    fn count_condition(&mut self) -> Result<(), QueryError> {
        self.conditions += 1;
        match self.conditions > self.limits.conditions {
            true => Err(QueryError::TooBroad(self.limits.conditions)),
            false => Ok(()),
        }
    }
}

/// Whether a text in `json` holds U+0000, which no record holds and not every database takes.
fn has_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(values) => values.iter().any(has_nul),
        Json::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

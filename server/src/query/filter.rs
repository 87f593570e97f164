use jiff::Timestamp;
use serde_json::Value as Json;

use super::Target;

/// Which records are meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<F> {
    /// Every one of these holds; so of none, everything is meant.
    And(Vec<Filter<F>>),
    /// At least one of these holds.
    Or(Vec<Filter<F>>),
    /// Not one of these holds.
    Nor(Vec<Filter<F>>),
    /// The field's value passes the test.
    Field(Target<F>, Test),
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Filter::And(Vec::new())
    }
}

impl<F: PartialEq> Filter<F> {
    /// Whether any condition is about `field`.
    pub fn mentions(&self, field: F) -> bool {
        let builtin = Target::Builtin(field);
        self.any_target(&|target| *target == builtin)
    }

    fn any_target(&self, is: &impl Fn(&Target<F>) -> bool) -> bool {
        match self {
            Filter::And(of) | Filter::Or(of) | Filter::Nor(of) => of.iter().any(|filter| filter.any_target(is)),
            Filter::Field(target, _) => is(target),
        }
    }
}

/// What is asked of one field. A value passes only a test of its own type; a missing value passes
/// none but `Exists(false)` and the negative ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Equal(Value),
    NotEqual(Value),
    Exists(bool),
    Compare(Order, Value),
    /// The value, or an element of it when it is a list, is one of these.
    In(Vec<Value>),
    NotIn(Vec<Value>),
    /// The value is a list that holds this.
    Contains(Value),
    /// The value is a list of exactly these, in any order.
    SameSet(Vec<Value>),
    /// A word of the text begins with this, in the form of [`words`](super::words).
    Autocomplete(String),
    /// The text holds this, in the form of [`words`](super::words) without the first space.
    Text(String),
}

/// How the stored value relates to the one in the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Order {
    /// The sign for it.
    pub fn sign(self) -> &'static str {
        match self {
            Order::Greater => ">",
            Order::GreaterOrEqual => ">=",
            Order::Less => "<",
            Order::LessOrEqual => "<=",
        }
    }
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
    Time(Timestamp),
    /// JSON `null`, an array or an object: equal to the same JSON only.
    Json(Json),
}

impl Value {
    /// The value as JSON; a time as its microseconds since 1970.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Text(text) => text.as_str().into(),
            Value::Bool(bool) => (*bool).into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Float(float) => (*float).into(),
            Value::Time(time) => time.as_microsecond().into(),
            Value::Json(json) => json.clone(),
        }
    }
}

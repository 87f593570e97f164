use std::fmt;

/// Where a value is in a record's custom data: a field, a field of that field, and so on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    parents: Vec<String>,
    last: String,
}

impl Path {
    /// More parts than this are refused.
    pub const MAX_DEPTH: usize = 10;

    /// A field at the top, whatever characters its name holds.
    pub fn field(name: impl Into<String>) -> Self {
        Self { parents: Vec::new(), last: name.into() }
    }

    /// Parts divided by dots: `"address.city"`. `None` when a part is empty or there are too many.
    pub fn dotted(text: &str) -> Option<Self> {
        let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        let fits = parts.len() <= Self::MAX_DEPTH && parts.iter().all(|part| !part.is_empty());
        let last = parts.pop()?;
        let parents = parts;
        fits.then_some(Self { parents, last })
    }

    /// The fields the value is in, from the outermost inwards.
    pub fn parents(&self) -> &[String] {
        &self.parents
    }

    /// The field that holds the value.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// All of them, from the outermost inwards.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let parents = self.parents.iter().map(String::as_str);
        parents.chain([self.last.as_str()])
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for parent in &self.parents {
            write!(f, "{parent}.")?;
        }
        f.write_str(&self.last)
    }
}

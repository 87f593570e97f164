/// How a user stands with one node. What others see follows from all nodes' claims together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Not here.
    Gone,
    /// Connected, and not shown.
    Hidden,
    /// Shown, though no connection is left: until the end of the grace, or a connection anywhere.
    Waiting,
    /// Connected and hiding, and still shown, until the end of the grace.
    Hiding,
    /// Connected, and shown.
    Here,
}

impl Claim {
    /// Whether others see the user as online by this claim alone.
    pub fn shows(self) -> bool {
        matches!(self, Self::Waiting | Self::Hiding | Self::Here)
    }
}

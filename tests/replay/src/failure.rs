//! What ends a replay without a comparison: it is no agreement and no difference.

use overhear::model::Blocked;
use std::fmt;

/// Why a step could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The model does not allow the step.
    Blocked(Blocked),
    /// No Matrix client does this.
    NoSuchAction(&'static str),
    /// The client, or the server of this replay, returned an error where none was expected.
    Broken(String),
}

/// A result that fails like a replay.
pub type Res<T> = Result<T, Failure>;

impl Failure {
    /// A failure of the replay itself.
    pub fn wrong(what: &str) -> Self {
        Self::Broken(what.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(why) => write!(f, "the model does not allow it: {why:?}"),
            Self::NoSuchAction(why) => write!(f, "no Matrix client does this: {why}"),
            Self::Broken(what) => write!(f, "the replay broke: {what}"),
        }
    }
}

// `Failure` itself is no `Error`, so that every error becomes one with `?`.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.to_string())
    }
}

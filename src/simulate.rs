//! How likely, how soon and at what cost to people: the rules of the model, walked through at random in continuous
//! time.
//!
//! The core idea in five lines: people do things at rates and answer with probabilities ([`habits`]); each thing they
//! do is an honest action of the model, and where the adversary sits on the way its [`strategy`] chooses among the
//! answers that the rules let it give. What can follow a state, and how often, is worked out once a state ([`chain`]);
//! [`runs`] draws from it, and [`exact`] solves it where it is small; [`rare`] gets to
//! what runs hardly reach. There is no second model: every state that is
//! walked through is what [`crate::model::step`] makes of the one before.

pub mod habits;
pub mod occasion;
pub mod best;
pub mod strategy;
pub mod tally;
pub mod chain;
pub mod runs;
pub mod uniform;
pub mod exact;
pub mod rare;
pub mod interval;

pub use chain::Chain;
pub use habits::{Habit, Habits};
pub use strategy::Strategy;

/// Who watches work on a chain that may take long.
pub trait Working: Sync {
    /// Called now and then with how far it is; returns whether to go on.
    fn far(&self, far: Far) -> bool;
}

/// How far the work on a chain is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Far {
    /// So many states are found.
    Found(usize),
    /// Of so many states, this part is solved, between 0 and 1.
    Solved(usize, f64),
    /// The values of so many states still change by so much.
    Settling(usize, f64),
}

impl Working for () {
    fn far(&self, _: Far) -> bool {
        true
    }
}

/// Why work on a chain came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsolved {
    /// There are more states than were to be looked at, or values had not settled in time.
    TooLarge,
    /// Whoever watches did not let it go on.
    Stopped,
}

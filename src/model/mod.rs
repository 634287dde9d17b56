//! The specification: a transition system over [`World`] (constants), [`State`] and [`Action`].
//!
//! The core idea in five lines: people enrol devices; viewers ask servers who those devices are; servers answer, and
//! whoever sits on the way may answer instead; a viewer's policy decides who gets the room key; the adversary wants one
//! of its own devices to get it. Every action is a function `(&World, State, …) -> Step`, guards first, then the one
//! state that follows.
//!
//! **Invariant:** `model` knows no names and no files, turns nothing into text, and allocates nothing in a step.

pub mod bits;
pub mod world;
pub mod state;
pub mod directory;
pub mod decide;
pub mod people;
pub mod adversary;
pub mod property;
pub mod action;
pub mod needs;
pub mod symmetry;
pub mod reduce;
pub mod successors;
#[cfg(feature = "mutants")]
pub mod mutants;

pub use action::{Action, Blocked, Step, step};
pub use bits::{DEVICES_MAX, Device, Identity, PEOPLE_MAX, Person, Rel, Server, Set, VIEWERS_MAX};
pub use directory::{Answer, Lie, Shown};
pub use needs::{Facts, Needs};
pub use property::Property;
pub use reduce::{Reduced, Reductions};
pub use state::State;
pub use successors::{Scratch, Successor, Successors};
pub use world::{Arrival, HonestOption, World};

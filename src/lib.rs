//! A formal model, model checker and simulator of trust establishment in end-to-end encrypted messengers.

pub mod policy;
pub mod model;

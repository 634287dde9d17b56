//! A formal model, model checker and simulator of trust establishment in end-to-end encrypted messengers.
//!
//! Five hops: a scenario file is parsed ([`scenario`]), compiled to a [`model::World`], searched ([`explore`]), its
//! traces replayed and minimised ([`trace`]) and told ([`story`], [`report`]). Arrows go one way, in this order.

#![warn(missing_docs)]

pub mod policy;
pub mod model;
pub mod trace;
pub mod explore;
pub mod simulate;
pub mod input;
pub mod scenario;
pub mod bundle;
pub mod run;
pub mod story;
pub mod report;
pub mod schema;
pub mod command;

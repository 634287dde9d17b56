//! Replays traces of the model on the real Matrix client crypto, in memory, and compares the two after every step.
//!
//! Real are the clients: unmodified `OlmMachine`s of matrix-sdk-crypto, for honest people and for the adversary. Ours
//! are a homeserver that can lie ([`server`]), the application around a client ([`drive`]), and the comparison
//! ([`compare`]).

#![warn(missing_docs)]

pub mod failure;
pub mod server;
pub mod machine;
pub mod drive;
pub mod compare;
pub mod known;
pub mod replay;
pub mod walk;
pub mod validate;
pub mod record;
pub mod tell;

//! No mutant survives: with any one guard of the model switched off, or any one axis of a bundled model moved to
//! another value, something that the project reports is different; what makes no difference is listed with the reason.
//!
//! `cargo test --features mutants --test mutants`, with `OVERHEAR_BLESS=1` to write docs/mutants.md.

mod actions;
mod attacks;
mod cells;
mod costs;
mod guards;
mod moves;
mod page;
mod search;
mod source;
mod survivors;

use overhear::bundle;
use overhear::scenario::Model;
use std::sync::LazyLock;

static MODELS: LazyLock<Vec<Model>> = LazyLock::new(bundle::models);
static CELLS: LazyLock<Vec<cells::Cell>> = LazyLock::new(|| cells::cells(&MODELS, moves::FAR_MAX));
static GUARDS: LazyLock<Vec<guards::Outcome>> = LazyLock::new(|| guards::outcomes(&MODELS, &CELLS));
static MOVES: LazyLock<moves::Moves> = LazyLock::new(|| moves::outcomes(&MODELS, &CELLS));

#[test]
fn every_guard_is_missed_or_listed() {
    let wrong = survivors::wrong_guards(&survivors::listed(), &GUARDS);
    assert!(wrong.is_empty(), "tests/mutants/survivors.json:\n{}", wrong.join("\n"));
}

#[test]
fn every_axis_value_is_missed_or_listed() {
    let wrong = survivors::wrong_moves(&survivors::listed(), &MOVES.outcomes, &MODELS);
    assert!(wrong.is_empty(), "tests/mutants/survivors.json:\n{}", wrong.join("\n"));
}

#[test]
fn the_page_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page::PATH);
    let text = page::markdown(&survivors::listed(), &GUARDS, &MOVES);
    if std::env::var_os("OVERHEAR_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the folder can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{} is not current: set OVERHEAR_BLESS=1", page::PATH);
}

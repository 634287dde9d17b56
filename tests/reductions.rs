//! The reductions change no verdict and no shortest length, on every bundled cell as far as it can be searched without.
//!
//! `OVERHEAR_STATES=1000000 cargo test --release --test reductions` looks further than the default does.

use overhear::bundle;
use overhear::explore::{Limits, exact};
use overhear::model::{Arrival, Reductions};
use overhear::scenario::{Size, compile, read_scenario};
use rayon::prelude::*;

/// States of each unreduced search, if the environment does not say otherwise.
const STATES_MAX: usize = 4_000;

#[test]
fn reduced_and_plain_searches_agree_on_every_bundled_cell() {
    let asked = std::env::var("OVERHEAR_STATES").ok().and_then(|n| n.parse().ok());
    let limits = Limits { states_max: Some(asked.unwrap_or(STATES_MAX)), ..Limits::default() };
    let models = bundle::models();
    let sources: Vec<_> = bundle::scenarios().iter().map(|s| s.source()).collect();
    let files: Vec<_> = sources.iter().map(|s| (s, read_scenario(s).expect("a bundled scenario"))).collect();
    let base = files.iter().filter(|f| f.1.size == Size::Base);
    let cells: Vec<_> = base
        .flat_map(|f| {
            models
                .iter()
                .filter(|m| f.1.is_about(m))
                .flat_map(move |m| f.1.arrivals().into_iter().map(move |a| (f, m, a)))
        })
        .collect();
    let compared = cells.par_iter().map(|&((source, file), model, arrives)| {
        let at = arrives.unwrap_or(Arrival::FromStart);
        let (world, _) = compile(file, source, model, &models, at).expect("a bundled scenario");
        let properties: Vec<_> = file.properties().collect();
        let plain = Limits { reductions: Some(Reductions::NONE), ..limits };
        let plain = exact::search(&world, &properties, plain, &());
        // What the plain search has not got to says nothing of the reduced one.
        let as_far = plain.stopped.is_some().then_some(plain.depth + 1);
        let reduced = exact::search(&world, &properties, Limits { depth_max: as_far, ..Limits::default() }, &());
        for p in properties {
            let lengths = (plain.trace(p).map(<[_]>::len), reduced.trace(p).map(<[_]>::len));
            let told = plain.stopped.is_none() || lengths.0.is_some();
            // A plain search that was cut short has not seen what it did not find.
            assert!(!told || lengths.0 == lengths.1, "{}, {}, {arrives:?}, {p:?}: {lengths:?}", file.name, model.name);
            // Whatever the reduced search finds sooner than the plain one got has to have been found there, too.
            let seen = plain.stopped.is_none() || lengths.1.is_none_or(|n| n > plain.depth);
            assert!(told || seen, "{}, {}, {arrives:?}, {p:?}: only reduced, {lengths:?}", file.name, model.name);
        }
        plain.stopped.is_none()
    });
    let whole: Vec<bool> = compared.collect();
    eprintln!("{} cells, {} searched to the end without reductions", whole.len(), whole.iter().filter(|w| **w).count());
}

//! What a validation says is checked here where it takes little time: `overhear-real --validate` does all of it.

use overhear_real::validate::{Confirmed, cells};

/// Every violation that a search finds comes true on real clients, and most without any disagreement on the way.
#[test]
fn every_violation_is_confirmed_by_the_real_client() {
    let rows = cells(20_000).unwrap_or_else(|e| panic!("{e}"));
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.unconfirmed()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let violated = rows.iter().flat_map(|row| &row.violated);
    let (plain, parted): (Vec<_>, Vec<_>) = violated.partition(|v| v.2 == Confirmed::Yes);
    println!("{} confirmed, {} of them after an explained disagreement", plain.len() + parted.len(), parted.len());
    assert!(plain.len() > 10 * parted.len(), "few violations come true without a disagreement on the way");
}

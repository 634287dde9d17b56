//! The worst that adversaries reach under each policy.

use super::paper::{Fill, Sheet};
use super::{Compared, Plot, names};
use crate::model::Property;
use crate::report::results::{Keys, Nth, Run};
use std::cmp::Reverse;

/// What the plot's files are called.
pub const NAME: &str = "what-adversaries-reach";
const TITLE: &str = "What adversaries reach at worst";

/// How bad it gets, the best first: what a column counts, what the sheet says, and how it is filled.
// The worse the darker, so that no colour need be seen.
const REACHED: [(&str, &str, Fill); 6] = [
    ("nothing-read", "nothing is read", Fill { colour: "#ffffff", ink: "#222222" }),
    ("not-known", "not known", Fill { colour: "#e0e0e0", ink: "#222222" }),
    ("read", "something is read", Fill { colour: "#fdd9a0", ink: "#222222" }),
    ("nobody-warned", "read, and nobody is warned", Fill { colour: "#ee9a4d", ink: "#222222" }),
    ("unseen", "read, unseen by those concerned", Fill { colour: "#b5502a", ink: "#ffffff" }),
    ("invisible", "read unseen and unwarned, and nobody misses a message", Fill { colour: "#4a1212", ink: "#ffffff" }),
];

/// How many adversaries reach each of these.
type Counts = [usize; REACHED.len()];

/// Which of these it is if a property falls.
fn reached(property: Property) -> usize {
    match property {
        Property::NoInvisibleListener => 5,
        Property::NoHiddenKey | Property::NoUnseenReader => 4,
        Property::NoUnnoticedLeak | Property::NoSilentLeak => 3,
        _ => 2,
    }
}

/// The plot; none if no adversary was met by all policies.
pub fn plot(run: &Run, compared: &Compared) -> Option<Plot> {
    let bars = bars(run, compared);
    if compared.adversaries.is_empty() {
        return None;
    }
    let cut_short = |&n: &Nth| run.sides[n].outcomes.iter().any(|o| o.verdict == "unknown");
    let about = format!(
        "Each bar is a policy, or several that come out equal, and shows how many of {} adversaries reach what, at \
         worst and whenever they arrive; the darker the worse. Only what a scenario asks about can be reached in it. \
         The safest policies stand first.{}{}",
        compared.adversaries.len(),
        if compared.policies.iter().any(cut_short) { " Where a search was cut short there may be worse." } else { "" },
        compared.left_out()
    );
    let row = |&n: &Nth| {
        let bar = bars.iter().position(|(_, policies)| policies.contains(&n)).expect("every policy has a bar");
        let counts = bars[bar].0.iter().copied().chain([compared.adversaries.len()]).map(|n| n.to_string());
        [run.models[n].name.clone(), (bar + 1).to_string()].into_iter().chain(counts).collect()
    };
    Some(Plot {
        name: NAME,
        title: TITLE.to_string(),
        svg: drawing(run, &bars, &about),
        about,
        columns: ["policy", "bar"].into_iter().chain(REACHED.map(|r| r.0)).chain(["adversaries"]).collect(),
        rows: compared.policies.iter().map(row).collect(),
    })
}

/// What adversaries reach, and under which policies; the safest first.
fn bars(run: &Run, compared: &Compared) -> Vec<(Counts, Vec<Nth>)> {
    let mut bars: Vec<(Counts, Vec<Nth>)> = Vec::new();
    for &n in &compared.policies {
        let mut counts = [0; REACHED.len()];
        compared.adversaries.iter().for_each(|scenario| counts[worst(run, n, scenario)] += 1);
        match bars.iter_mut().find(|bar| bar.0 == counts) {
            Some(bar) => bar.1.push(n),
            None => bars.push((counts, vec![n])),
        }
    }
    // The more of the best the better; of equals, the fewer of the worst.
    bars.sort_by_key(|(counts, _)| (Reverse(counts[0]), counts.iter().rev().copied().collect::<Vec<usize>>()));
    bars
}

/// The worst that one adversary reaches, whenever it arrives.
fn worst(run: &Run, n: Nth, scenario: &str) -> usize {
    let at = |arrives| match run.keys(n, scenario, arrives) {
        Some(Keys::Lost) => run.lost(n, scenario, arrives).map(reached).max().unwrap_or(0),
        Some(Keys::Unknown) => 1,
        Some(Keys::Kept) | None => 0,
    };
    run.arrivals(n, scenario).into_iter().map(at).max().unwrap_or(0)
}

fn drawing(run: &Run, bars: &[(Counts, Vec<Nth>)], about: &str) -> String {
    let mut sheet = Sheet::default();
    let occurs = |i: &usize| bars.iter().any(|(counts, _)| counts[*i] > 0);
    let mut y = 20.0;
    for (_, says, fill) in (0..REACHED.len()).filter(occurs).map(|i| REACHED[i]) {
        y = sheet.swatch(y, fill, says);
    }
    y += 12.0;
    for (counts, policies) in bars {
        let parts: Vec<(usize, Fill)> = counts.iter().zip(REACHED).map(|(&n, (.., fill))| (n, fill)).collect();
        y = sheet.bar(y, &names(run, policies), &parts);
    }
    let y = sheet.explain_mark(y, bars.iter().flat_map(|(_, policies)| names(run, policies)));
    sheet.finish(y, TITLE, about)
}

//! The findings as sentences, each computed from the verdicts of a run.
//!
//! **Invariant:** no verdict is written here. Texts have gaps, and names and numbers of the run fill them in. A trace
//! file is kept of exactly those attacks that a sentence links to.

mod words;
mod sections;
mod comparisons;

pub use comparisons::UNORDERED;
pub use sections::sections;
pub use words::phrase;

use crate::bundle;
use crate::model::Property;
use crate::report::claims::{self, Told};
use crate::report::diff::{self, Outcome, Side};
use crate::report::itf::{self, Meta};
use crate::report::markdown;
use crate::report::matrix::PolicyCost;
use crate::run::{Cell, Verdict};
use crate::scenario::{Model, arrival_name, property_name};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The folder of trace files, as a link from a page beside it or from `docs/`.
const TRACES: &str = "../reports/traces/";
/// What is read by whom: the properties that all hold where a policy gives nothing away, worst first.
const SECRECY: [Property; 9] = [
    Property::NoInvisibleListener,
    Property::NoHiddenKey,
    Property::NoUnnoticedLeak,
    Property::NoSilentLeak,
    Property::NoRogueKey,
    Property::PastStaysPrivate,
    Property::RemovalEndsAccess,
    Property::NoUninvitedReader,
    Property::NoUnseenReader,
];

/// A run in words and numbers: what sentences are made from.
pub struct Run<'a> {
    /// The policies.
    pub models: &'a [Model],
    /// What was found of each, in the same order.
    pub sides: Vec<Side>,
    /// The post's claims.
    pub claims: Vec<Told>,
}

/// A part of the page.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What its words mean.
    pub lead: String,
    /// A paragraph each.
    pub findings: Vec<String>,
}

/// What a policy gives away to an adversary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Every property about readers that was searched holds.
    Kept,
    /// One falls.
    Lost,
    /// None falls, and some search was cut short.
    Unknown,
}

/// A policy of a run, by its number.
pub(super) type Nth = usize;

/// What was searched of `models`, in words and numbers.
pub fn of_cells<'a>(cells: &[Cell], models: &'a [Model], costs: &[PolicyCost]) -> Run<'a> {
    let known = bundle::models();
    let side = |(model, cost): (&Model, &PolicyCost)| {
        let own: Vec<&Cell> = cells.iter().filter(|c| c.model == model).collect();
        // A trace is kept only where names lead to its files from any folder.
        let word = if known.contains(model) { model.name.as_str() } else { "" };
        diff::side((model.name.as_str(), word), model, &own, cost, &|scenario| match bundle::is_bundled(
            &scenario.source,
        ) {
            true => scenario.file.name.clone(),
            false => scenario.source.path.clone(),
        })
    };
    Run { models, sides: models.iter().zip(costs).map(side).collect(), claims: claims::told(cells) }
}

impl Run<'_> {
    /// The policies that are no variants of others.
    fn policies(&self) -> Vec<Nth> {
        (0..self.models.len()).filter(|&i| self.models[i].variant_of.is_none()).collect()
    }

    /// The policy of that name.
    fn policy(&self, name: &str) -> Option<Nth> {
        self.models.iter().position(|m| m.name == name)
    }

    /// A policy's title, marked if some value of it is unverified.
    fn title(&self, n: Nth) -> String {
        let mark = if self.models[n].unverified() == 0 { "" } else { "†" };
        format!("*{}*{mark}", markdown::text(&self.models[n].title))
    }

    /// Several policies' titles.
    fn titles(&self, all: &[Nth]) -> String {
        words::names(&all.iter().map(|&n| self.title(n)).collect::<Vec<_>>())
    }

    /// The scenarios with an adversary in which a policy was searched.
    pub(super) fn scenarios(&self, n: Nth) -> BTreeSet<&str> {
        self.sides[n].outcomes.iter().filter(|o| o.arrives.is_some()).map(|o| o.scenario.as_str()).collect()
    }

    /// The scenarios in which every policy was searched.
    fn general(&self) -> BTreeSet<&str> {
        let all = self.policies().into_iter().map(|n| self.scenarios(n));
        all.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
    }

    /// When the adversary of a scenario arrives, in the file's order.
    pub(super) fn arrivals(&self, n: Nth, scenario: &str) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        let outcomes = self.sides[n].outcomes.iter().filter(|o| o.scenario == scenario);
        for arrives in outcomes.filter_map(|o| o.arrives.as_deref()) {
            if !all.contains(&arrives) {
                all.push(arrives);
            }
        }
        all
    }

    /// What was found in one cell.
    fn cell(&self, n: Nth, scenario: &str, arrives: &str) -> impl Iterator<Item = &Outcome> {
        let of_cell = move |o: &&Outcome| o.scenario == scenario && o.arrives.as_deref() == Some(arrives);
        self.sides[n].outcomes.iter().filter(of_cell)
    }

    fn outcome(&self, n: Nth, scenario: &str, arrives: &str, property: Property) -> Option<&Outcome> {
        self.cell(n, scenario, arrives).find(|o| o.property == property_name(property))
    }

    /// What a policy gives away in one cell; none if nothing of the kind was searched there.
    pub(super) fn keys(&self, n: Nth, scenario: &str, arrives: &str) -> Option<Keys> {
        let found = SECRECY.iter().filter_map(|&p| self.outcome(n, scenario, arrives, p));
        let found: Vec<&str> = found.map(|o| o.verdict).collect();
        match () {
            () if found.is_empty() => None,
            () if found.contains(&"violated") => Some(Keys::Lost),
            () if found.iter().all(|v| *v == "holds") => Some(Keys::Kept),
            () => Some(Keys::Unknown),
        }
    }

    /// Whether the policy leaves the adversary of one cell no move.
    fn idle(&self, n: Nth, scenario: &str, arrives: &str) -> bool {
        self.cell(n, scenario, arrives).all(|o| o.no_move)
    }

    /// The properties about readers that fall in one cell.
    pub(super) fn lost(&self, n: Nth, scenario: &str, arrives: &str) -> impl Iterator<Item = Property> {
        let falls = move |&p: &Property| self.outcome(n, scenario, arrives, p).is_some_and(|o| o.verdict == "violated");
        SECRECY.into_iter().filter(falls)
    }

    /// The policies among `all` to which this happens in one cell.
    fn with(&self, all: &[Nth], keys: Keys, scenario: &str, arrives: &str) -> Vec<Nth> {
        all.iter().copied().filter(|&n| self.keys(n, scenario, arrives) == Some(keys)).collect()
    }

    /// The worst that is read in one cell.
    fn worst(&self, n: Nth, scenario: &str, arrives: &str) -> Option<&Outcome> {
        let mut found = SECRECY.iter().filter_map(|&p| self.outcome(n, scenario, arrives, p));
        found.find(|o| o.verdict == "violated")
    }

    /// How long an attack is, with a link to its trace if one is kept.
    fn attack(&self, n: Nth, found: &Outcome) -> String {
        let steps = words::count(found.attack.len(), "step", "steps");
        match trace_link(&self.sides[n], found) {
            Some(link) => format!("[{steps}]({link})"),
            None => steps,
        }
    }
}

fn trace_link(side: &Side, found: &Outcome) -> Option<String> {
    let bundled = !side.word.is_empty() && found.word == found.scenario && !found.attack.is_empty();
    let name = || Some(name_of_trace(&found.scenario, &side.name, found.arrives.as_deref()?, &found.property));
    if bundled { name().map(|name| format!("{TRACES}{name}")) } else { None }
}

/// The name of the trace file of an attack: all that tells it from others.
fn name_of_trace(scenario: &str, model: &str, arrives: &str, property: &str) -> String {
    format!("{scenario}.{model}.{arrives}.{property}.itf.json")
}

/// The name under which a run keeps a trace.
pub fn trace_name(meta: &Meta) -> String {
    name_of_trace(&meta.scenario, &meta.model, &meta.arrives, &meta.property)
}

/// The traces to which `page` links: file name and content.
pub fn traces(cells: &[Cell], page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (cell, (property, verdict)) in cells.iter().flat_map(|c| c.verdicts.iter().map(move |v| (c, v))) {
        let (Some(arrives), Verdict::Violated { trace }) = (cell.arrives, verdict) else { continue };
        let (scenario, model) = (cell.scenario.file.name.as_str(), cell.model.name.as_str());
        let name = name_of_trace(scenario, model, arrival_name(arrives), property_name(*property));
        if !page.contains(&format!("({TRACES}{name})")) {
            continue;
        }
        let value = itf::of_cell(cell, *property, trace);
        files.push((name, value.expect("traces were replayed before they were kept").to_string() + "\n"));
    }
    files
}

/// The page as Markdown.
pub fn markdown(run: &Run, sections: &[Section]) -> String {
    let mut out = format!("# What comes out\n\n{}\n", intro(run));
    for section in sections {
        out += &format!("\n## {}\n\n{}\n", section.title, section.lead);
        out += &section.findings.iter().map(|text| format!("\n- {text}\n")).collect::<String>();
    }
    let name = |n: Nth| format!("- `{}`: {}\n", run.models[n].name, run.title(n));
    let all: String = (0..run.models.len()).map(name).collect();
    out + &format!("\n## The policies by their names in files\n\n{all}")
}

fn intro(run: &Run) -> String {
    let outcomes = || run.sides.iter().flat_map(|side| &side.outcomes);
    let count = |verdict: &str| outcomes().filter(|o| o.verdict == verdict).count();
    let (policies, variants) = (run.policies().len(), run.models.len() - run.policies().len());
    let open = match count("unknown") + count("vacuous") {
        0 => "None was left open.".to_string(),
        n => format!("{n} were left open; where a sentence would need one of them, it says so."),
    };
    format!(
        "{}, and {} of them, were searched against the bundled adversaries: {} verdicts, of which {} hold and {} \
         fall. {open} No verdict says that a messenger is safe; it says that no attack exists within the bounds of the \
         scenario. A *rogue* device is one that the adversary holds and claims to be somebody's. Some values of the \
         policies marked with † are unverified.\n\nNumbers of steps lead to a shortest attack, which `overhear replay` \
         replays; names of adversaries lead to their scenarios. \
         All cells are in [the matrix](../reports/matrix.md). Every sentence is computed from the verdicts by \
         `overhear compare --out reports`.",
        words::count(policies, "policy", "policies"),
        words::count(variants, "variant", "variants"),
        outcomes().count(),
        count("holds"),
        count("violated"),
    )
}

/// The page as JSON.
pub fn json(sections: &[Section]) -> Value {
    let section = |s: &Section| json!({ "title": s.title, "lead": s.lead, "findings": s.findings });
    json!({ "format": 1, "sections": sections.iter().map(section).collect::<Vec<_>>() })
}

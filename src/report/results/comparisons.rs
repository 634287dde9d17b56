//! Sections that set cells beside each other: the same adversary met otherwise, the same people under other policies.

use super::sections::{LATER, adversary_list, cells_of, moved, not_known, rank, sentence, soonest, soonest_under};
use super::words::{
    self, adversary, adversary_first, careful_twin, clause, count, giving_nothing, instead, number, share, when,
};
use super::{Keys, Nth, Run, Section};
use crate::model::Property;
use crate::policy::{IdentityKind, Recipients};
use crate::report::diff::{Outcome, Side};
use crate::scenario::{axis_values, property_by_name};
use crate::story::{capital, list};
use std::collections::BTreeSet;

/// The same adversary after a first contact and after a verification.
const ONCE_VERIFIED: [(&str, &str); 2] =
    [("server-of-recipient", "verified-contact"), ("password-thief", "password-thief-verified")];
/// A policy, and one that differs in that keys go to verified people only.
const ONLY_VERIFIED: [(&str, &str); 4] = [
    ("signal", "signal-verified"),
    ("matrix-cross-signing-tofu", "matrix-cross-signing-verified"),
    ("matrix-all-devices", "matrix-only-trusted"),
    ("matrix-riot-2019", "matrix-riot-2019-verified-only"),
];
/// Axes whose values are not ordered from loose to strict.
pub const UNORDERED: [&str; 4] = ["identity", "verification-travels", "pins", "identity-replaced-by"];
const VERIFIED: &str = "after-verification";
/// Why a reset may ask nothing of its owner under a policy that is strict otherwise.
const MARKS_STAY: &str = " (nothing of the owner, as a device that was compared before stays trusted, though the new \
                          identity has not signed it)";

/// A cell: the policy, the scenario, the arrival.
type At<'r> = (Nth, &'r str, &'r str);

/// How the verdicts of one cell differ from those of another.
#[derive(Default)]
struct Changes<'r> {
    /// What falls in the first only.
    won: Vec<(At<'r>, &'r Outcome)>,
    /// What falls in the second only.
    lost: Vec<(At<'r>, &'r Outcome)>,
    /// How many properties both have, those included of which it is not known.
    compared: usize,
    /// Of how many it is not known.
    open: usize,
}

impl<'r> Changes<'r> {
    /// Compares the properties that both cells have.
    fn between(run: &'r Run, a: At<'r>, b: At<'r>) -> Self {
        let mut found = Self::default();
        for x in run.cell(a.0, a.1, a.2) {
            let Some(y) = run.cell(b.0, b.1, b.2).find(|y| y.property == x.property) else { continue };
            found.compared += 1;
            match (x.verdict, y.verdict) {
                ("violated", "holds") => found.won.push((a, x)),
                ("holds", "violated") => found.lost.push((b, y)),
                ("holds" | "violated", "holds" | "violated") => {}
                _ => found.open += 1,
            }
        }
        found
    }

    /// The changes of all cells that two policies share.
    fn of_policies(run: &'r Run, a: Nth, b: Nth) -> Self {
        let mut all = Self::default();
        for scenario in run.scenarios(a).intersection(&run.scenarios(b)).copied() {
            for arrives in run.arrivals(a, scenario) {
                let one = Self::between(run, (a, scenario, arrives), (b, scenario, arrives));
                all.won.extend(one.won);
                all.lost.extend(one.lost);
                all.compared += one.compared;
                all.open += one.open;
            }
        }
        all
    }

    /// How many verdicts differ, as a clause.
    fn numbers(&self) -> String {
        let open = if self.open == 0 { String::new() } else { format!(", and of {} it is not known", self.open) };
        let (won, lost) = (count(self.won.len(), "is", "are"), self.lost.len());
        format!("of {} verdicts {won} won and {lost} lost{open}", self.compared)
    }

    /// What is lost, property by property: to whom, and how soon.
    fn losses(&self, run: &Run) -> String {
        let of = |p: Property| self.lost.iter().filter(move |(_, o)| property_by_name(&o.property) == Some(p));
        let told = |p: Property| {
            let (n, soonest) = soonest(run, of(p).map(|((n, ..), o)| (*n, *o)))?;
            let to: BTreeSet<&str> = of(p).map(|(_, o)| o.scenario.as_str()).collect();
            let to = adversary_list(&to.into_iter().collect::<Vec<_>>());
            Some(format!("{}, by {to}, soonest in {}", clause(&soonest.property), run.attack(n, soonest)))
        };
        let all: Vec<String> = Property::ALL.into_iter().filter_map(told).collect();
        if all.is_empty() {
            String::new()
        } else {
            format!(" {}", sentence(format!("what is lost: {}", all.join("; "))))
        }
    }
}

/// What a verification is worth.
pub(super) fn verification(run: &Run) -> Section {
    let lead = "The same adversary, once the first contact was made and once it was verified; then policies that \
                differ from another mostly in that keys go to verified people only, and what they ask of people. A \
                ceremony is one comparison between two people or between two devices of one; to verify somebody takes \
                one where people have identities, and one for each device where they have none. Where both count, a \
                device that was compared once stays trusted as its owner makes a new identity ([how this was \
                found](../docs/findings.md)): a reset can ask less there."
        .to_string();
    let twins = ONCE_VERIFIED.iter().filter_map(|&(a, b)| once_verified(run, a, b));
    let pairs = ONLY_VERIFIED.iter().filter_map(|(a, b)| only_verified(run, run.policy(a)?, run.policy(b)?));
    Section { title: "What verification buys", lead, findings: twins.chain(pairs).collect() }
}

fn once_verified(run: &Run, before: &str, after: &str) -> Option<String> {
    let searched = |n: &Nth| run.keys(*n, before, LATER).is_some() && run.keys(*n, after, VERIFIED).is_some();
    let of: Vec<Nth> = (0..run.models.len()).filter(searched).collect();
    let [unverified, verified] = [(before, LATER), (after, VERIFIED)].map(|(s, at)| run.with(&of, Keys::Kept, s, at));
    let open: Vec<Nth> = [(before, LATER), (after, VERIFIED)]
        .into_iter()
        .flat_map(|(s, at)| run.with(&of, Keys::Unknown, s, at))
        .collect();
    let changes = |n: Nth| Changes::between(run, (n, before, LATER), (n, after, VERIFIED));
    let lost = run.with(&of, Keys::Lost, after, VERIFIED);
    let (in_vain, in_part): (Vec<Nth>, Vec<Nth>) = lost.iter().copied().partition(|&n| changes(n).won.is_empty());
    let worst = in_vain.iter().filter_map(|&n| Some((n, run.worst(n, after, VERIFIED)?)));
    let worst = worst.min_by_key(|(_, o)| (rank(o), o.attack.len()));
    let mut text = format!("**{}.**", adversary_first(after));
    text += &format!(
        " Before a verification, {}; afterwards {}.",
        giving_nothing(unverified.len(), of.len()),
        match () {
            () if unverified == verified => "it is the same".to_string(),
            () if unverified.is_empty() => format!("nothing is given away under {}", run.titles(&verified)),
            () => {
                let does =
                    format!("{} {}", number(verified.len(), of.len()), if verified.len() < 2 { "does" } else { "do" });
                does + &moved(&unverified, &verified, |all| run.titles(all))
            }
        }
    );
    text += &not_known(run, &open);
    if let Some((n, o)) = worst {
        let (all, worst, attack) = (run.titles(&in_vain), clause(&o.property), run.attack(n, o));
        text += &format!(" A verification wins nothing under {all}; at worst {worst}, in {attack}.");
    }
    if !in_part.is_empty() {
        text += &format!(" Something, but not everything, is won under {}.", run.titles(&in_part));
    }
    let lost = of.iter().map(|&n| changes(n).lost).reduce(|a, b| [a, b].concat())?;
    Some(text + &Changes { lost, ..Changes::default() }.losses(run))
}

fn only_verified(run: &Run, a: Nth, b: Nth) -> Option<String> {
    let changes = Changes::of_policies(run, a, b);
    if changes.compared == 0 {
        return None;
    }
    let late = cells_of(run, b, true);
    let kept = |n: Nth| late.iter().filter(|(s, at)| run.keys(n, s, at) == Some(Keys::Kept)).map(|c| c.0).collect();
    let (before, after): (Vec<&str>, Vec<&str>) = (kept(a), kept(b));
    let mut text = format!("**{} instead of {}.** ", run.title(b), run.title(a));
    text += &sentence(changes.numbers());
    text += &format!(
        " Of {} late adversaries it gives nothing away to {}{}.",
        late.len(),
        match before == after {
            true => format!("the same {}", after.len()),
            false => format!("{} instead of {}", after.len(), before.len()),
        },
        moved(&before, &after, adversary_list)
    );
    Some(text + &changes.losses(run) + &price(run, a, b))
}

/// What one policy asks of people that another does not, or the other way round.
fn price(run: &Run, a: Nth, b: Nth) -> String {
    let name = |what: &str| match what {
        "set up" => "setting up".to_string(),
        "hurried" => "setting up in a hurry".to_string(),
        event => format!("a {event}"),
    };
    let (of_a, of_b) = (&run.sides[a].costs, &run.sides[b].costs);
    let both = of_a.iter().filter_map(|x| Some((x.0, &x.1, &of_b.iter().find(|y| y.0 == x.0)?.1)));
    // What costs the same in several cases is told once.
    let mut told: Vec<(Vec<String>, String)> = Vec::new();
    for (what, x, y) in both.filter(|(_, x, y)| x != y) {
        let spares_owner = what == "reset" && y.starts_with("0 + ") && !x.starts_with("0 + ");
        let why = if spares_owner && marks_outlast_identities(run, b) { MARKS_STAY } else { "" };
        let text = instead(y, x) + why;
        match told.iter_mut().find(|(_, known)| *known == text) {
            Some((names, _)) => names.push(name(what)),
            None => told.push((vec![name(what)], text)),
        }
    }
    if told.is_empty() {
        return " It asks no more and no less of people.".to_string();
    }
    let told: Vec<String> = told.into_iter().map(|(names, text)| format!("{}, {text}", list(&names))).collect();
    format!(" What it asks of people: {}.", told.join("; "))
}

/// Whether a device that was compared by itself gets keys, whatever its owner's identity signs.
fn marks_outlast_identities(run: &Run, n: Nth) -> bool {
    let policy = &run.models[n].policy;
    policy.identity == IdentityKind::SignsDevices && policy.recipients == Recipients::Verified
}

/// What people lose who click through prompts, or who compare badly.
pub(super) fn hurry(run: &Run) -> Section {
    let lead =
        "The same adversaries with people who may click through any prompt, or may overlook that keys differ when they \
         compare them, beside the same with careful people."
            .to_string();
    let all: BTreeSet<&str> = (0..run.models.len()).flat_map(|n| run.scenarios(n)).collect();
    let twins = all.iter().filter_map(|&careless| Some((careful_twin(careless)?.0, careless)));
    let findings = twins.filter_map(|(careful, careless)| beside(run, careful, careless)).collect();
    Section { title: "What a hurried person costs, and an inattentive one", lead, findings }
}

fn beside(run: &Run, careful: &str, careless: &str) -> Option<String> {
    let both = |n: &Nth| run.scenarios(*n).is_superset(&[careful, careless].into());
    let of: Vec<Nth> = (0..run.models.len()).filter(both).collect();
    let changes = |n: Nth| {
        let arrivals = run.arrivals(n, careless).into_iter();
        arrivals.map(move |at| Changes::between(run, (n, careful, at), (n, careless, at)))
    };
    let lost: Vec<(At, &Outcome)> = of.iter().flat_map(|&n| changes(n)).flat_map(|c| c.lost).collect();
    let open: Vec<Nth> = of.iter().copied().filter(|&n| changes(n).any(|c| c.open > 0)).collect();
    let hit: BTreeSet<Nth> = lost.iter().map(|((n, ..), _)| *n).collect();
    let arrivals: Vec<String> =
        run.arrivals(*of.first()?, careless).into_iter().map(|at| when(at).to_string()).collect();
    Some(format!(
        "**{}.** {} something that careful people keep, {}.{}{}",
        adversary_first(careless),
        capital(&share(hit.len(), of.len(), "loses", "lose")),
        arrivals.join(" or "),
        not_known(run, &open),
        by_worst(run, &lost, &hit)
    ))
}

/// Policies by the worst that each of them loses.
fn by_worst(run: &Run, lost: &[(At, &Outcome)], hit: &BTreeSet<Nth>) -> String {
    let place = |o: &Outcome| Property::ALL.into_iter().position(|p| property_by_name(&o.property) == Some(p));
    let worst = |n: &Nth| lost.iter().filter(|((m, ..), _)| m == n).map(|(_, o)| *o).min_by_key(|o| place(o));
    let all: Vec<(Nth, &Outcome)> = hit.iter().filter_map(|n| Some((*n, worst(n)?))).collect();
    let told = |p: Property| {
        let same: Vec<_> = all.iter().filter(|(_, o)| property_by_name(&o.property) == Some(p)).collect();
        let (n, soonest) = soonest(run, same.iter().map(|found| **found))?;
        let titles = run.titles(&same.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        Some(format!(" Now {}, under {titles}, soonest in {}.", clause(&soonest.property), run.attack(n, soonest)))
    };
    Property::ALL.into_iter().filter_map(told).collect()
}

/// Where a policy that is nowhere looser loses what the looser one keeps.
pub(super) fn strictness(run: &Run) -> Section {
    let (all, order) = (run.policies(), axis_values());
    let pairs = all.iter().flat_map(|&a| all.iter().map(move |&b| (a, b)));
    let pairs = pairs.filter_map(|(a, b)| Some((a, b, stricter(&order, &run.sides[a], &run.sides[b])?)));
    let pairs: Vec<(Nth, Nth, Vec<String>)> = pairs.collect();
    let is = |a: Nth, b: Nth| pairs.iter().any(|pair| (pair.0, pair.1) == (a, b));
    let next = |pair: &&(Nth, Nth, Vec<String>)| !all.iter().any(|&c| is(pair.0, c) && is(c, pair.1));
    let pairs: Vec<_> = pairs.iter().filter(next).collect();
    let one = |(a, b, axes): &(Nth, Nth, Vec<String>)| {
        let changes = Changes::of_policies(run, *a, *b);
        let head = format!("**{} is stricter than {}** on {}.", run.title(*b), run.title(*a), words::names(axes));
        let told = || format!("{head} {}{}", sentence(changes.numbers()), changes.losses(run));
        (!changes.lost.is_empty()).then(told)
    };
    let findings: Vec<String> = pairs.iter().copied().filter_map(one).collect();
    let lead = format!(
        "Of {} in which one of the bundled policies is stricter than the other on some axes and looser on none, with \
         no third policy between them, the stricter one loses something in {}. Axes without an order must agree, and \
         an axis that one of the two leaves unused is not compared. Single axes are moved in [the report on \
         strictness](../reports/strictness.md).",
        count(pairs.len(), "pair", "pairs"),
        findings.len(),
    );
    Section { title: "Exceptions to “stricter is safer”", lead, findings }
}

/// The axes on which `b` is stricter than `a`; none if it is looser on some, or on none stricter.
fn stricter(order: &[(String, Vec<String>)], a: &Side, b: &Side) -> Option<Vec<String>> {
    let mut on = Vec::new();
    for ((axis, values), (x, y)) in order.iter().zip(a.axes.iter().zip(&b.axes)) {
        if x.value == y.value {
            continue;
        }
        let place = |value: &str| values.iter().filter(|v| *v != "unused").position(|v| v == value);
        match (UNORDERED.contains(&axis.as_str()), place(&x.value), place(&y.value)) {
            (true, ..) => return None,
            (_, Some(x), Some(y)) if y < x => return None,
            (_, Some(_), Some(_)) => on.push(format!("`{axis}`")),
            _ => {}
        }
    }
    (!on.is_empty()).then_some(on)
}

/// What else stands out: what nobody withstands, what a pin is worth, what safety costs, and what variants change.
pub(super) fn more(run: &Run) -> Section {
    let lead = "Each of these sets cells beside each other that the sections above keep apart.".to_string();
    let price = ["password-thief", "server-of-recipient"].into_iter().filter_map(|s| shut_out(run, s));
    let first = [best(run), unwithstood(run), second_device(run)].into_iter().flatten();
    let variants = (0..run.models.len()).flat_map(|n| variants(run, n));
    Section { title: "What else stands out", lead, findings: first.chain(price).chain(variants).collect() }
}

/// The policies that give nothing away to most adversaries.
fn best(run: &Run) -> Option<String> {
    let late = |n: Nth| cells_of(run, n, true);
    let with = |n: Nth, keys: Keys| late(n).into_iter().filter(move |(s, at)| run.keys(n, s, at) == Some(keys));
    let of = run.policies();
    let kept = |n: Nth| with(n, Keys::Kept).count();
    let all = of.iter().map(|&n| late(n).len()).max().filter(|all| *all > 0)?;
    let most = of.iter().map(|&n| kept(n)).max()?;
    let best: Vec<Nth> = of.iter().copied().filter(|&n| kept(n) == most).collect();
    let open: Vec<Nth> = of.iter().copied().filter(|&n| with(n, Keys::Unknown).next().is_some()).collect();
    let under = |&n: &Nth| {
        let can_act = with(n, Keys::Kept).filter(|(s, at)| !run.idle(n, s, at)).count();
        format!("{} ({can_act} of these {})", run.title(n), if can_act == 1 { "has a move" } else { "have moves" })
    };
    Some(format!(
        "**The most that is withstood.** Of {all} adversaries that come once the first contact was made, or the \
         contact verified, at most {most} are given nothing, under {}.{}",
        words::names(&best.iter().map(under).collect::<Vec<_>>()),
        not_known(run, &open)
    ))
}

/// The adversaries to whom every policy gives something away.
fn unwithstood(run: &Run) -> Option<String> {
    let of = run.policies();
    let late = cells_of(run, *of.first()?, true).into_iter();
    let nobody = late.filter(|(s, at)| run.with(&of, Keys::Lost, s, at).len() == of.len());
    let all: Vec<&str> = nobody.map(|(s, _)| s).collect();
    (!all.is_empty()).then(|| format!("**Withstood by no policy**, however late: {}.", adversary_list(&all)))
}

/// What a device of the sender's that signs in later undoes.
fn second_device(run: &Run) -> Option<String> {
    let (one, two) = ("server-of-recipient", "fresh-login-swap");
    let verdict = |n: Nth, s: &str| run.outcome(n, s, LATER, Property::NoSilentLeak).map(|o| o.verdict);
    let safe: Vec<Nth> = run.policies().into_iter().filter(|&n| verdict(n, one) == Some("holds")).collect();
    let falls: Vec<Nth> = safe.iter().copied().filter(|&n| verdict(n, two) == Some("violated")).collect();
    let open: Vec<Nth> = safe.iter().copied().filter(|&n| verdict(n, two) == Some("unknown")).collect();
    let attacks = falls.iter().filter_map(|&n| Some((n, run.outcome(n, two, LATER, Property::NoSilentLeak)?)));
    let (n, o) = soonest(run, attacks)?;
    Some(format!(
        "**The sender's second device.** Where one device sends, {}, met {}, reads nothing without a warning under {}. \
         Of these, {} to {}: {}, soonest in {}.{}",
        adversary(one),
        when(LATER),
        count(safe.len(), "policy", "policies"),
        count(falls.len(), "falls", "fall"),
        adversary(two),
        run.titles(&falls),
        run.attack(n, o),
        not_known(run, &open)
    ))
}

/// Who keeps the keys from an adversary, and is made to shut honest devices out.
fn shut_out(run: &Run, scenario: &str) -> Option<String> {
    let of = run.policies();
    let kept = run.with(&of, Keys::Kept, scenario, LATER);
    let is = |n: &Nth, verdict: &str| {
        run.outcome(*n, scenario, LATER, Property::NoLockOut).is_some_and(|o| o.verdict == verdict)
    };
    let (falls, holds) = (|n: &Nth| is(n, "violated"), |n: &Nth| is(n, "holds"));
    let (shut, others): (Vec<Nth>, Vec<Nth>) = kept.iter().copied().partition(falls);
    let (both, open): (Vec<Nth>, Vec<Nth>) = others.into_iter().partition(holds);
    let attacks = shut.iter().filter_map(|&n| Some((n, run.outcome(n, scenario, LATER, Property::NoLockOut)?)));
    let soonest = soonest_under(run, &attacks.collect::<Vec<_>>())?;
    let number = if shut.len() == kept.len() { "all".to_string() } else { shut.len().to_string() };
    let both = match both.is_empty() {
        true => String::new(),
        false => format!(" No honest device is locked out under {}.", run.titles(&both)),
    };
    Some(format!(
        "**The price of keeping keys from {}.** Of the {} that give it nothing {}, {number} can be made to lock an \
         honest device out, {soonest}.{both}{}",
        adversary(scenario),
        count(kept.len(), "policy", "policies"),
        when(LATER),
        not_known(run, &open)
    ))
}

/// What the policy `n` and its variants differ in.
fn variants(run: &Run, n: Nth) -> Vec<String> {
    let name = Some(run.models[n].name.as_str());
    let is_one = |m: &Nth| *m == n || run.models[*m].variant_of.as_deref() == name;
    let of: Vec<Nth> = (0..run.models.len()).filter(is_one).collect();
    let scenarios: BTreeSet<&str> = of.iter().flat_map(|&m| run.scenarios(m)).collect();
    scenarios.into_iter().filter_map(|s| told_apart(run, n, &of, s)).collect()
}

/// What a scenario tells a policy and its variants apart by; none if fewer than two of them were searched in it.
fn told_apart(run: &Run, n: Nth, of: &[Nth], scenario: &str) -> Option<String> {
    let searched: Vec<Nth> = of.iter().copied().filter(|&m| run.scenarios(m).contains(scenario)).collect();
    let cells = searched.iter().flat_map(|&m| run.arrivals(m, scenario).into_iter().map(move |at| (m, at)));
    let cells: Vec<(Nth, &str)> = cells.collect();
    let found = |p: Property, verdict: &'static str| {
        let all = cells.iter().filter_map(move |&(m, at)| Some((m, at, run.outcome(m, scenario, at, p)?)));
        all.filter(|(.., o)| o.verdict == verdict).collect::<Vec<_>>()
    };
    let difference = |p: Property| {
        let (falls, holds) = (found(p, "violated"), found(p, "holds"));
        let kept = |at: &str| holds.iter().filter(|h| h.1 == at).map(|h| h.0).collect::<Vec<Nth>>();
        let &(m, at, o) = falls.iter().find(|(_, at, _)| !kept(at).is_empty())?;
        let (under, what, attack) = (run.title(m), clause(&o.property), run.attack(m, o));
        let (when, kept) = (when(at), run.titles(&kept(at)));
        Some(format!("Under {under} {what}, {when}, in {attack}; under {kept} no such state is reached."))
    };
    let is_open = |m: &Nth| cells.iter().any(|&(n, at)| n == *m && is_open(run, n, scenario, at));
    let open: Vec<Nth> = searched.iter().copied().filter(is_open).collect();
    let same = || format!("No verdict tells {} apart.{}", run.titles(&searched), not_known(run, &open));
    let told = Property::ALL.into_iter().find_map(difference).unwrap_or_else(same);
    (searched.len() > 1).then(|| format!("**Variants of {}: {}.** {told}", run.title(n), adversary(scenario)))
}

/// Whether some verdict of a cell is not known.
fn is_open(run: &Run, n: Nth, scenario: &str, arrives: &str) -> bool {
    run.cell(n, scenario, arrives).any(|o| !matches!(o.verdict, "holds" | "violated"))
}

//! The sections of the page: each asks one question of a run, and its sentences are what the verdicts answer.

use super::comparisons::{hurry, more, strictness, verification};
use super::words::{self, adversary, adversary_first, careful_twin, clause, count, giving_nothing, when};
use super::{Keys, Nth, Run, SECRECY, Section};
use crate::model::Property;
use crate::report::claims::{Judged, OUTSIDE, REFUTED, Told};
use crate::report::diff::Outcome;
use crate::scenario::{property_by_name, property_name};
use crate::story::{capital, list};

/// The systems that people use, as they are installed; the others are settings, designs and hypotheses.
const CLIENTS: [&str; 13] = [
    "signal",
    "whatsapp",
    "imessage",
    "threema",
    "wire",
    "omemo-btbv",
    "omemo-atm",
    "matrix-riot-2019",
    "matrix-2020-cross-signing-default",
    "matrix-all-devices",
    "matrix-mandatory-verification",
    "keybase",
    "ssh-known-hosts",
];
/// What Matrix clients did since the post was written, in the order in which they came to it.
const CAME_AFTER: [&str; 4] = [
    "matrix-2020-cross-signing-default",
    "matrix-all-devices",
    "matrix-identity-based",
    "matrix-mandatory-verification",
];
/// The adversaries that are told of where others do as much.
const PLAIN: [&str; 3] = ["password-thief", "server-of-recipient", "server-of-sender"];
/// Adversaries that no warning comes before are listed up to this number: who wants all of them has the matrix.
const LISTED_MAX: usize = 5;
/// The arrival of an adversary that was there before anybody met.
const START: &str = "from-start";
/// The arrival of an adversary that comes once people have met.
pub(super) const LATER: &str = "after-first-contact";

/// All sections that have something to say.
pub fn sections(run: &Run) -> Vec<Section> {
    let all = [claims(run), adversaries(run), clients(run), verification(run), hurry(run), strictness(run), more(run)];
    all.into_iter().filter(|section| !section.findings.is_empty()).collect()
}

/// A sentence, with its capital and its full stop.
pub(super) fn sentence(text: String) -> String {
    capital(&text) + "."
}

/// The shortest of some attacks; of equals, the one on the first in the list of clients.
pub(super) fn soonest<'r>(run: &Run, all: impl Iterator<Item = (Nth, &'r Outcome)>) -> Option<(Nth, &'r Outcome)> {
    let place = |n: Nth| CLIENTS.iter().position(|name| *name == run.models[n].name).unwrap_or(CLIENTS.len());
    all.min_by_key(|(n, o)| (o.attack.len(), place(*n)))
}

/// The length of the shortest of some attacks, with the policy under which it is so short, or the number of such.
pub(super) fn soonest_under(run: &Run, all: &[(Nth, &Outcome)]) -> Option<String> {
    let (n, o) = soonest(run, all.iter().copied())?;
    let as_short = all.iter().filter(|(_, other)| other.attack.len() == o.attack.len()).count();
    Some(format!("soonest in {}, under {}", run.attack(n, o), and_others(run.title(n), as_short - 1)))
}

/// Somebody or something that stands for as many others.
fn and_others(one: String, others: usize) -> String {
    if others == 0 { one } else { format!("{one} and {}", count(others, "other", "others")) }
}

/// Which ones of all, by those that are in or those that are not, whichever are fewer, as a clause after a number.
fn which<T: PartialEq + Copy>(some: &[T], all: &[T], names: impl Fn(&[T]) -> String) -> String {
    let others: Vec<T> = all.iter().copied().filter(|x| !some.contains(x)).collect();
    match () {
        () if some.is_empty() || others.is_empty() => String::new(),
        () if others.len() < some.len() => format!(": all but {}", names(&others)),
        () => format!(": {}", names(some)),
    }
}

/// What `after` has that `before` lacks, and the other way round, as a clause after a number.
pub(super) fn moved<T: PartialEq + Copy>(before: &[T], after: &[T], names: impl Fn(&[T]) -> String) -> String {
    let less = |a: &[T], b: &[T]| a.iter().copied().filter(|x| !b.contains(x)).collect::<Vec<T>>();
    let clause = |word: &str, all: &[T]| match all.is_empty() {
        true => String::new(),
        false => format!(", {word} {}", names(all)),
    };
    clause("in addition", &less(after, before)) + &clause("no longer", &less(before, after))
}

fn claims(run: &Run) -> Section {
    let number = |verdict: &str| run.claims.iter().filter(|c| c.verdict == verdict).count();
    let [holds, not, refuted, outside] = ["holds", "does not hold", REFUTED, OUTSIDE].map(number);
    let open = run.claims.len() - holds - not - refuted - outside;
    let told = [
        (holds, format!("{} in the model", count(holds, "holds", "hold"))),
        (not, count(not, "does not", "do not")),
        (refuted, format!("{} false by a source that a model names", count(refuted, "is", "are"))),
        (outside, format!("{} outside of the model", count(outside, "is", "are"))),
        (open, format!("of {open} it is not known")),
    ];
    let told: Vec<String> = told.into_iter().filter(|(n, _)| *n > 0).map(|(_, told)| told).collect();
    let lead = format!(
        "*Why for Matrix TOFU is not an option yet* (Sheogorath's Blog, 2020) says why Signal could trust on first use \
         and Matrix could not. Its claims stand here in other words than its own, but for what is in quotation marks. \
         Of {} claims, {}.",
        run.claims.len(),
        list(&told),
    );
    let decided = run.claims.iter().filter(|c| c.verdict != "not searched").map(|c| claim(run, c));
    let findings = decided.chain((!run.claims.is_empty()).then(|| came_of_it(run)).flatten()).collect();
    Section { title: "What the post claimed, six years on", lead, findings }
}

fn claim(run: &Run, claim: &Told) -> String {
    let mut judged = String::new();
    for (i, j) in claim.cells.iter().enumerate() {
        let same = i > 0 && claim.cells[i - 1].model == j.model;
        let title = run.policy(j.model).map_or(j.model.to_string(), |n| run.title(n));
        let under = if same { String::new() } else { format!("under {title}, ") };
        judged += &format!("{}{under}{}", if i > 0 { "; " } else { "" }, evidence(run, j));
    }
    let because = claim.why.map_or(judged, str::to_string);
    format!("**{}** {}: {because}.", claim.says, capital(claim.verdict))
}

/// What became of the post's hope in what clients do: whether the password thief who comes late reads.
fn came_of_it(run: &Run) -> Option<String> {
    let (thief, property) = ("password-thief", |n: Nth, p| run.outcome(n, "password-thief", LATER, p));
    let told = |n: Nth| {
        let (read, silent) = (property(n, Property::NoRogueKey)?, property(n, Property::NoSilentLeak)?);
        let attack = |o: &Outcome| format!("{}, in {}", clause(&o.property), run.attack(n, o));
        let what = match (read.verdict, silent.verdict) {
            (_, "violated") => attack(silent),
            ("violated", "holds") => format!("{}, and somebody is warned by then", attack(read)),
            ("holds", _) => "no rogue device reads".to_string(),
            _ => "it is not known whether a rogue device reads unwarned".to_string(),
        };
        Some(format!("under {} {what}", run.title(n)))
    };
    let told: Vec<String> = CAME_AFTER.iter().filter_map(|name| told(run.policy(name)?)).collect();
    let (who, since) = (adversary(thief), when(LATER));
    let told = told.join("; ");
    (!told.is_empty()).then(|| format!("**What clients came to instead.** With {who} against it {since}, {told}."))
}

fn evidence(run: &Run, j: &Judged) -> String {
    let cell = format!("with {} against it {},", adversary(j.scenario), when(j.arrives));
    let property = property_by_name(j.property).expect("a claim rests on properties");
    let found = run.policy(j.model).and_then(|n| Some((n, run.outcome(n, j.scenario, j.arrives, property)?)));
    match found.filter(|(_, o)| matches!(o.verdict, "holds" | "violated")) {
        Some((n, o)) if o.verdict == "violated" => {
            format!("{cell} a state is reached in which {}, in {}", clause(j.property), run.attack(n, o))
        }
        Some(_) => format!("{cell} no state is reached in which {}", clause(j.property)),
        None => format!("{cell} it is not known whether a state is reached in which {}", clause(j.property)),
    }
}

fn adversaries(run: &Run) -> Section {
    let all = run.general().into_iter().filter(|s| careful_twin(s).is_none());
    let lead = "A policy *gives nothing away* to an adversary if no rogue device and no uninvited member ever gets a \
                key, under every property of the scenario. Whether honest devices are locked out is told apart, below."
        .to_string();
    let findings = all.map(|scenario| adversary_finding(run, scenario)).collect();
    Section { title: "Adversary by adversary: who gives nothing away", lead, findings }
}

fn adversary_finding(run: &Run, scenario: &str) -> String {
    let of = run.policies();
    let arrivals = of.first().map_or(Vec::new(), |&n| run.arrivals(n, scenario));
    let mut text = format!("**{}.**", adversary_first(scenario));
    let mut before: Option<(Vec<Nth>, usize)> = None;
    for arrives in &arrivals {
        let kept = run.with(&of, Keys::Kept, scenario, arrives);
        let idle = kept.iter().filter(|&&n| run.idle(n, scenario, arrives)).count();
        let open = run.with(&of, Keys::Unknown, scenario, arrives);
        let number = format!("{} {}", when(arrives), giving_nothing(kept.len(), of.len()));
        text += &match &before {
            None => format!(" {}{}.", capital(&number), which(&kept, &of, |all| run.titles(all))),
            Some((before, _)) if *before == kept => format!(" {} it is the same.", capital(when(arrives))),
            Some((before, _)) => format!(" {}{}.", capital(&number), moved(before, &kept, |all| run.titles(all))),
        };
        let now = (kept, idle);
        text += &if before.as_ref() == Some(&now) { String::new() } else { no_move_under(idle, now.0.len()) };
        text += &not_known(run, &open);
        before = Some(now);
    }
    text + &arrivals.first().map_or(String::new(), |arrives| worst_of_all(run, &of, scenario, arrives))
}

/// Under how many of the policies that give an adversary nothing it has no move.
fn no_move_under(idle: usize, kept: usize) -> String {
    match idle {
        0 => String::new(),
        n if n == kept => " It has no move there.".to_string(),
        n => format!(" Under {n} of these {kept} it has no move."),
    }
}

pub(super) fn not_known(run: &Run, open: &[Nth]) -> String {
    if open.is_empty() { String::new() } else { format!(" Of {} it is not known.", run.titles(open)) }
}

/// The worst that any policy lets happen, and the policy under which it happens soonest.
fn worst_of_all(run: &Run, of: &[Nth], scenario: &str, arrives: &str) -> String {
    let worst: Vec<(Nth, &Outcome)> = of.iter().filter_map(|&n| Some((n, run.worst(n, scenario, arrives)?))).collect();
    let Some(rank) = worst.iter().map(|(_, o)| rank(o)).min() else { return String::new() };
    let same: Vec<_> = worst.into_iter().filter(|(_, o)| self::rank(o) == rank).collect();
    let (n, o) = same[0];
    let head = format!(" The worst is that {}, {}", clause(&o.property), when(arrives));
    match same.len() {
        1 => format!("{head} under {} alone, in {}.", run.title(n), run.attack(n, o)),
        many => {
            let all = if many == of.len() { "all " } else { "" };
            format!("{head} under {all}{many} policies, {}.", soonest_under(run, &same).expect("one is the shortest"))
        }
    }
}

/// How bad it is if the property of an outcome falls; the worst is least.
pub(super) fn rank(o: &Outcome) -> usize {
    SECRECY.iter().position(|&p| property_name(p) == o.property).unwrap_or(SECRECY.len())
}

fn clients(run: &Run) -> Section {
    let lead = "Systems that people use or have used, as they are installed and modelled here, each with the \
                adversaries that every policy was searched against, and careful people. An adversary without a move \
                is withstood by what a policy lacks; the matrix marks it with –."
        .to_string();
    let findings = CLIENTS.iter().filter_map(|name| run.policy(name)).map(|n| client(run, n)).collect();
    Section { title: "What clients withstand as they are installed", lead, findings }
}

/// The cells of a policy with careful people in which every policy was searched, by when the adversary arrives.
pub(super) fn cells_of<'r>(run: &'r Run<'r>, n: Nth, late: bool) -> Vec<(&'r str, &'r str)> {
    let scenarios = run.general().into_iter().filter(|s| careful_twin(s).is_none());
    let cells = scenarios.flat_map(|s| run.arrivals(n, s).into_iter().map(move |arrives| (s, arrives)));
    cells.filter(|(s, arrives)| (*arrives != START) == late && run.keys(n, s, arrives).is_some()).collect()
}

fn client(run: &Run, n: Nth) -> String {
    let mut text = format!("**{}.**", run.title(n));
    let mut before: Option<Vec<&str>> = None;
    for late in [false, true] {
        let cells = cells_of(run, n, late);
        let all: Vec<&str> = cells.iter().map(|(s, _)| *s).collect();
        let is = |keys: Keys| cells.iter().filter(move |(s, at)| run.keys(n, s, at) == Some(keys)).map(|(s, _)| *s);
        let (kept, open): (Vec<&str>, Vec<&str>) = (is(Keys::Kept).collect(), is(Keys::Unknown).collect());
        let which = match &before {
            _ if cells.is_empty() => continue,
            None => which(&kept, &all, adversary_list),
            Some(before) => {
                // Whom no late search is about is not lost.
                let before: Vec<&str> = before.iter().copied().filter(|s| all.contains(s)).collect();
                moved(&before, &kept, adversary_list)
            }
        };
        let since = if late { "Once the first contact was made, or the contact verified," } else { "From the start" };
        text += &match kept.len() {
            0 => format!(" {since} it gives something away to each of {} adversaries{which}.", cells.len()),
            n => format!(" {since} it gives nothing away to {n} of {} adversaries{which}.", cells.len()),
        };
        let idle = cells.iter().filter(|(s, at)| kept.contains(s) && run.idle(n, s, at)).count();
        text += &who_can_act(kept.len() - idle, kept.len());
        text +=
            &if open.is_empty() { String::new() } else { format!(" Of {} it is not known.", adversary_list(&open)) };
        before = Some(kept);
    }
    text + &given_away(run, n) + &worst_of_client(run, n)
}

/// How many of the adversaries that are given nothing have a move at all.
fn who_can_act(can_act: usize, kept: usize) -> String {
    match (can_act, kept) {
        (_, 0) => String::new(),
        (0, 1) => " This one has no move under it.".to_string(),
        (1, 1) => " This one has a move under it.".to_string(),
        (0, all) => format!(" Of these {all} none has a move under it."),
        (n, all) if n == all => format!(" Each of these {all} has a move under it."),
        (n, all) => format!(" Of these {all} only {} a move under it.", count(n, "has", "have")),
    }
}

/// To whom a policy gives something away late, with a warning and without.
fn given_away(run: &Run, n: Nth) -> String {
    let cells = cells_of(run, n, true);
    let lost: Vec<_> = cells.into_iter().filter(|(s, at)| run.keys(n, s, at) == Some(Keys::Lost)).collect();
    let silent = |(s, at): (&str, &str)| run.outcome(n, s, at, Property::NoSilentLeak).map_or("", |o| o.verdict);
    let all = |is: &dyn Fn((&str, &str)) -> bool| {
        lost.iter().copied().filter(|&cell| is(cell)).map(|(s, _)| s).collect::<Vec<_>>()
    };
    let warned = all(&|cell| silent(cell) == "holds");
    let unwarned = all(&|cell| silent(cell) == "violated");
    let open = all(&|cell| !matches!(silent(cell), "holds" | "violated"));
    let asked = |(s, at): (&str, &str)| run.outcome(n, s, at, Property::NoRogueKey).is_some_and(|o| o.only_asked);
    let asked = all(&|cell| silent(cell) == "holds" && asked(cell));
    let told = |all: &[&str], told: &dyn Fn(String) -> String| {
        if all.is_empty() { String::new() } else { format!(" {}", sentence(told(adversary_list(all)))) }
    };
    let without_warning = |list| match unwarned.len() {
        ..=LISTED_MAX => format!("no warning is sure with {list}"),
        n => format!("with {n} others no warning is sure"),
    };
    told(&warned, &|list| format!("somebody is warned by the time a key goes to {list}"))
        + &told(&asked, &|list| {
            format!(
                "the only warning of {list}, in a shortest attack, is the question to which the owner of the account \
                 says yes"
            )
        })
        + &told(&unwarned, &without_warning)
        + &told(&open, &|list| format!("no search says whether somebody is warned of {list}"))
}

/// The worst that comes from a late adversary, and from one that was there before, if that is something else.
fn worst_of_client(run: &Run, n: Nth) -> String {
    let worst = |late: bool| {
        let all = cells_of(run, n, late).into_iter().filter_map(|(s, at)| run.worst(n, s, at));
        let all: Vec<&Outcome> = all.collect();
        let least = all.iter().map(|o| (rank(o), o.attack.len())).min();
        let mut soonest: Vec<_> = all.into_iter().filter(|o| Some((rank(o), o.attack.len())) == least).collect();
        soonest.sort_by_key(|o| !PLAIN.contains(&o.scenario.as_str()));
        soonest
    };
    let told = |all: &[&Outcome], since: &str| {
        let Some(o) = all.first() else { return String::new() };
        let who = and_others(adversary(&o.scenario), all.len() - 1);
        format!(" The worst {since} is that {}, soonest in {}, with {who}.", clause(&o.property), run.attack(n, o))
    };
    let (first, later) = (worst(false), worst(true));
    let property = |all: &[&Outcome]| all.first().map(|o| o.property.clone());
    match property(&first) == property(&later) {
        true => told(&later, "later, as from the start,"),
        false => told(&first, "from the start") + &told(&later, "later"),
    }
}

pub(super) fn adversary_list(scenarios: &[&str]) -> String {
    words::names(&scenarios.iter().map(|s| adversary(s)).collect::<Vec<_>>())
}

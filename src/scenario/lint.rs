//! What a file says without effect, and what it leaves undecided, under the models that it is meant for.
//!
//! Codes that start with `E` are refused by a run as well; those that start with `W` are not.

use super::check::{check_powers_of, policies_of, top};
use super::claims::{deciding, undecided};
use super::model_file::axes;
use super::{Basis, Number, Profile, Several, habit_name, property_name};
use super::{Expectation, HonestOption, Model, Power, PowerEntry, ScenarioFile, arrival_name, option_name};
use crate::input::{Diagnostic, Place, Source, listed, quoted};
use crate::model::{Arrival, Property};
use crate::policy::IdentityReplacedBy;
use crate::simulate::habits::Habit;

/// What stands in a model file where a source is still to be named.
pub const TO_DO: &str = "TODO";
/// Limit on the models named in one message; the others are counted.
const MODELS_SHOWN_MAX: usize = 4;

type Findings = Vec<Diagnostic>;

/// What can be said of a checked scenario file without any search. A person's own `model` is looked up in `known`.
///
/// Where `bundled`, a variant that the scenario does not name only counts for whether a claim decides anything.
pub fn lint_scenario(
    file: &ScenarioFile,
    source: &Source,
    bundled: bool,
    (selected, known): (&[Model], &[Model]),
) -> Findings {
    let file = Linted { file, source, bundled, selected, known };
    let parts = [file.powers(), file.rogue_devices(), file.senders(), file.options(), file.properties(), file.claims()];
    parts.into_iter().flatten().collect()
}

/// What can be said of a checked model file: what its author has still to write.
pub fn lint_model(source: &Source, model: &Model) -> Findings {
    let sources: Vec<_> = model.sources.iter().map(|(axis, source)| (axis.as_str(), source.as_str())).collect();
    still_to_be_written(source, [&model.title, &model.about], "axes", &sources)
}

/// What can be said of a checked file about people: what is still to be written, and what has no effect.
pub fn lint_people(source: &Source, people: &Profile) -> Findings {
    let named = |(habit, number): &(Habit, Number)| (habit_name(*habit), number.clone());
    let numbers: Vec<(&str, Number)> = people.numbers.iter().map(named).collect();
    let sources: Vec<_> = numbers.iter().map(|(name, number)| (*name, number.source.as_str())).collect();
    let mut findings = still_to_be_written(source, [&people.title, &people.about], "habits", &sources);
    let place = |name: &str| top("habits").key(name);
    for (name, number) in numbers.iter().filter(|(_, n)| n.basis == Basis::Assumed && n.low == n.high) {
        // That nobody ever does it, or everybody, is what such people are.
        let is_end = number.value == 0.0 || number.value == 1.0 && number.per.is_none();
        if !is_end {
            let message = format!("{} is assumed, and its range is one number, so nothing is swept", quoted(name));
            let help = "what nobody measured may well be less or more: widen `low` and `high`, or name who measured it";
            findings.push(*source.error("W213", source.key_at(&place(name).key("low")), message).help(help));
        }
    }
    let most = |habit: Habit| {
        let number = people.numbers.iter().find(|(of, _)| *of == habit).map(|(_, number)| number);
        number.map_or(0.0, |n| n.high.unwrap_or(n.value))
    };
    for (habit, needed, why) in
        NEEDED.into_iter().filter(|(habit, needed, _)| most(*habit) > 0.0 && most(*needed) == 0.0)
    {
        let (name, needed) = (habit_name(habit), habit_name(needed));
        let message = format!("{} has no effect: {} is 0, so {why}", quoted(name), quoted(needed));
        findings.push(*source.error("W214", source.key_at(&place(name)), message));
    }
    findings
}

/// Habits that only count where there is another one, and what is the case where there is not.
const NEEDED: [(Habit, Habit, &str); 5] = [
    (Habit::Ceremonies, Habit::Verifies, "nobody holds ceremonies with contacts"),
    (Habit::Miscompares, Habit::Verifies, "nobody holds ceremonies with contacts"),
    (Habit::Overlooks, Habit::Verifies, "nobody holds ceremonies with contacts"),
    (Habit::TakesOff, Habit::OwnLooks, "nobody sees what they could take off"),
    (Habit::ClicksThrough, Habit::Answers, "nobody answers a question"),
];

/// What an author has still to write: sources, each with what it is the source of, below `key`; a title, or about what.
fn still_to_be_written(source: &Source, [title, about]: [&str; 2], key: &str, sources: &[(&str, &str)]) -> Findings {
    let open = |text: &str| text.starts_with(TO_DO);
    let unnamed: Vec<&str> = sources.iter().filter(|(_, source)| open(source)).map(|(of, _)| *of).collect();
    let mut findings = Vec::new();
    if let Some(first) = unnamed.first() {
        let place = top(key).key(first).key("source");
        let message = format!("{} of {} sources are still to be named", unnamed.len(), sources.len());
        let help = format!("say where you read the value, without `{TO_DO}`; so far not: {}", unnamed.join(", "));
        findings.push(*source.error("W210", source.key_at(&place), message).help(help));
    }
    if open(about) || open(title) {
        let key = if open(about) { "about" } else { "title" };
        let message = format!("{} is still to be written", quoted(key));
        findings.push(*source.error("W210", source.key_at(&top(key)), message));
    }
    findings
}

/// One finding for models under which nothing holds for a reason, since no message ever reaches everybody. `heard_with`
/// are values with which the first of them would be heard: axes, each with its values.
pub fn lint_honest_run(source: &Source, models: &[&str], heard_with: &[(String, Vec<String>)]) -> Diagnostic {
    let message = format!("every verdict is vacuous under {}", models_text(models));
    let spelled: Vec<String> =
        heard_with.iter().map(|(axis, values)| quoted(&format!("{axis}: {}", values.join(" | ")))).collect();
    let with = match spelled.is_empty() {
        true => "no other value on a single axis helps".to_string(),
        false => format!("one does with {}", spelled.join(", or with ")),
    };
    let help = format!("without an adversary no message ever reaches every honest device; {with}");
    *source.error("E150", source.key_at(&top("people")), message).help(help)
}

struct Linted<'a> {
    file: &'a ScenarioFile,
    source: &'a Source,
    bundled: bool,
    selected: &'a [Model],
    known: &'a [Model],
}

impl Linted<'_> {
    fn warn(&self, code: &'static str, place: &Place, message: String) -> Diagnostic {
        *self.source.error(code, self.source.at(place), message)
    }

    fn any_power(&self, is: impl Fn(&PowerEntry) -> bool) -> bool {
        self.file.powers().iter().any(is)
    }

    /// Powers that no selected model has a use for. Where a bundled one has, it is no mistake.
    fn powers(&self) -> Findings {
        let all: Vec<Model> = self.selected.iter().chain(self.known).cloned().collect();
        let refused = check_powers_of(self.file, self.source, &all, self.known);
        let idle = check_powers_of(self.file, self.source, self.selected, self.known).into_iter();
        let warned = |mut found: Diagnostic| {
            if !refused.contains(&found) {
                found.code = "W126";
            }
            found
        };
        idle.map(warned).collect()
    }

    /// Devices of the adversary's that it has no way to show to anybody.
    fn rogue_devices(&self) -> Findings {
        let honest = |name: &str| self.file.people.iter().find(|p| p.devices.iter().any(|d| d == name));
        let serves = |PowerEntry { power, of }: &PowerEntry, claims: &str| match power {
            Power::BreakTls | Power::ControlServer => true,
            Power::StealDevice => honest(of).is_some_and(|p| p.name == claims),
            Power::AddMember => false,
            _ => of == claims,
        };
        let idle = |claims: &str| !self.any_power(|power| serves(power, claims));
        let devices = self.file.rogue_devices().iter().enumerate().filter(|(_, d)| idle(&d.claims));
        let warn = |(i, d): (usize, &super::RogueDevice)| {
            let (name, claims) = (quoted(&d.name), quoted(&d.claims));
            let message = format!("{name} has no effect: no power reaches the account of {claims}");
            self.warn("W204", &top("adversary").key("devices").item(i).key("claims"), message)
        };
        devices.map(warn).collect()
    }

    fn senders(&self) -> Findings {
        let devices = self.file.people.iter().map(|p| p.devices.len()).sum::<usize>();
        let message = || "there is nobody to send to: no other honest device is in the file".to_string();
        if devices > 1 { Vec::new() } else { vec![self.warn("W205", &top("senders").item(0), message())] }
    }

    /// Options that add no action that changes anything.
    fn options(&self) -> Findings {
        let anybody = |is: fn(&crate::policy::Policy) -> bool| {
            let names = self.file.people.iter().map(|p| p.name.as_str());
            names.flat_map(|name| policies_of(self.file, name, self.selected, self.known)).any(is)
        };
        let learns = |p: &PowerEntry| matches!(p.power, Power::StealPassword | Power::BreakTls | Power::ControlServer);
        let holds = |p: &PowerEntry| p.power == Power::StealDevice;
        // In a control nobody attacks, and what people do for their safety is there all the same.
        let control = self.file.adversary.is_none();
        let why = |option| match option {
            HonestOption::RemoveDevice | HonestOption::ChangePassword if control => None,
            HonestOption::RemoveDevice if self.file.rogue_devices().is_empty() && !self.any_power(holds) => {
                Some("there is no device of the adversary's to remove")
            }
            HonestOption::ResetIdentity if !anybody(|p| p.identity_replaced_by != IdentityReplacedBy::Unused) => {
                Some("under no selected model is there an identity to replace")
            }
            HonestOption::ChangePassword if !anybody(|p| p.joins_by_password()) => {
                Some("under no selected model does a password open an account")
            }
            HonestOption::ChangePassword if !self.any_power(learns) => Some("the adversary never learns a password"),
            _ => None,
        };
        let options = self.file.options.iter().enumerate().filter_map(|(i, o)| Some((i, o.0, why(o.0)?)));
        let warn = |(i, option, why)| {
            let message = format!("{} has no effect: {why}", quoted(option_name(option)));
            self.warn("W203", &top("options").item(i), message)
        };
        options.map(warn).collect()
    }

    /// Properties that nothing in the file could violate.
    fn properties(&self) -> Findings {
        let removes = self.file.options.iter().any(|o| o.0 == HonestOption::RemoveDevice);
        let holds = !self.file.rogue_devices().is_empty() || self.any_power(|p| p.power == Power::StealDevice);
        let of_rogue = [
            Property::NoInvisibleListener,
            Property::NoHiddenKey,
            Property::NoSilentLeak,
            Property::NoRogueKey,
            Property::PastStaysPrivate,
            Property::NeverShownAsVerified,
        ];
        let why = |property| match property {
            Property::RemovalEndsAccess if !removes => {
                Some("nobody removes a device without the option `remove-device`")
            }
            Property::NoUninvitedReader if self.file.accounts().is_empty() => Some("the adversary has no account"),
            p if of_rogue.contains(&p) && !holds => Some("the adversary has no device"),
            _ => None,
        };
        // In a control everything holds that nobody attacks: that is what it is for.
        let attacked = self.file.adversary.is_some();
        let properties = self.file.properties().enumerate().filter(|_| attacked);
        let warn = |(i, property)| {
            let message = format!("{} cannot fail: {}", quoted(property_name(property)), why(property)?);
            Some(self.warn("W206", &top("properties").item(i), message))
        };
        properties.filter_map(warn).collect()
    }

    /// Cells that not exactly one claim decides, and claims that decide none.
    fn claims(&self) -> Findings {
        if self.file.expectations.is_empty() {
            return Vec::new();
        }
        let cells = self.cells();
        let claims = self.file.expectations.iter().enumerate();
        let idle = claims.flat_map(|(i, claim)| self.claim(i, claim, cells.iter().any(|c| c.claims.contains(&i))));
        self.undecided(&cells).into_iter().chain(idle).collect()
    }

    fn cells(&self) -> Vec<CellClaims<'_>> {
        let mut cells = Vec::new();
        for property in self.file.properties() {
            for model in self.selected {
                let of_arrival = |arrives| {
                    let claims = deciding(self.file, model, arrives, property);
                    CellClaims { property, model, arrives, claims }
                };
                cells.extend(self.file.arrivals().into_iter().map(of_arrival));
            }
        }
        cells
    }

    /// One refusal for all cells of a property that the same claims decide, or that none does.
    fn undecided(&self, cells: &[CellClaims]) -> Findings {
        let mut groups: Vec<Vec<&CellClaims>> = Vec::new();
        let is_foreign = |model: &Model| self.bundled && model.variant_of.is_some() && !self.file.is_about(model);
        let open = |cell: &&CellClaims| cell.claims.len() != 1 && !is_foreign(cell.model);
        for cell in cells.iter().filter(open) {
            let alike = |g: &&mut Vec<&CellClaims>| (g[0].property, &g[0].claims) == (cell.property, &cell.claims);
            match groups.iter_mut().find(alike) {
                Some(group) => group.push(cell),
                None => groups.push(vec![cell]),
            }
        }
        let refusal = |group: &Vec<&CellClaims>| {
            let found = undecided(self.source, &self.cells_text(group), &group[0].claims);
            *if group[0].claims.is_empty() { found.help(self.values_text(group)) } else { found }
        };
        groups.iter().map(refusal).collect()
    }

    /// The cells as a clause: their property, their models, and their arrival if it is the same for all of them.
    fn cells_text(&self, group: &[&CellClaims]) -> String {
        let models = distinct(group.iter().map(|cell| cell.model.name.as_str()));
        let arrivals = distinct(group.iter().filter_map(|cell| cell.arrives).map(arrival_name));
        let all = self.file.arrivals().len();
        let arrives = match arrivals[..] {
            [one] if all > 1 => format!(", adversary {one}"),
            _ => String::new(),
        };
        format!("{} under {}{arrives}", quoted(property_name(group[0].property)), models_text(&models))
    }

    /// What the models of some cells say on the axes that the property's claims ask about.
    fn values_text(&self, group: &[&CellClaims]) -> String {
        let about = |claim: &&Expectation| claim.property.0.iter().any(|p| p.0 == group[0].property);
        let asked = distinct(self.file.expectations.iter().filter(about).flat_map(|c| c.r#where.keys()));
        if asked.is_empty() {
            return "add a claim: every cell is decided by exactly one".to_string();
        }
        let values = |axis: &String| distinct(group.iter().map(|cell| value(cell.model, axis))).join(" or ");
        let texts: Vec<String> = asked.iter().map(|axis| format!("{axis}: {}", values(axis))).collect();
        let there = texts.join(", ");
        format!("add a claim, or widen the `where` of one; there it is {there}; or name other models with `--models`")
    }

    /// A claim that decides no cell, or values of it that no selected model has.
    fn claim(&self, index: usize, claim: &Expectation, decides: bool) -> Findings {
        let place = top("expectations").item(index);
        let had = |axis: &str, value: &String| self.selected.iter().any(|m| self::value(m, axis) == *value);
        let absent = |(axis, values): (&String, &Several<String>)| -> Vec<(Place, String, String)> {
            let at = place.key("where").key(axis);
            let values = values.0.iter().enumerate().filter(|(_, value)| !had(axis, value));
            values.map(|(k, value)| (at.item(k), axis.clone(), value.clone())).collect()
        };
        if decides {
            let warn = |(at, axis, value): (Place, String, String)| {
                let spelled = quoted(&format!("{axis}: {value}"));
                self.warn("W202", &at, format!("no selected model has {spelled}"))
            };
            return claim.r#where.iter().flat_map(absent).map(warn).collect();
        }
        let whole = |(_, values): &(&String, &Several<String>)| -> bool { !values.0.is_empty() };
        let without = claim.r#where.iter().filter(whole).find(|&(axis, values)| !values.0.iter().any(|v| had(axis, v)));
        let (at, why) = match without {
            Some((axis, values)) => {
                let spelled: Vec<String> = values.0.iter().map(|value| format!("{axis}: {value}")).collect();
                (place.key("where").key(axis), format!("no selected model has {}", listed(&spelled)))
            }
            None => (place.clone(), "no selected model has all of its values".to_string()),
        };
        vec![self.warn("W201", &at, format!("the claim decides no cell: {why}"))]
    }
}

/// A cell, and the claims that speak of it.
struct CellClaims<'a> {
    property: Property,
    model: &'a Model,
    arrives: Option<Arrival>,
    claims: Vec<usize>,
}

/// The value of `model` on `axis`.
fn value(model: &Model, axis: &str) -> String {
    axes(&model.policy).into_iter().find(|(name, _)| name == axis).map_or(String::new(), |(_, value)| value)
}

fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut seen, one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
        seen
    })
}

/// Models in a sentence: not more than can be read at once.
fn models_text(names: &[&str]) -> String {
    let word = if names.len() == 1 { "the model" } else { "the models" };
    let more = match names.len().saturating_sub(MODELS_SHOWN_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{word} {}{more}", listed(&names[..names.len().min(MODELS_SHOWN_MAX)]))
}

//! What is refused in a scenario file although its keys and types are right, and why.

use super::claims::check_claims;
use super::{
    Adversary, InRoom, Model, Power, PowerEntry, RogueDevice, ScenarioFile, arrival_name, names_of, option_name,
    property_name,
};
use crate::input::{Diagnostic, Place, Source, quoted};
use crate::model::{DEVICES_MAX, HonestOption, PEOPLE_MAX, VIEWERS_MAX};
use crate::policy::{IdentityKind, IdentityReplacedBy, Joining, Membership, Policy};
use std::collections::{HashMap, HashSet};

/// What a name looks like, as a regular expression.
pub const NAME_PATTERN: &str = "^[a-z][a-z0-9.-]*$";

type Checked = Result<(), Box<Diagnostic>>;

/// A scenario file, sorted by what its names mean.
struct Cast<'a> {
    file: &'a ScenarioFile,
    source: &'a Source,
    people: Vec<&'a str>,
    accounts: Vec<&'a str>,
    honest_devices: Vec<&'a str>,
    rogue_devices: Vec<&'a str>,
    servers: Vec<String>,
}

/// Checks everything about a scenario file that does not depend on the models under test. A person's own `model` is
/// looked up by name in `known`.
pub fn check(file: &ScenarioFile, source: &Source, known: &[Model]) -> Result<(), Box<Diagnostic>> {
    let rogue = file.rogue_devices().iter().map(|d| &d.name);
    let rogue = rogue.chain(file.accounts().iter().flat_map(|a| &a.devices));
    let cast = Cast {
        file,
        source,
        people: file.people.iter().map(|p| p.name.as_str()).collect(),
        accounts: file.accounts().iter().map(|a| a.name.as_str()).collect(),
        honest_devices: file.people.iter().flat_map(|p| p.devices.iter().map(String::as_str)).collect(),
        rogue_devices: rogue.map(String::as_str).collect(),
        servers: names_of(file).servers,
    };
    cast.check_names()?;
    cast.check_limits()?;
    cast.check_people(known)?;
    cast.check_models(known)?;
    cast.check_room()?;
    cast.check_senders()?;
    cast.check_lists()?;
    if let Some(adversary) = &file.adversary {
        cast.check_adversary(adversary)?;
    }
    check_claims(file, source)
}

/// A name is one that commands, reports and charts can carry unchanged.
pub fn check_name(source: &Source, place: &Place, name: &str) -> Checked {
    let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(tail) {
        return Ok(());
    }
    let message = format!("{} cannot be a name", quoted(name));
    let expected = "lowercase letters, digits, hyphens and dots, a letter first";
    Err(source.error("E101", source.at(place), message).expected(expected))
}

/// A key of the file itself.
pub fn top(key: &str) -> Place {
    Place::root().key(key)
}

fn of_adversary(key: &str) -> Place {
    top("adversary").key(key)
}

impl<'a> Cast<'a> {
    fn error(&self, code: &'static str, place: &Place, message: impl Into<String>) -> Box<Diagnostic> {
        self.source.error(code, self.source.at(place), message)
    }

    /// What stands at `place` may not be empty.
    fn some(&self, place: &Place, empty: bool, message: &str) -> Checked {
        if empty { Err(self.error("E105", place, message)) } else { Ok(()) }
    }

    /// Nothing stands in the list at `place` twice.
    fn once(&self, place: &Place, names: impl Iterator<Item = &'a str>) -> Checked {
        let mut seen = HashMap::new();
        for (i, name) in names.enumerate() {
            if let Some(first) = seen.insert(name, i) {
                let first = self.source.at(&place.item(first));
                let message = format!("{} stands in {place} twice", quoted(name));
                return Err(self.error("E103", &place.item(i), message).also(first, "first here"));
            }
        }
        Ok(())
    }

    /// Accounts, the adversary's last, each with its place, name, server and devices.
    fn all_accounts(&self) -> impl Iterator<Item = (Place, &'a str, &'a str, &'a [String])> {
        let people = self.file.people.iter().enumerate();
        let people = people.map(|(i, p)| (top("people").item(i), p.name.as_str(), p.server.as_str(), &p.devices[..]));
        let accounts = self.file.accounts().iter().enumerate();
        people.chain(
            accounts
                .map(|(i, a)| (of_adversary("accounts").item(i), a.name.as_str(), a.server.as_str(), &a.devices[..])),
        )
    }

    /// The names of people, accounts and devices, with their places.
    fn declared(&self) -> Vec<(Place, &'a str)> {
        let mut declared = Vec::new();
        for (place, name, _, devices) in self.all_accounts() {
            declared.push((place.key("name"), name));
            let devices = devices.iter().enumerate();
            declared.extend(devices.map(|(j, d)| (place.key("devices").item(j), d.as_str())));
        }
        let rogue = self.file.rogue_devices().iter().enumerate();
        declared.extend(rogue.map(|(i, d)| (of_adversary("devices").item(i).key("name"), d.name.as_str())));
        declared
    }

    /// Names are well formed, and nobody shares one: a power or a step of a trace names people and devices alike.
    fn check_names(&self) -> Checked {
        check_name(self.source, &top("name"), &self.file.name)?;
        for (place, _, server, _) in self.all_accounts() {
            check_name(self.source, &place.key("server"), server)?;
        }
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for (place, name) in self.declared() {
            check_name(self.source, &place, name)?;
            if let Some(first) = seen.get(name) {
                let message = format!("the name {} is taken: people, accounts and devices share none", quoted(name));
                return Err(self.error("E102", &place, message).also(self.source.at(first), "first here"));
            }
            seen.insert(name, place);
        }
        Ok(())
    }

    fn check_limits(&self) -> Checked {
        let accounts: Vec<Place> = self.all_accounts().map(|(place, ..)| place.key("name")).collect();
        self.limit(&accounts, PEOPLE_MAX, "people, the adversary's accounts included")?;
        let declared = self.declared();
        let places = |of: &[&str]| -> Vec<Place> {
            let of: HashSet<&str> = of.iter().copied().collect();
            declared.iter().filter(|(_, name)| of.contains(name)).map(|(place, _)| place.clone()).collect()
        };
        self.limit(&places(&self.honest_devices), VIEWERS_MAX, "honest devices")?;
        let all = [&self.honest_devices[..], &self.rogue_devices[..]].concat();
        self.limit(&places(&all), DEVICES_MAX, "devices, the adversary's included")
    }

    /// There are at most `max` of what stands at `places`.
    fn limit(&self, places: &[Place], max: usize, what: &str) -> Checked {
        let Some(first_too_many) = places.get(max) else { return Ok(()) };
        let message = format!("too many {what}: {}, and the limit is {max}", places.len());
        Err(self.error("E104", first_too_many, message))
    }

    fn check_people(&self, known: &[Model]) -> Checked {
        self.some(&top("people"), self.file.people.is_empty(), "there are no people")?;
        for (place, name, _, devices) in self.all_accounts() {
            self.some(&place.key("devices"), devices.is_empty(), &format!("{} has no device", quoted(name)))?;
        }
        for (i, person) in self.file.people.iter().enumerate() {
            let Some(model) = &person.model else { continue };
            if !known.iter().any(|m| &m.name == model) {
                let names: Vec<&str> = known.iter().map(|m| m.name.as_str()).collect();
                let message = format!("there is no model {}", quoted(model));
                let place = top("people").item(i).key("model");
                return Err(self.error("E113", &place, message).known(model, &names));
            }
        }
        Ok(())
    }

    /// The models that a scenario is about exist, and there is one at least.
    fn check_models(&self, known: &[Model]) -> Checked {
        let names = |of: &dyn Fn(&Model) -> bool| -> Vec<&str> {
            known.iter().filter(|m| of(m)).map(|m| m.name.as_str()).collect()
        };
        let variants = &self.file.variants;
        let Some(models) = &self.file.models else {
            return self.are_models("variants", variants, "variant", &names(&|m| m.variant_of.is_some()));
        };
        self.some(&top("models"), models.is_empty(), "the scenario is about no model; leave the key out for all")?;
        self.some(&top("variants"), !variants.is_empty(), "`models` names all models; name these variants there too")?;
        self.are_models("models", models, "model", &names(&|_| true))
    }

    /// Each of the words under `key` is one of `names`, and stands there once.
    fn are_models(&self, key: &'static str, words: &[String], what: &str, names: &[&str]) -> Checked {
        self.once(&top(key), words.iter().map(String::as_str))?;
        let Some(i) = words.iter().position(|word| !names.contains(&word.as_str())) else { return Ok(()) };
        let message = format!("there is no {what} {}", quoted(&words[i]));
        Err(self.error("E113", &top(key).item(i), message).known(&words[i], names))
    }

    /// Who comes later can be invited, and somebody is there to do it.
    fn check_room(&self) -> Checked {
        let invited = |i: &usize| self.file.people[*i].in_room == InRoom::WhenInvited;
        let later: Vec<usize> = (0..self.file.people.len()).filter(invited).collect();
        let invite = self.file.options.iter().position(|option| option.0 == HonestOption::Invite);
        match (later.first(), invite) {
            (Some(&i), None) => {
                let name = quoted(&self.file.people[i].name);
                let place = top("people").item(i).key("in-room");
                Err(self
                    .error("E123", &place, format!("{name} is never in the room: nobody can invite"))
                    .help("add `invite` to `options`, or let them be there `at-first`"))
            }
            (None, Some(k)) => {
                let message = "`invite` has no effect: everybody is in the room at first";
                Err(self.error("E124", &top("options").item(k), message))
            }
            (Some(&i), Some(_)) if later.len() == self.file.people.len() => {
                let place = top("people").item(i).key("in-room");
                self.some(&place, true, "nobody is in the room at first, so nobody can invite")
            }
            _ => Ok(()),
        }
    }

    fn check_senders(&self) -> Checked {
        self.some(&top("senders"), self.file.senders.is_empty(), "nobody sends: no cell would say anything")?;
        self.once(&top("senders"), self.file.senders.iter().map(String::as_str))?;
        let mut senders = self.file.senders.iter().enumerate();
        senders.try_for_each(|(i, sender)| self.honest_device(&top("senders").item(i), sender))
    }

    /// The lists that are short and flat: properties and options.
    fn check_lists(&self) -> Checked {
        let properties = &self.file.properties;
        self.some(&top("properties"), properties.is_empty(), "no property is checked")?;
        self.once(&top("properties"), properties.iter().map(|p| property_name(p.0)))?;
        self.once(&top("options"), self.file.options.iter().map(|o| option_name(o.0)))
    }

    fn check_adversary(&self, adversary: &Adversary) -> Checked {
        let arrives = of_adversary("arrives");
        self.some(&arrives, adversary.arrives.is_empty(), "the adversary never arrives")?;
        self.once(&arrives, adversary.arrives.iter().map(|name| arrival_name(name.0)))?;
        let without = "the adversary has no power: a control has no `adversary` at all";
        self.some(&of_adversary("powers"), adversary.powers.is_empty(), without)?;
        for (i, power) in adversary.powers.iter().enumerate() {
            self.check_target(&of_adversary("powers").item(i).key("of"), power)?;
            self.check_repeated(&adversary.powers[..i], i, power)?;
        }
        for (i, device) in adversary.devices.iter().enumerate() {
            self.check_rogue(&of_adversary("devices").item(i), device)?;
        }
        self.check_accounts(adversary)
    }

    /// What a power works on exists, and is of the kind that it works on.
    fn check_target(&self, place: &Place, PowerEntry { power, of }: &PowerEntry) -> Checked {
        match power {
            Power::StealPassword | Power::HijackNumber | Power::StealRecovery | Power::PhishLink => {
                self.person(place, of)
            }
            Power::StealDevice => self.honest_device(place, of),
            Power::BreakTls if self.people.contains(&of.as_str()) => Ok(()),
            Power::BreakTls => {
                let clients = [&self.people[..], &self.honest_devices[..]].concat();
                self.one_of("E111", place, of, "an honest person or device", &clients)
            }
            Power::ControlServer => {
                let servers: Vec<&str> = self.servers.iter().map(String::as_str).collect();
                self.one_of("E112", place, of, "a server", &servers)
            }
            Power::AddMember => self.one_of("E114", place, of, "an account of the adversary", &self.accounts),
        }
    }

    fn person(&self, place: &Place, name: &str) -> Checked {
        self.one_of("E110", place, name, "an honest person", &self.people)
    }
    fn honest_device(&self, place: &Place, name: &str) -> Checked {
        self.one_of("E111", place, name, "an honest device", &self.honest_devices)
    }

    /// `name` is one of `valid`. If not: nobody has it (`code`), or somebody of another kind does (E120).
    fn one_of(&self, code: &'static str, place: &Place, name: &str, what: &str, valid: &[&str]) -> Checked {
        if valid.contains(&name) {
            return Ok(());
        }
        let kinds = [
            (&self.people, "a person"),
            (&self.accounts, "an account of the adversary"),
            (&self.honest_devices, "an honest device"),
            (&self.rogue_devices, "a device of the adversary"),
        ];
        let kind = kinds.iter().find(|(names, _)| names.contains(&name)).map(|(_, kind)| *kind);
        let kind = kind.or(self.servers.iter().any(|server| server == name).then_some("a server"));
        let refusal = match kind {
            Some(kind) => self.error("E120", place, format!("{} is {kind}, not {what}", quoted(name))),
            None => self.error(code, place, format!("{} is not {what} in this file", quoted(name))),
        };
        let refusal = if valid.is_empty() { refusal.expected(format!("{what}; there is none")) } else { refusal };
        Err(refusal.known(name, valid))
    }

    /// No power is there already, alone or as part of a wider one.
    fn check_repeated(&self, before: &[PowerEntry], i: usize, power: &PowerEntry) -> Checked {
        let Some(first) = before.iter().position(|other| self.covers(other, power) || self.covers(power, other)) else {
            return Ok(());
        };
        let [narrow, wide] = if self.covers(&before[first], power) { [i, first] } else { [first, i] };
        let entry = |i: usize| if i == before.len() { power } else { &before[i] };
        let place = |i: usize| of_adversary("powers").item(i);
        let message = match narrow > wide && entry(narrow) == entry(wide) {
            true => format!("{} is given twice", spelled(power)),
            false => format!("{} has no effect: {} includes it", spelled(entry(narrow)), spelled(entry(wide))),
        };
        Err(self.error("E127", &place(narrow), message).also(self.source.at(&place(wide)), "given here"))
    }

    /// Whether whoever has `wide` has `narrow`.
    fn covers(&self, wide: &PowerEntry, narrow: &PowerEntry) -> bool {
        let client_of = |name: &str| {
            let owner = self.file.people.iter().find(|p| p.devices.iter().any(|d| d == name));
            owner.is_some_and(|p| p.name == wide.of)
        };
        wide == narrow || wide.power == narrow.power && wide.power == Power::BreakTls && client_of(&narrow.of)
    }

    /// A rogue device claims an honest person, and comes under the id of no device but that person's.
    fn check_rogue(&self, place: &Place, device: &RogueDevice) -> Checked {
        if self.accounts.contains(&device.claims.as_str()) {
            let message = format!("{} claims the adversary's own account", quoted(&device.name));
            let refusal = self.error("E125", &place.key("claims"), message).known("", &self.people);
            return Err(refusal.help("a device of the account itself stands in the account's `devices`"));
        }
        self.person(&place.key("claims"), &device.claims)?;
        let Some(id) = &device.reuses_id_of else { return Ok(()) };
        let place = place.key("reuses-id-of");
        let [name, owner] = [&device.name, &device.claims].map(|name| quoted(name));
        let claimed = self.file.people.iter().find(|p| p.name == device.claims);
        let devices: Vec<&str> = claimed.iter().flat_map(|p| p.devices.iter().map(String::as_str)).collect();
        if !self.honest_devices.contains(&id.as_str()) {
            return self.one_of("E111", &place, id, &format!("an honest device of {owner}"), &devices);
        }
        if devices.contains(&id.as_str()) {
            return Ok(());
        }
        let id = quoted(id);
        let message = format!("{name} claims {owner}, so it cannot reuse the id of {id}, which is not of {owner}");
        Err(self.error("E121", &place, message).known("", &devices))
    }

    /// Every account of the adversary is for something.
    fn check_accounts(&self, adversary: &Adversary) -> Checked {
        let added = |name: &str| adversary.powers.iter().any(|p| p.power == Power::AddMember && p.of == name);
        let Some(i) = self.accounts.iter().position(|name| !added(name)) else { return Ok(()) };
        let message = format!("the account {} has no effect: no power adds it to the room", quoted(self.accounts[i]));
        let help = format!("add `{{ \"power\": \"add-member\", \"of\": \"{}\" }}` to the powers", self.accounts[i]);
        Err(self.error("E122", &of_adversary("accounts").item(i).key("name"), message).help(help))
    }
}

/// A power as one word for messages: `hijack-number bob`.
fn spelled(PowerEntry { power, of }: &PowerEntry) -> String {
    quoted(&format!("{} {of}", power.name()))
}

/// Checks that every power of a checked file matters under some selected model. A person's own `model` is looked up
/// by name in `known`, and decides alone on powers over that person.
pub fn check_powers(
    file: &ScenarioFile,
    source: &Source,
    selected: &[Model],
    known: &[Model],
) -> Result<(), Box<Diagnostic>> {
    check_powers_of(file, source, selected, known).into_iter().next().map_or(Ok(()), |refusal| Err(Box::new(refusal)))
}

/// A refusal of each power that [`check_powers`] refuses.
pub fn check_powers_of(file: &ScenarioFile, source: &Source, selected: &[Model], known: &[Model]) -> Vec<Diagnostic> {
    let mut refusals = Vec::new();
    for (i, entry) in file.powers().iter().enumerate() {
        let Some((matters, denial)) = need(entry.power) else { continue };
        let whose: Vec<&str> = match entry.power {
            Power::AddMember => file.people.iter().map(|p| p.name.as_str()).collect(),
            _ => vec![&entry.of],
        };
        if !whose.iter().any(|name| policies_of(file, name, selected, known).into_iter().any(matters)) {
            let message = format!("{} has no effect: no selected model {denial}", spelled(entry));
            let refusal = source.error("E126", source.at(&of_adversary("powers").item(i)), message);
            let fixed = file.people.iter().find(|p| p.name == entry.of).and_then(|p| p.model.as_ref());
            refusals.push(*match fixed {
                None => refusal,
                Some(model) => refusal.help(format!(
                    "only {} counts for {}, whose `model` it is",
                    quoted(model),
                    quoted(&entry.of)
                )),
            });
        }
    }
    refusals
}

/// The policies that a person may have: that of their own `model`, or those of the models under test.
pub fn policies_of<'a>(file: &ScenarioFile, name: &str, selected: &'a [Model], known: &'a [Model]) -> Vec<&'a Policy> {
    let fixed = file.people.iter().find(|p| p.name == name).and_then(|p| p.model.as_ref());
    match fixed.and_then(|fixed| known.iter().find(|m| &m.name == fixed)) {
        Some(model) => vec![&model.policy],
        None => selected.iter().map(|m| &m.policy).collect(),
    }
}

/// What a policy must say for a power to matter, and what no model does if none says so.
type Need = (fn(&Policy) -> bool, &'static str);

/// What a power needs; none if it always matters.
fn need(power: Power) -> Option<Need> {
    let password = |p: &Policy| p.joins_by_password() || p.identity_replaced_by == IdentityReplacedBy::Password;
    let number =
        |p: &Policy| p.identity_replaced_by == IdentityReplacedBy::Number || p.joining == Joining::PasswordAndCode;
    let recovery = |p: &Policy| p.identity == IdentityKind::SignsDevices;
    let approval = |p: &Policy| p.joins_by_approval() || p.identity == IdentityKind::SignsDevices;
    let word = |p: &Policy| p.membership != Membership::Signed;
    match power {
        Power::StealPassword => Some((password, "lets a password open an account or replace an identity")),
        Power::HijackNumber => Some((number, "lets a number replace an account or asks for a code sent to it")),
        Power::StealRecovery => Some((recovery, "has a recovery key")),
        Power::PhishLink => Some((approval, "lets a person approve another device")),
        Power::AddMember => Some((word, "takes the server's word for who is in the room")),
        Power::BreakTls | Power::ControlServer | Power::StealDevice => None,
    }
}

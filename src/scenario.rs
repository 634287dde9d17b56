//! A scenario file, and how it becomes a [`World`] and the names in it.
//!
//! [`read_scenario`] gives a file whose keys and types are right; [`compile`] checks everything else and numbers
//! whoever is in it. After that nothing is out of range. What files of models say is in `model_file`, what is
//! refused and why in `check`, what is expected of each cell in `claims`, what has no effect in `lint`.

mod check;
mod claims;
mod lint;
mod model_file;
mod people_file;

pub use check::{check, check_powers};
pub use claims::decide_cell;
pub use lint::{TO_DO, lint_honest_run, lint_model, lint_people, lint_scenario};
pub use model_file::{AxisChoice, Model, ModelFile, axes, axis_values, read_model};
pub use people_file::{Basis, HABITS, Number, PeopleFile, Per, Profile, habit_name, read_people};

use crate::input::{self, Diagnostic, Source, parse};
use crate::model::bits::Index;
use crate::model::world::Powers;
use crate::model::{Arrival, DEVICES_MAX, Device, HonestOption, PEOPLE_MAX, Person, Property, Server, Set, World};
use crate::policy::Policy;
use crate::trace::Names;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::marker::PhantomData;

/// Every property with its name in files.
pub const PROPERTIES: [(Property, &str); 13] = [
    (Property::NoInvisibleListener, "no-invisible-listener"),
    (Property::NoHiddenKey, "no-hidden-key"),
    (Property::NoUnnoticedLeak, "no-unnoticed-leak"),
    (Property::NoSilentLeak, "no-silent-leak"),
    (Property::NoRogueKey, "no-rogue-key"),
    (Property::PastStaysPrivate, "past-stays-private"),
    (Property::RemovalEndsAccess, "removal-ends-access"),
    (Property::NeverShownAsVerified, "never-shown-as-verified"),
    (Property::NoUninvitedReader, "no-uninvited-reader"),
    (Property::NoUnseenReader, "no-unseen-reader"),
    (Property::NoBlockedRoom, "no-blocked-room"),
    (Property::NoLockOut, "no-lock-out"),
    (Property::EverybodyReads, "everybody-reads"),
];

/// Every arrival of the adversary with its name in files.
pub const ARRIVALS: [(Arrival, &str); 3] = [
    (Arrival::FromStart, "from-start"),
    (Arrival::AfterFirstContact, "after-first-contact"),
    (Arrival::AfterVerification, "after-verification"),
];

/// Every honest option with its name in files.
pub const OPTIONS: [(HonestOption, &str); 5] = [
    (HonestOption::RemoveDevice, "remove-device"),
    (HonestOption::ResetIdentity, "reset-identity"),
    (HonestOption::LogOut, "log-out"),
    (HonestOption::ChangePassword, "change-password"),
    (HonestOption::Invite, "invite"),
];

/// What `value` is called in files.
fn name_in<T: PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|row| row.0 == value).expect("every table of names is total").1
}

/// What has this name in files.
fn by_name<T: Copy>(table: &[(T, &'static str)], name: &str) -> Option<T> {
    table.iter().find(|row| row.1 == name).map(|row| row.0)
}

/// The names of a table.
const fn names<T: Copy, const N: usize>(table: &[(T, &'static str); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = table[i].1;
        i += 1;
    }
    names
}

/// A property's name in files.
pub fn property_name(property: Property) -> &'static str {
    name_in(&PROPERTIES, property)
}

/// The property of that name.
pub fn property_by_name(name: &str) -> Option<Property> {
    by_name(&PROPERTIES, name)
}

/// An arrival's name in files.
pub fn arrival_name(arrival: Arrival) -> &'static str {
    name_in(&ARRIVALS, arrival)
}

/// The arrival of that name.
pub fn arrival_by_name(name: &str) -> Option<Arrival> {
    by_name(&ARRIVALS, name)
}

/// An honest option's name in files.
pub fn option_name(option: HonestOption) -> &'static str {
    name_in(&OPTIONS, option)
}

/// Declares types of names: the model knows no serde, so files have its values wrapped.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident($of:ty) in $table:ident)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                const NAMES: &[&str] = &names(&$table);
                let name = String::deserialize(input)?;
                by_name(&$table, &name).map(Self).ok_or_else(|| de::Error::unknown_variant(&name, NAMES))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                output.serialize_str(name_in(&$table, self.0))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": names(&$table) })
            }
        }
    )+ };
}

named! {
    /// A property, by its name.
    PropertyName(Property) in PROPERTIES
    /// An arrival, by its name.
    ArrivalName(Arrival) in ARRIVALS
    /// An honest option, by its name.
    OptionName(HonestOption) in OPTIONS
}

/// One value or a list of values: any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct OneOrMany<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
            type Value = Several<T>;
            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("a name in quotes or a list of names")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                T::deserialize(name.into_deserializer()).map(|one| Several(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = list.next_element()? {
                    many.push(one);
                }
                Ok(Several(many))
            }
        }
        input.deserialize_any(OneOrMany(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// A scenario: a cast, an adversary, and what is expected of every cell.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScenarioFile {
    /// Where the schema of this file is.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// The format of this file: 1.
    #[schemars(extend("const" = 1))]
    pub format: u32,
    /// The name by which commands and reports call the scenario.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub name: String,
    /// A short title.
    pub title: String,
    /// One paragraph: what happens, what it is for.
    pub about: String,
    /// Whether the scenario is checked by default.
    #[serde(deserialize_with = "input::name")]
    pub size: Size,
    /// The models that the scenario tells apart; absent: all but variants. Others are tried if they are asked for by
    /// name.
    pub models: Option<Vec<String>>,
    /// The variants that it tells apart besides; only where `models` is absent.
    #[serde(default)]
    pub variants: Vec<String>,
    /// The honest people, 1 to 4 together with the adversary's accounts.
    #[serde(deserialize_with = "input::objects")]
    pub people: Vec<PersonEntry>,
    /// The honest devices that send messages.
    pub senders: Vec<String>,
    /// Honest actions that are switched on because somebody needs them here.
    #[serde(default)]
    pub options: Vec<OptionName>,
    /// The adversary; absent in a control.
    #[serde(default, deserialize_with = "input::object")]
    #[schemars(with = "Adversary")]
    pub adversary: Option<Adversary>,
    /// The properties that the scenario is about.
    pub properties: Vec<PropertyName>,
    /// What is expected: every cell is decided by exactly one.
    #[serde(deserialize_with = "input::objects")]
    pub expectations: Vec<Expectation>,
}

/// How big a scenario's state space is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Checked whenever anything is.
    Base,
    /// Checked when everything is.
    Large,
}

/// A person with an account and devices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PersonEntry {
    /// Unique among people, accounts and devices.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub name: String,
    /// The homeserver's name.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub server: String,
    /// How the person answers prompts and compares keys.
    #[serde(deserialize_with = "input::name")]
    pub care: Care,
    /// When the person is in the room.
    #[serde(deserialize_with = "input::name")]
    pub in_room: InRoom,
    /// The model that fixes this person's policy; absent: the model under test.
    pub model: Option<String>,
    /// The person's devices, in the order in which stories name them.
    pub devices: Vec<String>,
}

/// How a person answers prompts and compares keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Care {
    /// Says yes to nothing that was not verified, and blocks what fails.
    Careful,
    /// May click through any prompt.
    Hurried,
    /// Says yes to nothing that was not verified, but may overlook that keys differ when comparing them.
    Inattentive,
}

/// When a person is in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InRoom {
    /// From the beginning.
    AtFirst,
    /// Once somebody in the room invites them.
    WhenInvited,
}

/// What the adversary can do, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Adversary {
    /// When the adversary starts to act: each is a cell of its own.
    pub arrives: Vec<ArrivalName>,
    /// The powers, which combine.
    #[serde(deserialize_with = "input::objects")]
    pub powers: Vec<PowerEntry>,
    /// Devices in the adversary's hands that are claimed to be an honest person's.
    #[serde(default, deserialize_with = "input::objects")]
    pub devices: Vec<RogueDevice>,
    /// The adversary's own accounts.
    #[serde(default, deserialize_with = "input::objects")]
    pub accounts: Vec<Account>,
}

/// One power and whom or what it works on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PowerEntry {
    /// The power.
    #[serde(deserialize_with = "input::name")]
    pub power: Power,
    /// The person, device, server or account that it works on.
    pub of: String,
}

/// A thing that an adversary can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Takes a person's password, once.
    StealPassword,
    /// Reads and rewrites the link of one client, or of all clients of a person.
    BreakTls,
    /// Holds a homeserver.
    ControlServer,
    /// Takes over a person's phone number.
    HijackNumber,
    /// Takes a person's recovery key.
    StealRecovery,
    /// Takes an honest device, unlocked.
    StealDevice,
    /// Has a person approve the adversary's device by mistake.
    PhishLink,
    /// Puts an account of the adversary's own into the room.
    AddMember,
}

impl Power {
    /// The power's name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::StealPassword => "steal-password",
            Self::BreakTls => "break-tls",
            Self::ControlServer => "control-server",
            Self::HijackNumber => "hijack-number",
            Self::StealRecovery => "steal-recovery",
            Self::StealDevice => "steal-device",
            Self::PhishLink => "phish-link",
            Self::AddMember => "add-member",
        }
    }
}

/// A device of the adversary that is claimed to be an honest person's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RogueDevice {
    /// Unique among people, accounts and devices.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub name: String,
    /// The person whose device it is said to be.
    pub claims: String,
    /// The honest device of that person under whose id it comes.
    pub reuses_id_of: Option<String>,
    /// What it is said to be; absent: an ordinary device.
    pub poses_as: Option<Pose>,
}

/// What a device of the adversary can be said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pose {
    /// A device whose private keys the server stores, for while all others are off.
    Dehydrated,
}

/// An account of the adversary's own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// Unique among people, accounts and devices.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub name: String,
    /// The homeserver's name.
    #[schemars(extend("pattern" = check::NAME_PATTERN))]
    pub server: String,
    /// Its devices.
    pub devices: Vec<String>,
}

/// A claim over axis values: what comes out in every cell that it matches, and why.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expectation {
    /// Axis values of the model under test; all must match, `{}` matches every model.
    #[schemars(schema_with = "model_file::where_schema")]
    pub r#where: BTreeMap<String, Several<String>>,
    /// The arrival that is meant; absent: every one.
    pub arrives: Option<ArrivalName>,
    /// The property, or several.
    pub property: Several<PropertyName>,
    /// What comes out.
    #[serde(deserialize_with = "input::name")]
    pub expect: Expect,
    /// Why, so that a reviewer can check it by thinking.
    pub why: String,
}

/// What is expected of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// The property holds in every state; of a possibility: some run shows it.
    Holds,
    /// Some state violates the property; of a possibility: no run shows it.
    Violated,
}

impl ScenarioFile {
    /// The properties that the scenario is about, in the file's order.
    pub fn properties(&self) -> impl Iterator<Item = Property> + use<'_> {
        self.properties.iter().map(|name| name.0)
    }

    /// The arrivals that make cells of their own; a control without adversary has the one cell `None`.
    pub fn arrivals(&self) -> Vec<Option<Arrival>> {
        let Some(adversary) = &self.adversary else { return vec![None] };
        adversary.arrives.iter().map(|name| Some(name.0)).collect()
    }

    /// Whether the scenario is meant for this model, where nobody asks for it by name.
    pub fn is_about(&self, model: &Model) -> bool {
        match &self.models {
            Some(models) => models.contains(&model.name),
            None => model.variant_of.is_none() || self.variants.contains(&model.name),
        }
    }

    fn accounts(&self) -> &[Account] {
        self.adversary.as_ref().map_or(&[], |adversary| &adversary.accounts)
    }
    fn rogue_devices(&self) -> &[RogueDevice] {
        self.adversary.as_ref().map_or(&[], |adversary| &adversary.devices)
    }
    fn powers(&self) -> &[PowerEntry] {
        self.adversary.as_ref().map_or(&[], |adversary| &adversary.powers)
    }
}

/// What the people, devices and servers of a scenario file are called, by index.
fn names_of(file: &ScenarioFile) -> Names {
    let accounts = file.accounts();
    let people = file.people.iter().map(|p| &p.name).chain(accounts.iter().map(|a| &a.name));
    let honest = file.people.iter().flat_map(|p| &p.devices);
    let rogue = file.rogue_devices().iter().map(|d| &d.name);
    let devices = honest.chain(rogue).chain(accounts.iter().flat_map(|a| &a.devices));
    let mut servers: Vec<String> = Vec::new();
    for server in file.people.iter().map(|p| &p.server).chain(accounts.iter().map(|a| &a.server)) {
        if !servers.contains(server) {
            servers.push(server.clone());
        }
    }
    Names { people: people.cloned().collect(), devices: devices.cloned().collect(), servers }
}

/// Reads a scenario file: its keys and types are right afterwards, [`check`] and [`compile`] look at the rest.
pub fn read_scenario(source: &Source) -> Result<ScenarioFile, Box<Diagnostic>> {
    parse(source)
}

/// Checks a scenario file, and compiles it for one model under test and one arrival. A person's own `model` is looked
/// up by name in `known`. A control without adversary has no powers, and nobody to arrive later.
pub fn compile(
    file: &ScenarioFile,
    source: &Source,
    model: &Model,
    known: &[Model],
    arrives: Arrival,
) -> Result<(World, Names), Box<Diagnostic>> {
    check(file, source, known)?;
    let names = names_of(file);
    Ok((world(file, &names, model, known, arrives), names))
}

/// The world of a checked file.
fn world(file: &ScenarioFile, names: &Names, model: &Model, known: &[Model], arrives: Arrival) -> World {
    let owner = owners(file, names);
    let mut devices_of = [Set::EMPTY; PEOPLE_MAX];
    for (d, p) in owner.iter().enumerate().take(names.devices.len()) {
        devices_of[p.index()] = devices_of[p.index()].with(Device::at(d));
    }
    let reuses = reuses(file, names);
    let count_honest = file.people.iter().map(|p| p.devices.len()).sum();
    let count_claimed = count_honest + file.rogue_devices().len();
    let devices = Set::first(names.devices.len());
    World {
        people: names.people.len(),
        devices: names.devices.len(),
        owner,
        honest: Set::first(count_honest),
        rogue: Set::first(count_claimed).minus(Set::first(count_honest)),
        uninvited_devices: devices.minus(Set::first(count_claimed)),
        devices_of,
        reuses,
        reused: reuses.into_iter().flatten().collect(),
        dehydrated: dehydrated(file, names),
        uninvited: Set::first(names.people.len()).minus(Set::first(file.people.len())),
        senders: file.senders.iter().map(|d| device(names, d)).collect(),
        members: people_who(file, |p| p.in_room == InRoom::AtFirst),
        server: servers(file, names),
        policy: policies(file, model, known),
        hurried: people_who(file, |p| p.care == Care::Hurried),
        inattentive: people_who(file, |p| p.care == Care::Inattentive),
        powers: powers(file, names, &devices_of, Set::first(count_honest)),
        options: OPTIONS.map(|(option, _)| file.options.contains(&OptionName(option))),
        arrives: if file.adversary.is_some() { arrives } else { Arrival::FromStart },
    }
}

fn people_who(file: &ScenarioFile, is: impl Fn(&PersonEntry) -> bool) -> Set<Person> {
    (0..file.people.len()).filter(|&i| is(&file.people[i])).map(Person::at).collect()
}

/// Whose each device is, in the order of numbers: honest ones, the adversary's, those of its accounts.
fn owners(file: &ScenarioFile, names: &Names) -> [Person; DEVICES_MAX] {
    let honest = file.people.iter().flat_map(|p| p.devices.iter().map(|_| person(names, &p.name)));
    let rogue = file.rogue_devices().iter().map(|d| person(names, &d.claims));
    let uninvited = file.accounts().iter().flat_map(|a| a.devices.iter().map(|_| person(names, &a.name)));
    let mut owner = [Person(0); DEVICES_MAX];
    honest.chain(rogue).chain(uninvited).zip(&mut owner).for_each(|(p, slot)| *slot = p);
    owner
}

fn reuses(file: &ScenarioFile, names: &Names) -> [Option<Device>; DEVICES_MAX] {
    let mut reuses = [None; DEVICES_MAX];
    for rogue in file.rogue_devices() {
        reuses[device(names, &rogue.name).index()] = rogue.reuses_id_of.as_ref().map(|d| device(names, d));
    }
    reuses
}

fn dehydrated(file: &ScenarioFile, names: &Names) -> Set<Device> {
    let posing = file.rogue_devices().iter().filter(|d| d.poses_as == Some(Pose::Dehydrated));
    posing.map(|d| device(names, &d.name)).collect()
}

fn servers(file: &ScenarioFile, names: &Names) -> [Server; PEOPLE_MAX] {
    let all = file.people.iter().map(|p| &p.server).chain(file.accounts().iter().map(|a| &a.server));
    let mut server = [Server(0); PEOPLE_MAX];
    all.zip(&mut server).for_each(|(name, slot)| *slot = self::server(names, name));
    server
}

/// Everybody has the policy of the model under test, unless the file fixes another.
fn policies(file: &ScenarioFile, model: &Model, known: &[Model]) -> [Policy; PEOPLE_MAX] {
    let mut policy = [model.policy; PEOPLE_MAX];
    for (person, slot) in file.people.iter().zip(&mut policy) {
        if let Some(fixed) = &person.model {
            *slot = known.iter().find(|m| &m.name == fixed).expect("check knows every fixed model").policy;
        }
    }
    policy
}

fn powers(file: &ScenarioFile, names: &Names, devices_of: &[Set<Device>; PEOPLE_MAX], honest: Set<Device>) -> Powers {
    let mut powers = Powers::default();
    for PowerEntry { power, of } in file.powers() {
        match power {
            Power::StealPassword => powers.steal_password = powers.steal_password.with(person(names, of)),
            Power::BreakTls => {
                let clients = match names.person_named(of) {
                    Some(p) => devices_of[p.index()].and(honest),
                    None => Set::EMPTY.with(device(names, of)),
                };
                powers.break_tls = powers.break_tls.union(clients);
            }
            Power::ControlServer => powers.control_server = powers.control_server.with(server(names, of)),
            Power::HijackNumber => powers.hijack_number = powers.hijack_number.with(person(names, of)),
            Power::StealRecovery => powers.steal_recovery = powers.steal_recovery.with(person(names, of)),
            Power::StealDevice => powers.steal_device = powers.steal_device.with(device(names, of)),
            Power::PhishLink => powers.phish_link = powers.phish_link.with(person(names, of)),
            Power::AddMember => powers.add_member = true,
        }
    }
    powers
}

// A checked file names nobody who is not in it.
fn person(names: &Names, name: &str) -> Person {
    names.person_named(name).expect("check knows every person")
}
fn device(names: &Names, name: &str) -> Device {
    names.device_named(name).expect("check knows every device")
}
fn server(names: &Names, name: &str) -> Server {
    names.server_named(name).expect("check knows every server")
}

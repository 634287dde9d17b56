//! A file about people: how often they do things and how they answer, each number with where it comes from.

use super::check::{NAME_PATTERN, check_name};
use crate::input::{self, Diagnostic, Place, Source, parse, quoted};
use crate::simulate::habits::{Habit, Habits, RATE_MAX, Unfit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Every habit with its name in files.
pub const HABITS: [(Habit, &str); 18] = [
    (Habit::Messages, "messages"),
    (Habit::SignsIn, "signs-in"),
    (Habit::NewDevices, "new-devices"),
    (Habit::Resets, "resets"),
    (Habit::LogOuts, "log-outs"),
    (Habit::PasswordChanges, "password-changes"),
    (Habit::Invitations, "invitations"),
    (Habit::OwnLooks, "own-looks"),
    (Habit::ContactLooks, "contact-looks"),
    (Habit::LogComparisons, "log-comparisons"),
    (Habit::Ceremonies, "ceremonies"),
    (Habit::Answers, "answers"),
    (Habit::ClientSteps, "client-steps"),
    (Habit::Verifies, "verifies"),
    (Habit::ClicksThrough, "clicks-through"),
    (Habit::TakesOff, "takes-off"),
    (Habit::Miscompares, "miscompares"),
    (Habit::Overlooks, "overlooks"),
];

/// A habit's name in files.
pub fn habit_name(habit: Habit) -> &'static str {
    super::name_in(&HABITS, habit)
}

/// People, with the source of each of their numbers.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PeopleFile {
    /// Where the schema of this file is.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// The format of this file: 1.
    #[schemars(extend("const" = 1))]
    pub format: u32,
    /// The name by which commands and reports call these people.
    #[schemars(extend("pattern" = NAME_PATTERN))]
    pub name: String,
    /// A short title.
    pub title: String,
    /// One paragraph: who they are, and what is known of them.
    pub about: String,
    /// Every habit with its number and where that comes from.
    #[schemars(schema_with = "habits_schema")]
    #[serde(deserialize_with = "input::object_map")]
    pub habits: BTreeMap<String, Number>,
}

/// A number about people.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Number {
    /// How many times in the time that `per` names, or a probability from 0 to 1.
    pub value: f64,
    /// The time in which a rate counts; absent for a probability.
    pub per: Option<Per>,
    /// Whether somebody measured the number.
    pub basis: Basis,
    /// The least that it may well be; needed where it is assumed.
    pub low: Option<f64>,
    /// The most that it may well be; needed where it is assumed.
    pub high: Option<f64>,
    /// Where it was read, how it was derived, or why it was assumed.
    pub source: String,
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 365.25 days.
    Year,
}

impl Per {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Year => "year",
        }
    }
    /// How many days it has.
    pub fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Week => 7.0,
            Self::Year => 365.25,
        }
    }
}

/// What a number rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Somebody measured it on people, in the source named.
    Measured,
    /// It follows from what somebody measured or said, as the source says.
    Derived,
    /// Nobody is known to have measured it: it stands for a range.
    Assumed,
}

/// People whose file was checked.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name by which commands and reports call them.
    pub name: String,
    /// A short title.
    pub title: String,
    /// Who they are, and what is known of them.
    pub about: String,
    /// Their numbers.
    pub habits: Habits,
    /// What each number rests on, in the order of the habits.
    pub numbers: Vec<(Habit, Number)>,
    /// The file that they were read from.
    pub file: Source,
}

impl Profile {
    /// The range of each number that is assumed.
    pub fn assumed(&self) -> impl Iterator<Item = (Habit, f64, f64)> + '_ {
        let assumed = self.numbers.iter().filter(|(_, number)| number.basis == Basis::Assumed);
        assumed.filter_map(|(habit, n)| Some((*habit, a_day(n, n.low?), a_day(n, n.high?))))
    }
}

/// A number of a habit as often a day, or as the probability that it is.
fn a_day(number: &Number, value: f64) -> f64 {
    value / number.per.map_or(1.0, Per::days)
}

/// Reads and checks a file about people.
pub fn read_people(source: &Source) -> Result<Profile, Box<Diagnostic>> {
    let file: PeopleFile = parse(source)?;
    check_name(source, &Place::root().key("name"), &file.name)?;
    let place = Place::root().key("habits");
    let names = HABITS.map(|(_, name)| name);
    if let Some(name) = file.habits.keys().find(|name| !names.contains(&name.as_str())) {
        let message = format!("{} is not a habit", quoted(name));
        return Err(source.error("E160", source.key_at(&place.key(name)), message).known(name, &names));
    }
    let (mut habits, mut numbers) = (Habits::NONE, Vec::new());
    for (habit, name) in HABITS {
        let missing = || source.error("E161", source.at(&place), format!("{place} lacks the habit {}", quoted(name)));
        let number = file.habits.get(name).ok_or_else(missing)?;
        habits = check_number(source, &place.key(name), habit, number, habits)?;
        numbers.push((habit, number.clone()));
    }
    let PeopleFile { name, title, about, .. } = file;
    Ok(Profile { name, title, about, habits, numbers, file: source.clone() })
}

/// A number and its range are fit for the habit, and it says what it rests on. Returns the habits with it.
fn check_number(
    source: &Source,
    place: &Place,
    habit: Habit,
    number: &Number,
    habits: Habits,
) -> Result<Habits, Box<Diagnostic>> {
    match (habit.is_probability(), number.per) {
        (true, Some(_)) => {
            let message = format!("{place} is a probability, so it is not `per` anything");
            return Err(source.error("E162", source.key_at(&place.key("per")), message));
        }
        (false, None) => {
            let message = format!("{place} is a rate and lacks `per`");
            return Err(source.error("E162", source.at(place), message).expected("`day`, `week` or `year`"));
        }
        _ => {}
    }
    let fit = |key: &str, value: f64| {
        let unfit =
            |why| source.error("E163", source.at(&place.key(key)), unfit_words(value, why)).expected(range(habit));
        habits.with(habit, a_day(number, value)).map_err(unfit)
    };
    let fitting = fit("value", number.value)?;
    let ends = [("low", number.low), ("high", number.high)];
    for (key, end) in ends {
        match end {
            Some(value) => fit(key, value).map(drop)?,
            None if number.basis == Basis::Assumed => {
                let message = format!("{place} is assumed and lacks `{key}`");
                let help = "what nobody measured stands for a range, which is swept";
                return Err(source.error("E164", source.at(place), message).help(help));
            }
            None => {}
        }
    }
    let (low, high) = (number.low.unwrap_or(number.value), number.high.unwrap_or(number.value));
    if !(low..=high).contains(&number.value) {
        let message = format!("{} is not between {place}'s `low` and `high`", number.value);
        return Err(source.error("E165", source.at(&place.key("value")), message));
    }
    if number.source.trim().is_empty() {
        let message = format!("{place} has no source");
        let help = "name the paper in which it was read, how it follows from one, or why it was assumed";
        return Err(source.error("E166", source.at(&place.key("source")), message).help(help));
    }
    Ok(fitting)
}

/// What numbers are fit for a habit.
fn range(habit: Habit) -> String {
    match habit.is_probability() {
        true => "a probability from 0 to 1".to_string(),
        false => format!("a rate from 0 to {RATE_MAX} a day"),
    }
}

fn unfit_words(value: f64, why: Unfit) -> String {
    let value = serde_json::json!(value);
    match why {
        Unfit::NotFinite => format!("{value} is no number"),
        Unfit::Negative => format!("{value} is less than 0"),
        Unfit::OverOne => format!("{value} is more than 1"),
        Unfit::TooOften => format!("{value} is more often than once a second"),
    }
}

/// The schema of the habits: all of them.
fn habits_schema(generator: &mut SchemaGenerator) -> Schema {
    let number = generator.subschema_for::<Number>();
    let properties: Map<String, Value> =
        HABITS.iter().map(|(_, name)| (name.to_string(), number.clone().into())).collect();
    let names = HABITS.map(|(_, name)| name);
    json_schema!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false
    })
}

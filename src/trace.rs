//! A trace is a list of actions: it is replayed by the plain rules, made minimal, printed and read back.
//!
//! One action is one line of words in the scenario's names, e.g. `send alice-phone bob=forged+mallory`. An answer is a
//! person's name for the truth, or `person=identity` with `~device` for each honest device that it leaves out and
//! `+device` for each device of the adversary that it lists.

use crate::model::action::possible;
use crate::model::bits::Index;
use crate::model::people::Publication;
use crate::model::{
    Action, Answer, Blocked, Device, Lie, PEOPLE_MAX, Person, Property, Server, Set, Shown, State, World,
};
use crate::model::{property, step};
use std::fmt;

/// What the indices of a [`World`] are called in its scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The name of each person, by index.
    pub people: Vec<String>,
    /// The name of each device, by index, the adversary's included.
    pub devices: Vec<String>,
    /// The name of each homeserver, by index.
    pub servers: Vec<String>,
}

impl Names {
    /// The name of `p`. Panics if the scenario has no such person.
    pub fn person(&self, p: Person) -> &str {
        &self.people[p.index()]
    }
    /// The name of `d`. Panics if the scenario has no such device.
    pub fn device(&self, d: Device) -> &str {
        &self.devices[d.index()]
    }
    /// The person of that name.
    pub fn person_named(&self, name: &str) -> Option<Person> {
        self.people.iter().position(|n| n == name).map(Person::at)
    }
    /// The device of that name.
    pub fn device_named(&self, name: &str) -> Option<Device> {
        self.devices.iter().position(|n| n == name).map(Device::at)
    }
    /// The server of that name.
    pub fn server_named(&self, name: &str) -> Option<Server> {
        self.servers.iter().position(|n| n == name).map(Server::at)
    }
}

/// A step of a trace that cannot happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayError {
    /// The step, counted from 1.
    pub step: usize,
    /// What was to happen in that step.
    pub action: Action,
    /// The guard that does not hold.
    pub blocked: Blocked,
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} cannot happen: blocked by {:?}", self.step, self.blocked)
    }
}

impl std::error::Error for ReplayError {}

/// The states that `actions` lead through, the initial one first, by the plain rules.
pub fn replay(w: &World, actions: &[Action]) -> Result<Vec<State>, ReplayError> {
    let mut states = vec![w.initial()];
    for (i, &action) in actions.iter().enumerate() {
        let next = step(w, states[i], action).map_err(|blocked| ReplayError { step: i + 1, action, blocked })?;
        states.push(next);
    }
    Ok(states)
}

/// The place of the first of `actions` that no state of `w` allows. [`step`] does not look for such: whoever searches
/// takes actions from [`possible`], but a file may say anything.
pub fn foreign(w: &World, actions: &[Action]) -> Option<usize> {
    let possible = possible(w);
    actions.iter().position(|a| possible.binary_search(a).is_err())
}

/// Whether `actions` can happen and end where the property's condition has the value `met`.
pub fn ends_with(w: &World, actions: &[Action], property: Property, met: bool) -> bool {
    let last = replay(w, actions).ok().and_then(|states| states.last().copied());
    last.is_some_and(|s| property::condition(w, s, property) == met)
}

/// The trace without any action that it does not need to end where `property` fails.
pub fn minimise(w: &World, actions: &[Action], property: Property) -> Vec<Action> {
    let mut kept = actions.to_vec();
    let mut i = 0;
    while i < kept.len() {
        let mut shorter = kept.clone();
        shorter.remove(i);
        if ends_with(w, &shorter, property, false) {
            kept = shorter;
            i = 0;
        } else {
            i += 1;
        }
    }
    kept
}

/// The word that an identity is written as in an answer.
fn shown_word(shown: Shown) -> &'static str {
    match shown {
        Shown::Nothing => "nothing",
        Shown::True => "true",
        Shown::Old => "old",
        Shown::Forged => "forged",
        Shown::Stealth => "stealth",
    }
}

/// An answer about `p`, as text.
pub fn answer_text(names: &Names, p: Person, answer: Answer) -> String {
    let Answer::Lie(lie) = answer else { return names.person(p).to_string() };
    let left_out = lie.left_out.iter().map(|d| format!("~{}", names.device(d)));
    let added = lie.added.iter().map(|d| format!("+{}", names.device(d)));
    format!("{}={}", names.person(p), shown_word(lie.identity)) + &left_out.chain(added).collect::<String>()
}

fn publication_text(names: &Names, publication: Publication) -> String {
    match publication {
        Publication::Intact => String::new(),
        Publication::Replaced(r) => format!(" replaced {}", names.device(r)),
        Publication::Joined(r) => format!(" joined {}", names.device(r)),
    }
}

/// An action as text, in the form that [`parse`] reads.
pub fn text(w: &World, names: &Names, action: Action) -> String {
    let (word, rest) = words(w, names, action);
    if rest.is_empty() { word.to_string() } else { format!("{word} {rest}") }
}

/// The verb of an action and its objects.
fn words(w: &World, names: &Names, action: Action) -> (&'static str, String) {
    let (d, p) = (|d| names.device(d).to_string(), |p| names.person(p).to_string());
    let dd = |a, b| format!("{} {}", names.device(a), names.device(b));
    let dp = |a, b| format!("{} {}", names.device(a), names.person(b));
    let published = |a, x| format!("{}{}", names.device(a), publication_text(names, x));
    let told = |q: Person, a: Answer| {
        if a == Answer::Truth { String::new() } else { format!(" {}", answer_text(names, q, a)) }
    };
    match action {
        Action::SignIn(a, x) => ("sign-in", published(a, x)),
        Action::PublishIdentity(a, x) => ("publish-identity", published(a, x)),
        Action::ApproveDevice(a, b, x) => ("approve-device", dd(a, b) + &publication_text(names, x)),
        Action::LookUp(v, q, a) => ("look-up", format!("{} {}", d(v), answer_text(names, q, a))),
        Action::Verify(v, q) => ("verify", dp(v, q)),
        Action::VerifyDevice(v, a) => ("verify-device", dd(v, a)),
        Action::OverlookIdentity(v, q) => ("overlook-identity", dp(v, q)),
        Action::OverlookDevice(v, a) => ("overlook-device", dd(v, a)),
        Action::AcceptDevice(v, a) => ("accept-device", dd(v, a)),
        Action::BlockDevice(v, a) => ("block-device", dd(v, a)),
        Action::Acknowledge(v, q) => ("acknowledge", dp(v, q)),
        Action::Withdraw(v, q) => ("withdraw", dp(v, q)),
        Action::Send(v, answers) => {
            ("send", d(v) + &w.all_people().map(|q| told(q, answers[q.index()])).collect::<String>())
        }
        Action::ForwardKeys(a, b, x) => ("forward-keys", dd(a, b) + &told(w.owner(b), x)),
        Action::ReshareKeys(a, b, x) => ("reshare-keys", dd(a, b) + &told(w.owner(b), x)),
        Action::RemoveDevice(a, b) => ("remove-device", dd(a, b)),
        Action::ResetIdentity(a, x) => ("reset-identity", published(a, x)),
        Action::LogOut(a) => ("log-out", d(a)),
        Action::ChangePassword(a) => ("change-password", d(a)),
        Action::Invite(v, q, a) => ("invite", format!("{} {}", d(v), answer_text(names, q, a))),
        Action::CompareLogs(v) => ("compare-logs", d(v)),
        Action::Arrive => ("arrive", String::new()),
        Action::StealPassword(q) => ("steal-password", p(q)),
        Action::RegisterDevice(a) => ("register-device", d(a)),
        Action::EvictDevice(a) => ("evict-device", d(a)),
        Action::ForgeIdentity(q, false) => ("forge-identity", p(q)),
        Action::ForgeIdentity(q, true) => ("forge-identity", p(q) + " stealth"),
        Action::HijackNumber(a) => ("hijack-number", d(a)),
        Action::StealRecovery(q) => ("steal-recovery", p(q)),
        Action::OpenRecovery(q) => ("open-recovery", p(q)),
        Action::SignRogue(a) => ("sign-rogue", d(a)),
        Action::StealDevice(a) => ("steal-device", d(a)),
        Action::LinkRogue(a, b) => ("link-rogue", dd(a, b)),
        Action::PhishLink(a, b) => ("phish-link", dd(a, b)),
        Action::AddMember(q) => ("add-member", p(q)),
        Action::SwapInCeremony(v, q) => ("swap-in-ceremony", dp(v, q)),
        Action::PlantBackup(a) => ("plant-backup", d(a)),
        Action::OpenBackup(a) => ("open-backup", d(a)),
    }
}

/// All verbs that [`parse`] knows.
pub const VERBS: [&str; 37] = [
    "sign-in",
    "publish-identity",
    "approve-device",
    "look-up",
    "verify",
    "verify-device",
    "overlook-identity",
    "overlook-device",
    "accept-device",
    "block-device",
    "acknowledge",
    "withdraw",
    "send",
    "forward-keys",
    "reshare-keys",
    "remove-device",
    "reset-identity",
    "log-out",
    "change-password",
    "invite",
    "compare-logs",
    "arrive",
    "steal-password",
    "register-device",
    "evict-device",
    "forge-identity",
    "hijack-number",
    "steal-recovery",
    "open-recovery",
    "sign-rogue",
    "steal-device",
    "link-rogue",
    "phish-link",
    "add-member",
    "swap-in-ceremony",
    "plant-backup",
    "open-backup",
];

/// A word of an action that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What was expected.
    pub expected: String,
    /// The word found; empty at the end of the line.
    pub found: String,
    /// The nearest valid word, if one is near.
    pub nearest: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = if self.found.is_empty() { "the end of the line" } else { &self.found };
        write!(f, "expected {}, found `{found}`", self.expected)?;
        self.nearest.as_ref().map_or(Ok(()), |n| write!(f, "; did you mean `{n}`?"))
    }
}

impl std::error::Error for ParseError {}

/// The words of one action that are still to be read.
struct Words<'a> {
    names: &'a Names,
    rest: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

fn lookup(what: &str, list: &[String], word: &str) -> Result<usize, ParseError> {
    list.iter().position(|n| n == word).ok_or_else(|| {
        let near = list.iter().map(|n| (strsim::jaro_winkler(n, word), n)).max_by(|a, b| a.0.total_cmp(&b.0));
        let nearest = near.filter(|n| n.0 > 0.7).map(|n| n.1.clone());
        ParseError { expected: what.to_string(), found: word.to_string(), nearest }
    })
}

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.rest.next().unwrap_or("")
    }
    fn device(&mut self) -> Result<Device, ParseError> {
        lookup("a device", &self.names.devices, self.next()).map(Device::at)
    }
    fn person(&mut self) -> Result<Person, ParseError> {
        lookup("a person", &self.names.people, self.next()).map(Person::at)
    }
    fn publication(&mut self) -> Result<Publication, ParseError> {
        match self.rest.peek().copied() {
            Some("replaced") => {
                self.next();
                Ok(Publication::Replaced(self.device()?))
            }
            Some("joined") => {
                self.next();
                Ok(Publication::Joined(self.device()?))
            }
            _ => Ok(Publication::Intact),
        }
    }
    /// An answer, and about whom it is.
    fn answer(&mut self) -> Result<(Person, Answer), ParseError> {
        let word = self.next();
        let Some((who, says)) = word.split_once('=') else {
            return Ok((Person::at(lookup("a person", &self.names.people, word)?), Answer::Truth));
        };
        let p = Person::at(lookup("a person", &self.names.people, who)?);
        let end = says.find(['~', '+']).unwrap_or(says.len());
        let all = [Shown::Nothing, Shown::True, Shown::Old, Shown::Forged, Shown::Stealth];
        let identity = all.into_iter().find(|&i| shown_word(i) == &says[..end]).ok_or_else(|| ParseError {
            expected: "nothing, true, old, forged or stealth".to_string(),
            found: says[..end].to_string(),
            nearest: None,
        })?;
        let mut lie = Lie { identity, left_out: Set::EMPTY, added: Set::EMPTY };
        let mut tail = &says[end..];
        while let Some(sign) = tail.chars().next() {
            let end = tail[1..].find(['~', '+']).map_or(tail.len(), |i| i + 1);
            let d = Device::at(lookup("a device", &self.names.devices, &tail[1..end])?);
            match sign {
                '~' => lie.left_out = lie.left_out.with(d),
                _ => lie.added = lie.added.with(d),
            }
            tail = &tail[end..];
        }
        Ok((p, Answer::Lie(lie)))
    }
    /// The answers that stand on the rest of the line; people who are not named are answered with the truth.
    fn answers(&mut self) -> Result<[Answer; PEOPLE_MAX], ParseError> {
        let mut all = [Answer::Truth; PEOPLE_MAX];
        while self.rest.peek().is_some() {
            let (p, answer) = self.answer()?;
            all[p.index()] = answer;
        }
        Ok(all)
    }
    fn stealth(&mut self) -> bool {
        self.rest.next_if_eq(&"stealth").is_some()
    }
}

/// Reads one action in the names of its scenario.
pub fn parse(w: &World, names: &Names, line: &str) -> Result<Action, ParseError> {
    let mut words = Words { names, rest: line.split_whitespace().peekable() };
    let action = parse_words(w, &mut words)?;
    match words.rest.next() {
        Some(extra) => {
            Err(ParseError { expected: "the end of the line".to_string(), found: extra.to_string(), nearest: None })
        }
        None => Ok(action),
    }
}

fn parse_words(w: &World, t: &mut Words) -> Result<Action, ParseError> {
    let verb = t.next();
    Ok(match verb {
        "sign-in" => Action::SignIn(t.device()?, t.publication()?),
        "publish-identity" => Action::PublishIdentity(t.device()?, t.publication()?),
        "approve-device" => Action::ApproveDevice(t.device()?, t.device()?, t.publication()?),
        "look-up" | "invite" => {
            let v = t.device()?;
            let (p, answer) = t.answer()?;
            if verb == "look-up" { Action::LookUp(v, p, answer) } else { Action::Invite(v, p, answer) }
        }
        "verify" => Action::Verify(t.device()?, t.person()?),
        "verify-device" => Action::VerifyDevice(t.device()?, t.device()?),
        "overlook-identity" => Action::OverlookIdentity(t.device()?, t.person()?),
        "overlook-device" => Action::OverlookDevice(t.device()?, t.device()?),
        "accept-device" => Action::AcceptDevice(t.device()?, t.device()?),
        "block-device" => Action::BlockDevice(t.device()?, t.device()?),
        "acknowledge" => Action::Acknowledge(t.device()?, t.person()?),
        "withdraw" => Action::Withdraw(t.device()?, t.person()?),
        "send" => Action::Send(t.device()?, t.answers()?),
        "forward-keys" | "reshare-keys" => {
            let (a, b) = (t.device()?, t.device()?);
            let answer = t.answers()?[w.owner(b).index()];
            if verb == "forward-keys" { Action::ForwardKeys(a, b, answer) } else { Action::ReshareKeys(a, b, answer) }
        }
        "remove-device" => Action::RemoveDevice(t.device()?, t.device()?),
        "reset-identity" => Action::ResetIdentity(t.device()?, t.publication()?),
        "log-out" => Action::LogOut(t.device()?),
        "change-password" => Action::ChangePassword(t.device()?),
        "compare-logs" => Action::CompareLogs(t.device()?),
        _ => return parse_adversary(verb, t),
    })
}

fn parse_adversary(verb: &str, t: &mut Words) -> Result<Action, ParseError> {
    Ok(match verb {
        "arrive" => Action::Arrive,
        "steal-password" => Action::StealPassword(t.person()?),
        "register-device" => Action::RegisterDevice(t.device()?),
        "evict-device" => Action::EvictDevice(t.device()?),
        "forge-identity" => Action::ForgeIdentity(t.person()?, t.stealth()),
        "hijack-number" => Action::HijackNumber(t.device()?),
        "steal-recovery" => Action::StealRecovery(t.person()?),
        "open-recovery" => Action::OpenRecovery(t.person()?),
        "sign-rogue" => Action::SignRogue(t.device()?),
        "steal-device" => Action::StealDevice(t.device()?),
        "link-rogue" => Action::LinkRogue(t.device()?, t.device()?),
        "phish-link" => Action::PhishLink(t.device()?, t.device()?),
        "add-member" => Action::AddMember(t.person()?),
        "swap-in-ceremony" => Action::SwapInCeremony(t.device()?, t.person()?),
        "plant-backup" => Action::PlantBackup(t.device()?),
        "open-backup" => Action::OpenBackup(t.device()?),
        _ => {
            let verbs = VERBS.map(str::to_string);
            return Err(lookup("an action", &verbs, verb).err().unwrap_or_else(|| unreachable!("{verb} is a verb")));
        }
    })
}

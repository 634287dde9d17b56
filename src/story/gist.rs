//! An attack in one sentence: who acts, what they do, with which device, and what comes of it.

use super::{capital, device_list, list, lost, person, person_list, thrown_off};
use crate::model::bits::Index;
use crate::model::people::Publication;
use crate::model::property::culprits;
use crate::model::{Action, Answer, Device, Identity, Lie, Person, Property, Set, Shown, State, World};
use crate::policy::OwnRequests;
use crate::trace::{Names, ReplayError, replay};
use std::fmt;

/// What is done in an attack, and what comes of it: together, one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gist {
    /// Who does what, without an end.
    pub deed: String,
    /// What comes of it, from the sign that joins it to the deed to the full stop.
    pub ending: String,
}

impl fmt::Display for Gist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.deed, self.ending)
    }
}

/// Tells the attack that violates `property` in one sentence. Fails if it does not replay.
///
/// An attack is minimal, so each step of the adversary's is told, and each honest step that it needs of a person or
/// that gives it a key; that people sign in and write to each other first goes without saying.
pub fn gist(w: &World, names: &Names, actions: &[Action], property: Property) -> Result<Gist, ReplayError> {
    let states = replay(w, actions)?;
    let end = states[states.len() - 1];
    let (met, swapped) = (Set::EMPTY, Set::EMPTY);
    let mut teller = Teller { w, names, actions, end, property, met, heard: Vec::new(), swapped, told: Vec::new() };
    for (i, pair) in states.windows(2).enumerate() {
        teller.step(i, &pair[0], &pair[1]);
    }
    Ok(Gist { ending: teller.ending() + ".", deed: capital(&joined(&teller.told)) })
}

/// What somebody does.
struct Clause {
    /// What goes on meanwhile, if it has to be said.
    during: Option<String>,
    who: String,
    does: String,
}

impl Clause {
    /// Whether the one who did the `last` does this too: the adversary is the same on a link and off it.
    fn is_by_who(&self, last: &Self) -> bool {
        self.who == last.who || self.who == ADVERSARY && last.who.starts_with(ADVERSARY)
    }
}

/// Clauses one after another; what the same one does next shares the subject.
fn joined(clauses: &[Clause]) -> String {
    let mut sentences: Vec<(String, Vec<String>)> = Vec::new();
    let mut last: Option<&Clause> = None;
    for clause in clauses {
        match (sentences.last_mut(), last) {
            (Some((_, acts)), Some(last)) if clause.during.is_none() && clause.is_by_who(last) => {
                // What is done afterwards is not done meanwhile.
                let then = if last.during.is_some() { "then " } else { "" };
                acts.push(format!("{then}{}", clause.does));
            }
            _ => {
                let during = clause.during.as_ref().map_or(String::new(), |d| format!("{d}, "));
                sentences.push((during + &clause.who, vec![clause.does.clone()]));
            }
        }
        last = Some(clause);
    }
    let sentences = sentences.iter().map(|(who, acts)| format!("{who} {}", in_a_row(acts)));
    sentences.collect::<Vec<_>>().join("; ")
}

/// Acts joined as in a sentence; a name set off by a comma at the end of one is closed by another.
fn in_a_row(acts: &[String]) -> String {
    let last = acts.len() - 1;
    let set_off = |act: &str| act.rsplit_once(", ").is_some_and(|(_, name)| !name.contains(' '));
    let close = |(i, act): (usize, &String)| {
        let comma = if i + 2 > last && i < last && set_off(act) { "," } else { "" };
        format!("{act}{comma}")
    };
    list(&acts.iter().enumerate().map(close).collect::<Vec<_>>())
}

const ADVERSARY: &str = "the adversary";

struct Teller<'a> {
    w: &'a World,
    names: &'a Names,
    actions: &'a [Action],
    end: State,
    property: Property,
    /// The adversary's devices that were named.
    met: Set<Device>,
    /// The lies that were told, and to whom.
    heard: Vec<(Device, Person, Lie)>,
    /// Those of whom a forged identity was confirmed as somebody compared.
    swapped: Set<Person>,
    told: Vec<Clause>,
}

impl Teller<'_> {
    fn say(&mut self, who: impl Into<String>, does: impl Into<String>) {
        self.told.push(Clause { during: None, who: who.into(), does: does.into() });
    }

    fn person(&self, p: Person) -> String {
        person(self.names, p)
    }

    fn owner(&self, d: Device) -> String {
        self.person(self.w.owner(d))
    }

    fn name(&self, d: Device) -> String {
        self.names.device(d).to_string()
    }

    fn devices(&self, all: Set<Device>) -> String {
        device_list(self.names, all)
    }

    /// A client, by its owner if that has no other.
    fn client(&self, v: Device) -> String {
        let all = self.end.signed_in.union(self.end.evicted).and(self.w.of(self.w.owner(v))).minus(self.w.rogue);
        let again = self.told.iter().any(|c| format!("{} {}", c.who, c.does).contains(self.names.device(v)));
        match (all.len() > 1, again) {
            (false, _) => format!("{}'s client", self.owner(v)),
            (true, false) => format!("{}'s client {}", self.owner(v), self.names.device(v)),
            (true, true) => self.name(v),
        }
    }

    /// A device of the adversary's, after a noun that introduces it: its name the first time, then a pronoun.
    fn it(&mut self, d: Device) -> String {
        let known = self.met.has(d);
        self.met = self.met.with(d);
        let only = self.met.union(culprits(self.w, self.end, self.property)).len() == 1;
        let clear = known && only && self.w.rogue.has(d) && !self.identity_between(d);
        if clear { "it".to_string() } else { self.name(d) }
    }

    /// Whether an identity was spoken of since `d` was named, which a pronoun could mean as well.
    fn identity_between(&self, d: Device) -> bool {
        let said = self.told.iter().map(|c| c.does.as_str()).collect::<Vec<_>>().join("; ");
        said.rsplit_once(self.names.device(d)).is_some_and(|(_, since)| since.contains("identity"))
    }

    /// The same where no noun introduces it.
    fn adversarys(&mut self, d: Device) -> String {
        let known = self.met.has(d);
        let it = self.it(d);
        if known { it } else { format!("the adversary's device {it}") }
    }

    fn them(&mut self, devices: Set<Device>) -> String {
        list(&devices.iter().map(|d| self.it(d)).collect::<Vec<_>>())
    }

    /// A device of the adversary's as the object of `act`, which is completed by `where_to`.
    fn with_own(&mut self, d: Device, act: &str, where_to: &str) -> String {
        let (known, name) = (self.met.has(d) || !self.w.rogue.has(d), self.it(d));
        let end = if where_to.is_empty() { String::new() } else { format!(" {where_to}") };
        if known { format!("{act} {name}{end}") } else { format!("{act} a device of its own{end}, {name}") }
    }

    /// Whose doing it is what is done to the account of a device's owner.
    fn holder_of(&self, d: Device) -> String {
        match self.w.controls(self.w.owner(d)) {
            true => format!("{}'s server", self.owner(d)),
            false => ADVERSARY.to_string(),
        }
    }

    /// Who stands between a client and the server, for what passes there.
    fn interceptor(&self, d: Device) -> String {
        match self.w.controls(self.w.owner(d)) {
            true => format!("{}'s server", self.owner(d)),
            false => format!("{ADVERSARY}, on the link,"),
        }
    }

    fn step(&mut self, i: usize, before: &State, after: &State) {
        match self.actions[i] {
            Action::SignIn(a, x) => {
                let read = after.passwords.minus(before.passwords).iter().any(|p| self.uses_password(i, p));
                let during = format!("as {} signs in on {}", self.owner(a), self.name(a));
                self.published(during, a, x, read);
            }
            Action::PublishIdentity(a, x) => {
                self.published(
                    format!("as {} publishes an identity from {}", self.owner(a), self.name(a)),
                    a,
                    x,
                    false,
                );
            }
            Action::ApproveDevice(_, a, x) => {
                self.published(format!("as {} approves {}", self.owner(a), self.name(a)), a, x, false);
            }
            Action::ResetIdentity(a, Publication::Intact) => self.say(self.owner(a), "makes a new identity"),
            Action::ResetIdentity(a, x) => {
                self.published(format!("as {} makes a new identity on {}", self.owner(a), self.name(a)), a, x, false);
            }
            Action::LookUp(v, q, answer) => self.lie(before, v, q, answer),
            Action::Send(v, answers) => {
                for q in self.w.all_people() {
                    self.lie(before, v, q, answers[q.index()]);
                }
                self.sends(before, after, v);
            }
            Action::ForwardKeys(by, to, answer) => {
                self.lie(before, by, self.w.owner(by), answer);
                if self.w.policy(self.w.owner(by)).own_requests == OwnRequests::Ask && !before.trusted.has(by, to) {
                    self.say(self.owner(by), "is asked and says yes");
                }
                let does = format!("gives {} the old keys that it asks for", self.it(to));
                self.say(self.client(by), does);
            }
            Action::ReshareKeys(v, to, answer) => {
                self.lie(before, v, self.w.owner(to), answer);
                let id = |h| format!(", which goes by the id of {}", self.name(h));
                let id = self.w.reuses(to).map_or(String::new(), id);
                let does = format!("sends the key of an old message again, to {}{id}", self.it(to));
                self.say(self.client(v), does);
            }
            Action::Invite(v, q, answer) => {
                self.lie(before, v, q, answer);
                self.say(self.owner(v), format!("invites {}", self.person(q)));
                let new = gained(self.w, before, after);
                if !new.is_empty() {
                    let does = format!("hands {} the keys", self.them(new));
                    self.say(self.client(v), does);
                }
            }
            action => self.plain_step(before, after, action),
        }
    }

    /// What somebody publishes, and what becomes of it on the way.
    fn published(&mut self, during: String, a: Device, x: Publication, read: bool) {
        let who = self.interceptor(a);
        let does = match x {
            Publication::Intact if read => "reads the password".to_string(),
            Publication::Intact => return,
            Publication::Replaced(r) => self.with_own(r, "puts", &format!("in the place of {}", self.name(a))),
            Publication::Joined(r) => {
                let puts = format!("puts a forged identity of {} in the place of the true one", self.owner(a));
                format!("{puts} and {}", self.with_own(r, "adds", ""))
            }
        };
        self.told.push(Clause { during: Some(during), who, does });
    }

    /// Whether the adversary does something later that takes the password of `p`.
    fn uses_password(&self, i: usize, p: Person) -> bool {
        let takes = |a: &Action| match *a {
            Action::RegisterDevice(d) => self.w.owner(d) == p && !self.w.controls(p),
            Action::EvictDevice(d) => self.w.owner(d) == p,
            Action::ForgeIdentity(q, _) => q == p && !self.w.controls(p),
            Action::OpenRecovery(q) => q == p && !self.w.controls(p),
            Action::OpenBackup(d) | Action::PlantBackup(d) => self.w.owner(d) == p && !self.w.controls(p),
            _ => false,
        };
        self.actions[i + 1..].iter().any(takes)
    }

    /// What `v` is told of `q`, if it is a lie that it was not told before.
    fn lie(&mut self, before: &State, v: Device, q: Person, answer: Answer) {
        let Answer::Lie(lie) = answer else { return };
        let own = self.w.owner(v) == q;
        let harmless = !matches!(lie.identity, Shown::Forged | Shown::Stealth | Shown::Old) && lie.added.is_empty();
        if self.heard.contains(&(v, q, lie)) || own && harmless {
            return;
        }
        let earlier = self.heard.iter().rev().find(|(u, p, _)| (*u, *p) == (v, q)).map(|(.., lie)| *lie);
        self.heard.push((v, q, lie));
        let who = match () {
            () if self.w.controls(q) => format!("{}'s server", self.person(q)),
            () if self.w.controls(self.w.owner(v)) => format!("{}'s server", self.owner(v)),
            () => format!("{ADVERSARY}, on the link of {},", self.name(v)),
        };
        let (client, whose) = (self.client(v), self.person(q));
        let same = |of: fn(&Lie) -> bool| of(&lie) && earlier.is_some_and(|e| of(&e));
        let shows = self.shown(&who, &client, q, &lie, earlier);
        let hides = lie.identity == Shown::Nothing && self.w.policy(q).has_identity();
        let hides = hides && !same(|lie| lie.identity == Shown::Nothing);
        let hides = hides.then(|| format!("hides {whose}'s identity from {client}"));
        let new: Set<Device> = lie.added.minus(before.registered).minus(self.met);
        let adds = match (lie.added.is_empty(), new == lie.added && new.len() == 1, &shows) {
            (true, ..) => None,
            (_, true, Some(_)) => new.iter().next().map(|d| self.with_own(d, "with", "")),
            (_, true, None) => new.iter().next().map(|d| format!("invents a device for {whose}, {}", self.it(d))),
            (_, false, Some(_)) => Some(format!("with {}", self.them(lie.added))),
            (_, false, None) if new.is_empty() => None,
            (_, false, None) => Some(format!("invents devices for {whose}, {}", self.them(lie.added))),
        };
        let omits = !lie.left_out.is_empty() && earlier.is_none_or(|e| e.left_out != lie.left_out);
        let omits = omits.then(|| format!("leaves {} out of what it tells {client}", self.devices(lie.left_out)));
        let omits = omits.filter(|_| adds.is_none() || self.property.is_of_true_answers());
        let shown_with = match (shows, adds) {
            (Some(shows), Some(adds)) => Some(format!("{shows} {adds}")),
            (shows, adds) => shows.or(adds),
        };
        for act in hides.into_iter().chain(shown_with).chain(omits) {
            self.say(who.clone(), act);
        }
    }

    /// Which identity of `q` that is not theirs `who` shows to `client`, if any.
    fn shown(&self, who: &str, client: &str, q: Person, lie: &Lie, earlier: Option<Lie>) -> Option<String> {
        let whose = self.person(q);
        let forged = |shown: Shown| matches!(shown, Shown::Forged | Shown::Stealth);
        let again = earlier.is_some_and(|e| forged(e.identity)) || self.swapped.has(q);
        let another = format!("shows {client} a forged identity of ");
        let and_one = |c: &Clause| c.who == who && c.does.strip_prefix(&another).is_some_and(|p| !p.contains(' '));
        match lie.identity {
            Shown::Forged | Shown::Stealth if again => Some(format!("shows {client} that identity")),
            Shown::Forged | Shown::Stealth if self.told.last().is_some_and(and_one) => Some(format!("one of {whose}")),
            Shown::Forged | Shown::Stealth => Some(another + &whose),
            Shown::Old => Some(format!("shows {client} the identity that {whose} has replaced")),
            Shown::Nothing | Shown::True => None,
        }
    }

    /// The adversary's devices that get a key with a message of `v`, and what its person is told with it.
    fn sends(&mut self, before: &State, after: &State, v: Device) {
        let new = gained(self.w, before, after);
        if new.is_empty() {
            return;
        }
        let me = self.w.owner(v);
        let mut who = self.client(v);
        let fooled = |q: &Person| {
            before.pinned.get(v, *q) == Identity::None && after.pinned.get(v, *q) == Identity::Forged && *q != me
        };
        if let Some(q) = self.w.all_people().find(fooled) {
            let others = self.w.of(me).without(v);
            let whom = self.person(q);
            who += &match others.iter().any(|o| before.pinned.get(o, q) != Identity::None) {
                true => format!(", which has not met {whom} before,"),
                false => format!(", at its first contact with {whom},"),
            };
        }
        let warns = !after.warned.row(me).minus(before.warned.row(me)).is_empty();
        let but = if warns { "warns, but " } else { "" };
        let does = format!("{but}gives {} the room key", self.them(new));
        self.say(who, does);
    }

    /// The steps in which nobody is told or given anything but what the step is about.
    fn plain_step(&mut self, before: &State, after: &State, action: Action) {
        let ours = |d: Device| self.w.rogue.has(d) || after.held(self.w).has(d);
        match action {
            Action::AcceptDevice(v, a) if ours(a) => {
                let does = format!("is asked about {} and says yes", self.it(a));
                self.say(self.owner(v), does);
            }
            Action::BlockDevice(v, a) => {
                let does = format!("is asked about {} and says no", self.it(a));
                self.say(self.owner(v), does);
            }
            Action::OverlookIdentity(v, q) => {
                let does = format!("compares with {} and overlooks that the identity shown is forged", self.person(q));
                self.say(self.owner(v), does);
            }
            Action::OverlookDevice(v, a) => {
                let whose = self.owner(a);
                let keys = match self.adversarys(a).as_str() {
                    "it" => "its keys".to_string(),
                    named => format!("the keys of {named}"),
                };
                let does = format!("compares {keys} with {whose} and overlooks that they differ");
                self.say(self.owner(v), does);
            }
            Action::Acknowledge(v, q) if after.pinned.get(v, q) == Identity::Forged => {
                self.say(self.owner(v), format!("acknowledges {}'s changed identity, which is forged", self.person(q)));
            }
            Action::Withdraw(v, q) => {
                self.say(self.owner(v), format!("gives up the verification of {}", self.person(q)));
            }
            Action::RemoveDevice(by, a) => {
                let does = format!("takes {} off the account", self.it(a));
                self.say(self.owner(by), does);
            }
            Action::LogOut(a) => self.say(self.owner(a), format!("signs {} out", self.name(a))),
            Action::ChangePassword(a) => self.say(self.owner(a), "changes the password"),
            Action::AddMember(q) => self.say(self.person(q), "appears in the room, invited by nobody"),
            Action::PhishLink(by, a) => {
                let to = self.adversarys(a);
                let code = !self.w.policy(self.w.owner(a)).joins_by_approval() && !before.registered.has(a);
                let does = if code { format!("reading out the code for {to}") } else { format!("approving {to}") };
                let who = self.owner(by);
                let tricked = |c: &Clause| c.who == who && c.does.starts_with("is tricked into ");
                let again = self.told.last().is_some_and(tricked);
                self.say(who, if again { format!("into {does}") } else { format!("is tricked into {does}") });
                if gained(self.w, before, after).has(a) {
                    let it = self.it(a);
                    self.say(it, "is handed the old keys");
                }
            }
            Action::SwapInCeremony(v, q) => {
                self.say(format!("{} and {}", self.owner(v), self.person(q)), "compare and find the same, but");
                let server = format!("{}'s server", self.person(if self.w.controls(q) { q } else { self.w.owner(v) }));
                let whose = self.person(q);
                let gave = format!("gave the id that was confirmed to a forged identity of {whose}");
                let last = self.told.last_mut().expect("it was just told");
                last.does += &format!(" {server} {gave}");
                self.say(self.client(v), "signs that");
                self.swapped = self.swapped.with(q);
            }
            _ => self.by_adversary(before, after, action),
        }
    }

    /// What the adversary does for itself.
    fn by_adversary(&mut self, before: &State, after: &State, action: Action) {
        let server = |t: &Self, p: Person| format!("{}'s server", t.person(p));
        let (who, does) = match action {
            Action::StealPassword(q) => (ADVERSARY.into(), format!("takes {}'s password", self.person(q))),
            Action::RegisterDevice(a) => {
                let p = self.w.owner(a);
                match self.w.controls(p) {
                    true => (server(self, p), self.with_own(a, "puts", &format!("on {}'s account", self.person(p)))),
                    false => {
                        (ADVERSARY.into(), self.with_own(a, "signs", &format!("in to {}'s account", self.person(p))))
                    }
                }
            }
            Action::EvictDevice(a) => {
                (self.holder_of(a), format!("signs {} out of {}'s account", self.name(a), self.owner(a)))
            }
            Action::ForgeIdentity(q, stealthy) => {
                let too = if stealthy { " that signs the honest devices too" } else { "" };
                let who = if self.w.controls(q) { server(self, q) } else { ADVERSARY.into() };
                (who, format!("publishes a forged identity for {}{too}", self.person(q)))
            }
            Action::HijackNumber(a) => {
                let off = before.signed_in.minus(after.signed_in);
                let does = if after.registered.has(a) {
                    let act = format!("registers {}'s phone number anew on", self.owner(a));
                    self.with_own(a, &act, "")
                } else {
                    format!("fails to register {}'s phone number anew without the PIN", self.owner(a))
                };
                let which = format!(", which throws {} off", self.devices(off));
                (ADVERSARY.into(), if off.is_empty() { does } else { does + &which })
            }
            Action::StealRecovery(q) => (ADVERSARY.into(), format!("takes {}'s recovery key", self.person(q))),
            Action::OpenRecovery(q) => {
                (ADVERSARY.into(), format!("opens {}'s identity with the recovery key", self.person(q)))
            }
            Action::SignRogue(a) => {
                (ADVERSARY.into(), self.with_own(a, "signs", &format!("with {}'s identity", self.owner(a))))
            }
            Action::StealDevice(a) => (ADVERSARY.into(), format!("steals {} from {}", self.name(a), self.owner(a))),
            Action::LinkRogue(by, a) => {
                (ADVERSARY.into(), self.with_own(a, "links", &format!("from the stolen {}", self.name(by))))
            }
            Action::PlantBackup(a) => {
                let to = self.with_own(a, "for", "to read");
                (self.holder_of(a), format!("names a backup of its own as {}'s, {to}", self.owner(a)))
            }
            Action::OpenBackup(a) => {
                let act = format!("reads {}'s backup on", self.owner(a));
                (self.holder_of(a), self.with_own(a, &act, ""))
            }
            _ => return,
        };
        self.say(who, does);
    }

    /// What comes of it, with the word that joins it to what went before.
    fn ending(&mut self) -> String {
        let culprits = culprits(self.w, self.end, self.property);
        let stolen = culprits.within(self.end.stolen);
        let owner = person_list(self.names, culprits.iter().map(|d| self.w.owner(d)).collect());
        let it = self.them(culprits);
        // What was on a stolen device nobody had to give.
        let given = |c: &Clause| ["room key", "old keys", "the keys", "backup"].iter().any(|key| c.does.contains(key));
        let holding = stolen && !self.told.iter().any(given);
        match self.property {
            Property::NoRogueKey if stolen => format!("; {it} holds a room key"),
            Property::NoHiddenKey if holding => format!("; {it} holds a room key, and {owner} looks and never sees it"),
            Property::NoSilentLeak if holding => format!("; {it} holds a room key, and nobody is warned"),
            Property::NoRogueKey => format!(", and {owner} never enrolled {it}"),
            Property::NoHiddenKey => format!("; {owner} looks and never sees {it}"),
            Property::NoUnnoticedLeak => format!("; {owner} has looked, and nobody is warned"),
            Property::NoSilentLeak => ", and nobody is warned".to_string(),
            Property::NoInvisibleListener => {
                format!("; {owner} looks and never sees {it}, nobody is warned, and no honest device misses a message")
            }
            Property::PastStaysPrivate if stolen => format!("; so {it} reads past messages"),
            Property::PastStaysPrivate => format!("; so it reads messages from before {it} existed"),
            Property::RemovalEndsAccess => format!("; so {it} gets keys even after the removal"),
            Property::NeverShownAsVerified => format!(", and a client displays {it} as verified"),
            // That nobody invited them was told where they appear.
            Property::NoUninvitedReader => format!(", and {owner} reads along"),
            Property::NoUnseenReader => format!(", and no client displays {owner} among the members"),
            Property::NoBlockedRoom => {
                "; from then on messages to the room are refused as a whole, and nobody gets them".to_string()
            }
            Property::NoLockOut => self.locked_out(),
            Property::EverybodyReads => String::new(),
        }
    }

    fn locked_out(&self) -> String {
        let off = thrown_off(self.w, &self.end);
        match (off.is_empty(), lost(self.w, self.names, &self.end)) {
            (true, Some(lost)) => format!("; from then on {lost}"),
            (true, None) => "; from then on an honest device misses messages".to_string(),
            (false, _) => format!("; from then on {} misses every message", self.devices(off)),
        }
    }
}

/// The adversary's devices that get the key of a message that they had no key of so far.
fn gained(w: &World, before: &State, after: &State) -> Set<Device> {
    let eras: [fn(&State) -> Set<Device>; 3] = [|s| s.past, |s| s.current, |s| s.after];
    let new = eras.iter().fold(Set::EMPTY, |all, held| all.union(held(after).minus(held(before))));
    new.and(after.held(w))
}

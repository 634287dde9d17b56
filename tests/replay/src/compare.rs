//! Model and reality side by side, after every step: what each honest client knows, and who can read.
//!
//! The model's word for a contact is turned into what the client's API would say of it; nothing is read from the model
//! that a client could not know.

use crate::drive::{Cast, label};
use crate::failure::Res;
use matrix_sdk_crypto::{LocalTrust, OtherUserIdentityData, SessionRecipientCollectionError, UserIdentity};
use overhear::model::bits::Index;
use overhear::model::decide::{Code, Decision, Why, decide};
use overhear::model::directory::{View, absorb, contact, is_verified, own_identity, view};
use overhear::model::people::{recognised_members, situation};
use overhear::model::{Action, Answer, Blocked, Device, Identity, Person, Set, State, World, step};
use overhear::story::{capital, list};
use serde_json::Value;
use std::fmt;

/// What model and reality can disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Whether there is a session.
    SignedIn,
    /// Which identity of a person a client was shown last.
    Identity,
    /// Which one it has pinned.
    Pin,
    /// Whether the shown one counts as verified.
    Verified,
    /// Whether it counts as verified once.
    Latch,
    /// Whether it counts as changed since it was verified.
    Violation,
    /// Whether the person is told of a change.
    Notice,
    /// Which devices of a person a client knows.
    Devices,
    /// Which of them are signed by the identity that was shown.
    Signed,
    /// Which of them are displayed as verified.
    Displayed,
    /// What a person has decided about a device.
    LocalTrust,
    /// Who is given a room key.
    Given,
    /// Who is told that it gets none, and why.
    Withheld,
    /// Whether a send is refused, and why.
    Refusal,
    /// Who can decrypt a message.
    Reads,
}

/// One thing on which model and reality disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub topic: Topic,
    /// Whose client it is, and about whom, where that makes sense.
    pub who: Option<(Device, Person)>,
    /// What it is about, in the scenario's names.
    pub about: String,
    /// What the model says.
    pub model: String,
    /// What the client says.
    pub client: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}: the model says {}, the client {}", self.topic, self.about, self.model, self.client)
    }
}

/// What the model says of an action: the state that follows, and why a send is refused if it is.
///
/// A refused send has no successor in the model. Its lookups have happened in reality, so they are taken as steps.
pub fn successor(w: &World, s: State, action: Action) -> Result<(State, Option<Why>), Blocked> {
    match (step(w, s, action), action) {
        (Err(Blocked::SendRefused(why)), Action::Send(v, answers)) => {
            let look_up = |s: State, p: Person| step(w, s, Action::LookUp(v, p, answers[p.index()]));
            let looked = recognised_members(w, &s, v).iter().try_fold(s, look_up)?;
            Ok((looked, Some(why)))
        }
        (next, _) => next.map(|s| (s, None)),
    }
}

/// The lookups that an action consists of: who asks about whom, and what the answer says.
pub fn lookups(w: &World, s: State, action: Action) -> Result<Vec<(Device, Person, View)>, Blocked> {
    let asked: Vec<(Device, Person, Answer)> = match action {
        Action::LookUp(v, p, answer) => vec![(v, p, answer)],
        Action::Send(v, answers) => recognised_members(w, &s, v).iter().map(|p| (v, p, answers[p.index()])).collect(),
        Action::ForwardKeys(by, _, answer) => vec![(by, w.owner(by), answer)],
        _ => Vec::new(),
    };
    asked.into_iter().map(|(v, p, answer)| Ok((v, p, view(w, &s, v, p, answer)?))).collect()
}

/// What the model decides about each listed device in a send of `v`.
fn decisions(w: &World, s: State, v: Device, views: &[(Device, Person, View)]) -> Vec<(Device, Decision)> {
    let mut looked = s;
    views.iter().for_each(|(v, p, told)| absorb(w, &mut looked, *v, *p, *told));
    let own = views.iter().find(|(_, p, _)| *p == w.owner(v)).map(|(_, _, told)| *told);
    let Some(own) = own.map(|told| own_identity(w, &looked, v, told)) else { return Vec::new() };
    let of = |(_, p, told): &(Device, Person, View)| {
        let (p, told) = (*p, *told);
        let standing = contact(w, &looked, v, p, told);
        let decide = move |d| (d, decide(&situation(w, &looked, v, standing, own, told, d)));
        // What is sent under an id to keys of the adversary's is not lost, whoever is listed under it.
        told.devices.union(told.clashing.and(w.rogue)).without(v).iter().map(decide).collect::<Vec<_>>()
    };
    views.iter().flat_map(of).collect()
}

/// Collects differences about one step.
pub struct Comparison<'a, 'w> {
    cast: &'a Cast<'w>,
    before: State,
    after: State,
    found: Vec<Difference>,
}

impl<'a, 'w> Comparison<'a, 'w> {
    /// Everything on which model and reality disagree after `action`, which led from `before` to `after`.
    pub async fn of(
        cast: &'a Cast<'w>,
        (before, after): (State, State),
        action: Action,
        refused: Option<Why>,
    ) -> Res<Vec<Difference>> {
        let views = lookups(cast.world, before, action).unwrap_or_default();
        let mut comparison = Self { cast, before, after, found: Vec::new() };
        comparison.sessions();
        for v in after.signed_in.iter() {
            for p in cast.world.all_people() {
                comparison.contact(v, p).await?;
            }
        }
        for (v, p, told) in &views {
            comparison.devices(*v, *p, *told).await?;
            comparison.notices(*v, *p);
        }
        if let Action::Send(v, _) = action {
            comparison.send(v, &views, refused).await?;
        }
        if matches!(action, Action::Send(..) | Action::ForwardKeys(..)) {
            comparison.readers().await?;
        }
        Ok(comparison.found)
    }
    /// Who can read what, once more, after the last step.
    pub async fn at_the_end(cast: &'a Cast<'w>, state: State) -> Res<Vec<Difference>> {
        let mut comparison = Self { cast, before: state, after: state, found: Vec::new() };
        comparison.sessions();
        comparison.readers().await?;
        Ok(comparison.found)
    }
    fn device(&self, d: Device) -> String {
        self.cast.names.device(d).to_string()
    }
    fn devices_text(&self, devices: Set<Device>) -> String {
        list(&devices.iter().map(|d| self.device(d)).collect::<Vec<_>>())
    }
    fn check<T: PartialEq + fmt::Debug>(
        &mut self,
        topic: Topic,
        who: Option<(Device, Person)>,
        about: &str,
        (model, client): (T, T),
    ) {
        if model != client {
            let whose = who.map_or(String::new(), |(v, p)| {
                format!("{} about {}", self.device(v), capital(self.cast.names.person(p)))
            });
            let about = [whose, about.to_string()].into_iter().filter(|x| !x.is_empty()).collect::<Vec<_>>().join(", ");
            let (model, client) = (format!("{model:?}"), format!("{client:?}"));
            self.found.push(Difference { topic, who, about, model, client });
        }
    }
    fn sessions(&mut self) {
        let honest = self.cast.world.honest.minus(self.after.stolen);
        let real: Set<Device> = self.cast.clients.keys().copied().filter(|&d| honest.has(d)).collect();
        let sides = (self.devices_text(self.after.signed_in), self.devices_text(real));
        self.check(Topic::SignedIn, None, "", sides);
        let listed = self.cast.server.registered;
        let sides = (self.devices_text(self.after.registered), self.devices_text(listed));
        self.check(Topic::Devices, None, "what the servers list", sides);
    }

    /// What `v` thinks of the identity of `p`.
    async fn contact(&mut self, v: Device, p: Person) -> Res<()> {
        if self.cast.implied.contains(&(v, p)) {
            return Ok(());
        }
        let (w, s) = (self.cast.world, self.after);
        let own = w.owner(v) == p;
        let (pin, offered) = (s.pinned.get(v, p), s.offered.get(v, p));
        let shown = if offered == Identity::None { pin } else { offered };
        let who = Some((v, p));
        let known = self.cast.known_key(v, p).await?;
        self.check(Topic::Identity, who, "the identity shown last", (shown, label(known)));
        let Some(identity) = self.cast.client(v)?.identity(self.cast.server.user(p)).await? else { return Ok(()) };
        let (latched, verified) = (s.latched.has(v, p), is_verified(w, &s, v, p) && offered == Identity::None);
        self.check(Topic::Verified, who, "is it verified", (verified, identity.is_verified()));
        self.check(Topic::Latch, who, "was it verified once", (latched, identity.was_previously_verified()));
        let violation = latched && !verified;
        self.check(Topic::Violation, who, "changed since verified", (violation, identity.has_verification_violation()));
        // A client keeps the pin of somebody verified where it was, and reads it only once the latch is gone.
        if let (false, false, UserIdentity::Other(other)) = (own, latched, &identity) {
            let pinned = pinned(other)?;
            let real = label(self.cast.server.identity_with(p, &pinned));
            self.check(Topic::Pin, who, "the pinned identity", (pin, real));
            let changed = offered != Identity::None && pin != Identity::None;
            let sides = (changed, other.identity_needs_user_approval());
            self.check(Topic::Pin, who, "does the change wait for an answer", sides);
        }
        Ok(())
    }
    /// What `v` was told of the devices of `p`.
    async fn devices(&mut self, v: Device, p: Person, told: View) -> Res<()> {
        let (s, who) = (self.after, Some((v, p)));
        let known = self.cast.client(v)?.machine.get_user_devices(self.cast.server.user(p), None).await?;
        let (mut listed, mut signed, mut displayed) = (Set::EMPTY, Set::EMPTY, Set::EMPTY);
        for device in known.devices() {
            let key = device.ed25519_key().map(|k| k.to_base64()).unwrap_or_default();
            let Some(d) = self.cast.device_with(&key).filter(|&d| d != v) else { continue };
            listed = listed.with(d);
            signed = if device.is_cross_signed_by_owner() { signed.with(d) } else { signed };
            displayed = if device.is_cross_signing_trusted() { displayed.with(d) } else { displayed };
            let decided = match () {
                () if s.blocked.has(v, d) => LocalTrust::BlackListed,
                () if s.trusted.has(v, d) => LocalTrust::Verified,
                () if s.accepted.has(v, d) => LocalTrust::Ignored,
                () => LocalTrust::Unset,
            };
            let about = format!("the local trust in {}", self.device(d));
            self.check(Topic::LocalTrust, who, &about, (decided, device.local_trust_state()));
        }
        // The keys that a device had before it came under another id are nobody's in the cast.
        let stays = told.clashing.minus(told.devices).minus(s.renamed);
        let stays: Set<Device> = stays.iter().filter(|d| self.cast.clients.contains_key(d)).collect();
        let devices = told.devices.without(v);
        let sides = (self.devices_text(devices.union(stays)), self.devices_text(listed));
        self.check(Topic::Devices, who, "the devices that it knows", sides);
        let by_shown = if self.after.pinned.get(v, p) == Identity::None { Set::EMPTY } else { told.signed.without(v) };
        let sides = (self.devices_text(by_shown.and(devices)), self.devices_text(signed.minus(stays)));
        self.check(Topic::Signed, who, "those signed by the identity", sides);
        let confirmed = is_verified(self.cast.world, &s, v, p) && s.pinned.get(v, p) == told.identity;
        let green = if confirmed { told.signed.and(devices) } else { Set::EMPTY };
        let sides = (self.devices_text(green), self.devices_text(displayed.minus(stays)));
        self.check(Topic::Displayed, who, "those displayed as verified", sides);
        Ok(())
    }
    /// Whether the application had something to tell its person after a lookup.
    fn notices(&mut self, v: Device, p: Person) {
        let (w, b, a) = (self.cast.world, self.before, self.after);
        let (former, pin) = (b.pinned.get(v, p), a.pinned.get(v, p));
        let waits = pin != Identity::None && a.offered.get(v, p) != Identity::None;
        let verified = is_verified(w, &a, v, p);
        let fallen = a.latched.has(v, p) && !verified;
        // A client says nothing of its own person's identity if that was never verified there.
        let replaced = w.owner(v) != p && former != Identity::None && pin != former && !verified;
        let sides = (waits || replaced || fallen, self.cast.notices.contains(&(v, p)));
        self.check(Topic::Notice, Some((v, p)), "is the person told of a change", sides);
    }

    /// A send: refused, or whom the key was given and withheld from.
    async fn send(&mut self, v: Device, views: &[(Device, Person, View)], refused: Option<Why>) -> Res<()> {
        let expected = refused.map(refusal);
        let session = match &self.cast.last_send {
            Some(Ok(session)) => Ok(session.clone()),
            Some(Err(why)) => Err(error_name(why)),
            None => Err("nothing at all"),
        };
        self.check(Topic::Refusal, None, "the send is refused because of", (expected, session.clone().err()));
        let (Ok(session), None) = (session, expected) else { return Ok(()) };
        let decided = decisions(self.cast.world, self.before, v, views);
        let shared: Set<Device> = decided.iter().filter(|x| x.1 == Decision::Share).map(|x| x.0).collect();
        let given = self.cast.given.iter().filter(|(s, _)| *s == session).map(|(_, d)| *d);
        let honest = self.cast.world.honest;
        let lost = |told: &View| told.clashing.minus(told.devices).and(honest);
        let stays = views.iter().fold(Set::EMPTY, |all, (_, _, told)| all.union(lost(told)));
        let given: Set<Device> = given.filter(|&d| !stays.has(d)).collect();
        let sides = (self.devices_text(shared), self.devices_text(given));
        self.check(Topic::Given, None, "the key is given to", sides);
        for (d, decision) in decided {
            let Decision::Withhold(code) = decision else { continue };
            let said = self.cast.withheld.get(&(session.clone(), d)).map(String::as_str);
            let about = format!("{} is told", self.device(d));
            self.check(Topic::Withheld, None, &about, (Some(code_name(code)), said));
        }
        let Some(letter) = self.cast.letters.last() else { return Ok(()) };
        let mut readers = Set::EMPTY;
        for (d, client) in &self.cast.clients {
            readers = if client.reads(&letter.event).await { readers.with(*d) } else { readers };
        }
        let sides = (self.devices_text(shared.with(v)), self.devices_text(readers.minus(stays)));
        self.check(Topic::Reads, None, "this message is read by", sides);
        Ok(())
    }
    /// Who can decrypt any message of an era, against the model's holders.
    async fn readers(&mut self) -> Res<()> {
        let live: Set<Device> = self.cast.clients.keys().copied().collect();
        for (past, holders) in [(true, self.after.past), (false, self.after.current)] {
            let mut readers = Set::EMPTY;
            for letter in self.cast.letters.iter().filter(|l| l.past == past) {
                for (d, client) in &self.cast.clients {
                    if !readers.has(*d) && client.reads(&letter.event).await {
                        readers = readers.with(*d);
                    }
                }
            }
            let era = if past { "past messages are read by" } else { "current messages are read by" };
            let sides = (self.devices_text(holders.and(live)), self.devices_text(readers));
            self.check(Topic::Reads, None, era, sides);
        }
        Ok(())
    }
}

/// The adversary's devices that decrypt a message of an era in which, the model says, they hold no key.
pub async fn beyond(cast: &Cast<'_>, s: State) -> Set<Device> {
    let adversarial = s.rogue(cast.world).union(cast.world.uninvited_devices);
    let mut found = Set::EMPTY;
    for letter in &cast.letters {
        let holders = if letter.past { s.past } else { s.current };
        for (d, client) in cast.clients.iter().filter(|(d, _)| adversarial.has(**d) && !holders.has(**d)) {
            found = if client.reads(&letter.event).await { found.with(*d) } else { found };
        }
    }
    found
}

/// The master key that a client has pinned; its API tells only whether that is the one shown.
fn pinned(identity: &OtherUserIdentityData) -> Res<String> {
    let stored: Value = serde_json::to_value(identity)?;
    let keys = stored["pinned_master_key"]["keys"].as_object();
    Ok(keys.and_then(|k| k.values().next()).and_then(Value::as_str).unwrap_or_default().to_string())
}

/// The client's error for the model's reason.
pub fn refusal(why: Why) -> &'static str {
    match why {
        Why::OwnIdentityAbsent => "CrossSigningNotSetup",
        Why::OwnIdentityUnverified => "SendingFromUnverifiedDevice",
        Why::ContactChanged => "VerifiedUserChangedIdentity",
        _ => "VerifiedUserHasUnsignedDevice",
    }
}

/// The name of the client's error.
pub fn error_name(why: &SessionRecipientCollectionError) -> &'static str {
    match why {
        SessionRecipientCollectionError::VerifiedUserHasUnsignedDevice(_) => "VerifiedUserHasUnsignedDevice",
        SessionRecipientCollectionError::VerifiedUserChangedIdentity(_) => "VerifiedUserChangedIdentity",
        SessionRecipientCollectionError::CrossSigningNotSetup => "CrossSigningNotSetup",
        SessionRecipientCollectionError::SendingFromUnverifiedDevice => "SendingFromUnverifiedDevice",
    }
}

/// The code that a client sends for the model's (Matrix client-server API, `m.room_key.withheld`).
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Blocked => "m.blacklisted",
        _ => "m.unverified",
    }
}

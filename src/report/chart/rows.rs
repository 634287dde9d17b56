//! What passes in one step, and between whom.

use super::RowKind;
use crate::model::bits::Index;
use crate::model::directory::{View, listed_honest, truth, view};
use crate::model::people::{Publication, recognised_members};
use crate::model::property::locked_out;
use crate::model::{Action, Answer, Device, Identity, Lie, PEOPLE_MAX, Person, Server, Set, Shown, State, World, step};
use crate::policy::{IdentityReplacedBy, KeyBackup, Membership, OwnRequests};
use crate::story::capital;
use crate::trace::Names;

/// One who can take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Person(Person),
    Device(Device),
    Server(Server),
    /// Between the clients of the person and their server.
    Link(Person),
    Adversary,
}

/// A row before lanes have their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub from: Part,
    pub to: Part,
    pub kind: RowKind,
    pub label: String,
    pub truth: Option<String>,
    pub adversary: bool,
}

impl Draft {
    pub(super) fn at(part: Part, kind: RowKind, label: impl Into<String>) -> Self {
        Self { from: part, to: part, kind, label: label.into(), truth: None, adversary: false }
    }
    /// What the adversary does, or gets.
    pub(super) fn red(self) -> Self {
        Self { adversary: true, ..self }
    }
    fn red_if(self, adversary: bool) -> Self {
        Self { adversary, ..self }
    }
    fn beside(self, truth: String) -> Self {
        Self { truth: Some(truth), ..self }
    }
}

/// A message; what somebody sends to themselves is an event.
fn message(from: Part, to: Part, label: impl Into<String>) -> Draft {
    let kind = if from == to { RowKind::Event } else { RowKind::Message };
    Draft { to, ..Draft::at(from, kind, label) }
}

fn event(part: Part, label: impl Into<String>) -> Draft {
    Draft::at(part, RowKind::Event, label)
}

fn sight(person: Person, label: impl Into<String>) -> Draft {
    Draft::at(Part::Person(person), RowKind::Sight, label)
}

/// Two people or devices compare something.
fn ceremony(from: Part, to: Part, label: impl Into<String>) -> Draft {
    Draft { to, ..Draft::at(from, RowKind::Ceremony, label) }
}

/// One step: the world, short names, and the states around it.
pub(super) struct Scene<'a> {
    pub w: &'a World,
    pub names: &'a Names,
    pub before: &'a State,
    pub after: &'a State,
}

impl Scene<'_> {
    pub(super) fn person(&self, p: Person) -> String {
        capital(self.names.person(p))
    }
    /// The name of a device, marked if the adversary has it.
    pub(super) fn device(&self, d: Device) -> String {
        let mark = if self.is_held(d) { "▲" } else { "" };
        format!("{mark}{}", self.names.device(d))
    }
    pub(super) fn devices(&self, all: Set<Device>) -> String {
        all.iter().map(|d| self.device(d)).collect::<Vec<_>>().join(", ")
    }
    fn owner(&self, d: Device) -> String {
        self.person(self.w.owner(d))
    }
    fn server(&self, p: Person) -> Part {
        Part::Server(self.w.server[p.index()])
    }
    /// Whether the adversary has the device now.
    fn is_held(&self, d: Device) -> bool {
        self.after.held(self.w).has(d)
    }
    /// Who acts for the adversary on the account of `p`: whatever it has there already.
    fn agent(&self, p: Person) -> Part {
        let session = self.before.rogue(self.w).and(self.before.registered).and(self.w.of(p)).iter().next();
        match session {
            _ if self.w.controls(p) => self.server(p),
            Some(d) => Part::Device(d),
            None if self.w.powers.break_tls.meets(self.w.of(p)) => Part::Link(p),
            None => Part::Adversary,
        }
    }
    /// Where what the client `d` tells its server passes the adversary, if it does.
    fn vantage(&self, d: Device) -> Option<Part> {
        let p = self.w.owner(d);
        match () {
            () if self.w.controls(p) => Some(self.server(p)),
            () if self.w.powers.break_tls.has(d) => Some(Part::Link(p)),
            () => None,
        }
    }
}

/// What passes when `action` happens.
pub(super) fn of(x: &Scene, action: Action) -> Vec<Draft> {
    match action {
        Action::SignIn(d, publication) => published(x, d, &format!("{} signs in", x.owner(d)), Some(d), publication),
        Action::PublishIdentity(d, publication) => {
            published(x, d, &format!("publishes {}'s identity", x.owner(d)), None, publication)
        }
        Action::ResetIdentity(d, publication) => published(x, d, "publishes a new identity", None, publication),
        Action::ApproveDevice(by, d, publication) => approved(x, by, d, publication),
        Action::LookUp(v, p, answer) => asked(x, v, p, answer),
        Action::Send(v, _) => sent(x, v, action),
        Action::Invite(v, p, answer) => invited(x, v, p, answer),
        Action::ForwardKeys(by, to, answer) => forwarded(x, by, to, answer),
        Action::ReshareKeys(v, to, answer) => {
            let id = x.w.reuses(to).map_or(String::new(), |h| format!(", as {}", x.device(h)));
            let asks = message(Part::Device(to), Part::Device(v), format!("asks for a lost key again{id}")).red();
            let key = key(x, Part::Device(v), to, "the key of an old message");
            std::iter::once(asks).chain(asked(x, v, x.w.owner(to), answer)).chain([key]).collect()
        }
        Action::Verify(v, p) => verified(x, v, p),
        Action::VerifyDevice(v, d) => vec![ceremony(Part::Device(v), Part::Device(d), "compare keys: they match")],
        Action::OverlookIdentity(v, p) => {
            let meet = ceremony(Part::Person(x.w.owner(v)), Part::Person(p), "compare: the difference is overlooked");
            vec![meet.red().beside(format!("shown on {}: a forged identity of {}", x.device(v), x.person(p)))]
        }
        Action::OverlookDevice(v, d) => {
            let people = (Part::Person(x.w.owner(v)), Part::Person(x.w.owner(d)));
            let meet = ceremony(people.0, people.1, "compare keys: the difference is overlooked");
            vec![meet.red().beside(format!("shown on {}: the keys of {}", x.device(v), x.device(d)))]
        }
        Action::AcceptDevice(v, d) => vec![decided(x, v, d, "yes").red_if(x.is_held(d))],
        Action::BlockDevice(v, d) => vec![decided(x, v, d, "no")],
        Action::Acknowledge(v, p) => {
            let forged = x.after.pinned.get(v, p) == Identity::Forged;
            vec![sight(x.w.owner(v), format!("asked: takes {}'s new identity", x.person(p))).red_if(forged)]
        }
        Action::Withdraw(v, p) => vec![sight(x.w.owner(v), format!("gives up the verification of {}", x.person(p)))],
        Action::RemoveDevice(by, d) => {
            let label = format!("takes {} off the account", x.device(d));
            vec![message(Part::Device(by), x.server(x.w.owner(d)), label)]
        }
        Action::LogOut(d) => {
            vec![message(Part::Device(d), x.server(x.w.owner(d)), format!("{} signs out", x.owner(d)))]
        }
        Action::ChangePassword(d) => published(x, d, "changes the password", None, Publication::Intact),
        Action::CompareLogs(v) => vec![event(Part::Device(v), "compares its log with others'")],
        _ => attack(x, action),
    }
}

/// What passes when the adversary acts by itself.
fn attack(x: &Scene, action: Action) -> Vec<Draft> {
    let adversary = Part::Adversary;
    let red = |from, to, label: String| vec![message(from, to, label).red()];
    match action {
        Action::Arrive => vec![Draft::at(adversary, RowKind::Phase, "the adversary arrives").red()],
        Action::StealPassword(p) => red(Part::Person(p), adversary, format!("{}'s password, stolen", x.person(p))),
        Action::StealRecovery(p) => red(Part::Person(p), adversary, format!("{}'s recovery key, stolen", x.person(p))),
        Action::OpenRecovery(p) => {
            let label = format!("{}'s identity secret, by the recovery key", x.person(p));
            match x.server(p) {
                server if x.w.controls(p) => red(server, server, format!("opens {label}")),
                server => red(server, adversary, label),
            }
        }
        Action::RegisterDevice(d) => registered(x, d),
        Action::EvictDevice(d) => {
            let (p, server) = (x.w.owner(d), x.server(x.w.owner(d)));
            let asks = message(x.agent(p), server, format!("signs {} out", x.device(d))).red();
            vec![asks, message(server, Part::Device(d), "thrown off the account").red()]
        }
        Action::ForgeIdentity(p, stealthy) => {
            let signs = if stealthy { ", signing all devices" } else { "" };
            red(x.agent(p), x.server(p), format!("forged identity of {}{signs}", x.person(p)))
        }
        Action::HijackNumber(d) => {
            let (p, server) = (x.w.owner(d), x.server(x.w.owner(d)));
            let number = format!("{}'s phone number", x.person(p));
            let takes = match x.w.policy(p).identity_replaced_by {
                IdentityReplacedBy::NumberAndPin => format!("has {number} and no PIN"),
                _ => format!("signs in with {number}"),
            };
            let takes = message(Part::Device(d), server, takes).red();
            let off = x.before.signed_in.and(x.w.of(p)).iter();
            let off = off.map(|c| message(server, Part::Device(c), "thrown off the account").red());
            std::iter::once(takes).chain(off).collect()
        }
        Action::SignRogue(d) => {
            vec![event(Part::Device(d), format!("signed with {}'s true identity", x.owner(d))).red()]
        }
        Action::StealDevice(d) => vec![stolen(x, d)],
        Action::LinkRogue(by, d) => {
            let links = message(Part::Device(by), Part::Device(d), format!("approves {}", x.device(d))).red();
            vec![links, message(Part::Device(d), x.server(x.w.owner(d)), "signs in").red()]
        }
        Action::PhishLink(by, d) => phished(x, by, d),
        Action::AddMember(p) => {
            let by_word = |q: &Person| x.w.policy(*q).membership != Membership::Signed;
            let host = x.before.members.iter().find(by_word).unwrap_or(p);
            let from = if x.w.controls(host) { x.server(host) } else { adversary };
            red(from, x.server(host), format!("puts {} into the room, uninvited", x.person(p)))
        }
        Action::SwapInCeremony(v, p) => {
            let meet = ceremony(Part::Person(x.w.owner(v)), Part::Person(p), "compare what both show: it matches");
            let told = message(x.server(p), Part::Device(v), "told: forged identity under the compared id").red();
            vec![meet, told.beside(format!("true: {}", identity(x, p, truth(x.w, x.before, p).identity)))]
        }
        Action::PlantBackup(d) => planted(x, d),
        Action::OpenBackup(d) => {
            let held = x.w.policy(x.w.owner(d)).key_backup == KeyBackup::ServerHolds;
            let by = if held { "" } else { ", by the recovery key" };
            let label = format!("keys in {}'s backup{by}", x.owner(d));
            vec![key(x, x.server(x.w.owner(d)), d, &label)]
        }
        _ => unreachable!("people do this"),
    }
}

/// The key of messages goes to a device.
fn key(x: &Scene, from: Part, to: Device, label: &str) -> Draft {
    Draft { kind: RowKind::Key, ..message(from, Part::Device(to), label).red_if(x.is_held(to)) }
}

/// Devices that hold the key of more messages than before.
fn given(x: &Scene) -> Set<Device> {
    let new = |holders: fn(&State) -> Set<Device>| holders(x.after).minus(holders(x.before));
    new(|s| s.past).union(new(|s| s.current)).union(new(|s| s.after))
}

fn handed(x: &Scene, from: Device, label: &str) -> Vec<Draft> {
    given(x).iter().map(|d| key(x, Part::Device(from), d, label)).collect()
}

/// A client tells its server something, or the adversary puts something else in its place.
fn published(x: &Scene, d: Device, what: &str, keys: Option<Device>, publication: Publication) -> Vec<Draft> {
    let (p, client, server) = (x.w.owner(d), Part::Device(d), x.server(x.w.owner(d)));
    let read = x.after.passwords.has(p) && !x.before.passwords.has(p);
    let Some(via) = x.vantage(d).filter(|_| read || publication != Publication::Intact) else {
        return vec![message(client, server, what)];
    };
    let mut rows = vec![message(client, via, what)];
    if read {
        rows.push(event(via, format!("reads {}'s password", x.person(p))).red());
    }
    let forged = publication != Publication::Intact && x.after.replaced.has(p);
    let identity = |word: &str| forged.then(|| word.to_string());
    let listed = match (publication, keys) {
        (Publication::Intact, _) => {
            rows.extend((via != server).then(|| message(via, server, format!("{what} (passed on)"))));
            return rows;
        }
        (_, None) => None,
        (Publication::Replaced(r), _) => Some(x.device(r)),
        (Publication::Joined(r), Some(d)) => Some(format!("{}, {}", x.device(d), x.device(r))),
    };
    let signs =
        if matches!(publication, Publication::Joined(_)) { "forged identity, signing all" } else { "forged identity" };
    let put: Vec<String> = identity(signs).into_iter().chain(listed).collect();
    let sent: Vec<String> = identity("identity").into_iter().chain(keys.map(|d| x.device(d))).collect();
    let word = if via == server { "lists" } else { "puts in its place" };
    let row = message(via, server, format!("{word}: {}", put.join("; "))).red();
    rows.push(row.beside(format!("sent: {}", sent.join("; "))));
    rows
}

fn approved(x: &Scene, by: Device, d: Device, publication: Publication) -> Vec<Draft> {
    let mut rows = vec![message(Part::Device(by), Part::Device(d), format!("approves {}", x.device(d)))];
    if publication != Publication::Intact {
        rows.extend(published(x, d, "signs in", Some(d), publication));
    }
    rows.extend(handed(x, by, "keys of earlier messages"));
    rows
}

/// An identity that passes for that of `p`, in a few words.
fn identity(x: &Scene, p: Person, which: Identity) -> String {
    match which {
        Identity::None => "no identity".to_string(),
        Identity::True => format!("{}'s identity", x.person(p)),
        Identity::Old => "replaced identity".to_string(),
        Identity::Forged => "forged identity".to_string(),
    }
}

/// The identity and the devices that are told of somebody, likewise.
fn listing(x: &Scene, p: Person, identity: Option<Identity>, devices: Set<Device>) -> String {
    let word = identity.map(|i| self::identity(x, p, i));
    let devices = if devices.is_empty() { "no device".to_string() } else { x.devices(devices) };
    word.map_or(devices.clone(), |word| format!("{word}; {devices}"))
}

/// A client looks somebody up: the question, and the answer beside the true one.
fn asked(x: &Scene, v: Device, p: Person, answer: Answer) -> Vec<Draft> {
    let me = x.w.owner(v);
    let own = me == p;
    let question = if own { "my devices?".to_string() } else { format!("{}'s devices?", x.person(p)) };
    let honest = truth(x.w, x.before, p);
    let Answer::Lie(lie) = answer else {
        let identity = (honest.identity == Identity::Forged).then_some(honest.identity);
        let told = format!("told: {}", listing(x, p, identity, honest.devices));
        let told = message(x.server(p), Part::Device(v), told);
        // What a server says in truth may serve the adversary all the same; on one's own account it gives it away.
        let red = !own && is_tainted(x, &honest);
        return vec![message(Part::Device(v), x.server(p), question), told.red_if(red)];
    };
    let liar = match () {
        () if x.w.controls(p) => x.server(p),
        () if x.w.controls(me) => x.server(me),
        () => Part::Link(me),
    };
    let shown = shown(lie);
    let devices = listed_honest(x.w, x.before, p, lie).union(lie.added);
    // Where both are the same it needs no word.
    let says_identity = x.w.policy(p).has_identity() && shown != honest.identity || shown == Identity::Forged;
    let with = |i: Identity| says_identity.then_some(i);
    let log = if x.w.is_logged(v, p) { " from another log" } else { "" };
    let told = message(liar, Part::Device(v), format!("told{log}: {}", listing(x, p, with(shown), devices))).red();
    let honest = format!("true: {}", listing(x, p, with(honest.identity), honest.devices));
    vec![message(Part::Device(v), liar, question), told.beside(honest)]
}

fn shown(lie: Lie) -> Identity {
    match lie.identity {
        Shown::Nothing => Identity::None,
        Shown::True => Identity::True,
        Shown::Old => Identity::Old,
        Shown::Forged | Shown::Stealth => Identity::Forged,
    }
}

/// Whether something in an answer is the adversary's.
fn is_tainted(x: &Scene, told: &View) -> bool {
    told.identity == Identity::Forged || told.devices.meets(x.before.held(x.w))
}

/// The same, where only what is the adversary's, or a lie, needs to be drawn.
fn asked_if_tainted(x: &Scene, v: Device, p: Person, answer: Answer) -> Vec<Draft> {
    let told = view(x.w, x.before, v, p, Answer::Truth);
    let drawn = answer != Answer::Truth || !x.w.uninvited.has(p) && told.is_ok_and(|told| is_tainted(x, &told));
    if drawn { asked(x, v, p, answer) } else { Vec::new() }
}

fn sent(x: &Scene, v: Device, action: Action) -> Vec<Draft> {
    let Action::Send(_, answers) = action else { unreachable!("only sends are sent") };
    let people = recognised_members(x.w, x.before, v);
    let mut rows = vec![event(Part::Device(v), format!("{} sends a message", x.owner(v)))];
    rows.extend(people.iter().flat_map(|p| asked_if_tainted(x, v, p, answers[p.index()])));
    let readers = readers(x.w, x.before, action).unwrap_or_default().without(v);
    let (theirs, honest) = (readers.and(x.after.held(x.w)), readers.minus(x.after.held(x.w)));
    rows.extend(honest.iter().chain(theirs.iter()).map(|d| key(x, Part::Device(v), d, "room key")));
    if readers.is_empty() {
        rows.push(event(Part::Device(v), "nobody else is given the key"));
    }
    rows
}

fn invited(x: &Scene, v: Device, p: Person, answer: Answer) -> Vec<Draft> {
    let mut rows = vec![message(Part::Device(v), Part::Person(p), format!("invites {} into the room", x.person(p)))];
    rows.extend(asked_if_tainted(x, v, p, answer));
    rows.extend(handed(x, v, "keys of earlier messages"));
    rows
}

fn forwarded(x: &Scene, by: Device, to: Device, answer: Answer) -> Vec<Draft> {
    let p = x.w.owner(by);
    let mut rows = vec![message(Part::Device(to), Part::Device(by), "asks for old keys").red_if(x.is_held(to))];
    rows.extend(asked_if_tainted(x, by, p, answer));
    if x.w.policy(p).own_requests == OwnRequests::Ask && !x.before.trusted.has(by, to) {
        rows.push(decided(x, by, to, "yes").red_if(x.is_held(to)));
    }
    rows.push(key(x, Part::Device(by), to, "old keys"));
    rows
}

fn verified(x: &Scene, v: Device, p: Person) -> Vec<Draft> {
    let me = x.w.owner(v);
    if me == p {
        return vec![sight(me, format!("verifies the own identity on {}", x.device(v)))];
    }
    let label = format!("compare {}'s identity: it matches", x.person(p));
    vec![ceremony(Part::Person(me), Part::Person(p), label)]
}

/// Somebody answers a question about a device.
fn decided(x: &Scene, v: Device, d: Device, says: &str) -> Draft {
    sight(x.w.owner(v), format!("asked about {}, says {says}", x.device(d)))
}

fn registered(x: &Scene, d: Device) -> Vec<Draft> {
    let (p, server) = (x.w.owner(d), x.server(x.w.owner(d)));
    if x.w.controls(p) {
        return vec![event(server, format!("lists {} as {}'s", x.device(d), x.person(p))).red()];
    }
    let with = if x.w.policy(p).joins_by_password() { "password" } else { "recovery key" };
    vec![message(Part::Device(d), server, format!("signs in with {}'s {with}", x.person(p))).red()]
}

fn stolen(x: &Scene, d: Device) -> Draft {
    let keys = if x.before.holders().has(d) { ", with its keys" } else { "" };
    event(Part::Device(d), format!("stolen, unlocked{keys}")).red()
}

fn phished(x: &Scene, by: Device, d: Device) -> Vec<Draft> {
    let (p, rogue, server) = (x.w.owner(d), Part::Device(d), x.server(x.w.owner(d)));
    // On the account it would be approved; before that it lacks the code.
    if x.w.policy(p).joins_by_password() && !x.before.registered.has(d) {
        let reads = message(Part::Person(p), rogue, "tricked: reads out the code").red();
        return vec![reads, message(rogue, server, "signs in with password and code").red()];
    }
    let tricks = message(rogue, Part::Person(p), format!("passes for {}'s device", x.person(p))).red();
    let approves = message(Part::Device(by), rogue, format!("approves {}", x.device(d))).red();
    [tricks, approves].into_iter().chain(handed(x, by, "keys of earlier messages")).collect()
}

fn planted(x: &Scene, d: Device) -> Vec<Draft> {
    let p = x.w.owner(d);
    let named = event(x.server(p), format!("names its own backup as {}'s", x.person(p))).red();
    let holders = x.before.holders().and(x.before.signed_in).and(x.w.of(p));
    let new = given(x).has(d);
    let keys = holders.iter().filter(|_| new).map(|c| key(x, Part::Device(c), d, "keys, as a backup"));
    std::iter::once(named).chain(keys).collect()
}

/// What the adversary's doing means for messages that nobody has sent yet, where it reads none.
pub(super) fn outlook(x: &Scene) -> Vec<Draft> {
    if x.after.holders().meets(x.after.held(x.w)) || !locked_out(x.w, *x.after) {
        return Vec::new();
    }
    let (w, s) = (x.w, x.after);
    let people = s.members.minus(w.uninvited);
    let in_room = people.iter().fold(Set::EMPTY, |all, p| all.union(w.of(p)));
    let everybody = s.signed_in.union(s.evicted).and(in_room).minus(s.stolen);
    let mut rows = Vec::new();
    for v in w.senders.and(s.signed_in).and(in_room).iter() {
        let missed = readers(w, s, Action::Send(v, [Answer::Truth; PEOPLE_MAX])).map(|r| everybody.minus(r).without(v));
        let label = match missed {
            None => "a message would now be refused".to_string(),
            Some(missed) if missed.is_empty() => continue,
            Some(missed) => format!("a message would now miss {}", x.devices(missed)),
        };
        rows.push(event(Part::Device(v), label).red());
    }
    rows
}

/// Who is given the key by a send; none if it is refused.
fn readers(w: &World, s: &State, send: Action) -> Option<Set<Device>> {
    // Who is given a key does not depend on who holds keys already.
    let none = State { past: Set::EMPTY, current: Set::EMPTY, after: Set::EMPTY, ..*s };
    step(w, none, send).ok().map(|s| s.holders())
}

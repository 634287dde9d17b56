//! A trace in the scenario's names: a sentence for each step, and what changed.

use crate::model::bits::Index;
use crate::model::people::Publication;
use crate::model::state::{Among, OfDevices, OfPeople};
use crate::model::{Action, Answer, Device, Identity, Person, Property, Set, Shown, State, World, property};
use crate::trace::{Names, ReplayError, replay};

/// One step of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub action: Action,
    /// What happens, as a sentence.
    pub sentence: String,
    /// What is different afterwards, one line each.
    pub changes: Vec<String>,
    pub by_adversary: bool,
}

/// Tells a trace. Fails if it does not replay.
pub fn tell(w: &World, names: &Names, actions: &[Action]) -> Result<Vec<Told>, ReplayError> {
    let states = replay(w, actions)?;
    let steps = actions.iter().zip(states.windows(2));
    Ok(steps
        .map(|(&action, pair)| Told {
            action,
            sentence: sentence(w, names, pair[0], pair[1], action),
            changes: changes(w, names, &pair[0], &pair[1]),
            by_adversary: action.is_adversarial(),
        })
        .collect())
}

/// A person's name as the beginning of a sentence writes it.
pub fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Names joined as in a sentence.
pub fn list(names: &[String]) -> String {
    match names {
        [] => "nobody".to_string(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

fn device_list(names: &Names, devices: Set<Device>) -> String {
    list(&devices.iter().map(|d| names.device(d).to_string()).collect::<Vec<_>>())
}

/// Who answers a lookup by `v` about `p` in place of p's server.
fn liar(w: &World, names: &Names, v: Device, p: Person) -> String {
    let me = w.owner(v);
    match () {
        () if w.controls(p) => format!("{}'s server", capital(names.person(p))),
        () if w.controls(me) => format!("{}'s server", capital(names.person(me))),
        () => format!("the adversary on the link of {}", names.device(v)),
    }
}

/// What an answer says, as a clause.
fn answer_clause(w: &World, names: &Names, v: Device, p: Person, answer: Answer) -> Option<String> {
    let Answer::Lie(lie) = answer else { return None };
    let who = names.person(p);
    let mut says = Vec::new();
    match lie.identity {
        Shown::Nothing if w.policy(p).has_identity() => says.push(format!("shows no identity of {who}")),
        Shown::Nothing | Shown::True => {}
        Shown::Old => says.push(format!("shows the identity that {who} has replaced")),
        Shown::Forged => says.push(format!("shows a forged identity of {who}")),
        Shown::Stealth => says.push(format!("shows a forged identity of {who} that signs the honest devices too")),
    }
    if !lie.left_out.is_empty() {
        says.push(format!("leaves out {}", device_list(names, lie.left_out)));
    }
    if lie.added.is_empty() {
        says.push("lists no device of the adversary".to_string());
    } else {
        says.push(format!("lists {} as {who}'s", device_list(names, lie.added)));
    }
    Some(format!("{} {}", liar(w, names, v, p), list(&says)))
}

fn with_clauses(base: String, clauses: Vec<String>) -> String {
    if clauses.is_empty() { base + "." } else { format!("{base}; {}.", clauses.join("; ")) }
}

fn publication_clause(names: &Names, d: Device, x: Publication) -> Vec<String> {
    match x {
        Publication::Intact => Vec::new(),
        Publication::Replaced(r) => {
            vec![format!("on the way the adversary puts {} in the place of {}", names.device(r), names.device(d))]
        }
        Publication::Joined(r) => {
            vec![format!("on the way the adversary puts a forged identity in its place and adds {}", names.device(r))]
        }
    }
}

/// What happens in one step, as a sentence in the scenario's names.
pub fn sentence(w: &World, names: &Names, before: State, after: State, action: Action) -> String {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| names.person(x).to_string();
    let owner = |x: Device| capital(names.person(w.owner(x)));
    match action {
        Action::SignIn(a, x) => {
            let mut clauses = publication_clause(names, a, x);
            if after.passwords != before.passwords {
                clauses.push("the adversary reads the password as it passes".to_string());
            }
            with_clauses(format!("{} signs in on {}", owner(a), d(a)), clauses)
        }
        Action::PublishIdentity(a, x) => {
            with_clauses(format!("{} publishes an identity from {}", owner(a), d(a)), publication_clause(names, a, x))
        }
        Action::ApproveDevice(by, a, x) => {
            let base = format!("{} approves {} on {}", owner(a), d(a), d(by));
            with_clauses(base, publication_clause(names, a, x))
        }
        Action::LookUp(v, q, a) => {
            let base = if w.owner(v) == q {
                format!("{} looks at the account's own devices on {}", owner(v), d(v))
            } else {
                format!("{} looks {} up", d(v), p(q))
            };
            with_clauses(base, answer_clause(w, names, v, q, a).into_iter().collect())
        }
        Action::Send(v, answers) => {
            let clause = |q: Person| answer_clause(w, names, v, q, answers[q.index()]);
            let given = after.holders().minus(before.holders());
            let mut clauses: Vec<_> = w.all_people().filter_map(clause).collect();
            if given.meets(before.held(w).union(after.held(w))) {
                let readers = given.and(after.held(w));
                clauses.push(format!("{} is given the room key", device_list(names, readers)));
            }
            with_clauses(format!("{} sends a message from {}", owner(v), d(v)), clauses)
        }
        Action::ForwardKeys(by, to, a) => {
            let base = format!("{} gives {} the old keys it asked for", d(by), d(to));
            with_clauses(base, answer_clause(w, names, by, w.owner(by), a).into_iter().collect())
        }
        Action::ReshareKeys(v, to, a) => {
            let id = w.reuses(to).map_or(String::new(), |h| format!(", which comes under the id of {}", d(h)));
            let base = format!("{} sends the key of an old message again to {}{id}", d(v), d(to));
            with_clauses(base, answer_clause(w, names, v, w.owner(to), a).into_iter().collect())
        }
        Action::ResetIdentity(a, x) => {
            with_clauses(format!("{} makes a new identity on {}", owner(a), d(a)), publication_clause(names, a, x))
        }
        _ => plain_sentence(w, names, action),
    }
}

/// The sentences that need nothing but names.
fn plain_sentence(w: &World, names: &Names, action: Action) -> String {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| names.person(x).to_string();
    let owner = |x: Device| capital(names.person(w.owner(x)));
    match action {
        Action::Verify(v, q) => format!("{} and {} compare {}'s identity, as {} shows it.", owner(v), p(q), p(q), d(v)),
        Action::VerifyDevice(v, a) => format!("{} compares the keys of {} on {}.", owner(v), d(a), d(v)),
        Action::AcceptDevice(v, a) => format!("{} is asked about {} on {} and says yes.", owner(v), d(a), d(v)),
        Action::BlockDevice(v, a) => format!("{} is asked about {} on {} and says no.", owner(v), d(a), d(v)),
        Action::Acknowledge(v, q) => format!("{} acknowledges {}'s changed identity on {}.", owner(v), p(q), d(v)),
        Action::Withdraw(v, q) => format!("{} gives up the verification of {} on {}.", owner(v), p(q), d(v)),
        Action::RemoveDevice(by, a) => format!("{} takes {} off the account, on {}.", owner(by), d(a), d(by)),
        Action::LogOut(a) => format!("{} signs {} out.", owner(a), d(a)),
        Action::ChangePassword(a) => format!("{} changes the password on {}.", owner(a), d(a)),
        Action::Invite(v, q) => format!("{} invites {}.", owner(v), p(q)),
        Action::Arrive => "The adversary arrives.".to_string(),
        Action::StealPassword(q) => format!("The adversary takes {}'s password.", p(q)),
        Action::RegisterDevice(a) => format!("The adversary signs {} in to {}'s account.", d(a), p(w.owner(a))),
        Action::EvictDevice(a) => format!("The adversary signs {}'s {} out.", p(w.owner(a)), d(a)),
        Action::ForgeIdentity(q, false) => format!("The adversary publishes a forged identity for {}.", p(q)),
        Action::ForgeIdentity(q, true) => {
            format!("The adversary publishes a forged identity for {} that signs the honest devices too.", p(q))
        }
        Action::HijackNumber(a) => {
            format!("The adversary registers {}'s number anew, on {}.", p(w.owner(a)), d(a))
        }
        Action::StealRecovery(q) => format!("The adversary takes {}'s recovery key.", p(q)),
        Action::OpenRecovery(q) => format!("The adversary opens {}'s identity with the recovery key.", p(q)),
        Action::SignRogue(a) => format!("The adversary signs {} with {}'s identity.", d(a), p(w.owner(a))),
        Action::StealDevice(a) => format!("The adversary steals {}'s {}.", p(w.owner(a)), d(a)),
        Action::LinkRogue(by, a) => format!("The adversary links {} from the stolen {}.", d(a), d(by)),
        Action::PhishLink(by, a) => format!("{} is tricked into approving {} on {}.", owner(by), d(a), d(by)),
        Action::AddMember(q) => format!("{} appears in the room, invited by nobody.", capital(&p(q))),
        _ => unreachable!("told with its answers by `sentence`"),
    }
}

fn identity_word(i: Identity) -> &'static str {
    match i {
        Identity::None => "no",
        Identity::True => "the true",
        Identity::Old => "an old",
        Identity::Forged => "a forged",
    }
}

/// What is different in `b`, one line each, in the scenario's names.
pub fn changes(w: &World, names: &Names, a: &State, b: &State) -> Vec<String> {
    let mut lines = Vec::new();
    server_changes(w, names, a, b, &mut lines);
    adversary_changes(names, a, b, &mut lines);
    viewer_changes(w, names, a, b, &mut lines);
    key_changes(w, names, a, b, &mut lines);
    lines
}

fn server_changes(w: &World, names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let whose = |d: Device| format!("{}'s server", capital(names.person(w.owner(d))));
    let mut each = |from: Set<Device>, to: Set<Device>, tell: &dyn Fn(Device) -> String| {
        lines.extend(to.minus(from).iter().map(tell));
    };
    let d = |x: Device| names.device(x).to_string();
    each(a.registered, b.registered, &|x| format!("{} lists {}", whose(x), d(x)));
    each(b.registered, a.registered, &|x| format!("{} lists {} no more", whose(x), d(x)));
    each(a.signed, b.signed, &|x| format!("{}'s true identity has signed {}", names.person(w.owner(x)), d(x)));
    each(a.signed_in, b.signed_in, &|x| format!("{} is signed in", d(x)));
    each(b.signed_in, a.signed_in, &|x| format!("{} is signed out", d(x)));
    each(a.removed, b.removed, &|x| format!("{} was taken off the account", d(x)));
    for q in w.all_people() {
        let listed = |s: &State| (s.published.has(q), s.replaced.has(q), s.stealthy.has(q));
        if listed(a) != listed(b) {
            let what = if b.replaced.has(q) { "a forged" } else { "the true" };
            lines.push(format!("{}'s server shows {what} identity", capital(names.person(q))));
        }
    }
    lines.extend(b.members.minus(a.members).iter().map(|q| format!("{} is in the room", names.person(q))));
}

fn adversary_changes(names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let people = |set: Set<Person>| list(&set.iter().map(|q| names.person(q).to_string()).collect::<Vec<_>>());
    let mut learns = |from: Set<Person>, to: Set<Person>, what: &str| {
        if !to.minus(from).is_empty() {
            lines.push(format!("the adversary knows the {what} of {}", people(to.minus(from))));
        }
        if !from.minus(to).is_empty() {
            lines.push(format!("the {what} of {} that the adversary knows is worth nothing", people(from.minus(to))));
        }
    };
    learns(a.passwords, b.passwords, "password");
    learns(a.secrets, b.secrets, "identity secret");
    learns(a.recovery, b.recovery, "recovery key");
    lines.extend(b.stolen.minus(a.stolen).iter().map(|d| format!("the adversary holds {}", names.device(d))));
}

fn viewer_changes(w: &World, names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| names.person(x).to_string();
    for v in w.honest.iter() {
        for q in w.all_people() {
            let (pin, offer) = (b.pinned.get(v, q), b.offered.get(v, q));
            if pin != a.pinned.get(v, q) {
                lines.push(format!("{} pins {} identity of {}", d(v), identity_word(pin), p(q)));
            }
            if offer != a.offered.get(v, q) && offer != Identity::None {
                lines.push(format!("{} is shown {} identity of {}", d(v), identity_word(offer), p(q)));
            }
        }
        let people = |r: fn(&State) -> OfPeople| r(b).row(v).minus(r(a).row(v));
        lines.extend(people(|s| s.verified).iter().map(|q| format!("{} has verified {}", d(v), p(q))));
        let devices = |r: fn(&State) -> OfDevices| r(b).row(v).minus(r(a).row(v));
        lines.extend(devices(|s| s.seen).iter().map(|x| format!("{} has displayed {}", d(v), d(x))));
        lines.extend(devices(|s| s.accepted).iter().map(|x| format!("{} lets {} through", d(v), d(x))));
        lines.extend(devices(|s| s.trusted).iter().map(|x| format!("{} has verified {}", d(v), d(x))));
        lines.extend(devices(|s| s.blocked).iter().map(|x| format!("{} blocks {}", d(v), d(x))));
    }
    let warned: Among = b.warned;
    for q in w.all_people() {
        let new = warned.row(q).minus(a.warned.row(q));
        lines.extend(new.iter().map(|about| format!("{} is warned of {}", capital(&p(q)), p(about))));
    }
    lines.extend(b.shown.minus(a.shown).iter().map(|x| format!("{} is shown {}", capital(&p(w.owner(x))), d(x))));
    lines.extend(b.shown_verified.minus(a.shown_verified).iter().map(|x| format!("{} is displayed as verified", d(x))));
}

fn key_changes(w: &World, names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let eras: [(&str, fn(&State) -> Set<Device>); 3] = [
        ("messages from before the adversary had any device", |s| s.past),
        ("messages from now on", |s| s.current),
        ("messages from after the removal", |s| s.after),
    ];
    for (era, holders) in eras {
        let new = holders(b).minus(holders(a));
        let (rogue, honest) = (new.and(b.held(w)), new.minus(b.held(w)));
        for (who, mark) in [(honest, ""), (rogue, "THE ADVERSARY'S ")] {
            if !who.is_empty() {
                let verb = if who.len() == 1 { "holds" } else { "hold" };
                lines.push(format!("{mark}{} {verb} the key of {era}", device_list(names, who)));
            }
        }
    }
    let unmissed = b.overheard.minus(a.overheard);
    lines.extend(unmissed.iter().map(|x| format!("no honest device misses what {} reads", names.device(x))));
}

/// What is wrong in the state `s` if `property` fails there, as a sentence.
pub fn consequence(w: &World, names: &Names, s: State, property: Property) -> String {
    let culprits = property::culprits(w, s, property);
    let who = device_list(names, culprits);
    let owners: Set<Person> = culprits.iter().map(|d| w.owner(d)).collect();
    let owner = list(&owners.iter().map(|p| names.person(p).to_string()).collect::<Vec<_>>());
    match property {
        Property::NoRogueKey => format!("{who}, which {owner} never enrolled, holds a room key."),
        Property::NoHiddenKey => {
            format!("{who} holds a room key, and every client of {owner} has looked and not been shown it.")
        }
        Property::NoSilentLeak => format!("{who} holds a room key, and nobody was warned."),
        Property::NoInvisibleListener => {
            format!("{who} reads; {owner} cannot see it, nobody was warned, and no honest device misses a message.")
        }
        Property::PastStaysPrivate => {
            format!("{who} holds the key of a message from before the adversary had any device.")
        }
        Property::RemovalEndsAccess => format!("{who} got a key after {owner} had removed the adversary's device."),
        Property::NeverShownAsVerified => format!("{who} is displayed as verified."),
        Property::NoUninvitedReader => format!("{who}, of an account that nobody invited, holds a room key."),
        Property::NoLockOut => {
            "Something that the adversary made keeps an honest message from an honest device.".to_string()
        }
        Property::EverybodyReads => "A message has reached every honest device.".to_string(),
    }
}

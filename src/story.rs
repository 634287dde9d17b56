//! A trace in the scenario's names: a sentence for each step, and what changed.

mod gist;
pub use gist::{Gist, gist};

use crate::model::bits::Index;
use crate::model::people::Publication;
use crate::model::state::{Among, OfDevices, OfPeople};
use crate::model::{
    Action, Answer, Device, Identity, PEOPLE_MAX, Person, Property, Set, Shown, State, World, property, step,
};
use crate::policy::{IdentityReplacedBy, KeyBackup, OwnRequests};
use crate::trace::{Names, ReplayError, replay};

/// One step of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happens, as the model has it.
    pub action: Action,
    /// What happens, as a sentence.
    pub sentence: String,
    /// What is different afterwards, one line each.
    pub changes: Vec<String>,
    /// Whether the adversary does it, or has a hand in it.
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

/// Steps that people take from a state on, a sentence each, whatever the scenario lets them do.
pub fn told_from(w: &World, names: &Names, mut s: State, actions: &[Action]) -> Vec<String> {
    let w = &World { options: [true; 5], ..*w };
    let mut told = Vec::new();
    for &action in actions {
        let next = step(w, s, action).expect("steps are searched before they are told");
        told.push(sentence(w, names, s, next, action));
        s = next;
    }
    told
}

/// A name with a capital: a person's anywhere, a device's where a sentence begins.
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

fn person(names: &Names, p: Person) -> String {
    capital(names.person(p))
}

fn person_list(names: &Names, people: Set<Person>) -> String {
    list(&people.iter().map(|p| person(names, p)).collect::<Vec<_>>())
}

fn device_list(names: &Names, devices: Set<Device>) -> String {
    list(&devices.iter().map(|d| names.device(d).to_string()).collect::<Vec<_>>())
}

/// Who answers a lookup by `v` about `p` in place of p's server.
fn liar(w: &World, names: &Names, v: Device, p: Person) -> String {
    let me = w.owner(v);
    match () {
        () if w.controls(p) => format!("{}'s server", person(names, p)),
        () if w.controls(me) => format!("{}'s server", person(names, me)),
        () => format!("the adversary, on the link of {},", names.device(v)),
    }
}

/// What an answer says, as a clause.
fn answer_clause(w: &World, names: &Names, v: Device, p: Person, answer: Answer) -> Option<String> {
    let Answer::Lie(lie) = answer else { return None };
    let who = person(names, p);
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
        says.push("names no device of the adversary".to_string());
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
    let p = |x: Person| person(names, x);
    let owner = |x: Device| person(names, w.owner(x));
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
                format!("{} looks at their own list of devices on {}", owner(v), d(v))
            } else {
                format!("{} looks {} up on {}", owner(v), p(q), d(v))
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
            let base = format!("The device {} gives {} the old keys that it asks for", d(by), d(to));
            let asked = w.policy(w.owner(by)).own_requests == OwnRequests::Ask && !before.trusted.has(by, to);
            let yes = asked.then(|| format!("{} is asked and says yes", owner(by)));
            with_clauses(base, answer_clause(w, names, by, w.owner(by), a).into_iter().chain(yes).collect())
        }
        Action::ReshareKeys(v, to, a) => {
            let id = w.reuses(to).map_or(String::new(), |h| format!(", which comes under the id of {}", d(h)));
            let base = format!("The device {} sends the key of an old message again, to {}{id}", d(v), d(to));
            with_clauses(base, answer_clause(w, names, v, w.owner(to), a).into_iter().collect())
        }
        Action::Invite(v, q, a) => {
            let given = after.holders().minus(before.holders());
            let keys = (!given.is_empty()).then(|| format!("{} is handed the keys", device_list(names, given)));
            let clauses = answer_clause(w, names, v, q, a).into_iter().chain(keys).collect();
            with_clauses(format!("{} invites {} on {}", owner(v), p(q), d(v)), clauses)
        }
        Action::ResetIdentity(a, x) => {
            with_clauses(format!("{} makes a new identity on {}", owner(a), d(a)), publication_clause(names, a, x))
        }
        // On the account it would be approved; before that it lacks the code.
        Action::PhishLink(_, a) if !w.policy(w.owner(a)).joins_by_approval() && !before.registered.has(a) => {
            format!("{} is tricked into reading out the code with which {} signs in.", owner(a), d(a))
        }
        _ => ceremony(w, names, action).unwrap_or_else(|| plain_sentence(w, names, action)),
    }
}

/// What people compare with each other, as a sentence; none for other actions.
fn ceremony(w: &World, names: &Names, action: Action) -> Option<String> {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| person(names, x);
    let owner = |x: Device| person(names, w.owner(x));
    Some(match action {
        Action::Verify(v, q) => format!("{} and {} compare {}'s identity, as {} shows it.", owner(v), p(q), p(q), d(v)),
        Action::VerifyDevice(v, a) => format!("{} compares the keys of {} on {}.", owner(v), d(a), d(v)),
        Action::OverlookIdentity(v, q) => format!(
            "{} and {} compare {}'s identity, as {} shows it, and {} overlooks that it is another.",
            owner(v),
            p(q),
            p(q),
            d(v),
            owner(v)
        ),
        Action::OverlookDevice(v, a) => format!(
            "{} compares the keys of {} on {} with those that {} shows, and overlooks that they differ.",
            owner(v),
            d(a),
            d(v),
            owner(a)
        ),
        _ => return None,
    })
}

/// The sentences that need nothing but names.
fn plain_sentence(w: &World, names: &Names, action: Action) -> String {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| person(names, x);
    let owner = |x: Device| person(names, w.owner(x));
    match action {
        Action::AcceptDevice(v, a) => format!("{} is asked about {} on {} and says yes.", owner(v), d(a), d(v)),
        Action::BlockDevice(v, a) => format!("{} is asked about {} on {} and says no.", owner(v), d(a), d(v)),
        Action::Acknowledge(v, q) => format!("{} acknowledges {}'s changed identity on {}.", owner(v), p(q), d(v)),
        Action::Withdraw(v, q) => format!("{} gives up the verification of {} on {}.", owner(v), p(q), d(v)),
        Action::RemoveDevice(by, a) => format!("{} takes {} off the account, on {}.", owner(by), d(a), d(by)),
        Action::LogOut(a) => format!("{} signs {} out.", owner(a), d(a)),
        Action::ChangePassword(a) => format!("{} changes the password on {}.", owner(a), d(a)),
        Action::CompareLogs(v) => format!("The device {} compares the log that it was shown with others.", d(v)),
        Action::Arrive => "The adversary arrives.".to_string(),
        Action::StealPassword(q) => format!("The adversary takes {}'s password.", p(q)),
        Action::RegisterDevice(a) => match w.controls(w.owner(a)) {
            true => format!("The adversary, who holds {}'s server, puts {} on the account.", owner(a), d(a)),
            false => format!("The adversary signs {} in to {}'s account.", d(a), owner(a)),
        },
        Action::EvictDevice(a) => format!("The adversary signs {} out of {}'s account.", d(a), owner(a)),
        Action::ForgeIdentity(q, false) => format!("The adversary publishes a forged identity for {}.", p(q)),
        Action::ForgeIdentity(q, true) => {
            format!("The adversary publishes a forged identity for {} that signs the honest devices too.", p(q))
        }
        Action::HijackNumber(a) if w.policy(w.owner(a)).identity_replaced_by == IdentityReplacedBy::NumberAndPin => {
            format!("The adversary fails to register {}'s phone number anew without the PIN.", owner(a))
        }
        Action::HijackNumber(a) => {
            format!("The adversary registers {}'s phone number anew, on {}.", owner(a), d(a))
        }
        Action::StealRecovery(q) => format!("The adversary takes {}'s recovery key.", p(q)),
        Action::OpenRecovery(q) => format!("The adversary opens {}'s identity with the recovery key.", p(q)),
        Action::SignRogue(a) => format!("The adversary signs {} with {}'s identity.", d(a), owner(a)),
        Action::StealDevice(a) => format!("The adversary steals {} from {}.", d(a), owner(a)),
        Action::LinkRogue(by, a) => format!("The adversary links {} from the stolen {}.", d(a), d(by)),
        Action::PhishLink(by, a) => format!("{} is tricked into approving {} on {}.", owner(by), d(a), d(by)),
        Action::AddMember(q) => format!("{} appears in the room, invited by nobody.", p(q)),
        Action::SwapInCeremony(v, q) => format!(
            "{} and {} compare on {}, and find the same; but what {} then signs is a forged identity of {}, which the \
             server gave the id that was confirmed.",
            owner(v),
            p(q),
            d(v),
            d(v),
            p(q)
        ),
        Action::PlantBackup(a) => {
            format!("The adversary names a backup of its own as {}'s, for {} to read.", owner(a), d(a))
        }
        Action::OpenBackup(a) => {
            let held = w.policy(w.owner(a)).key_backup == KeyBackup::ServerHolds;
            let by = if held { "whose key the server holds" } else { "with the recovery key" };
            format!("The adversary reads {}'s backup, {by}, on {}.", owner(a), d(a))
        }
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
    let whose = |d: Device| format!("{}'s server", person(names, w.owner(d)));
    let mut each = |from: Set<Device>, to: Set<Device>, tell: &dyn Fn(Device) -> String| {
        lines.extend(to.minus(from).iter().map(tell));
    };
    let d = |x: Device| names.device(x).to_string();
    each(a.registered, b.registered, &|x| format!("{} lists {}", whose(x), d(x)));
    each(b.registered, a.registered, &|x| format!("{} no longer lists {}", whose(x), d(x)));
    each(a.signed, b.signed, &|x| format!("{}'s true identity has signed {}", person(names, w.owner(x)), d(x)));
    each(a.signed_in, b.signed_in, &|x| format!("{} is signed in", d(x)));
    each(b.signed_in, a.signed_in, &|x| format!("{} is signed out", d(x)));
    each(a.removed, b.removed, &|x| format!("{} was taken off the account", d(x)));
    for q in w.all_people() {
        let listed = |s: &State| (s.published.has(q), s.replaced.has(q), s.stealthy.has(q));
        if listed(a) != listed(b) {
            let what = match (b.published.has(q), b.replaced.has(q), b.stealthy.has(q)) {
                (false, ..) => "no identity",
                (_, false, _) => "the true identity",
                (_, _, false) => "a forged identity",
                (_, _, true) => "a forged identity that signs the honest devices too",
            };
            lines.push(format!("{}'s server shows {what}", person(names, q)));
        }
    }
    lines.extend(b.members.minus(a.members).iter().map(|q| format!("{} is in the room", person(names, q))));
}

fn adversary_changes(names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let people = |set: Set<Person>| person_list(names, set);
    let mut learns = |from: Set<Person>, to: Set<Person>, what: &str| {
        if !to.minus(from).is_empty() {
            lines.push(format!("the adversary knows the {what} of {}", people(to.minus(from))));
        }
        if !from.minus(to).is_empty() {
            lines.push(format!("the {what} of {} that the adversary knows is now worthless", people(from.minus(to))));
        }
    };
    learns(a.passwords, b.passwords, "password");
    learns(a.secrets, b.secrets, "identity secret");
    learns(a.recovery, b.recovery, "recovery key");
    lines.extend(b.stolen.minus(a.stolen).iter().map(|d| format!("the adversary holds {}", names.device(d))));
}

fn viewer_changes(w: &World, names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| person(names, x);
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
        let whose = |q: Person| if w.owner(v) == q { "its owner's identity".to_string() } else { p(q) };
        lines.extend(people(|s| s.verified).iter().map(|q| format!("{} has verified {}", d(v), whose(q))));
        let forked = people(|s| s.forked);
        lines.extend(forked.iter().map(|q| format!("{} has another log of {} than {} is shown", d(v), p(q), p(q))));
        let devices = |r: fn(&State) -> OfDevices| r(b).row(v).minus(r(a).row(v));
        lines.extend(devices(|s| s.seen).iter().map(|x| format!("{} has displayed {}", d(v), d(x))));
        lines.extend(devices(|s| s.accepted).iter().map(|x| format!("{} lets {} through", d(v), d(x))));
        lines.extend(devices(|s| s.trusted).iter().map(|x| format!("{} has verified {}", d(v), d(x))));
        lines.extend(devices(|s| s.blocked).iter().map(|x| format!("{} blocks {}", d(v), d(x))));
        let unshown = devices(|s| s.looked).minus(b.shown);
        lines.extend(unshown.iter().map(|x| format!("{} has looked and was not shown {}", d(v), d(x))));
        let forgotten = a.stored.row(v).minus(b.stored.row(v));
        lines.extend(forgotten.iter().map(|x| format!("{} no longer holds keys under the id of {}", d(v), d(x))));
    }
    let warned: Among = b.warned;
    for q in w.all_people() {
        let new = warned.row(q).minus(a.warned.row(q));
        let about = |of: Person| if of == q { "their own account".to_string() } else { p(of) };
        lines.extend(new.iter().map(|of| format!("{} is warned about {}", p(q), about(of))));
    }
    lines.extend(b.shown.minus(a.shown).iter().map(|x| format!("{} is shown {}", p(w.owner(x)), d(x))));
    let verified = b.shown_verified.minus(a.shown_verified);
    lines.extend(verified.iter().map(|x| format!("some client displays {} as verified", d(x))));
}

fn key_changes(w: &World, names: &Names, a: &State, b: &State, lines: &mut Vec<String>) {
    type Holders = fn(&State) -> Set<Device>;
    let eras: [(&str, Holders); 3] = [
        ("past messages (from before any rogue device existed)", |s| s.past),
        ("current messages", |s| s.current),
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
    for (era, new) in
        [("past", b.backed_past.minus(a.backed_past)), ("current", b.backed_current.minus(a.backed_current))]
    {
        lines.extend(new.iter().map(|q| format!("the backup of {} holds the key of {era} messages", person(names, q))));
    }
    let unmissed = b.overheard.minus(a.overheard);
    lines.extend(unmissed.iter().map(|x| format!("no honest device misses what {} reads", names.device(x))));
}

/// What is wrong in the state `s` if `property` fails there, as a sentence.
pub fn consequence(w: &World, names: &Names, s: State, property: Property) -> String {
    let culprits = property::culprits(w, s, property);
    let who = capital(&device_list(names, culprits));
    let holds = if culprits.len() == 1 { "holds" } else { "hold" };
    let owner = person_list(names, culprits.iter().map(|d| w.owner(d)).collect());
    match property {
        Property::NoRogueKey if culprits.within(s.stolen) => format!("{who}, stolen from {owner}, {holds} a room key."),
        Property::NoRogueKey => format!("{who}, which {owner} never enrolled, {holds} a room key."),
        Property::NoHiddenKey => {
            format!("{who} {holds} a room key; every client of {owner} has looked, and none was shown it.")
        }
        Property::NoUnnoticedLeak => {
            format!("{who} {holds} a room key; every client of {owner} has looked, and nobody was warned of it.")
        }
        Property::NoSilentLeak => format!("{who} {holds} a room key, and nobody was warned."),
        Property::NoInvisibleListener => format!(
            "{who} {holds} a room key; every client of {owner} has looked, and none was shown it; nobody was warned, \
             and no honest device misses a message."
        ),
        Property::PastStaysPrivate => {
            format!("{who} {holds} the key of a message from before any rogue device existed.")
        }
        Property::RemovalEndsAccess => format!("{who} got a key after {owner} had removed the adversary's device."),
        Property::NeverShownAsVerified => format!("Some client displays {} as verified.", device_list(names, culprits)),
        Property::NoUninvitedReader => format!("{who}, of an account that nobody invited, {holds} a room key."),
        Property::NoUnseenReader => {
            format!("{who}, of an account that no client displays among the members, {holds} a room key.")
        }
        Property::NoBlockedRoom => "Even by the servers' true answers, a message to the room is now refused as a \
             whole because of something that the adversary made: nobody gets it."
            .to_string(),
        Property::NoLockOut => lock_out(w, names, s),
        Property::EverybodyReads => "A message has reached every honest device.".to_string(),
    }
}

/// Devices that the adversary signed out of the accounts of people who are in the room.
fn thrown_off(w: &World, s: &State) -> Set<Device> {
    s.evicted.iter().filter(|&d| s.members.has(w.owner(d))).collect()
}

fn lock_out(w: &World, names: &Names, s: State) -> String {
    let off = thrown_off(w, &s);
    let verb = if off.len() == 1 { "was thrown off its account and misses" } else { "were thrown off and miss" };
    match (off.is_empty(), lost(w, names, &s)) {
        (false, _) => format!("{} {verb} every message.", capital(&device_list(names, off))),
        (true, Some(lost)) => {
            format!("Because of something that the adversary made, {lost}, even if the servers now answer truly.")
        }
        (true, None) => "Even by the servers' true answers, something that the adversary made now keeps an honest \
                         message from an honest device."
            .to_string(),
    }
}

/// What no longer arrives because of something that the adversary made, though the servers answer truly: as a clause.
fn lost(w: &World, names: &Names, s: &State) -> Option<String> {
    let present = s.members.minus(w.uninvited);
    let senders: Set<Device> = s.signed_in.and(w.senders).iter().filter(|&v| present.has(w.owner(v))).collect();
    let mut groups: Vec<(Loss, Set<Device>)> = Vec::new();
    for (v, loss) in senders.iter().filter_map(|v| Some((v, loss_of(w, s, v)?))) {
        match groups.iter_mut().find(|(other, _)| *other == loss) {
            Some((_, from)) => *from = from.with(v),
            None => groups.push((loss, Set::EMPTY.with(v))),
        }
    }
    let clause = |(loss, from): &(Loss, Set<Device>)| {
        let of = |p: Person| (p, from.and(w.of(p)));
        let sends = |(p, from): (Person, Set<Device>)| {
            let all = from == senders.and(w.of(p));
            let from = if all { String::new() } else { format!(" from {}", device_list(names, from)) };
            format!("what {} sends{from}", person(names, p))
        };
        let sent = w.all_people().map(of).filter(|(_, from)| !from.is_empty()).map(sends);
        let sent = list(&sent.collect::<Vec<_>>());
        match loss {
            Loss::Everybody => format!("{sent} is refused as a whole"),
            Loss::Some(missing) if missing.len() == 1 => format!("{} misses {sent}", device_list(names, *missing)),
            Loss::Some(missing) => format!("{} miss {sent}", device_list(names, *missing)),
        }
    };
    let clauses: Vec<String> = groups.iter().map(clause).collect();
    (!clauses.is_empty()).then(|| clauses.join(", and "))
}

/// Whom the messages of a device no longer reach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Nobody gets them.
    Everybody,
    /// These honest devices do not.
    Some(Set<Device>),
}

/// What comes of the messages of `v` because of something that the adversary made, though the servers answer truly.
fn loss_of(w: &World, s: &State, v: Device) -> Option<Loss> {
    // The property itself says whether it is the adversary's making that is in the way of this device's messages.
    let alone = World { senders: Set::EMPTY.with(v), ..*w };
    if property::condition(&alone, State { evicted: Set::EMPTY, ..*s }, Property::NoLockOut) {
        return None;
    }
    // Who had a key before would be taken for somebody who gets this one.
    let before = State { past: Set::EMPTY, current: Set::EMPTY, after: Set::EMPTY, ..*s };
    let Ok(after) = step(w, before, Action::Send(v, [Answer::Truth; PEOPLE_MAX])) else {
        return Some(Loss::Everybody);
    };
    let in_room = s.members.minus(w.uninvited).iter().fold(Set::EMPTY, |all, p| all.union(w.of(p)));
    let missing = s.signed_in.and(in_room).minus(s.stolen).minus(after.holders());
    (!missing.is_empty()).then_some(Loss::Some(missing))
}

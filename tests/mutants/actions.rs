//! More actions than a search tries: those as well that no world allows, so that only guards keep them out.

use overhear::model::action::alphabet;
use overhear::model::people::Publication;
use overhear::model::{Action, Answer, Device, Lie, PEOPLE_MAX, Person, Set, Shown, World};

/// Every action of the alphabet, and those that it leaves out: by whoever, to whomever, with any answer.
// Of a message's answers one at most is a lie here: more would multiply, and the alphabet has those.
pub fn widest(w: &World) -> Vec<Action> {
    let mut all = alphabet(w);
    for v in w.honest.iter() {
        for p in w.all_people() {
            all.extend([Action::Verify(v, p), Action::Acknowledge(v, p), Action::Withdraw(v, p)]);
            all.extend([Action::SwapInCeremony(v, p), Action::OverlookIdentity(v, p)]);
            for answer in answers(w, v, p) {
                let mut all_answers = [Answer::Truth; PEOPLE_MAX];
                all_answers[p.0 as usize] = answer;
                all.extend([Action::LookUp(v, p, answer), Action::Invite(v, p, answer), Action::Send(v, all_answers)]);
            }
        }
        w.all_devices().for_each(|d| between(w, v, d, &mut all));
        for x in publications(w) {
            all.extend([Action::SignIn(v, x), Action::PublishIdentity(v, x), Action::ResetIdentity(v, x)]);
            all.extend(w.honest.iter().map(|d| Action::ApproveDevice(v, d, x)));
        }
    }
    for d in w.all_devices() {
        all.extend([Action::RegisterDevice(d), Action::HijackNumber(d), Action::SignRogue(d)]);
        all.extend([Action::PlantBackup(d), Action::OpenBackup(d)]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// What the client `v` does with any other device.
fn between(w: &World, v: Device, d: Device, all: &mut Vec<Action>) {
    all.push(Action::OverlookDevice(v, d));
    all.extend([Action::VerifyDevice(v, d), Action::AcceptDevice(v, d), Action::BlockDevice(v, d)]);
    all.extend([Action::RemoveDevice(v, d), Action::LinkRogue(v, d), Action::PhishLink(v, d), Action::EvictDevice(d)]);
    let told = |p: Person| answers(w, v, p);
    all.extend(told(w.owner(v)).into_iter().map(|a| Action::ForwardKeys(v, d, a)));
    all.extend(told(w.owner(d)).into_iter().map(|a| Action::ReshareKeys(v, d, a)));
}

/// The truth, and every lie that leaves out none, one or all of the other devices and adds none, one or all.
fn answers(w: &World, v: Device, p: Person) -> Vec<Answer> {
    let some_of = |all: Set<Device>| {
        let ones = all.iter().map(|d| Set::EMPTY.with(d));
        let mut sets: Vec<Set<Device>> = ones.chain([Set::EMPTY, all]).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    };
    let left_out = some_of(w.honest.and(w.of(p)).without(v));
    let added = some_of(w.rogue.union(w.powers.steal_device));
    let shown = [Shown::Nothing, Shown::True, Shown::Old, Shown::Forged, Shown::Stealth];
    let with = |identity| left_out.iter().flat_map(move |l| [(identity, *l)]);
    let pairs = shown.into_iter().flat_map(with);
    let lie = |(identity, left_out)| added.iter().map(move |&added| Answer::Lie(Lie { identity, left_out, added }));
    std::iter::once(Answer::Truth).chain(pairs.flat_map(lie)).collect()
}

/// What may become of something that is published, whoever is on the way.
fn publications(w: &World) -> Vec<Publication> {
    let replaced = w.rogue.iter().flat_map(|r| [Publication::Replaced(r), Publication::Joined(r)]);
    std::iter::once(Publication::Intact).chain(replaced).collect()
}

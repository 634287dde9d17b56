//! What people and their clients see, or do not, in one step: read off the change of the state.

use super::RowKind;
use super::rows::{Draft, Part, Scene};
use crate::model::{Action, Device, Identity, Person, Set};

/// What is seen when `action` happens.
pub(super) fn of(x: &Scene, action: Action) -> Vec<Draft> {
    let mut rows = Vec::new();
    for v in x.w.honest.iter() {
        if !matches!(action, Action::ResetIdentity(..)) {
            rows.extend(taken(x, v));
        }
        rows.extend(questions(x, v));
    }
    for p in x.w.all_people() {
        rows.extend(displayed(x, p));
        rows.extend(warnings(x, p));
    }
    rows.extend(shown_as_verified(x, action));
    rows
}

fn sight(p: Person, label: String) -> Draft {
    Draft::at(Part::Person(p), RowKind::Sight, label)
}

/// Identities that a client takes for somebody's and that are not.
fn taken(x: &Scene, v: Device) -> Vec<Draft> {
    let mut rows = Vec::new();
    for p in x.w.all_people() {
        let (was, is) = (x.before.pinned.get(v, p), x.after.pinned.get(v, p));
        let word = match is {
            Identity::Forged => "forged",
            Identity::Old => "replaced",
            Identity::None | Identity::True => continue,
        };
        if was != is {
            let label = format!("takes the {word} identity for {}'s", x.person(p));
            rows.push(Draft::at(Part::Device(v), RowKind::Event, label).red());
        }
    }
    rows
}

/// Devices about which a client asks its person.
fn questions(x: &Scene, v: Device) -> Option<Draft> {
    let new = x.after.seen.row(v).minus(x.before.seen.row(v));
    // What was compared or let through before is displayed and raises no question.
    let new = new.minus(x.before.trusted.row(v)).minus(x.before.accepted.row(v));
    (!new.is_empty()).then(|| sight(x.w.owner(v), format!("is asked about {}", x.devices(new))))
}

/// What the lists of the own account show to `p`, and what they do not.
fn displayed(x: &Scene, p: Person) -> Vec<Draft> {
    let shown = x.after.shown.minus(x.before.shown).and(x.w.of(p));
    let mut rows: Vec<Draft> = shown.iter().map(|d| sight(p, format!("sees {} on the account", x.device(d)))).collect();
    for v in x.w.honest.and(x.w.of(p)).iter() {
        let looked = x.after.looked.row(v).minus(x.before.looked.row(v));
        let unseen: Set<Device> = looked.minus(x.after.shown);
        if !unseen.is_empty() {
            rows.push(sight(p, format!("looked: {} is not shown", x.devices(unseen))).red());
        }
    }
    rows
}

fn warnings(x: &Scene, p: Person) -> Vec<Draft> {
    let new = x.after.warned.row(p).minus(x.before.warned.row(p));
    let about = |q: Person| if q == p { "their own account".to_string() } else { x.person(q) };
    let warning = |q: Person| Draft::at(Part::Person(p), RowKind::Warning, format!("is warned about {}", about(q)));
    new.iter().map(warning).collect()
}

/// Devices of the adversary that are displayed as verified, to whoever looks.
fn shown_as_verified(x: &Scene, action: Action) -> Vec<Draft> {
    let new = x.after.shown_verified.minus(x.before.shown_verified);
    let viewer = match action {
        Action::LookUp(v, ..) | Action::Send(v, _) | Action::Invite(v, ..) => Some(v),
        Action::ForwardKeys(v, ..) | Action::ReshareKeys(v, ..) => Some(v),
        _ => None,
    };
    let who = |d: Device| x.w.owner(viewer.unwrap_or(d));
    new.iter().map(|d| sight(who(d), format!("sees {} as verified", x.device(d))).red()).collect()
}

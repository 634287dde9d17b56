//! Differences between model and client that were looked into: each with its reason, and where it is to be seen.
//!
//! A replay goes on after one that leads nowhere else. It ends at one that leaves the two sides in different states.

use crate::compare::{Difference, Topic};
use crate::drive::{Cast, label};
use crate::failure::Res;
use crate::server::Key;
use overhear::model::{Action, Device, Identity, Person};

/// A difference that was looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// Whoever sits at the viewer's link can keep back the viewer's own signature on a contact's identity. The client
    /// then takes the contact to have changed since it was verified (identities/user.rs, l. 855,
    /// OtherUserIdentityData::update); in the model what is kept back takes nothing away (directory.rs,
    /// absorb_vouched). An honest answer heals it, so no verdict of the model, which judges by true answers, changes.
    /// No walk shows it, since the model has no such answer; tests/client.rs does.
    SignatureKeptBack,
    /// The session that was forwarded is the one in use, so whoever was given it reads on until the sender begins
    /// another (gossiping/machine.rs, l. 751, should_share_key; people.rs, hand_over, gives old keys only). A rogue
    /// device that is given keys so is an approved one, and gets later ones anyway until it is removed.
    ForwardedSessionLivesOn,
    /// The model has one old identity of a person, which signed what any of them had signed, and which whoever signed
    /// one of them has signed (people.rs, reset_identity); the client tells them apart by key (identities/user.rs,
    /// l. 855). The model allows the adversary more than the client does.
    OldOnesMerged,
    /// A ceremony contains lookups on both sides: a client ignores one with a device that it does not know, keeps the
    /// first keys of an id, and pins what it sees (verification/machine.rs, l. 304, receive_any_event). The model has
    /// none in it (people.rs, verify and approve_device), so a client knows and has pinned less in it.
    CeremonyLooksUp,
    /// The person's other devices learn of a reset when they next look (identities/manager.rs,
    /// handle_changed_identity); in the model they know at once (people.rs, reset_identity). Every send looks first,
    /// so no key depends on it.
    ResetNotSeenYet,
}

impl Known {
    /// Every known difference.
    pub const ALL: [Self; 5] = [
        Self::SignatureKeptBack,
        Self::ForwardedSessionLivesOn,
        Self::OldOnesMerged,
        Self::CeremonyLooksUp,
        Self::ResetNotSeenYet,
    ];

    /// Whether model and client are in different states from here on.
    pub fn parts_ways(self) -> bool {
        self != Self::ResetNotSeenYet
    }
}

/// Which known difference `difference` is, after `action`; none if it is news.
pub async fn known(cast: &Cast<'_>, action: Action, all: &[Difference], difference: &Difference) -> Res<Option<Known>> {
    let by_send = matches!(difference.topic, Topic::Reads | Topic::Given | Topic::Withheld | Topic::Refusal);
    if matches!(action, Action::Send(..)) && by_send {
        return Ok(of_send(cast, all));
    }
    let Some((v, p)) = difference.who else { return Ok(None) };
    of_contact(cast, v, p, difference).await
}

/// A send differs by itself, or because of what its lookups left behind.
fn of_send(cast: &Cast<'_>, all: &[Difference]) -> Option<Known> {
    let has = |topic| all.iter().any(|d| d.topic == topic);
    let session = cast.last_send.as_ref().and_then(|sent| sent.as_ref().ok());
    let forwarded = session.is_some_and(|session| cast.forwarded.iter().any(|f| f.0 == *session));
    match () {
        () if has(Topic::Signed) || has(Topic::Verified) => {
            let shown = all.iter().filter(|d| matches!(d.topic, Topic::Signed | Topic::Verified)).filter_map(|d| d.who);
            shown.filter_map(|(v, p)| of_old(cast, v, p)).next()
        }
        () if has(Topic::Given) || has(Topic::Refusal) => None,
        () => forwarded.then_some(Known::ForwardedSessionLivesOn),
    }
}

/// Differences about what an old identity signed, and who had signed it.
fn of_old(cast: &Cast<'_>, v: Device, p: Person) -> Option<Known> {
    let old = matches!(cast.last.get(&(v, p)).and_then(|told| told.key), Some(Key::Old(_)));
    (old && cast.server.old(p) > 1).then_some(Known::OldOnesMerged)
}

async fn of_contact(cast: &Cast<'_>, v: Device, p: Person, difference: &Difference) -> Res<Option<Known>> {
    let me = cast.world.owner(v);
    let trust = matches!(
        difference.topic,
        Topic::Verified | Topic::Latch | Topic::Violation | Topic::Displayed | Topic::Notice
    );
    let old = label(cast.known_key(v, me).await?) == Identity::Old;
    Ok(match () {
        () if trust && old => Some(Known::ResetNotSeenYet),
        () if cast.introduced.contains(&(v, p)) => Some(Known::CeremonyLooksUp),
        () if trust || difference.topic == Topic::Signed => of_old(cast, v, p),
        () => None,
    })
}

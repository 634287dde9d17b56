//! Differences between model and client that were looked into: each with its reason, and where it is to be seen.
//!
//! A replay goes on after one that leads nowhere else. It ends at one that leaves the two sides in different states.

use crate::compare::{Difference, Topic};
use crate::drive::{Cast, label};
use crate::failure::Res;
use crate::server::Key;
use matrix_sdk_crypto::CollectStrategy;
use overhear::model::{Action, Device, Identity, Person};

/// A difference that was looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// A ceremony takes lookups on both sides, by which both pin what they see and know each other's keys; the model
    /// has none in it (verification/machine.rs, receive_any_event; people.rs, verify and approve_device).
    CeremonyLooksUp,
    /// A ceremony of people also marks the compared device as trusted by itself, on both sides
    /// (verification/mod.rs, mark_device_as_verified; people.rs, verify and approve_device).
    CeremonyTrustsDevice,
    /// So that device gets keys from a client that sends to trusted devices only, also when nobody's identity vouches
    /// for it any more (share_strategy.rs, withheld_code_for_device_for_only_trusted_devices_strategy; decide.rs,
    /// decide).
    TrustedDeviceGetsKey,
    /// What was decided about a device is forgotten once an answer leaves the device out (identities/manager.rs,
    /// update_user_devices, deletes it; directory.rs, absorb_devices).
    AbsenceForgets,
    /// A forwarded session reads on, until the sender begins a new one; in the model only old keys are handed over
    /// (gossiping/machine.rs, should_share_key; people.rs, hand_over).
    ForwardedSessionLivesOn,
    /// The person's other devices learn of a reset when they next look; in the model they know at once
    /// (identities/manager.rs, handle_changed_identity; people.rs, reset_identity).
    ResetNotSeenYet,
    /// The model has one old identity of a person, which signed what any of them had signed (people.rs,
    /// reset_identity).
    OldOnesMerged,
    /// In the model a device that comes back with new keys is still signed by the old identity (people.rs, forget).
    OldSignatureStays,
}

impl Known {
    /// Whether model and client are in different states from here on.
    pub fn parts_ways(self) -> bool {
        !matches!(self, Self::CeremonyTrustsDevice | Self::ResetNotSeenYet)
    }
}

/// Which known difference `difference` is, after `action`; none if it is news.
pub async fn known(cast: &Cast<'_>, action: Action, all: &[Difference], difference: &Difference) -> Res<Option<Known>> {
    if difference.topic == Topic::LocalTrust {
        let compared = difference.who.is_some_and(|(v, _)| cast.compared.iter().any(|c| c.0 == v));
        return Ok(match difference.client.as_str() {
            "Verified" if compared => Some(Known::CeremonyTrustsDevice),
            "Unset" => Some(Known::AbsenceForgets),
            _ => None,
        });
    }
    if let Action::Send(v, _) = action
        && matches!(difference.topic, Topic::Reads | Topic::Given | Topic::Withheld)
    {
        return Ok(of_send(cast, v, all));
    }
    let Some((v, p)) = difference.who else { return Ok(None) };
    of_contact(cast, v, p, difference).await
}

/// A send of `v` differs by itself, or because of what its lookups left behind.
fn of_send(cast: &Cast<'_>, v: Device, all: &[Difference]) -> Option<Known> {
    let has = |topic| all.iter().any(|d| d.topic == topic);
    let session = cast.last_send.as_ref().and_then(|sent| sent.as_ref().ok());
    let forwarded = session.is_some_and(|session| cast.forwarded.iter().any(|f| f.0 == *session));
    let compared = cast.compared.iter().any(|pair| pair.0 == v);
    let by_trust = compared && cast.strategy == CollectStrategy::OnlyTrustedDevices;
    match () {
        () if has(Topic::Signed) => {
            all.iter().filter(|d| d.topic == Topic::Signed).filter_map(|d| d.who).find_map(|(v, p)| of_old(cast, v, p))
        }
        () if has(Topic::Given) => by_trust.then_some(Known::TrustedDeviceGetsKey),
        () => forwarded.then_some(Known::ForwardedSessionLivesOn),
    }
}

/// Differences about what an old identity signed.
fn of_old(cast: &Cast<'_>, v: Device, p: Person) -> Option<Known> {
    let old = matches!(cast.last.get(&(v, p)).and_then(|told| told.key), Some(Key::Old(_)));
    old.then_some(if cast.server.old(p) > 1 { Known::OldOnesMerged } else { Known::OldSignatureStays })
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
        () if difference.topic == Topic::Signed => of_old(cast, v, p),
        () => None,
    })
}

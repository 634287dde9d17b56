//! The one decision, over all situations of all bundled policies.

use overhear::bundle;
use overhear::model::decide::{Code, Contact, Decision, LocalTrust, Own, Situation, Why, decide, situations};
use overhear::policy::{BlockScope, Dehydrated, OnChange, OnUnsignedDevice, Policy, Recipients, SenderIdentity};

fn all() -> impl Iterator<Item = Situation> {
    bundle::models().into_iter().flat_map(|m| situations(m.policy).collect::<Vec<_>>())
}

#[test]
fn there_are_360_situations_a_policy() {
    assert_eq!(all().count(), bundle::models().len() * 3 * 6 * 2 * 5 * 2);
}

/// Whether it is given keys, that is: only a client that knows such devices leaves them out of its lists.
#[test]
fn without_dehydrated_devices_one_that_poses_as_such_is_like_any_other() {
    for x in all() {
        let [none, other] = [Dehydrated::None, Dehydrated::LikeAnyOther]
            .map(|dehydrated| decide(&Situation { policy: Policy { dehydrated, ..x.policy }, ..x }));
        assert_eq!(none, other, "{x:?}");
    }
}

#[test]
fn a_blocked_device_gets_a_key_only_where_nothing_but_the_signature_counts() {
    let blocked = all().filter(|x| x.trust == LocalTrust::Blocked && x.policy.recipients != Recipients::Bound);
    assert!(blocked.into_iter().all(|x| decide(&x) != Decision::Share));
}

#[test]
fn a_changed_contact_gets_a_key_only_where_a_change_stops_nothing() {
    for x in all().filter(|x| decide(x) == Decision::Share) {
        let rule = match x.contact {
            Contact::Changed => x.policy.change_unverified,
            Contact::VerifiedThenChanged => x.policy.change_verified,
            _ => continue,
        };
        assert!(matches!(rule, OnChange::Accept | OnChange::Notify | OnChange::Unused), "{x:?}");
    }
}

#[test]
fn a_whole_send_is_refused_only_for_a_reason_that_the_policy_names() {
    for x in all() {
        let named = match decide(&x) {
            Decision::RefuseRoom(Why::ContactChanged) => x.policy.block_scope == BlockScope::Room,
            Decision::RefuseRoom(Why::UnknownDevice) => x.policy.recipients == Recipients::Accepted,
            Decision::RefuseRoom(Why::UnsignedDevice) => x.policy.unsigned_device == OnUnsignedDevice::AskRoom,
            Decision::RefuseRoom(Why::OwnIdentityAbsent) => x.own == Own::Absent,
            Decision::RefuseRoom(Why::OwnIdentityUnverified) => x.own == Own::Unverified,
            Decision::Share | Decision::Withhold(_) => true,
        };
        assert!(named, "{x:?}: {:?}", decide(&x));
    }
}

#[test]
fn a_sender_who_must_be_verified_sends_nothing_before() {
    let must = all().filter(|x| x.policy.sender_identity == SenderIdentity::MustBeVerified && x.own != Own::Verified);
    assert!(must.into_iter().all(|x| matches!(decide(&x), Decision::RefuseRoom(_))));
}

#[test]
fn an_unsigned_device_gets_a_key_only_where_signatures_do_not_bind() {
    for x in all().filter(|x| !x.signed && decide(x) == Decision::Share) {
        let vetted = matches!(x.trust, LocalTrust::Verified | LocalTrust::Ignored | LocalTrust::Accepted);
        assert!(
            x.policy.recipients == Recipients::Listed || vetted && x.policy.recipients != Recipients::Bound,
            "{x:?}"
        );
    }
}

#[test]
fn a_better_standing_never_loses_a_key() {
    for x in all().filter(|x| decide(x) == Decision::Share) {
        let signed = Situation { signed: true, ..x };
        // An ignored device is let through as it is; where only that exempts from a question, no comparison does.
        let vetted = if x.trust == LocalTrust::Ignored { LocalTrust::Ignored } else { LocalTrust::Verified };
        let verified = Situation { trust: vetted, ..x };
        let own = Situation { own: Own::Verified, ..x };
        for better in [signed, verified, own] {
            assert_eq!(decide(&better), Decision::Share, "{x:?} shares, {better:?} does not");
        }
    }
}

#[test]
fn every_outcome_comes_up_under_some_bundled_policy() {
    let outcomes: Vec<Decision> = all().map(|x| decide(&x)).collect();
    let codes = [Code::Blocked, Code::Unsigned, Code::Unverified, Code::ContactNotAccepted, Code::ContactChanged];
    let whys = [
        Why::OwnIdentityAbsent,
        Why::OwnIdentityUnverified,
        Why::ContactChanged,
        Why::UnknownDevice,
        Why::UnsignedDevice,
    ];
    let wanted = codes.map(Decision::Withhold).into_iter().chain(whys.map(Decision::RefuseRoom));
    for outcome in wanted.chain([Decision::Share]) {
        assert!(outcomes.contains(&outcome), "{outcome:?}");
    }
}

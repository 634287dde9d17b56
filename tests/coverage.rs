//! Rule coverage: over the bundled cells every action changes the state somewhere, and every guard blocks somewhere.
//!
//! Each cell is walked at random by the plain rules, and in every state on the way every action of the whole alphabet
//! is tried, those included whose needs are not met: these must be blocked. A walk first draws a kind of action, then
//! one of that kind, so that the many ways to send drown nothing.

use overhear::bundle;
use overhear::model::action::alphabet;
use overhear::model::decide::Why;
use overhear::model::{Action, Arrival, Blocked, Facts, Needs, State, World, step};
use overhear::scenario::{compile, read_scenario};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Walks in each cell.
const WALKS: usize = 12;
/// States on each walk.
const STATES_MAX: usize = 40;
const SEED: u64 = 0x6f76_6572_6865_6172;

/// What never happens in any bundled cell, and why that is right.
const NEVER: [(&str, &str); 2] = [
    ("NotASender", "the alphabet lets only senders send and look others up"),
    (
        "FirstIdentityBound",
        "under every bundled model whose first identity comes with the first device, whoever has a \
        session finds an identity published",
    ),
];

/// Declares all variants of an enum and their names: a variant that is not listed does not compile.
macro_rules! kinds {
    ($names:ident, $name:ident($of:ident): $($variant:ident)+) => {
        const $names: &[&str] = &[$(stringify!($variant)),+];
        fn $name(x: $of) -> &'static str {
            match x { $($of::$variant { .. } => stringify!($variant)),+ }
        }
    };
}

kinds! { ACTIONS, action_kind(Action):
    SignIn PublishIdentity ApproveDevice LookUp Verify VerifyDevice OverlookIdentity OverlookDevice AcceptDevice
    BlockDevice Acknowledge Withdraw Send
    ForwardKeys ReshareKeys RemoveDevice ResetIdentity LogOut ChangePassword Invite Arrive StealPassword RegisterDevice
    EvictDevice ForgeIdentity HijackNumber StealRecovery OpenRecovery SignRogue StealDevice LinkRogue PhishLink
    AddMember CompareLogs SwapInCeremony PlantBackup OpenBackup
}
kinds! { GUARDS, guard_kind(Blocked):
    NotArrived ArrivedAlready NoFirstContact NoSuchPower NoVantage NotHeld NotHonest JoiningNeedsExistingDevice
    NotPrimary PasswordUnknown CodeUnknown NoPassword StolenAlready Stolen NoIdentityToShare KeysAreBound
    NoIdentityPublished IdentityExists NoSuchIdentity ForgedAlready IdentityNotReplaceable FirstIdentityBound
    NoSession NumberMeansNothing NoRecoveryKey NoIdentitySecret MembershipSigned NotSignedIn SignedInAlready
    RegisteredAlready DeviceIdTaken NotASender NotAMember MemberAlready Uninvited NotListed NotApproved
    ApprovedAlready NothingToApprove NothingToVerify NobodyMeets ComparisonFails ComparisonSucceeds NoPrompt
    AnsweredAlready CarefulPerson AttentivePerson NeedsCeremony NeverVerified VerifiedNow UnansweredChange
    NotOwnDevice NoKeysToGive NeverForwarded NeverGiven OtherKey NotShown SwitchedOff SendRefused PinUnknown
    MustBePresent NoBackup BackupIsSigned NotInLog SameLog NobodyToCompareWith NobodyAsks
}
kinds! { REFUSALS, refusal_kind(Why):
    OwnIdentityAbsent OwnIdentityUnverified ContactChanged UnknownDevice UnsignedDevice
}

/// The guard's name; a refused send is told apart by its reason.
fn blocked_kind(blocked: Blocked) -> String {
    match blocked {
        Blocked::SendRefused(why) => format!("SendRefused({})", refusal_kind(why)),
        other => guard_kind(other).to_string(),
    }
}

/// Everything that has to happen somewhere.
fn everything() -> BTreeSet<String> {
    let actions = ACTIONS.iter().map(|a| (*a).to_string());
    let guards = GUARDS.iter().filter(|g| **g != "SendRefused").map(|g| (*g).to_string());
    actions.chain(guards).chain(REFUSALS.iter().map(|r| format!("SendRefused({r})"))).collect()
}

/// The worlds of all bundled scenarios, models and arrivals.
fn worlds() -> Vec<World> {
    let models = bundle::models();
    let mut worlds = Vec::new();
    for bundled in bundle::scenarios() {
        let source = bundled.source();
        let file = read_scenario(&source).expect("a bundled scenario is right");
        for model in models.iter().filter(|m| file.is_about(m)) {
            for arrives in file.arrivals() {
                let at = arrives.unwrap_or(Arrival::FromStart);
                worlds.push(compile(&file, &source, model, &models, at).expect("a bundled scenario compiles").0);
            }
        }
    }
    worlds
}

/// A small random generator (splitmix64): the same walks in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) as usize % n
    }
}

/// What has happened: the action that was tried and the guard that blocked it; none if it changed the state.
type Happened = BTreeSet<(&'static str, Option<Blocked>)>;

/// Tries every action in `s`, notes what happens, and returns a state that follows.
fn try_all(w: &World, all: &[Action], s: State, random: &mut Random, happened: &mut Happened) -> Option<State> {
    let mut following: BTreeMap<&'static str, Vec<State>> = BTreeMap::new();
    for &action in all {
        let kind = action_kind(action);
        let tried = Needs::of(w, action).is_some_and(|needs| needs.met(Facts::of(&s)));
        match step(w, s, action) {
            Ok(_) if !tried => panic!("{action:?} happens, though its needs are not met, in {s:?}"),
            Ok(next) if next != s => following.entry(kind).or_default().push(next),
            Ok(_) => {}
            Err(blocked) => {
                happened.insert((kind, Some(blocked)));
            }
        }
    }
    happened.extend(following.keys().map(|kind| (*kind, None)));
    if following.is_empty() {
        return None;
    }
    let of_kind = following.values().nth(random.below(following.len()))?;
    Some(of_kind[random.below(of_kind.len())])
}

/// What happens on random walks through every bundled cell.
fn walk_everywhere() -> Happened {
    let seeded = (SEED..).zip(worlds()).collect::<Vec<_>>();
    seeded.par_iter().map(|(seed, w)| walk(w, *seed)).reduce(Happened::new, |mut all, more| {
        all.extend(more);
        all
    })
}

/// What happens on random walks through one world.
fn walk(w: &World, seed: u64) -> Happened {
    let (mut random, mut happened, all) = (Random(seed), Happened::new(), alphabet(w));
    for _ in 0..WALKS {
        let mut at = Some(w.initial());
        for _ in 0..STATES_MAX {
            let Some(s) = at else { break };
            at = try_all(w, &all, s, &mut random, &mut happened);
        }
    }
    happened
}

#[test]
fn every_action_fires_and_every_guard_blocks_somewhere() {
    let happened = walk_everywhere();
    if std::env::var_os("OVERHEAR_COVERAGE").is_some() {
        happened.iter().for_each(|pair| println!("{pair:?}"));
    }
    let seen: BTreeSet<String> =
        happened.iter().map(|&(action, blocked)| blocked.map_or(action.to_string(), blocked_kind)).collect();
    let excused: BTreeSet<String> = NEVER.iter().map(|(name, _)| (*name).to_string()).collect();
    let missing: Vec<_> = everything().difference(&seen).filter(|name| !excused.contains(*name)).cloned().collect();
    assert!(missing.is_empty(), "never happens in any bundled cell: {missing:?}");
    let stale: Vec<_> = excused.iter().filter(|name| seen.contains(*name) || !everything().contains(*name)).collect();
    assert!(stale.is_empty(), "happens, or does not exist, and stands in the table of what never happens: {stale:?}");
}

//! What `docs/findings.md` tells of the client; some of it no walk would show, as the model has no action for it.

use matrix_sdk_crypto::LocalTrust;
use overhear::bundle;
use overhear::model::{Action, Arrival, Device, Person, World};
use overhear::scenario::{compile, read_scenario};
use overhear::trace::{self, Names};
use overhear_real::drive::{Cast, strategy};
use overhear_real::failure::{Failure, Res};
use overhear_real::machine::{Sent, room, run};
use overhear_real::replay::Replay;
use overhear_real::server::Told;

fn world(scenario: &str, model: &str) -> (World, Names) {
    let models = bundle::models();
    let policy = models.iter().find(|m| m.name == model).expect("a bundled model");
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let file = read_scenario(&source).expect("a readable scenario");
    compile(&file, &source, policy, &models, Arrival::FromStart).expect("a world")
}

/// Alice and Bob, with one phone each, after `lines`.
async fn after<'w>(w: &'w World, names: &'w Names, model: &str, lines: &[&str]) -> Res<Replay<'w>> {
    let mut both = Replay::new(w, names, strategy(model).expect("a strategy")).await?;
    for line in lines {
        let action: Action = trace::parse(w, names, line)?;
        both.step(action).await?;
    }
    Ok(both)
}

const ALICE: (Device, Person) = (Device(0), Person(0));
const BOB: (Device, Person) = (Device(1), Person(1));
const VERIFIED: [&str; 6] = [
    "sign-in alice-phone",
    "publish-identity alice-phone",
    "sign-in bob-phone",
    "publish-identity bob-phone",
    "look-up alice-phone bob",
    "verify alice-phone bob",
];

async fn refuses(cast: &Cast<'_>) -> Res<Option<String>> {
    let users = [cast.user(ALICE.1), cast.user(BOB.1)];
    Ok(match cast.client(ALICE.0)?.send(&users, cast.strategy.clone()).await? {
        Sent::Refused(why) => Some(why.to_string()),
        Sent::Messages(..) => None,
    })
}

/// Whoever sits at the viewer's link need not forge anything: leaving the viewer's own signature out is enough to make
/// the contact look changed, and to stop every message. In the model a kept-back signature takes nothing away.
#[test]
fn an_answer_without_ones_own_signature_stops_every_message() {
    let (w, names) = world("server-of-sender", "matrix-identity-based");
    let told = run(async {
        let mut both = after(&w, &names, "matrix-identity-based", &VERIFIED).await?;
        let told = both.cast.last[&(ALICE.0, BOB.1)];
        let response = both.cast.server.query(ALICE.0, BOB.1, Told { vouched: false, ..told })?;
        both.cast.client(ALICE.0)?.told(&both.cast.user(BOB.1), &response).await?;
        refuses(&both.cast).await
    });
    let refused = told.expect("a runtime").expect("a replay");
    assert_eq!(refused.as_deref(), Some("one or more users that were verified have changed their identity"));
}

/// A refused send leaves an outbound session behind whose own copy the machine never stores, unless the application
/// discards it (matrix-sdk does): later messages cannot be read by the device that sends them.
#[test]
fn a_refused_send_costs_the_sender_its_own_copy_of_the_key() {
    let (w, names) = world("password-thief", "matrix-identity-based");
    let read = run(async {
        let lines = ["sign-in alice-phone", "look-up alice-phone alice"];
        let both = after(&w, &names, "matrix-identity-based", &lines).await?;
        let settings = |both: &Replay| matrix_sdk_crypto::EncryptionSettings {
            sharing_strategy: both.cast.strategy.clone(),
            ..Default::default()
        };
        let users = [both.cast.user(ALICE.1)];
        let machine = &both.cast.client(ALICE.0)?.machine;
        let refused = machine.share_room_key(room(), users.iter().map(AsRef::as_ref), settings(&both)).await;
        assert!(refused.is_err(), "without an identity of its own the client refuses");
        let both = {
            let mut both = both;
            both.step(trace::parse(&w, &names, "publish-identity alice-phone")?).await?;
            both
        };
        match both.cast.client(ALICE.0)?.send(&users, both.cast.strategy.clone()).await? {
            Sent::Messages(_, event) => Ok::<_, Failure>(both.cast.client(ALICE.0)?.reads(&event).await),
            Sent::Refused(why) => panic!("refused: {why}"),
        }
    });
    assert!(!read.expect("a runtime").expect("a replay"), "mended upstream? then the driver need not discard");
}

/// Alice's client sends to trusted devices only. It still gives the key to the device that she compared, after Bob has
/// made a new identity on another one, which she has not verified.
#[test]
fn a_compared_device_is_trusted_beyond_its_owners_reset() {
    let (w, names) = world("number-hijack", "matrix-only-trusted");
    let (phone, laptop) = (device(&names, "bob-phone"), device(&names, "bob-laptop"));
    let read = run(async {
        let more = ["sign-in bob-laptop", "reset-identity bob-laptop", "send alice-phone"];
        let lines: Vec<&str> = VERIFIED.into_iter().chain(more).collect();
        let both = after(&w, &names, "matrix-only-trusted", &lines).await?;
        Ok::<_, Failure>((reads_last(&both, phone).await?, reads_last(&both, laptop).await?))
    });
    assert_eq!(read.expect("a runtime").expect("a replay"), (true, false));
}

/// A device that one answer leaves out is as if never blocked when it is listed again.
#[test]
fn hiding_a_device_once_makes_a_client_forget_its_block() {
    let model = "matrix-error-on-verified-user-problem";
    let (w, names) = world("server-of-sender", model);
    let rogue = device(&names, "mallory-a");
    let marks = run(async {
        let lines = [
            "sign-in alice-phone replaced mallory-a",
            "publish-identity alice-phone",
            "send alice-phone",
            "block-device alice-phone mallory-a",
        ];
        let mut both = after(&w, &names, model, &lines).await?;
        let before = mark(&both, rogue).await?;
        for line in ["look-up alice-phone alice=forged", "look-up alice-phone alice"] {
            both.step(trace::parse(&w, &names, line)?).await?;
        }
        Ok::<_, Failure>((before, mark(&both, rogue).await?))
    });
    let marks = marks.expect("a runtime").expect("a replay");
    assert_eq!(marks, (Some(LocalTrust::BlackListed), Some(LocalTrust::Unset)));
}

/// A device that was forwarded a key reads what is sent later, when the sender is told of it no more.
#[test]
fn a_forwarded_session_lives_on_after_a_removal() {
    let model = "matrix-error-on-verified-user-problem";
    let (w, names) = world("tls-breaker-at-sender", model);
    let laptop = device(&names, "bob-laptop");
    let (read, given) = run(async {
        let lines = [
            "sign-in bob-phone",
            "publish-identity bob-phone",
            "sign-in alice-phone",
            "send alice-phone",
            "sign-in bob-laptop",
            "approve-device bob-phone bob-laptop",
            "forward-keys bob-phone bob-laptop",
            "send alice-phone bob=true~bob-laptop",
        ];
        let both = after(&w, &names, model, &lines).await?;
        let given = both.cast.given.iter().any(|g| g.1 == laptop);
        Ok::<_, Failure>((reads_last(&both, laptop).await?, given))
    })
    .expect("a runtime")
    .expect("a replay");
    assert_eq!((read, given), (true, false), "read, and given by the sender");
}

fn device(names: &Names, name: &str) -> Device {
    names.device_named(name).expect("a device of the scenario")
}

async fn reads_last(both: &Replay<'_>, d: Device) -> Res<bool> {
    let letter = both.cast.letters.last().ok_or(Failure::wrong("nothing was sent"))?;
    Ok(both.cast.client(d)?.reads(&letter.event).await)
}

/// What Alice's client has marked the device as.
async fn mark(both: &Replay<'_>, d: Device) -> Res<Option<LocalTrust>> {
    let user = both.cast.user(both.cast.world.owner(d));
    let known = both.cast.client(ALICE.0)?.knows(&user, both.cast.id(d)?).await?;
    Ok(known.map(|k| k.local_trust_state()))
}

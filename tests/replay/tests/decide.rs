//! `decide` against the client: every situation that a real client can be in, and why it cannot be in the others.
//!
//! A situation is never assumed: after a history of real answers it is read off the client's own API.

use matrix_sdk_crypto::store::types::DehydratedDeviceKey;
use matrix_sdk_crypto::{CollectStrategy, LocalTrust as Mark, SessionRecipientCollectionError as Refusal};
use overhear::bundle;
use overhear::model::decide::{Code, Contact, Decision, LocalTrust, Own, Situation, Why, decide, situations};
use overhear::model::{Device, Person, Set};
use overhear::policy::Policy;
use overhear_real::drive::strategy;
use overhear_real::failure::{Failure, Res};
use overhear_real::machine::{Client, Sent, room, run};
use overhear_real::server::{Key, Server, Told};
use ruma::api::client::keys::upload_keys;
use ruma::{OwnedDeviceId, OwnedUserId, user_id};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const ME: Person = Person(0);
const YOU: Person = Person(1);
const SENDER: Device = Device(0);

/// An account with two devices, a plain and a dehydrated one, and two identities, each of which signs both.
struct Account {
    devices: [(Device, OwnedDeviceId); 2],
    /// Whoever holds the secret of the first identity, and of the one that takes its place.
    signers: [Client; 2],
}

/// What the sender was shown of a person, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Past {
    /// No identity.
    Nothing,
    /// An identity.
    Met,
    /// An identity that was then verified: by one's own signature, or if it is one's own, by its secret.
    Verified,
    /// An identity, and another in its place.
    Changed,
    /// An identity that was verified, and another in its place.
    VerifiedThenChanged,
    /// The same, and then the verification was withdrawn.
    Withdrawn,
    /// An identity that was verified, and another that was verified too: of one's own identity only.
    VerifiedAnew,
}

impl Past {
    const ALL: [Self; 7] = [
        Self::Nothing,
        Self::Met,
        Self::Verified,
        Self::Changed,
        Self::VerifiedThenChanged,
        Self::Withdrawn,
        Self::VerifiedAnew,
    ];
    fn verified(self) -> bool {
        !matches!(self, Self::Nothing | Self::Met | Self::Changed)
    }
    fn changed(self) -> bool {
        !matches!(self, Self::Nothing | Self::Met | Self::Verified)
    }
}

const COMPARED: &str = "compared";
const ACCEPTED: &str = "the client has no mark for a device that was merely shown and let through";
const NEW: &str = "an identity is pinned by the very answer that shows it first";
const SIGNED: &str = "a device is signed by the identity that is shown, and none is";
const VERIFIED: &str = "a verification is a signature of one's own identity, and stands only while that is verified";
const ABSENT: &str = "whoever has verified a contact has an identity, which their client never forgets";

/// Why no client under a Matrix policy can be in this situation; `None` if one can.
fn impossible(x: &Situation) -> Option<&'static str> {
    match (x.trust, x.contact, x.own, x.signed) {
        (LocalTrust::Accepted, ..) => Some(ACCEPTED),
        (_, Contact::New, ..) => Some(NEW),
        (_, Contact::NoIdentity, _, true) => Some(SIGNED),
        (_, Contact::Verified, Own::Absent | Own::Unverified, _) => Some(VERIFIED),
        (_, Contact::VerifiedThenChanged, Own::Absent, _) => Some(ABSENT),
        _ => None,
    }
}

const OUTCOMES: [&str; 7] = [
    "shared",
    "m.blacklisted",
    "m.unverified",
    "CrossSigningNotSetup",
    "SendingFromUnverifiedDevice",
    "VerifiedUserChangedIdentity",
    "VerifiedUserHasUnsignedDevice",
];

/// The model's outcome, in the client's words.
fn by_model(x: &Situation) -> &'static str {
    match decide(x) {
        Decision::Share => "shared",
        Decision::Withhold(Code::Blocked) => "m.blacklisted",
        Decision::Withhold(_) => "m.unverified",
        Decision::RefuseRoom(Why::OwnIdentityAbsent) => "CrossSigningNotSetup",
        Decision::RefuseRoom(Why::OwnIdentityUnverified) => "SendingFromUnverifiedDevice",
        Decision::RefuseRoom(Why::ContactChanged) => "VerifiedUserChangedIdentity",
        Decision::RefuseRoom(Why::UnsignedDevice) => "VerifiedUserHasUnsignedDevice",
        Decision::RefuseRoom(Why::UnknownDevice) => "a question that no client of today asks",
    }
}

/// What a send to nobody but the device `id` of `user` came to.
fn by_client(sent: &Sent, user: &OwnedUserId, id: &OwnedDeviceId) -> Res<String> {
    let messages = match sent {
        Sent::Messages(messages, _) => messages,
        Sent::Refused(why) => return Ok(refusal(why, user, id).to_string()),
    };
    let [message] = messages.as_slice() else { return Ok(format!("{} messages", messages.len())) };
    let target = ruma::to_device::DeviceIdOrAllDevices::DeviceId(id.clone());
    match message.messages.get(user).filter(|m| m.len() == 1).and_then(|m| m.get(&target)) {
        None => Ok(format!("{} to somebody else", message.event_type)),
        Some(_) if message.event_type.to_string() == "m.room.encrypted" => Ok("shared".to_string()),
        Some(content) => {
            let content: serde_json::Value = content.deserialize_as_unchecked()?;
            Ok(content["code"].as_str().unwrap_or("no code").to_string())
        }
    }
}

/// The name of an error, if it names nothing but the one device or its owner.
fn refusal(why: &Refusal, user: &OwnedUserId, id: &OwnedDeviceId) -> &'static str {
    let only_it = BTreeMap::from([(user.clone(), vec![id.clone()])]);
    match why {
        Refusal::CrossSigningNotSetup => "CrossSigningNotSetup",
        Refusal::SendingFromUnverifiedDevice => "SendingFromUnverifiedDevice",
        Refusal::VerifiedUserHasUnsignedDevice(devices) if *devices == only_it => "VerifiedUserHasUnsignedDevice",
        Refusal::VerifiedUserChangedIdentity(users) if users == std::slice::from_ref(user) => {
            "VerifiedUserChangedIdentity"
        }
        _ => "a refusal because of somebody else",
    }
}

/// The server, the two accounts, and what was found so far.
struct Stage {
    server: Server,
    accounts: [Account; 2],
    policies: Vec<(Policy, CollectStrategy)>,
    compared: HashSet<Situation>,
    differences: BTreeSet<String>,
    /// How many sends of each strategy came to what.
    outcomes: BTreeMap<(String, String), usize>,
}

/// Makes the account of `p`: its first identity, its devices, and the identity that is to take its place.
async fn account(server: &mut Server, p: Person) -> Res<Account> {
    let user = server.user(p).to_owned();
    let [plain, dehydrated, other] = [0, 1, 2].map(|n| Device(1 + 3 * p.0 + n));
    let first = Client::new(plain, p, &user, &"PLAIN".into()).await;
    let made = first.make_identity(server, false).await?;
    server.store_identity(p, Key::True, &made.upload_signing_keys_req)?;
    server.upload_signatures(&made.upload_signatures_req)?;

    let request = first.machine.dehydrated_devices().create().await?;
    let request = request.keys_for_upload("dehydrated".to_string(), &DehydratedDeviceKey::new()).await?;
    let mut upload = upload_keys::v3::Request::new();
    upload.device_keys = Some(request.device_keys);
    (upload.one_time_keys, upload.fallback_keys) = (request.one_time_keys, request.fallback_keys);
    server.upload_keys(dehydrated, (&user, request.device_id.clone()), &upload)?;
    let devices = [(plain, "PLAIN".into()), (dehydrated, request.device_id)];

    let second = Client::new(other, p, &user, &"OTHER".into()).await;
    let made = second.make_identity(server, true).await?;
    server.store_identity(p, Key::Forged, &made.upload_signing_keys_req)?;
    let all = Set::EMPTY.with(plain).with(dehydrated);
    let told = Told { key: Some(Key::Forged), devices: all, signed: all, vouched: true };
    second.told(&user, &server.query_by_adversary(p, told)?).await?;
    for (_, id) in &devices {
        server.upload_signatures(&second.sign(id).await?)?;
    }
    Ok(Account { devices, signers: [first, second] })
}

impl Stage {
    async fn new() -> Res<Self> {
        let mut server = Server::new(vec![user_id!("@me:decide").to_owned(), user_id!("@you:decide").to_owned()]);
        let accounts = [account(&mut server, ME).await?, account(&mut server, YOU).await?];
        // My first identity signs your first one. Whether the sender gets to see that is up to the answers.
        let mine = &accounts[0].signers[0];
        for p in [ME, YOU] {
            let told = Told { key: Some(Key::True), devices: Set::EMPTY, signed: Set::EMPTY, vouched: true };
            mine.told(server.user(p), &server.query_by_adversary(p, told)?).await?;
        }
        let yours = mine.other_identity(server.user(YOU)).await?.ok_or(Failure::wrong("nobody to sign"))?;
        server.upload_signatures(&yours.verify().await?)?;
        let models = bundle::models().into_iter();
        let policies = models.filter_map(|m| Some((m.policy, strategy(&m.name)?))).collect();
        let (compared, differences, outcomes) = (HashSet::new(), BTreeSet::new(), BTreeMap::new());
        Ok(Self { server, accounts, policies, compared, differences, outcomes })
    }
    /// The sender is told of `p`.
    async fn tell(&mut self, sender: &Client, p: Person, told: Told) -> Res<()> {
        let devices = if p == ME { told.devices.with(SENDER) } else { told.devices };
        let response = self.server.query(SENDER, p, Told { devices, ..told })?;
        sender.told(self.server.user(p), &response).await
    }
    /// Gives the sender the secret of one of its person's identities, which verifies it.
    async fn give_secret(&self, sender: &Client, which: usize) -> Res<()> {
        let secrets = self.accounts[0].signers[which].machine.export_cross_signing_keys().await?;
        sender.machine.import_cross_signing_keys(secrets.ok_or(Failure::wrong("no secret to give"))?).await?;
        Ok(())
    }
    /// A sender that was shown one's own identity and a contact's in this way: what it is shown last of both.
    async fn sender(&mut self, own: Past, contact: Past) -> Res<(Client, [Told; 2])> {
        let user = self.server.user(ME).to_owned();
        let sender = Client::new(SENDER, ME, &user, &"SENDER".into()).await;
        sender.machine.update_tracked_users([ME, YOU].map(|p| self.server.user(p))).await?;
        sender.pump(&mut self.server).await?;
        let nothing = Told { key: None, devices: Set::EMPTY, signed: Set::EMPTY, vouched: contact.verified() };
        let (first, other) = (Told { key: Some(Key::True), ..nothing }, Told { key: Some(Key::Forged), ..nothing });
        let begins = |past: Past| if past == Past::Nothing { nothing } else { first };
        let mut last = [begins(own), begins(contact)];
        self.tell(&sender, ME, last[0]).await?;
        if own.verified() {
            self.give_secret(&sender, 0).await?;
        }
        self.tell(&sender, YOU, last[1]).await?;
        if contact.changed() {
            last[1] = other;
            self.tell(&sender, YOU, other).await?;
        }
        if own.changed() {
            last[0] = other;
            self.tell(&sender, ME, other).await?;
        }
        if own == Past::VerifiedAnew {
            self.give_secret(&sender, 1).await?;
        }
        for (p, _) in [(ME, own), (YOU, contact)].into_iter().filter(|x| x.1 == Past::Withdrawn) {
            let identity = sender.identity(self.server.user(p)).await?;
            identity.ok_or(Failure::wrong("an identity is gone"))?.withdraw_verification().await?;
        }
        Ok((sender, last))
    }

    /// Sends to each device of `p` alone, as signed or not, with every mark, by every strategy.
    async fn compare(&mut self, sender: &Client, p: Person, last: Told) -> Res<()> {
        for (d, id) in self.accounts[p.0 as usize].devices.clone() {
            let device = Set::EMPTY.with(d);
            for signed in [Set::EMPTY, device] {
                self.tell(sender, p, Told { devices: device, signed, ..last }).await?;
                self.claim(sender, p, device).await?;
                for mark in [Mark::Unset, Mark::Verified, Mark::Ignored, Mark::BlackListed] {
                    self.send(sender, p, &id, mark).await?;
                }
            }
        }
        Ok(())
    }
    async fn claim(&mut self, sender: &Client, p: Person, device: Set<Device>) -> Res<()> {
        let Some((id, _)) = sender.machine.get_missing_sessions([self.server.user(p)].into_iter()).await? else {
            return Ok(());
        };
        let response = self.server.claim(SENDER, device)?;
        Ok(sender.machine.mark_request_as_sent(&id, &response).await?)
    }
    async fn send(&mut self, sender: &Client, p: Person, id: &OwnedDeviceId, mark: Mark) -> Res<()> {
        let user = self.server.user(p).to_owned();
        let device = sender.knows(&user, id).await?.ok_or(Failure::wrong("the sender was told of no device"))?;
        device.set_local_trust(mark).await?;
        for (policy, strategy) in self.policies.clone() {
            let x = situation(sender, &user, id, policy).await?;
            sender.machine.discard_room_key(room()).await?;
            let sent = sender.send(std::slice::from_ref(&user), strategy.clone()).await?;
            let (model, client) = (by_model(&x), by_client(&sent, &user, id)?);
            if model != client {
                self.differences.insert(format!("{x:?} of {user}: the model says {model}, the client {client}"));
            }
            self.compared.insert(x);
            *self.outcomes.entry((format!("{strategy:?}"), client)).or_default() += 1;
        }
        Ok(())
    }
}

/// The situation of the device `id` of `user`, as the sender's own API tells it.
async fn situation(sender: &Client, user: &OwnedUserId, id: &OwnedDeviceId, policy: Policy) -> Res<Situation> {
    let own = match sender.identity(sender.machine.user_id()).await? {
        None => Own::Absent,
        Some(i) if i.is_verified() => Own::Verified,
        Some(_) => Own::Unverified,
    };
    let shown = sender.identity(user).await?;
    let changed = shown.clone().and_then(|i| i.other()).is_some_and(|i| i.identity_needs_user_approval());
    let contact = match &shown {
        None => Contact::NoIdentity,
        Some(i) if i.has_verification_violation() => Contact::VerifiedThenChanged,
        Some(i) if i.is_verified() => Contact::Verified,
        Some(_) if changed => Contact::Changed,
        Some(_) => Contact::Pinned,
    };
    let device = sender.knows(user, id).await?.ok_or(Failure::wrong("the sender was told of no device"))?;
    let trust = match device.local_trust_state() {
        Mark::Unset => LocalTrust::Unset,
        Mark::Verified => LocalTrust::Verified,
        Mark::Ignored => LocalTrust::Ignored,
        Mark::BlackListed => LocalTrust::Blocked,
    };
    let (signed, dehydrated) = (device.is_cross_signed_by_owner(), device.is_dehydrated());
    Ok(Situation { policy, own, contact, signed, trust, dehydrated })
}

/// Every history of one's own identity and of a contact's, and after each a send to every device.
async fn compare_all() -> Res<Stage> {
    let mut stage = Stage::new().await?;
    for own in Past::ALL {
        for contact in Past::ALL.into_iter().filter(|&c| c != Past::VerifiedAnew) {
            let (sender, [mine, yours]) = stage.sender(own, contact).await?;
            stage.compare(&sender, YOU, yours).await?;
            if contact == Past::Nothing {
                stage.compare(&sender, ME, mine).await?;
            }
        }
    }
    Ok(stage)
}

#[test]
fn in_every_situation_the_client_decides_as_the_model_does() {
    let stage = run(compare_all()).expect("a runtime").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(stage.policies.len(), 4, "one policy for each strategy of the client");
    let all: Vec<Situation> = stage.policies.iter().flat_map(|(policy, _)| situations(*policy)).collect();
    let mut classes = BTreeMap::<&str, usize>::new();
    for x in &all {
        let (compared, reason) = (stage.compared.contains(x), impossible(x));
        assert!(compared != reason.is_some(), "{x:?} compared: {compared}, impossible because: {reason:?}");
        *classes.entry(reason.unwrap_or(COMPARED)).or_default() += 1;
    }
    println!("{} sends; of {} situations", stage.outcomes.values().sum::<usize>(), all.len());
    classes.iter().for_each(|(class, count)| println!("{count:6} {class}"));
    stage.outcomes.iter().for_each(|((strategy, outcome), count)| println!("{count:6} {strategy}: {outcome}"));
    let differences: Vec<_> = stage.differences.into_iter().collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));

    let impossible = [(ACCEPTED, 288), (NEW, 192), (SIGNED, 96), (VERIFIED, 128), (ABSENT, 64)];
    assert_eq!(classes, impossible.into_iter().chain([(COMPARED, 672)]).collect());
    let outcomes: BTreeSet<&str> = stage.outcomes.keys().map(|(_, outcome)| outcome.as_str()).collect();
    assert_eq!(outcomes, OUTCOMES.into_iter().collect(), "every outcome comes up");
}

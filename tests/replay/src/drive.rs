//! Every action of the model that a Matrix client or an adversary of one can take, as calls on real clients.
//!
//! What the real crypto decides: which keys and signatures it accepts, what it pins, when it latches and sees a
//! violation, whom it gives a key, withholds it from, or refuses to send for, and who can decrypt. What is left to an
//! application, and played here: showing a notice and pinning anew where the policy says `notify`, answering prompts
//! (`acknowledge`, `withdraw`), comparing the strings of a ceremony and saying yes, asking for old keys, handing the
//! identity's secrets to an approved device, and discarding the session of a refused send. Looks at the model's state
//! serve two ends only: they tell which policy an application follows, and what an adversary may know. The answers of
//! an honest server come from what was uploaded.

use crate::failure::{Failure, Res};
use crate::machine::{self, Client, Sent, ceremony, events, room};
use crate::server::{Key, Server, Told, Wire};
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::{CollectStrategy, CrossSigningKeyExport, LocalTrust, SessionRecipientCollectionError};
use overhear::model::bits::Index;
use overhear::model::directory::on_change;
use overhear::model::people::{Publication, holds_identity};
use overhear::model::{Action, Answer, Device, Identity, Lie, Person, Set, Shown, State, World};
use overhear::policy::OnChange;
use overhear::trace::Names;
use ruma::serde::Raw;
use ruma::{OwnedDeviceId, OwnedUserId, TransactionId, UserId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The strategy of the real client that a bundled model describes; none if no client of today follows the model.
pub fn strategy(model: &str) -> Option<CollectStrategy> {
    match model {
        "matrix-all-devices" => Some(CollectStrategy::AllDevices),
        "matrix-error-on-verified-user-problem" => Some(CollectStrategy::ErrorOnVerifiedUserProblem),
        "matrix-identity-based" => Some(CollectStrategy::IdentityBasedStrategy),
        "matrix-only-trusted" => Some(CollectStrategy::OnlyTrustedDevices),
        _ => None,
    }
}

/// A message that somebody sent.
pub struct Letter {
    /// What everybody in the room sees.
    pub event: Raw<EncryptedEvent>,
    /// Whether it was sent before the first rogue device existed.
    pub past: bool,
}

/// Real clients that have come as far as the model's state.
pub struct Cast<'w> {
    /// The constants of the model.
    pub world: &'w World,
    /// What they are called.
    pub names: &'w Names,
    /// The homeserver of all.
    pub server: Server,
    /// Every machine that exists, the adversary's included.
    pub clients: BTreeMap<Device, Client>,
    /// What was sent so far.
    pub letters: Vec<Letter>,
    /// Whom a client gave the key of a session, by session and receiver.
    pub given: BTreeSet<(String, Device)>,
    /// Whom a client told that it withholds the key of a session, and the code it gave.
    pub withheld: BTreeMap<(String, Device), String>,
    /// What the real client said to the last send: the session that it used, or why it refused.
    pub last_send: Option<Result<String, SessionRecipientCollectionError>>,
    /// Notices that applications showed in the last step: whose client, about whom.
    pub notices: BTreeSet<(Device, Person)>,
    /// Whom a client knows only because a ceremony or a request made it ask; the model has no such lookup.
    pub implied: BTreeSet<(Device, Person)>,
    /// The same pairs, until the step after the one in which the client looks the person up.
    pub introduced: BTreeSet<(Device, Person)>,
    looked_up: BTreeSet<(Device, Person)>,
    /// Clients that held their person's secret, were shown another identity of that person, and so dropped it.
    pub dropped: BTreeSet<Device>,
    /// What each client was told last about each person.
    pub last: BTreeMap<(Device, Person), Told>,
    /// What the clients are told to do.
    pub strategy: CollectStrategy,
    /// Sessions that were forwarded, and to whom.
    pub forwarded: BTreeSet<(String, Device)>,
    ids: BTreeMap<Device, OwnedDeviceId>,
    /// The ids that an honest device shares with devices of the adversary's, by the honest device.
    shared_ids: BTreeMap<Device, OwnedDeviceId>,
    generation: u32,
    signers: BTreeMap<(Person, Key), Client>,
    signed_by: BTreeSet<(Person, Key, Device)>,
    secrets: BTreeMap<Person, CrossSigningKeyExport>,
    stealthy: Set<Person>,
    vouched: BTreeSet<(Device, Person)>,
}

impl<'w> Cast<'w> {
    /// The cast of `world` before anything has happened: only the adversary's own accounts are set up.
    pub async fn new(world: &'w World, names: &'w Names, strategy: CollectStrategy) -> Res<Self> {
        let user = |name: &String| OwnedUserId::try_from(format!("@{name}:replay.example"));
        let mut cast = Self {
            world,
            names,
            server: Server::new(names.people.iter().map(user).collect::<Result<_, _>>()?),
            clients: BTreeMap::new(),
            letters: Vec::new(),
            given: BTreeSet::new(),
            withheld: BTreeMap::new(),
            last_send: None,
            notices: BTreeSet::new(),
            implied: BTreeSet::new(),
            introduced: BTreeSet::new(),
            looked_up: BTreeSet::new(),
            dropped: BTreeSet::new(),
            strategy,
            forwarded: BTreeSet::new(),
            ids: BTreeMap::new(),
            shared_ids: BTreeMap::new(),
            generation: 0,
            signers: BTreeMap::new(),
            signed_by: BTreeSet::new(),
            secrets: BTreeMap::new(),
            stealthy: Set::EMPTY,
            last: BTreeMap::new(),
            vouched: BTreeSet::new(),
        };
        for d in world.uninvited_devices.iter() {
            cast.start(d).await?;
            cast.server.registered = cast.server.registered.with(d);
            let p = world.owner(d);
            if world.policy(p).has_identity() && !cast.server.published.contains_key(&p) {
                cast.publish(d, Publication::Intact, false).await?;
            } else if world.policy(p).has_identity() {
                cast.sign(p, Key::True, Set::EMPTY.with(d)).await?;
            }
        }
        Ok(cast)
    }
    /// The account of `p`.
    pub fn user(&self, p: Person) -> OwnedUserId {
        self.server.user(p).to_owned()
    }
    /// The machine of `d`.
    pub fn client(&self, d: Device) -> Res<&Client> {
        self.clients.get(&d).ok_or_else(|| Failure::Broken(format!("{} has no session", self.names.device(d))))
    }
    /// The device of the model whose machine has this curve25519 or ed25519 key.
    pub fn device_with(&self, key: &str) -> Option<Device> {
        let has = |c: &Client| {
            let keys = c.machine.identity_keys();
            keys.curve25519.to_base64() == key || keys.ed25519.to_base64() == key
        };
        self.clients.iter().find(|(_, c)| has(c)).map(|(d, _)| *d)
    }
    /// The device ids of all machines so far.
    pub fn id(&self, d: Device) -> Res<&OwnedDeviceId> {
        self.ids.get(&d).ok_or(Failure::wrong("a device without an id"))
    }

    /// Does `action` in reality; `s` is the model's state before it.
    pub async fn act(&mut self, s: State, action: Action) -> Res<()> {
        self.last_send = None;
        self.notices.clear();
        for pair in std::mem::take(&mut self.looked_up) {
            self.introduced.remove(&pair);
        }
        match action {
            Action::SignIn(d, publication) => self.sign_in(d, publication).await,
            Action::PublishIdentity(d, publication) => self.publish(d, publication, false).await,
            Action::ResetIdentity(d, publication) => self.reset(s, d, publication).await,
            Action::ApproveDevice(by, d, _) => self.approve(s, by, d).await,
            Action::LookUp(v, p, answer) => self.look_up(s, v, p, answer).await,
            Action::Verify(v, p) if self.world.owner(v) == p => self.verify_own(v).await,
            Action::Verify(v, p) => self.verify(s, v, p).await,
            Action::OverlookIdentity(v, p) => self.overlook(s, v, p).await,
            Action::Withdraw(v, p) if self.world.owner(v) == p => self.withdraw_own(s, v).await,
            Action::Acknowledge(v, p) | Action::Withdraw(v, p) => self.acknowledge(s, v, p).await,
            Action::AcceptDevice(v, d) => self.trust(v, d, LocalTrust::Ignored).await,
            Action::BlockDevice(v, d) => self.trust(v, d, LocalTrust::BlackListed).await,
            Action::Send(v, answers) => self.send(s, v, &answers).await,
            Action::ForwardKeys(by, to, answer) => self.forward(s, by, to, answer).await,
            Action::RemoveDevice(_, d) => {
                self.server.registered = self.server.registered.without(d);
                Ok(())
            }
            Action::LogOut(d) | Action::EvictDevice(d) => {
                self.forget(d);
                Ok(())
            }
            Action::RegisterDevice(d) => self.register(d).await,
            Action::ForgeIdentity(p, stealthy) => self.forge(p, stealthy).await,
            Action::SignRogue(d) => self.sign(self.world.owner(d), Key::True, Set::EMPTY.with(d)).await,
            Action::PhishLink(by, d) => {
                self.register(d).await?;
                self.approve(s, by, d).await
            }
            // The machine stays as it is, and is the adversary's from now on.
            Action::StealDevice(_) => Ok(()),
            // Nothing of these reaches a client's crypto.
            Action::ChangePassword(_) | Action::Invite(..) | Action::Arrive | Action::StealPassword(_) => Ok(()),
            Action::StealRecovery(_) | Action::OpenRecovery(_) | Action::AddMember(_) => Ok(()),
            Action::VerifyDevice(..) | Action::OverlookDevice(..) => {
                Err(Failure::NoSuchAction("people with identities compare those"))
            }
            Action::ReshareKeys(..) => Err(Failure::NoSuchAction("a key is never given again to another key")),
            Action::SwapInCeremony(..) => Err(Failure::NoSuchAction("what is signed are the keys that were compared")),
            Action::PlantBackup(_) | Action::OpenBackup(_) => Err(Failure::NoSuchAction("nobody has enabled a backup")),
            Action::CompareLogs(_) => Err(Failure::NoSuchAction("there is no log")),
            Action::HijackNumber(_) => Err(Failure::NoSuchAction("an account has no number that replaces it")),
            Action::LinkRogue(..) => Err(Failure::NoSuchAction("a device joins by password, not by a primary one")),
        }
    }

    /// Starts the machine of `d`, whose keys reach storage and are not listed yet.
    async fn start(&mut self, d: Device) -> Res<()> {
        if self.clients.contains_key(&d) {
            return Ok(());
        }
        let id = self.id_for(d);
        let p = self.world.owner(d);
        let client = Client::new(d, p, &self.user(p), &id).await;
        // As an application does for everybody in its encrypted rooms.
        client.machine.update_tracked_users(self.world.all_people().map(|q| self.server.user(q))).await?;
        client.pump(&mut self.server).await?;
        self.ids.insert(d, id);
        self.clients.insert(d, client);
        Ok(())
    }
    /// The id under which `d` comes. The first session of a device shares its id with whoever of the adversary's reuses
    /// it, unless that is on the account already.
    fn id_for(&mut self, d: Device) -> OwnedDeviceId {
        let h = self.world.reuses(d).unwrap_or(d);
        let mut reusing = self.world.all_devices().filter(|&r| self.world.reuses(r) == Some(h));
        // Only a server in the adversary's hands gives an id to somebody that another had.
        let honest = !self.world.controls(self.world.owner(d));
        let had = |r: Device| self.server.registered.has(r) || honest && self.ids.contains_key(&r);
        let taken = d == h && reusing.any(had);
        let again = d == h && self.ids.contains_key(&d);
        if taken || again {
            return self.fresh_id(d);
        }
        if let Some(id) = self.shared_ids.get(&h) {
            return id.clone();
        }
        let id = self.fresh_id(h);
        self.shared_ids.insert(h, id.clone());
        id
    }
    /// A new id for each session, as a homeserver gives it.
    fn fresh_id(&mut self, d: Device) -> OwnedDeviceId {
        self.generation += 1;
        OwnedDeviceId::from(format!("{}{}", self.names.device(d).to_uppercase().replace('-', ""), self.generation))
    }
    fn forget(&mut self, d: Device) {
        self.server.registered = self.server.registered.without(d);
        self.clients.remove(&d);
        self.signed_by.retain(|s| s.2 != d);
        self.last.retain(|k, _| k.0 != d);
        self.vouched.retain(|k| k.0 != d);
        self.implied.retain(|k| k.0 != d);
        self.introduced.retain(|k| k.0 != d);
        self.dropped.remove(&d);
    }
    async fn sign_in(&mut self, d: Device, publication: Publication) -> Res<()> {
        self.start(d).await?;
        // Nobody has been told of it under the id that it has now.
        for told in self.last.values_mut() {
            told.devices = told.devices.without(d);
        }
        if let Some(r) = publication.rogue() {
            self.register(r).await?;
        }
        if !matches!(publication, Publication::Replaced(_)) {
            self.server.registered = self.server.registered.with(d);
        }
        Ok(())
    }
    async fn register(&mut self, d: Device) -> Res<()> {
        self.start(d).await?;
        self.server.registered = self.server.registered.with(d);
        Ok(())
    }

    /// `d` makes an identity and publishes it, or the adversary puts its own in the place of it.
    async fn publish(&mut self, d: Device, publication: Publication, reset: bool) -> Res<()> {
        let p = self.world.owner(d);
        let client = self.clients.get(&d).ok_or(Failure::wrong("an identity is made without a session"))?;
        self.dropped.remove(&d);
        let made = client.make_identity(&mut self.server, reset).await?;
        let secrets = client.machine.export_cross_signing_keys().await?;
        self.server.store_identity(p, Key::True, &made.upload_signing_keys_req)?;
        self.server.upload_signatures(&made.upload_signatures_req)?;
        self.secrets.insert(p, secrets.ok_or(Failure::wrong("an identity without secrets"))?);
        self.signers.remove(&(p, Key::True));
        self.signed_by.retain(|(q, key, _)| (*q, *key) != (p, Key::True));
        self.server.published.insert(p, Key::True);
        match publication {
            Publication::Intact => Ok(()),
            Publication::Replaced(_) => self.forge(p, false).await,
            Publication::Joined(_) => self.forge(p, true).await,
        }
    }
    async fn reset(&mut self, s: State, d: Device, publication: Publication) -> Res<()> {
        if s.secrets.has(self.world.owner(d)) {
            return Err(Failure::wrong("a reset after the secret was stolen leaves two forged identities: not mapped"));
        }
        self.publish(d, publication, true).await
    }
    /// The server lists the adversary's identity of `p` from now on.
    async fn forge(&mut self, p: Person, stealthy: bool) -> Res<()> {
        self.signer(p, Key::Forged).await?;
        self.server.published.insert(p, Key::Forged);
        self.stealthy = if stealthy { self.stealthy.with(p) } else { self.stealthy.without(p) };
        Ok(())
    }
    /// Makes sure that the adversary has a machine that holds the secret of the identity `key` of `p`.
    async fn signer(&mut self, p: Person, key: Key) -> Res<()> {
        if self.signers.contains_key(&(p, key)) {
            return Ok(());
        }
        // Such a machine is on no list; its number only keeps its upload apart.
        let number = Device::at(100 + 2 * p.index() + usize::from(key == Key::Forged));
        let user = self.user(p);
        let signer = Client::new(number, p, &user, &OwnedDeviceId::from(format!("SIGNER{}", number.0))).await;
        if key == Key::Forged {
            let made = signer.make_identity(&mut self.server, true).await?;
            self.server.store_identity(p, key, &made.upload_signing_keys_req)?;
        } else {
            let secrets = self.recovered(p)?;
            let told = Told { key: Some(key), devices: Set::EMPTY, signed: Set::EMPTY, vouched: true };
            signer.told(&user, &self.server.query_by_adversary(p, told)?).await?;
            signer.machine.import_cross_signing_keys(secrets).await?;
        }
        self.signers.insert((p, key), signer);
        Ok(())
    }
    /// What whoever has the recovery key finds in the account's storage.
    fn recovered(&self, p: Person) -> Res<CrossSigningKeyExport> {
        let secrets = self.secrets.get(&p).ok_or(Failure::wrong("no secret is stored"))?;
        Ok(CrossSigningKeyExport {
            master_key: secrets.master_key.clone(),
            self_signing_key: secrets.self_signing_key.clone(),
            user_signing_key: secrets.user_signing_key.clone(),
        })
    }
    /// The adversary signs `devices` with the identity `key` of `p`, and the signatures reach storage.
    async fn sign(&mut self, p: Person, key: Key, devices: Set<Device>) -> Res<()> {
        self.signer(p, key).await?;
        for d in devices.iter().filter(|&d| !self.signed_by.contains(&(p, key, d))).collect::<Vec<_>>() {
            // The machine must not see the other identity, or it drops the secret of this one.
            let one = Set::EMPTY.with(d);
            let told = Told { key: Some(key), devices: one, signed: one, vouched: true };
            // Nor does it take other keys under an id than those that it holds.
            let nobody = self.server.query_by_adversary(p, Told { devices: Set::EMPTY, signed: Set::EMPTY, ..told })?;
            let response = self.server.query_by_adversary(p, told)?;
            let signer = &self.signers[&(p, key)];
            signer.told(self.server.user(p), &nobody).await?;
            signer.told(self.server.user(p), &response).await?;
            let request = signer.sign(self.id(d)?).await?;
            self.server.upload_signatures(&request)?;
            self.signed_by.insert((p, key, d));
        }
        Ok(())
    }

    /// What `answer` comes to when `v` asks about `p`; makes what the adversary still has to make for it.
    async fn told(&mut self, s: State, v: Device, p: Person, answer: Answer) -> Res<Told> {
        let w = self.world;
        let Answer::Lie(Lie { identity, left_out, added }) = answer else { return self.truth(s, p).await };
        for d in added.iter() {
            self.start(d).await?;
        }
        let devices = s.signed_in.and(w.of(p)).minus(left_out).union(added);
        let (key, signed) = match identity {
            Shown::Nothing => (None, Set::EMPTY),
            Shown::True => (Some(Key::True), devices),
            Shown::Old => (Some(self.old_for(v, p).await?), devices),
            Shown::Forged => (Some(Key::Forged), added),
            Shown::Stealth => (Some(Key::Forged), devices),
        };
        match key {
            Some(Key::Forged) => self.sign(p, Key::Forged, signed).await?,
            Some(Key::True) if s.secrets.has(p) => self.sign(p, Key::True, added).await?,
            _ => {}
        }
        // On the way to `v` somebody keeps back what another device of its person vouches for, and only that: a
        // signature that `v` has made or seen is left where it is.
        let seen = s.verified.has(v, p) || self.vouched.contains(&(v, p));
        let vouched = !w.vantage_on_client(v) || seen || key == Some(Key::Forged);
        Ok(Told { key, devices, signed, vouched })
    }
    /// What the server of `p` lists. A forged identity signs whatever the adversary holds, once somebody asks.
    async fn truth(&mut self, s: State, p: Person) -> Res<Told> {
        let devices = self.server.registered.and(self.world.of(p));
        let key = self.server.published.get(&p).copied();
        let forged = key == Some(Key::Forged);
        // Signatures by an identity that the server does not list reached no honest server.
        let signed = match key {
            None => Set::EMPTY,
            Some(Key::Forged) if !self.stealthy.has(p) => devices.and(s.held(self.world)),
            Some(_) => devices,
        };
        if forged {
            self.sign(p, Key::Forged, signed).await?;
        }
        Ok(Told { key, devices, signed, vouched: true })
    }
    /// The old identity of `p` that an adversary shows `v`: the one that `v` knows, if it knows an old one.
    async fn old_for(&self, v: Device, p: Person) -> Res<Key> {
        let known = self.known_key(v, p).await?;
        let last = self.server.old(p).checked_sub(1).ok_or(Failure::wrong("there is no old identity"))?;
        Ok(known.filter(|k| matches!(k, Key::Old(_))).unwrap_or(Key::Old(last)))
    }
    /// Which identity of `p` the client `v` was shown last.
    pub async fn known_key(&self, v: Device, p: Person) -> Res<Option<Key>> {
        let Some(identity) = self.client(v)?.identity(self.server.user(p)).await? else { return Ok(None) };
        let master = match &identity {
            matrix_sdk_crypto::UserIdentity::Own(i) => i.master_key().get_first_key(),
            matrix_sdk_crypto::UserIdentity::Other(i) => i.master_key().get_first_key(),
        };
        let master = master.ok_or(Failure::wrong("a master key without a key"))?.to_base64();
        Ok(self.server.identity_with(p, &master))
    }
    async fn serve(&mut self, v: Device, p: Person, told: Told) -> Res<()> {
        let response = self.server.query(v, p, told)?;
        let user = self.user(p);
        let had = self.client(v)?.machine.cross_signing_status().await.has_master;
        self.client(v)?.told(&user, &response).await?;
        if had && !self.client(v)?.machine.cross_signing_status().await.has_master {
            self.dropped.insert(v);
        }
        self.last.insert((v, p), told);
        Ok(())
    }
    /// The client `v` looks `p` up and is told `answer`; its application does what it does about changes.
    async fn look_up(&mut self, s: State, v: Device, p: Person, answer: Answer) -> Res<()> {
        let told = self.told(s, v, p, answer).await?;
        let former = self.known_key(v, p).await?;
        self.serve(v, p, told).await?;
        self.implied.remove(&(v, p));
        self.looked_up.insert((v, p));
        self.settle(s, v, p, former).await
    }
    /// A notice, if the client has something to tell its person about `p`; returns whether the contact has changed, and
    /// whether since it was verified.
    async fn notice(&mut self, v: Device, p: Person) -> Res<(bool, bool)> {
        let Some(identity) = self.client(v)?.identity(&self.user(p)).await? else { return Ok((false, false)) };
        let changed = match &identity {
            matrix_sdk_crypto::UserIdentity::Own(_) => false,
            matrix_sdk_crypto::UserIdentity::Other(i) => i.identity_needs_user_approval(),
        };
        let violated = identity.has_verification_violation();
        if changed || violated {
            self.notices.insert((v, p));
        }
        Ok((changed, violated))
    }
    /// The application's part of a lookup: a notice, and a new pin where the policy asks nobody.
    async fn settle(&mut self, s: State, v: Device, p: Person, former: Option<Key>) -> Res<()> {
        let user = self.user(p);
        let Some(identity) = self.client(v)?.identity(&user).await? else { return Ok(()) };
        if identity.is_verified() {
            self.vouched.insert((v, p));
        }
        let (changed, violated) = self.notice(v, p).await?;
        // A verification also fails with one's own identity, which is no change of the contact's. And a client keeps
        // the pin of somebody verified where it was, so an identity can change back to the pinned one.
        let other = self.world.owner(v) != p && former != self.known_key(v, p).await?;
        if (if violated { other } else { changed }) && on_change(self.world, &s, v, p) == OnChange::Notify {
            // Whoever keeps signatures back has no reason to spare one that the viewer does not go by any more.
            self.vouched.remove(&(v, p));
            match identity.was_previously_verified() {
                true => identity.withdraw_verification().await?,
                false => identity.pin().await?,
            }
        }
        Ok(())
    }
    /// An answer that lets a ceremony or a request proceed: the truth, or what an adversary on the way lets pass as it.
    fn helpful(&self, s: State, v: Device, p: Person) -> Answer {
        match self.world.vantage_on_route(v, p) && s.active.on() && s.born.has(p) {
            false => Answer::Truth,
            true => Answer::Lie(Lie { identity: Shown::True, left_out: Set::EMPTY, added: Set::EMPTY }),
        }
    }
    /// What `v` was told last of `p`, so that telling it again takes nothing away from what it knows: under an id whose
    /// keys it holds from before their device came back under another, other keys can be listed and are rejected.
    fn told_last(&self, s: State, v: Device, p: Person) -> Option<Told> {
        let left = |r: Device| self.world.reuses(r).is_some_and(|h| s.renamed.and(s.stored.row(v)).has(h));
        let there = self.world.rogue.and(self.world.of(p)).iter();
        let reusing: Set<Device> = there.filter(|&r| left(r) && self.clients.contains_key(&r)).collect();
        self.last.get(&(v, p)).map(|&last| Told { devices: last.devices.union(reusing), ..last })
    }
    /// Makes sure that `v` knows the device `d`, as a client does before a ceremony.
    async fn introduce(&mut self, s: State, v: Device, d: Device) -> Res<()> {
        let (p, id) = (self.world.owner(d), self.id(d)?.clone());
        let user = self.user(p);
        let known = self.client(v)?.knows(&user, &id).await?.is_some();
        let shown = self.known_key(v, p).await? == Some(Key::True);
        if known && shown {
            return Ok(());
        }
        let told = match self.told_last(s, v, p) {
            // What a device list leaves out is forgotten: the client is told all that it knows, and of the device.
            Some(last) if last.key == Some(Key::True) || last.key.is_none() && shown => {
                Told { devices: last.devices.with(d), signed: last.signed.with(d), ..last }
            }
            _ => {
                let mut answer = self.helpful(s, v, p);
                if let Answer::Lie(lie) = &mut answer {
                    lie.added = Set::EMPTY.with(d).and(s.held(self.world).union(self.world.rogue));
                }
                self.told(s, v, p, answer).await?
            }
        };
        self.serve(v, p, told).await?;
        self.implied.insert((v, p));
        self.introduced.insert((v, p));
        Ok(())
    }

    /// Two devices of one person compare strings; the new one is signed, and given the identity's secrets.
    async fn approve(&mut self, s: State, by: Device, d: Device) -> Res<()> {
        self.introduce(s, by, d).await?;
        self.introduce(s, d, by).await?;
        if self.compare(by, d).await? {
            let secrets = self.client(by)?.machine.export_cross_signing_keys().await?;
            if let Some(secrets) = secrets {
                // A client whose identity is another one does not take them: that shows in its state.
                let _ = self.client(d)?.machine.import_cross_signing_keys(secrets).await;
            }
        }
        self.implied.remove(&(d, self.world.owner(d)));
        if self.client(d)?.machine.cross_signing_status().await.has_master {
            self.dropped.remove(&d);
        }
        Ok(())
    }
    /// A real ceremony between the machines of two devices.
    async fn compare(&mut self, a: Device, b: Device) -> Res<bool> {
        let id = self.id(b)?.clone();
        let (of_a, of_b) = (self.clients.get(&a), self.clients.get(&b));
        let (Some(of_a), Some(of_b)) = (of_a, of_b) else { return Ok(false) };
        ceremony(&mut self.server, of_a, of_b, &id).await
    }
    /// Two people compare strings, on each device at hand that goes by the other one's identity.
    async fn verify(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        let holds = |q: &Device| holds_identity(self.world, s, *q);
        for q in s.signed_in.and(self.world.of(p)).iter().filter(holds).collect::<Vec<_>>() {
            self.introduce(s, v, q).await?;
            self.introduce(s, q, v).await?;
            self.compare(v, q).await?;
        }
        self.fetch_signature(s, v, p).await
    }
    /// A person says that what the client shows of the other is what the other shows, and the client signs it.
    async fn overlook(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        let identity = self.client(v)?.other_identity(&self.user(p)).await?;
        let identity = identity.ok_or(Failure::wrong("an identity is compared that the client does not know"))?;
        self.server.upload_signatures(&identity.verify().await?)?;
        self.fetch_signature(s, v, p).await
    }
    /// The client fetches its own signature of the other's identity back, with what it was told before.
    async fn fetch_signature(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        if let Some(told) = self.told_last(s, v, p) {
            let key = self.known_key(v, p).await?;
            self.serve(v, p, Told { key, vouched: true, ..told }).await?;
            self.vouched.insert((v, p));
        }
        Ok(())
    }
    /// A person takes the secrets of their identity from storage again, with the recovery key.
    async fn verify_own(&mut self, v: Device) -> Res<()> {
        let secrets = self.recovered(self.world.owner(v))?;
        self.client(v)?.machine.import_cross_signing_keys(secrets).await?;
        self.dropped.remove(&v);
        Ok(())
    }
    /// A person gives up the verification of their own identity, once the client has noticed that it was replaced.
    async fn withdraw_own(&mut self, s: State, v: Device) -> Res<()> {
        let p = self.world.owner(v);
        if matches!(self.known_key(v, p).await?, Some(Key::Old(_))) && s.pinned.get(v, p) == Identity::Old {
            let told = self.told(s, v, p, self.helpful(s, v, p)).await?;
            self.serve(v, p, told).await?;
            self.implied.insert((v, p));
            self.introduced.insert((v, p));
        }
        self.acknowledge(s, v, p).await
    }
    async fn acknowledge(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        let user = self.user(p);
        let identity = self.client(v)?.identity(&user).await?;
        let identity = identity.ok_or(Failure::wrong("an identity is acknowledged that the client does not know"))?;
        self.vouched.remove(&(v, p));
        match s.latched.has(v, p) {
            true => identity.withdraw_verification().await?,
            false => identity.pin().await?,
        }
        Ok(())
    }
    async fn trust(&mut self, v: Device, d: Device, trust: LocalTrust) -> Res<()> {
        let user = self.user(self.world.owner(d));
        let device = self.client(v)?.knows(&user, self.id(d)?).await?;
        let device = device.ok_or(Failure::wrong("a person decides about a device that the client does not know"))?;
        Ok(device.set_local_trust(trust).await?)
    }

    /// `v` looks every member up, shares a key as its strategy has it, and sends one message, if it may.
    async fn send(&mut self, s: State, v: Device, answers: &[Answer]) -> Res<()> {
        let members: Vec<Person> = s.members.iter().collect();
        for &p in &members {
            self.look_up(s, v, p, answers[p.index()]).await?;
        }
        // What was shown of the sender's own person changes what they have verified of everybody.
        for &p in &members {
            self.notice(v, p).await?;
        }
        let users: Vec<OwnedUserId> = members.iter().map(|&p| self.user(p)).collect();
        self.claim(v, &users).await?;
        if self.shares_an_id(v) {
            self.client(v)?.machine.discard_room_key(room()).await?;
        }
        match self.client(v)?.send(&users, self.strategy.clone()).await? {
            Sent::Refused(why) => self.last_send = Some(Err(why)),
            Sent::Messages(messages, event) => {
                let session = session_of(&event)?;
                for message in messages {
                    self.deliver_key(v, &session, &message).await?;
                }
                self.last_send = Some(Ok(session));
                self.letters.push(Letter { event, past: false });
            }
        }
        Ok(())
    }
    /// Whether two devices of another person than `v`'s have come under one id. A client gives the key of a session
    /// once to an id, or tells it once why not, whatever its keys are, so the replay waits for the next session: a
    /// client begins one after a hundred messages or a week, and the model counts neither.
    fn shares_an_id(&self, v: Device) -> bool {
        let of_another = |h: Device| self.world.owner(v) != self.world.owner(h);
        self.clients.keys().any(|r| self.world.reuses(*r).is_some_and(of_another))
    }
    /// Gives `v` one-time keys of the devices that it has no Olm session with. For an id that had none a client waits
    /// a while before it claims again (session_manager/sessions.rs, handle_otk_exhaustion_failure), and the model
    /// counts no time: the answer names another request than its own, so the client counts no failure.
    async fn claim(&mut self, v: Device, users: &[OwnedUserId]) -> Res<()> {
        let missing = self.client(v)?.machine.get_missing_sessions(users.iter().map(AsRef::as_ref)).await?;
        let Some((_, request)) = missing else { return Ok(()) };
        let mut devices = Set::EMPTY;
        for (user, of_user) in &request.one_time_keys {
            for device in of_user.keys() {
                devices = self.known_device(v, user, device).await?.map_or(devices, |d| devices.with(d));
            }
        }
        let response = self.server.claim(v, devices)?;
        self.client(v)?.machine.mark_request_as_sent(&TransactionId::new(), &response).await?;
        Ok(())
    }
    /// The device of the model that `v` knows by this id.
    async fn known_device(&self, v: Device, user: &UserId, id: &OwnedDeviceId) -> Res<Option<Device>> {
        let known = self.client(v)?.knows(user, id).await?;
        Ok(known.and_then(|k| k.ed25519_key()).and_then(|key| self.device_with(&key.to_base64())))
    }
    /// Delivers a message about a room key to whoever can open it, or is named in it.
    async fn deliver_key(&mut self, v: Device, session: &str, message: &machine::Message) -> Res<()> {
        let sender = self.client(v)?.machine.user_id().to_owned();
        for (user, of_user) in &message.messages {
            for (id, content) in of_user {
                let content: Value = content.deserialize_as_unchecked()?;
                let ruma::to_device::DeviceIdOrAllDevices::DeviceId(id) = id else { continue };
                let opener = content["ciphertext"].as_object().and_then(|c| c.keys().find_map(|k| self.device_with(k)));
                let named = self.known_device(v, user, id).await?;
                let Some(to) = opener.or(named) else { continue };
                match content["code"].as_str() {
                    Some(code) => {
                        self.withheld.insert((session.to_string(), to), code.to_string());
                        self.server.log.push(Wire::Withheld(v, to, code.to_string()));
                    }
                    None => {
                        self.given.insert((session.to_string(), to));
                        self.server.log.push(Wire::Encrypted(v, to));
                    }
                }
                // What is sent to an id goes to whom the sender was last told of under it.
                let told = self.last.get(&(v, self.world.owner(to)));
                if self.world.honest.has(to) && told.is_some_and(|told| !told.devices.has(to)) {
                    continue;
                }
                let one = matrix_sdk_crypto::types::requests::ToDeviceRequest::new(
                    user,
                    id.clone(),
                    &message.event_type.to_string(),
                    message.messages[user][&id.clone().into()].clone(),
                );
                self.client(to)?.receive(events(&sender, &one)?).await?;
            }
        }
        Ok(())
    }

    /// `to` asks `by` for the key of every message that `by` can read; `by` answers as it sees fit.
    async fn forward(&mut self, s: State, by: Device, to: Device, answer: Answer) -> Res<()> {
        self.look_up(s, by, self.world.owner(by), answer).await?;
        self.prepare(s, by, to).await?;
        for i in 0..self.letters.len() {
            let event = self.letters[i].event.clone();
            let (giver, asker) = (self.client(by)?, self.client(to)?);
            if !giver.reads(&event).await || asker.reads(&event).await {
                continue;
            }
            let mut replies = Vec::new();
            for request in asker.request_key(&event).await? {
                giver.receive(events(asker.machine.user_id(), &request)?).await?;
            }
            // A client without an Olm session with the asker first claims a key of it, and then answers.
            self.claim(by, &[]).await?;
            self.client(by)?.receive(Vec::new()).await?;
            replies.extend(self.clients[&by].pump(&mut self.server).await?);
            self.forwarded.insert((session_of(&event)?, to));
            for reply in replies.iter().filter(|r| r.event_type.to_string() == "m.room.encrypted") {
                self.client(to)?.receive(events(self.client(by)?.machine.user_id(), reply)?).await?;
            }
        }
        Ok(())
    }
    /// Whoever asks for keys knows and trusts whom it asks: without that a client takes no answer.
    async fn prepare(&mut self, s: State, by: Device, to: Device) -> Res<()> {
        let p = self.world.owner(by);
        if !s.held(self.world).has(to) {
            return self.introduce(s, to, by).await;
        }
        let one = Set::EMPTY.with(by).with(to);
        let told = Told { key: None, devices: one, signed: Set::EMPTY, vouched: true };
        let response = self.server.query_by_adversary(p, told)?;
        let user = self.user(p);
        self.client(to)?.told(&user, &response).await?;
        self.trust(to, by, LocalTrust::Verified).await
    }
}

/// The session whose key opens `event`.
fn session_of(event: &Raw<EncryptedEvent>) -> Res<String> {
    let event: Value = event.deserialize_as_unchecked()?;
    Ok(event["content"]["session_id"].as_str().unwrap_or_default().to_string())
}

/// What an identity of the server is in the model's words.
pub fn label(key: Option<Key>) -> Identity {
    match key {
        None => Identity::None,
        Some(Key::True) => Identity::True,
        Some(Key::Old(_)) => Identity::Old,
        Some(Key::Forged) => Identity::Forged,
    }
}

/// The room's id, for printing.
pub fn room_name() -> &'static str {
    room().as_str()
}

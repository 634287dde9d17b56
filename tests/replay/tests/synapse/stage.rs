//! The model's actions at a real homeserver: people with their passwords, and a thief with a stolen one or a guess.
//!
//! The server decides whether a password is right, whether an identity may be replaced and a device deleted, what it
//! lists and delivers. The rest is as in memory: the clients decide about keys and signatures, the application shows
//! notices and pins anew where the policy says `notify`.

use crate::http::Homeserver;
use crate::session::{Deed, Session, granted, log_in};
use matrix_sdk_crypto::{CollectStrategy, LocalTrust, UserIdentity};
use overhear::model::bits::Index;
use overhear::model::directory::{View, on_change, truth};
use overhear::model::people::Publication;
use overhear::model::{Action, Answer, Device, Identity, Person, State, World};
use overhear::policy::OnChange;
use overhear::trace::Names;
use overhear_real::compare::error_name;
use overhear_real::failure::{Failure, Res};
use ruma::api::client::account::{change_password, register};
use ruma::api::client::device::delete_device;
use ruma::api::client::membership::join_room_by_id;
use ruma::api::client::room::create_room;
use ruma::api::client::session::logout;
use ruma::api::client::uiaa::{AuthData, Dummy};
use ruma::serde::Raw;
use ruma::{OwnedDeviceId, OwnedEventId, OwnedRoomId, OwnedUserId};
use serde_json::json;
use serde_json::value::to_raw_value;
use std::collections::{BTreeMap, BTreeSet};

/// A message that was sent.
pub struct Letter {
    /// Its event in the room.
    pub id: OwnedEventId,
    /// Whether it was sent before the first rogue device existed.
    pub past: bool,
}

/// The people of a scenario at the homeserver, in one room, with the sessions that they and the thief have.
pub struct Stage<'w> {
    /// The constants of the model.
    pub world: &'w World,
    /// What they are called.
    pub names: &'w Names,
    /// Where all of it happens.
    pub home: Homeserver,
    /// The token of somebody who takes no part and sees what the server lists.
    pub observer: String,
    /// The room of all.
    pub room: OwnedRoomId,
    /// The account of each person.
    pub users: Vec<OwnedUserId>,
    /// The sessions, the thief's included.
    pub sessions: BTreeMap<Device, Session>,
    /// Which identity of whom has which master key.
    pub masters: BTreeMap<String, (Person, Identity)>,
    /// What was sent so far.
    pub letters: Vec<Letter>,
    /// Notices that applications showed in the last step: whose client, about whom.
    pub notices: BTreeSet<(Device, Person)>,
    strategy: CollectStrategy,
    passwords: Vec<String>,
    stolen: BTreeMap<Person, String>,
    told: BTreeMap<(Device, Person), View>,
}

/// A new account, and the token of its first session.
fn register(home: &Homeserver, name: &str, password: &str) -> Res<(OwnedUserId, String)> {
    let mut request = register::v3::Request::new();
    request.username = Some(name.to_string());
    request.password = Some(password.to_string());
    request.auth = Some(AuthData::Dummy(Dummy::new()));
    let account = granted(home.call(None, request)?)?;
    Ok((account.user_id, account.access_token.ok_or(Failure::wrong("an account without a session"))?))
}

/// An encrypted room of all who hold `tokens`.
fn open_room(home: &Homeserver, users: &[OwnedUserId], tokens: &[String]) -> Res<OwnedRoomId> {
    let encryption = json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
    let mut request = create_room::v3::Request::new();
    request.initial_state = vec![Raw::from_json(to_raw_value(&encryption)?)];
    request.invite = users[1..].to_vec();
    let room = granted(home.call(Some(&tokens[0]), request)?)?.room_id;
    for token in &tokens[1..] {
        granted(home.call(Some(token), join_room_by_id::v3::Request::new(room.clone()))?)?;
    }
    Ok(room)
}

impl<'w> Stage<'w> {
    /// New accounts, whose names end in `run`, in one room and without a session.
    pub fn new(
        home: &Homeserver,
        (world, names): (&'w World, &'w Names),
        strategy: CollectStrategy,
        run: usize,
    ) -> Res<Self> {
        let passwords: Vec<String> = names.people.iter().map(|name| format!("the password of {name}")).collect();
        let accounts = names.people.iter().zip(&passwords);
        let accounts = accounts.map(|(name, password)| register(home, &format!("{name}-{run}"), password));
        let (users, tokens): (Vec<_>, Vec<_>) = accounts.collect::<Res<Vec<_>>>()?.into_iter().unzip();
        let room = open_room(home, &users, &tokens)?;
        for token in &tokens {
            granted(home.call(Some(token), logout::v3::Request::new())?)?;
        }
        let (_, observer) = register(home, &format!("observer-{run}"), "nobody's business")?;
        Ok(Self {
            world,
            names,
            home: home.clone(),
            observer,
            room,
            users,
            sessions: BTreeMap::new(),
            masters: BTreeMap::new(),
            letters: Vec::new(),
            notices: BTreeSet::new(),
            strategy,
            passwords,
            stolen: BTreeMap::new(),
            told: BTreeMap::new(),
        })
    }
    /// The account of `p`.
    pub fn user(&self, p: Person) -> OwnedUserId {
        self.users[p.index()].clone()
    }
    /// The session of `d`.
    pub fn session(&self, d: Device) -> Res<&Session> {
        self.sessions.get(&d).ok_or_else(|| Failure::Broken(format!("{} has no session", self.names.device(d))))
    }
    /// The same, for what changes it.
    pub fn session_mut(&mut self, d: Device) -> Res<&mut Session> {
        let missing = Failure::Broken(format!("{} has no session", self.names.device(d)));
        self.sessions.get_mut(&d).ok_or(missing)
    }
    fn id(&self, d: Device) -> Res<OwnedDeviceId> {
        Ok(self.session(d)?.machine.device_id().to_owned())
    }
    fn password(&self, p: Person) -> String {
        self.passwords[p.index()].clone()
    }
    /// What the thief takes for the password of `p`.
    fn guess(&self, p: Person) -> String {
        self.stolen.get(&p).cloned().unwrap_or("a guess".to_string())
    }

    /// Does `action` in reality, or tries to; `s` is the model's state before it.
    pub async fn act(&mut self, s: State, action: Action) -> Res<Deed> {
        self.notices.clear();
        match action {
            Action::SignIn(d, Publication::Intact) => self.start(d, &self.password(self.world.owner(d))).await,
            Action::PublishIdentity(d, Publication::Intact) => self.publish(d, false, None).await,
            Action::ApproveDevice(by, d, Publication::Intact) => self.approve(by, d).await,
            Action::LookUp(v, p, Answer::Truth) => self.look_up(s, v, p).await.map(Ok),
            Action::Verify(v, p) => self.verify(s, v, p).await,
            Action::Acknowledge(v, p) | Action::Withdraw(v, p) => self.acknowledge(s, v, p).await.map(Ok),
            Action::Send(v, answers) if answers.iter().all(|a| *a == Answer::Truth) => self.send(s, v).await,
            Action::ForwardKeys(by, to, Answer::Truth) => self.forward(s, by, to).await,
            Action::RemoveDevice(by, d) => {
                let (token, password) = (self.session(by)?.token.clone(), self.password(self.world.owner(d)));
                self.delete(&token, &password, d)
            }
            Action::LogOut(d) => {
                self.session(d)?.log_out()?;
                self.signed_out(d).map(Ok)
            }
            Action::ChangePassword(d) => self.change_password(d),
            Action::StealPassword(p) => {
                self.stolen.insert(p, self.password(p));
                Ok(Ok(()))
            }
            Action::RegisterDevice(d) => self.start(d, &self.guess(self.world.owner(d))).await,
            Action::EvictDevice(d) => self.evict(s, d),
            Action::ForgeIdentity(p, stealthy) => self.forge(s, p, stealthy).await,
            Action::SignRogue(d) => self.sign(d).await,
            // Nothing of these reaches a server; a stolen device stays as it is, and is the thief's from now on.
            Action::Arrive | Action::StealDevice(_) => Ok(Ok(())),
            _ => Err(Failure::NoSuchAction("not against an honest server, and not with a password")),
        }
    }

    async fn start(&mut self, d: Device, password: &str) -> Res<Deed> {
        let user = self.user(self.world.owner(d));
        let started = Session::start(&self.home, &user, password, &self.users).await?;
        Ok(started.map(|session| drop(self.sessions.insert(d, session))).map_err(|refusal| refusal.to_string()))
    }
    /// `d` publishes an identity: the first one, or another one for which the server wants a password.
    async fn publish(&mut self, d: Device, reset: bool, password: Option<&str>) -> Res<Deed> {
        let label = if reset { Identity::Forged } else { Identity::True };
        match self.session(d)?.publish(reset, password).await? {
            Ok(master) => {
                self.masters.insert(master, (self.world.owner(d), label));
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(refusal.to_string())),
        }
    }
    /// The server deletes `d` for whoever has the password; its token is worth nothing from then on.
    fn delete(&mut self, token: &str, password: &str, d: Device) -> Res<Deed> {
        let (user, id) = (self.user(self.world.owner(d)), self.id(d)?);
        let request = delete_device::v3::Request::new(id);
        match self.home.call_as(token, (&user, Some(password)), request, |r| &mut r.auth)? {
            Ok(_) => self.signed_out(d).map(Ok),
            Err(refusal) => Ok(Err(refusal.to_string())),
        }
    }
    /// The session of `d` has ended, and an honest client forgets everything.
    fn signed_out(&mut self, d: Device) -> Res<()> {
        if self.session(d)?.is_alive()? {
            return Err(Failure::wrong("the token of a deleted device still works"));
        }
        match self.world.honest.has(d) {
            true => drop(self.sessions.remove(&d)),
            false => self.session_mut(d)?.ended = true,
        }
        self.told.retain(|k, _| k.0 != d);
        Ok(())
    }
    fn change_password(&mut self, d: Device) -> Res<Deed> {
        let p = self.world.owner(d);
        let (old, new) = (self.password(p), format!("{}, a new one", self.password(p)));
        let mut request = change_password::v3::Request::new(new.clone());
        // As in the model: who is signed in stays so.
        request.logout_devices = false;
        let (user, token) = (self.user(p), &self.session(d)?.token);
        let said = self.home.call_as(token, (&user, Some(&old)), request, |r| &mut r.auth)?;
        self.passwords[p.index()] = new;
        Ok(said.map(|_| ()).map_err(|refusal| refusal.to_string()))
    }

    /// A session that the thief has on the account of `p`, if it has one.
    fn foothold(&self, s: State, p: Person) -> Option<Device> {
        let held = s.held(self.world).and(self.world.of(p));
        held.iter().find(|d| self.sessions.get(d).is_some_and(|session| !session.ended))
    }
    /// The thief deletes an honest device; without a session it signs in for a moment.
    fn evict(&mut self, s: State, d: Device) -> Res<Deed> {
        let p = self.world.owner(d);
        let password = self.guess(p);
        if let Some(rogue) = self.foothold(s, p) {
            let token = self.session(rogue)?.token.clone();
            return self.delete(&token, &password, d);
        }
        let token = match log_in(&self.home, &self.user(p), &password)? {
            Ok((_, token)) => token,
            Err(refusal) => return Ok(Err(refusal.to_string())),
        };
        let deed = self.delete(&token, &password, d)?;
        granted(self.home.call(Some(&token), logout::v3::Request::new())?)?;
        Ok(deed)
    }
    /// The thief publishes an identity of its own: the first one with no further proof, another one with the password.
    async fn forge(&mut self, s: State, p: Person, stealthy: bool) -> Res<Deed> {
        let rogue = self.foothold(s, p).ok_or(Failure::wrong("a thief without a session forges an identity"))?;
        let password = s.published.has(p).then(|| self.guess(p));
        let deed = self.publish(rogue, true, password.as_deref()).await?;
        if deed.is_ok() && stealthy {
            let user = self.user(p);
            let session = self.session_mut(rogue)?;
            session.look_up(&user).await?;
            for device in session.machine.get_user_devices(&user, None).await?.devices() {
                session.upload_signatures(&device.verify().await?)?.map_err(Failure::Broken)?;
            }
        }
        Ok(deed)
    }
    /// The thief tries to sign its device with the identity that the server lists.
    async fn sign(&mut self, d: Device) -> Res<Deed> {
        let (user, id) = (self.user(self.world.owner(d)), self.id(d)?);
        let session = self.session_mut(d)?;
        session.look_up(&user).await?;
        let device = session.machine.get_device(&user, &id, None).await?;
        let signed = device.ok_or(Failure::wrong("a client that does not know itself"))?.verify().await;
        match signed {
            Ok(request) => session.upload_signatures(&request),
            Err(why) => Ok(Err(why.to_string())),
        }
    }

    /// `v` syncs and looks `p` up; its application does what it does about changes.
    async fn look_up(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        let (user, now) = (self.user(p), truth(self.world, &s, p));
        let session = self.session_mut(v)?;
        session.sync().await?;
        let told = session.changed.contains(&user);
        session.look_up(&user).await?;
        if self.told.insert((v, p), now).is_some_and(|last| last != now) && !told {
            return Err(Failure::wrong("keys changed and the server told a client in the room nothing of it"));
        }
        let Some(identity) = self.session(v)?.identity(&user).await? else { return Ok(()) };
        let changed = matches!(&identity, UserIdentity::Other(i) if i.identity_needs_user_approval());
        if changed || identity.has_verification_violation() {
            self.notices.insert((v, p));
        }
        if changed && on_change(self.world, &s, v, p) == OnChange::Notify {
            match identity.was_previously_verified() {
                true => identity.withdraw_verification().await?,
                false => identity.pin().await?,
            }
        }
        Ok(())
    }
    async fn acknowledge(&mut self, s: State, v: Device, p: Person) -> Res<()> {
        let identity = self.session(v)?.identity(&self.user(p)).await?;
        let identity = identity.ok_or(Failure::wrong("an identity is acknowledged that the client does not know"))?;
        match s.latched.has(v, p) {
            true => identity.withdraw_verification().await?,
            false => identity.pin().await?,
        }
        Ok(())
    }
    /// `v` looks every member up, shares a key as its strategy has it, and sends one message, if it may.
    async fn send(&mut self, s: State, v: Device) -> Res<Deed> {
        for p in s.members.iter() {
            self.look_up(s, v, p).await?;
        }
        let users: Vec<OwnedUserId> = s.members.iter().map(|p| self.user(p)).collect();
        let sent = self.session(v)?.send(&self.room, &users, self.strategy.clone()).await?;
        Ok(sent.map(|id| self.letters.push(Letter { id, past: false })).map_err(|why| error_name(&why).to_string()))
    }

    /// Makes sure that `v` knows the device `d`, as a client does before a ceremony.
    async fn introduce(&mut self, v: Device, d: Device) -> Res<()> {
        let user = self.user(self.world.owner(d));
        self.session_mut(v)?.look_up(&user).await
    }
    /// Delivers what two clients have for each other until neither has anything left.
    async fn exchange(&mut self, a: Device, b: Device) -> Res<()> {
        let mut silence = 0;
        while silence < 2 {
            for d in [a, b] {
                let session = self.session_mut(d)?;
                let moved = session.sync().await? + session.pump().await?;
                silence = if moved == 0 { silence + 1 } else { 0 };
            }
        }
        Ok(())
    }
    /// A real ceremony (SAS) through the server's to-device messages; whether both clients call it done.
    async fn compare(&mut self, a: Device, b: Device) -> Res<bool> {
        let (user, id) = (self.user(self.world.owner(b)), self.id(b)?);
        let Some(device) = self.session(a)?.machine.get_device(&user, &id, None).await? else { return Ok(false) };
        let (of_a, start) = device.start_verification().await?;
        self.session(a)?.send_to_device(&start).await?;
        self.session_mut(b)?.sync().await?;
        let flow = of_a.flow_id().as_str().to_owned();
        let begun = self.session(b)?.machine.get_verification(&self.user(self.world.owner(a)), &flow);
        let Some(of_b) = begun.and_then(|v| v.sas_v1()) else { return Ok(false) };
        self.session(b)?.say(of_b.accept()).await?;
        self.exchange(a, b).await?;
        if !of_a.can_be_presented() || !of_b.can_be_presented() || of_a.emoji_index() != of_b.emoji_index() {
            return Ok(false);
        }
        for (sas, d) in [(&of_a, a), (&of_b, b)] {
            let (requests, signatures) = sas.confirm().await?;
            self.session(d)?.say(requests).await?;
            if let Some(signatures) = signatures {
                // If the server does not take it, the clients go on, and it shows in what they look up.
                let _ = self.session(d)?.upload_signatures(&signatures)?;
            }
        }
        self.exchange(a, b).await?;
        Ok(of_a.is_done() && of_b.is_done())
    }
    /// Two devices of one person compare strings; the new one asks the other for the identity's secrets.
    async fn approve(&mut self, by: Device, d: Device) -> Res<Deed> {
        self.introduce(by, d).await?;
        self.introduce(d, by).await?;
        if !self.compare(by, d).await? {
            return Ok(Err("the comparison fails".to_string()));
        }
        self.introduce(d, by).await?;
        self.session(d)?.machine.query_missing_secrets_from_other_sessions().await?;
        self.exchange(d, by).await?;
        let complete = self.session(d)?.machine.cross_signing_status().await.is_complete();
        Ok(if complete { Ok(()) } else { Err("the identity's secrets do not arrive".to_string()) })
    }
    /// Two people compare strings on their devices.
    async fn verify(&mut self, s: State, v: Device, p: Person) -> Res<Deed> {
        for q in s.signed_in.and(s.signed).and(self.world.of(p)).iter() {
            self.introduce(q, v).await?;
            if self.compare(v, q).await? {
                break;
            }
        }
        // The client fetches its own signature back.
        let user = self.user(p);
        self.session_mut(v)?.look_up(&user).await?;
        let verified = self.session(v)?.identity(&user).await?.is_some_and(|i| i.is_verified());
        Ok(if verified { Ok(()) } else { Err("the comparison fails".to_string()) })
    }
    /// `to` asks for the key of every message; `by` answers as it sees fit.
    async fn forward(&mut self, s: State, by: Device, to: Device) -> Res<Deed> {
        let (p, id) = (self.world.owner(by), self.id(by)?);
        self.look_up(s, by, p).await?;
        self.introduce(to, by).await?;
        if s.held(self.world).has(to) {
            // A client takes keys only from a device that it trusts, and the thief's is told to.
            let device = self.session(to)?.machine.get_device(&self.user(p), &id, None).await?;
            let device = device.ok_or(Failure::wrong("the thief's client knows no device to ask"))?;
            device.set_local_trust(LocalTrust::Verified).await?;
        }
        let mut given = true;
        for i in 0..self.letters.len() {
            let (room, id) = (self.room.clone(), self.letters[i].id.clone());
            for d in [by, to] {
                self.session_mut(d)?.sync().await?;
            }
            if !self.session(by)?.reads(&room, &id).await? || self.session(to)?.reads(&room, &id).await? {
                continue;
            }
            self.session(to)?.request_key(&room, &id).await?;
            self.exchange(by, to).await?;
            given &= self.session(to)?.reads(&room, &id).await?;
        }
        Ok(if given { Ok(()) } else { Err("the other device keeps its keys to itself".to_string()) })
    }
}

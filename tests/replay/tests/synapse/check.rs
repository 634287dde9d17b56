//! Model and reality after a step: what the server lists, what a client makes of it, and who can read.

use crate::session::granted;
use crate::stage::Stage;
use matrix_sdk_crypto::UserIdentity;
use overhear::model::directory::{is_verified, truth};
use overhear::model::{Device, Identity, Person, Set, State};
use overhear_real::failure::Res;
use ruma::UserId;
use ruma::api::client::keys::get_keys;
use serde_json::Value;
use std::fmt::Debug;

/// The first of the public keys in an object, as `/keys/query` shows it.
fn key(object: &Value) -> Option<&str> {
    object["keys"].as_object()?.values().next()?.as_str()
}

fn compare<T: PartialEq + Debug>(found: &mut Vec<String>, about: &str, model: T, reality: T) {
    if model != reality {
        found.push(format!("{about}: the model says {model:?}, reality {reality:?}"));
    }
}

impl Stage<'_> {
    fn text(&self, devices: Set<Device>) -> Vec<&str> {
        devices.iter().map(|d| self.names.device(d)).collect()
    }
    /// What the server lists of everybody, asked by somebody who takes no part.
    pub fn check_lists(&self, s: State) -> Res<Vec<String>> {
        let mut found = Vec::new();
        for p in self.world.all_people() {
            let (user, model) = (self.user(p), truth(self.world, &s, p));
            let mut request = get_keys::v3::Request::new();
            request.device_keys.insert(user.clone(), Vec::new());
            let answer = granted(self.home.call(Some(&self.observer), request)?)?;
            let (identity, signer) = self.identity_in(&answer, &user)?;
            let listed = serde_json::to_value(answer.device_keys)?;
            let (mut devices, mut signed) = (Set::EMPTY, Set::EMPTY);
            for object in listed[user.as_str()].as_object().into_iter().flat_map(|all| all.values()) {
                let id = object["device_id"].as_str().unwrap_or_default();
                let fingerprint = object["keys"][format!("ed25519:{id}")].as_str().unwrap_or_default();
                let of = |d: &Device| self.sessions[d].machine.identity_keys().ed25519.to_base64() == fingerprint;
                let Some(&d) = self.sessions.keys().find(|d| of(d)) else {
                    found.push(format!("the server lists a device {id} that nobody has"));
                    continue;
                };
                devices = devices.with(d);
                let mark = signer.as_ref().map(|key| format!("ed25519:{key}"));
                let by_identity = mark.is_some_and(|m| object["signatures"][user.as_str()].get(m).is_some());
                signed = if by_identity { signed.with(d) } else { signed };
            }
            let who = self.names.person(p);
            compare(&mut found, &format!("the identity listed of {who}"), model.identity, identity);
            compare(&mut found, &format!("the devices listed of {who}"), self.text(model.devices), self.text(devices));
            compare(&mut found, &format!("those signed of {who}"), self.text(model.signed), self.text(signed));
        }
        Ok(found)
    }
    /// The identity that an answer lists of `user`, and the key with which it signs devices.
    fn identity_in(&self, answer: &get_keys::v3::Response, user: &UserId) -> Res<(Identity, Option<String>)> {
        let (Some(master), Some(signer)) = (answer.master_keys.get(user), answer.self_signing_keys.get(user)) else {
            return Ok((Identity::None, None));
        };
        let (master, signer) = (serde_json::to_value(master)?, serde_json::to_value(signer)?);
        let identity = key(&master).and_then(|key| self.masters.get(key)).map_or(Identity::None, |(_, i)| *i);
        Ok((identity, key(&signer).map(str::to_string)))
    }
    /// What `v` makes of `p`, whom it has just looked up.
    pub async fn check_contact(&self, (before, after): (State, State), v: Device, p: Person) -> Res<Vec<String>> {
        let mut found = Vec::new();
        let mut check = |what: &str, model: bool, client: bool| {
            let about = format!("{} about {}, {what}", self.names.device(v), self.names.person(p));
            compare(&mut found, &about, model, client);
        };
        let (pin, offered) = (after.pinned.get(v, p), after.offered.get(v, p));
        let shown = if offered == Identity::None { pin } else { offered };
        let Some(identity) = self.session(v)?.identity(&self.user(p)).await? else {
            check("is there an identity", shown != Identity::None, false);
            return Ok(found);
        };
        let master = match &identity {
            UserIdentity::Own(i) => i.master_key().get_first_key(),
            UserIdentity::Other(i) => i.master_key().get_first_key(),
        };
        let known = master.and_then(|key| self.masters.get(&key.to_base64())).map(|(_, i)| *i);
        let (latched, verified) = (after.latched.has(v, p), is_verified(self.world, &after, v, p));
        let verified = verified && offered == Identity::None;
        check(&format!("is the identity shown the {shown:?} one"), true, known == Some(shown));
        check("is it verified", verified, identity.is_verified());
        check("was it verified once", latched, identity.was_previously_verified());
        check("changed since verified", latched && !verified, identity.has_verification_violation());
        let waits = offered != Identity::None && pin != Identity::None;
        if let (false, UserIdentity::Other(other)) = (latched, &identity) {
            check("does the change wait for an answer", waits, other.identity_needs_user_approval());
        }
        // A client says nothing of its own person's identity if that was never verified there.
        let (former, own) = (before.pinned.get(v, p), self.world.owner(v) == p);
        let replaced = !own && former != Identity::None && pin != former && !verified;
        let told = waits || replaced || latched && !verified;
        check("is the person told of a change", told, self.notices.contains(&(v, p)));
        Ok(found)
    }
    /// Everybody syncs; who can then decrypt a message of which era.
    pub async fn check_readers(&mut self, s: State) -> Res<(Vec<String>, Set<Device>)> {
        let (mut found, mut all) = (Vec::new(), Set::EMPTY);
        for session in self.sessions.values_mut() {
            session.sync().await?;
        }
        let live: Set<Device> = self.sessions.keys().copied().collect();
        for (past, holders) in [(true, s.past), (false, s.current)] {
            let mut readers = Set::EMPTY;
            for letter in self.letters.iter().filter(|l| l.past == past) {
                for (d, session) in &self.sessions {
                    let reads = session.reads(&self.room, &letter.id).await?;
                    readers = if reads { readers.with(*d) } else { readers };
                }
            }
            let era = if past { "past messages are read by" } else { "current messages are read by" };
            compare(&mut found, era, self.text(holders.and(live)), self.text(readers));
            all = all.union(readers);
        }
        Ok((found, all))
    }
}

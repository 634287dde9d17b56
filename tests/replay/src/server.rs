//! A homeserver in memory that can lie: what clients upload, what it truly lists, and an answer for each viewer.
//!
//! It keeps everything that clients ever uploaded, also what an adversary replaced on its way: whoever replaced it can
//! still show it. [`Server::registered`] and [`Server::published`] are what an honest answer lists. A lie is made of
//! uploads and identities that somebody really made, with signatures left out; a server cannot make any itself.

use crate::failure::{Failure, Res};
use matrix_sdk_crypto::types::CrossSigningKey;
use matrix_sdk_crypto::types::requests::UploadSigningKeysRequest;
use overhear::model::{Device, Person, Set};
use ruma::api::client::keys::{claim_keys, get_keys, upload_keys, upload_signatures};
use ruma::serde::Raw;
use ruma::{OwnedDeviceId, OwnedOneTimeKeyId, OwnedUserId, UserId};
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::collections::BTreeMap;

/// One of the identities of a person, as everybody who compares master keys can tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The person's current one.
    True,
    /// The person's first, second, … one before it.
    Old(usize),
    /// The adversary's.
    Forged,
}

/// The three public keys of an identity, each with the signatures that were uploaded for it.
#[derive(Clone, Debug)]
struct IdentityKeys {
    master: Value,
    self_signing: Value,
    user_signing: Value,
}

/// What one device uploaded.
struct Upload {
    user: OwnedUserId,
    id: OwnedDeviceId,
    keys: Value,
    one_time: Vec<(OwnedOneTimeKeyId, Value)>,
    fallback: Option<(OwnedOneTimeKeyId, Value)>,
}

/// What an answer about a person says, made of what was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The identity that the answer shows.
    pub key: Option<Key>,
    /// The devices that it lists.
    pub devices: Set<Device>,
    /// Those of the devices on which it leaves the signatures of identities.
    pub signed: Set<Device>,
    /// Whether it leaves the signature of the viewer's own identity on the one that it shows.
    pub vouched: bool,
}

/// Something that passed the server, for the story and for comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The device was told this about the person.
    Answered(Device, Person, Told),
    /// The first device claimed a one-time key of the second.
    Claimed(Device, Device),
    /// The first device sent the second something encrypted.
    Encrypted(Device, Device),
    /// The first device told the second that it withholds the key of a session, and this code.
    Withheld(Device, Device, String),
}

/// What the server holds, the adversary's side storage included.
pub struct Server {
    users: Vec<OwnedUserId>,
    uploads: BTreeMap<Device, Upload>,
    identities: BTreeMap<(Person, Key), IdentityKeys>,
    /// Devices that the server lists.
    pub registered: Set<Device>,
    /// The identity that the server lists of each person, if it lists any.
    pub published: BTreeMap<Person, Key>,
    /// Everything that passed, in order.
    pub log: Vec<Wire>,
}

impl Server {
    /// A server with these accounts, in the order of people, and nothing uploaded.
    pub fn new(users: Vec<OwnedUserId>) -> Self {
        let (uploads, identities) = (BTreeMap::new(), BTreeMap::new());
        Self { users, uploads, identities, registered: Set::EMPTY, published: BTreeMap::new(), log: Vec::new() }
    }
    /// The account of `p`.
    pub fn user(&self, p: Person) -> &UserId {
        &self.users[p.0 as usize]
    }
    /// Takes what `d` uploads into storage; listing it is another matter.
    pub fn upload_keys(
        &mut self,
        d: Device,
        (user, id): (&UserId, OwnedDeviceId),
        request: &upload_keys::v3::Request,
    ) -> Res<upload_keys::v3::Response> {
        if let Some(keys) = &request.device_keys {
            let keys = keys.deserialize_as_unchecked::<Value>()?;
            let fresh = Upload { user: user.to_owned(), id, keys, one_time: Vec::new(), fallback: None };
            self.uploads.insert(d, fresh);
        }
        let upload = self.uploads.get_mut(&d).ok_or(Failure::wrong("one-time keys came before device keys"))?;
        for (id, key) in &request.one_time_keys {
            upload.one_time.push((id.clone(), key.deserialize_as_unchecked()?));
        }
        for (id, key) in &request.fallback_keys {
            upload.fallback = Some((id.clone(), key.deserialize_as_unchecked()?));
        }
        let counts = upload.one_time.iter().map(|(id, _)| id.algorithm());
        let counts = counts.fold(BTreeMap::new(), |mut all, a| {
            *all.entry(a).or_insert_with(Default::default) += ruma::uint!(1);
            all
        });
        Ok(upload_keys::v3::Response::new(counts))
    }
    /// Stores the identity `key` of `p`; a true one that was there becomes an old one.
    pub fn store_identity(&mut self, p: Person, key: Key, request: &UploadSigningKeysRequest) -> Res<()> {
        let json = |k: &Option<CrossSigningKey>| Ok::<_, Failure>(serde_json::to_value(k)?);
        let (master, self_signing) = (json(&request.master_key)?, json(&request.self_signing_key)?);
        let keys = IdentityKeys { master, self_signing, user_signing: json(&request.user_signing_key)? };
        if let Some(former) = self.identities.insert((p, key), keys) {
            self.identities.insert((p, Key::Old(self.old(p))), former);
        }
        Ok(())
    }
    /// How many identities `p` has replaced.
    pub fn old(&self, p: Person) -> usize {
        self.identities.keys().filter(|(q, key)| *q == p && matches!(key, Key::Old(_))).count()
    }
    /// Which identity of `p` has this master key.
    pub fn identity_with(&self, p: Person, master: &str) -> Option<Key> {
        let has =
            |keys: &IdentityKeys| keys.master["keys"].as_object().is_some_and(|k| k.values().any(|v| v == master));
        self.identities.iter().find(|((q, _), keys)| *q == p && has(keys)).map(|((_, key), _)| *key)
    }
    /// Adds signatures to the stored objects that they are of: an upload carries the new ones only.
    pub fn upload_signatures(&mut self, request: &upload_signatures::v3::Request) -> Res<()> {
        for signed in request.signed_keys.values().flat_map(|keys| keys.iter().map(|(_, object)| object)) {
            let object: Value = serde_json::from_str(signed.get())?;
            let stored = self.uploads.values_mut().map(|u| &mut u.keys);
            let mut stored = stored.chain(self.identities.values_mut().map(|i| &mut i.master));
            if let Some(stored) = stored.find(|s| s["keys"] == object["keys"]) {
                merge_signatures(stored, &object);
            }
        }
        Ok(())
    }

    /// What `told` says about `p` to the client `v`, as an answer to `/keys/query`.
    pub fn query(&mut self, v: Device, p: Person, told: Told) -> Res<get_keys::v3::Response> {
        self.log.push(Wire::Answered(v, p, told));
        let user = self.user(p).to_owned();
        let viewer = self.uploads.get(&v).map_or(user.clone(), |u| u.user.clone());
        self.response(&user, &viewer, p, told)
    }
    /// The same without a viewer who could be compared: for machines in the adversary's hands.
    pub fn query_by_adversary(&self, p: Person, told: Told) -> Res<get_keys::v3::Response> {
        let user = self.user(p).to_owned();
        self.response(&user, &user, p, told)
    }
    fn response(&self, user: &UserId, viewer: &UserId, p: Person, told: Told) -> Res<get_keys::v3::Response> {
        let mut response = get_keys::v3::Response::new();
        let mut devices = BTreeMap::new();
        for d in told.devices.iter() {
            let upload =
                self.uploads.get(&d).ok_or(Failure::wrong("an answer lists a device that uploaded nothing"))?;
            let mut keys = upload.keys.clone();
            if !told.signed.has(d) {
                keep_signatures(&mut keys, |_, key| key == format!("ed25519:{}", upload.id));
            }
            devices.insert(upload.id.clone(), Raw::from_json(to_raw_value(&keys)?));
        }
        response.device_keys.insert(user.to_owned(), devices);
        if let Some(key) = told.key {
            let keys = self.identities.get(&(p, key)).ok_or(Failure::wrong("no such identity was ever uploaded"))?;
            let mut master = keys.master.clone();
            keep_signatures(&mut master, |signer, _| signer == user || told.vouched && signer == viewer);
            response.master_keys.insert(user.to_owned(), Raw::from_json(to_raw_value(&master)?));
            let self_signing = Raw::from_json(to_raw_value(&keys.self_signing)?);
            response.self_signing_keys.insert(user.to_owned(), self_signing);
            if user == viewer {
                let user_signing = Raw::from_json(to_raw_value(&keys.user_signing)?);
                response.user_signing_keys.insert(user.to_owned(), user_signing);
            }
        }
        Ok(response)
    }

    /// Hands `v` one-time keys of `devices`: of those that `v` asked for, as it knows them.
    pub fn claim(&mut self, v: Device, devices: Set<Device>) -> Res<claim_keys::v3::Response> {
        let mut claimed = BTreeMap::<OwnedUserId, BTreeMap<OwnedDeviceId, BTreeMap<OwnedOneTimeKeyId, _>>>::new();
        for d in devices.iter() {
            let Some(upload) = self.uploads.get_mut(&d) else { continue };
            let Some((id, key)) = upload.one_time.pop().or_else(|| upload.fallback.clone()) else { continue };
            let key = Raw::from_json(to_raw_value(&key)?);
            let of_user = claimed.entry(upload.user.clone()).or_default();
            of_user.entry(upload.id.clone()).or_default().insert(id, key);
            self.log.push(Wire::Claimed(v, d));
        }
        Ok(claim_keys::v3::Response::new(claimed))
    }
}

/// The signatures of an object, by signing user.
fn signatures(object: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    object.get_mut("signatures").and_then(Value::as_object_mut)
}

fn merge_signatures(stored: &mut Value, uploaded: &Value) {
    let Some(by_user) = uploaded["signatures"].as_object() else { return };
    if stored.get("signatures").is_none() {
        stored["signatures"] = Value::Object(Default::default());
    }
    let Some(all) = signatures(stored) else { return };
    for (user, keys) in by_user {
        let of_user = all.entry(user.clone()).or_insert_with(|| Value::Object(Default::default()));
        if let (Some(of_user), Some(keys)) = (of_user.as_object_mut(), keys.as_object()) {
            of_user.extend(keys.clone());
        }
    }
}

fn keep_signatures(object: &mut Value, keep: impl Fn(&str, &str) -> bool) {
    let Some(all) = signatures(object) else { return };
    for (user, keys) in all.iter_mut() {
        if let Some(keys) = keys.as_object_mut() {
            keys.retain(|key, _| keep(user, key));
        }
    }
}

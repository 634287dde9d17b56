//! One signed-in session at the homeserver: a real client that is unmodified, and the HTTP calls that it asks for.

use crate::http::{Homeserver, Said};
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::types::requests::{AnyOutgoingRequest, OutgoingVerificationRequest, ToDeviceRequest};
use matrix_sdk_crypto::{
    CollectStrategy, CrossSigningBootstrapRequests, DecryptionSettings, EncryptionSettings, EncryptionSyncChanges,
    OlmError, OlmMachine, SessionRecipientCollectionError, TrustRequirement, UserIdentity,
};
use overhear_real::failure::{Failure, Res};
use ruma::api::client::keys::{claim_keys, get_keys, upload_signatures, upload_signing_keys};
use ruma::api::client::message::send_message_event;
use ruma::api::client::session::{login, logout};
use ruma::api::client::sync::sync_events;
use ruma::api::client::to_device::send_event_to_device;
use ruma::serde::Raw;
use ruma::{OwnedDeviceId, OwnedEventId, OwnedRoomId, OwnedUserId, TransactionId, UserId};
use serde_json::json;
use serde_json::value::to_raw_value;
use std::collections::{BTreeMap, BTreeSet};

/// What became of an action: it was done, or server or client refused it.
pub type Deed = Result<(), String>;

const READ: DecryptionSettings = DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };

/// A client in the hands of its person, or of the thief.
pub struct Session {
    /// The real thing.
    pub machine: OlmMachine,
    /// Whose account it is on.
    pub user: OwnedUserId,
    /// Its access token.
    pub token: String,
    /// Whose keys changed, as the server said in `/sync` since they were asked for.
    pub changed: BTreeSet<OwnedUserId>,
    /// Whether it was signed out by somebody else: its client keeps what it has and learns nothing new.
    pub ended: bool,
    home: Homeserver,
    since: Option<String>,
    events: BTreeMap<OwnedEventId, Raw<EncryptedEvent>>,
}

/// The server's yes where a no would be news.
pub fn granted<T>(said: Said<T>) -> Res<T> {
    said.map_err(|refusal| Failure::Broken(format!("the server refuses: {refusal}")))
}

/// Logs in with a password, as a session of the server's naming.
pub fn log_in(home: &Homeserver, user: &OwnedUserId, password: &str) -> Res<Said<(OwnedDeviceId, String)>> {
    let info = login::v3::Password::new(user.into(), password.to_string());
    let said = home.call(None, login::v3::Request::new(login::v3::LoginInfo::Password(info)))?;
    Ok(said.map(|yes| (yes.device_id, yes.access_token)))
}

impl Session {
    /// Logs in, makes keys and uploads them; the client follows `room_mates`.
    pub async fn start(
        home: &Homeserver,
        user: &OwnedUserId,
        password: &str,
        room_mates: &[OwnedUserId],
    ) -> Res<Said<Self>> {
        let (id, token) = match log_in(home, user, password)? {
            Ok(session) => session,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let machine = OlmMachine::new(user, &id).await;
        machine.update_tracked_users(room_mates.iter().map(AsRef::as_ref)).await?;
        let (user, home) = (user.clone(), home.clone());
        let (changed, events) = (BTreeSet::new(), BTreeMap::new());
        let mut session = Self { machine, user, token, changed, ended: false, home, since: None, events };
        session.pump().await?;
        session.sync().await?;
        Ok(Ok(session))
    }
    /// Signs the session out.
    pub fn log_out(&self) -> Res<()> {
        granted(self.home.call(Some(&self.token), logout::v3::Request::new())?).map(|_| ())
    }
    /// Whether the server still knows the session.
    pub fn is_alive(&self) -> Res<bool> {
        let whoami = ruma::api::client::account::whoami::v3::Request::new();
        match self.home.call(Some(&self.token), whoami)? {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.body["errcode"] == "M_UNKNOWN_TOKEN" => Ok(false),
            Err(refusal) => Err(Failure::Broken(format!("the server refuses to say who a session is: {refusal}"))),
        }
    }

    /// Asks the server what is new, and hands it to the client; the number of messages for this device.
    pub async fn sync(&mut self) -> Res<usize> {
        if self.ended {
            return Ok(0);
        }
        let mut request = sync_events::v3::Request::new();
        request.since = self.since.clone();
        let news = granted(self.home.call(Some(&self.token), request)?)?;
        let messages = news.to_device.events.len();
        let changes = EncryptionSyncChanges {
            to_device_events: news.to_device.events,
            changed_devices: &news.device_lists,
            one_time_keys_counts: &news.device_one_time_keys_count,
            unused_fallback_keys: news.device_unused_fallback_key_types.as_deref(),
            next_batch_token: Some(news.next_batch.clone()),
        };
        self.machine.receive_sync_changes(changes, &READ).await?;
        self.since = Some(news.next_batch);
        self.changed.extend(news.device_lists.changed);
        for event in news.rooms.join.into_values().flat_map(|room| room.timeline.events) {
            if event.get_field::<String>("type")?.as_deref() == Some("m.room.encrypted") {
                let id = event.get_field("event_id")?.ok_or(Failure::wrong("an event without an id"))?;
                self.events.insert(id, event.cast_unchecked());
            }
        }
        Ok(messages)
    }
    /// Does everything that the client asks for, and says how much that was. Lookups are left out: the client looks
    /// somebody up when the model has it do so.
    pub async fn pump(&self) -> Res<usize> {
        let mut done = 0;
        for request in self.machine.outgoing_requests().await? {
            let (id, token) = (request.request_id(), Some(self.token.as_str()));
            match request.request() {
                AnyOutgoingRequest::KeysUpload(r) => {
                    let answer = granted(self.home.call(token, r.clone())?)?;
                    self.machine.mark_request_as_sent(id, &answer).await?;
                }
                AnyOutgoingRequest::KeysClaim(r) => self.claim(id, r).await?,
                AnyOutgoingRequest::SignatureUpload(r) => {
                    let answer = granted(self.home.call(token, r.clone())?)?;
                    self.machine.mark_request_as_sent(id, &answer).await?;
                }
                AnyOutgoingRequest::ToDeviceRequest(r) => self.send_to_device(r).await?,
                AnyOutgoingRequest::KeysQuery(_) => continue,
                AnyOutgoingRequest::RoomMessage(_) => return Err(Failure::wrong("nobody verifies in a room")),
            }
            done += 1;
        }
        Ok(done)
    }
    /// Looks `user` up: what the server lists, as far as the client accepts it.
    pub async fn look_up(&mut self, user: &UserId) -> Res<()> {
        let (id, query) = self.machine.query_keys_for_users([user]);
        let mut request = get_keys::v3::Request::new();
        request.device_keys = query.device_keys;
        let answer = granted(self.home.call(Some(&self.token), request)?)?;
        self.machine.mark_request_as_sent(&id, &answer).await?;
        self.changed.remove(user);
        Ok(())
    }
    /// What the client knows of the identity of `user`.
    pub async fn identity(&self, user: &UserId) -> Res<Option<UserIdentity>> {
        Ok(self.machine.get_identity(user, None).await?)
    }
    async fn claim(&self, id: &TransactionId, request: &claim_keys::v3::Request) -> Res<()> {
        let answer = granted(self.home.call(Some(&self.token), request.clone())?)?;
        Ok(self.machine.mark_request_as_sent(id, &answer).await?)
    }
    /// Uploads signatures; the server takes none by an identity that it does not list.
    pub fn upload_signatures(&self, request: &upload_signatures::v3::Request) -> Res<Deed> {
        let answer = granted(self.home.call(Some(&self.token), request.clone())?)?;
        let refused = !answer.failures.is_empty();
        Ok(if refused { Err("the server does not take the signature".to_string()) } else { Ok(()) })
    }
    /// Sends a message to devices.
    pub async fn send_to_device(&self, message: &ToDeviceRequest) -> Res<()> {
        let (event_type, id) = (message.event_type.clone(), message.txn_id.clone());
        let request = send_event_to_device::v3::Request::new_raw(event_type, id, message.messages.clone());
        let answer = granted(self.home.call(Some(&self.token), request)?)?;
        // Not every message is one that the client waits for; it ignores the others.
        Ok(self.machine.mark_request_as_sent(&message.txn_id, &answer).await?)
    }
    /// Sends what a ceremony has to say.
    pub async fn say(&self, said: impl IntoIterator<Item = OutgoingVerificationRequest>) -> Res<()> {
        for request in said {
            if let OutgoingVerificationRequest::ToDevice(r) = request {
                self.send_to_device(&r).await?;
            }
        }
        Ok(())
    }

    /// Makes an identity and uploads it; `password` is given if the server asks for it.
    pub async fn publish(&self, reset: bool, password: Option<&str>) -> Res<Said<String>> {
        let made = self.machine.bootstrap_cross_signing(reset).await?;
        let CrossSigningBootstrapRequests { upload_signing_keys_req: keys, upload_signatures_req, .. } = made;
        let master = keys.master_key.as_ref().and_then(|key| key.get_first_key_and_id()).map(|(_, k)| k.to_base64());
        let mut request = upload_signing_keys::v3::Request::new();
        request.master_key = keys.master_key.map(|key| key.to_raw());
        request.self_signing_key = keys.self_signing_key.map(|key| key.to_raw());
        request.user_signing_key = keys.user_signing_key.map(|key| key.to_raw());
        if let Err(refusal) = self.home.call_as(&self.token, (&self.user, password), request, |r| &mut r.auth)? {
            return Ok(Err(refusal));
        }
        self.upload_signatures(&upload_signatures_req)?.map_err(Failure::Broken)?;
        master.map(Ok).ok_or(Failure::wrong("an identity without a master key"))
    }
    /// Shares a room key with `users` by `strategy`, and sends a message encrypted with it.
    pub async fn send(
        &self,
        room: &OwnedRoomId,
        users: &[OwnedUserId],
        strategy: CollectStrategy,
    ) -> Res<Result<OwnedEventId, SessionRecipientCollectionError>> {
        if let Some((id, request)) = self.machine.get_missing_sessions(users.iter().map(AsRef::as_ref)).await? {
            self.claim(&id, &request).await?;
        }
        let settings = EncryptionSettings { sharing_strategy: strategy, ..Default::default() };
        match self.machine.share_room_key(room, users.iter().map(AsRef::as_ref), settings).await {
            Ok(messages) => {
                for message in messages {
                    self.send_to_device(&message).await?;
                }
            }
            Err(OlmError::SessionRecipientCollectionError(why)) => {
                // As the application does (matrix-sdk src/room/mod.rs, preshare_room_key).
                self.machine.discard_room_key(room).await?;
                return Ok(Err(why));
            }
            Err(other) => return Err(other.into()),
        }
        let content = Raw::from_json(to_raw_value(&json!({ "msgtype": "m.text", "body": "a secret" }))?);
        let encrypted = self.machine.encrypt_room_event_raw(room, "m.room.message", &content).await?;
        let (id, kind) = (TransactionId::new(), "m.room.encrypted".into());
        let body = encrypted.content.cast_unchecked();
        let request = send_message_event::v3::Request::new_raw(room.clone(), id, kind, body);
        Ok(Ok(granted(self.home.call(Some(&self.token), request)?)?.event_id))
    }
    /// The event, as the server has shown it in `/sync`.
    pub fn event(&self, id: &OwnedEventId) -> Res<&Raw<EncryptedEvent>> {
        self.events.get(id).ok_or(Failure::wrong("a message that the server did not show a member"))
    }
    /// Whether the client can decrypt an event.
    pub async fn reads(&self, room: &OwnedRoomId, id: &OwnedEventId) -> Res<bool> {
        if self.ended && !self.events.contains_key(id) {
            return Ok(false);
        }
        Ok(self.machine.decrypt_room_event(self.event(id)?, room, &READ).await.is_ok())
    }
    /// Asks the other devices of the account for the key of an event.
    pub async fn request_key(&self, room: &OwnedRoomId, id: &OwnedEventId) -> Res<()> {
        self.machine.request_room_key(self.event(id)?, room).await?;
        self.pump().await.map(drop)
    }
}

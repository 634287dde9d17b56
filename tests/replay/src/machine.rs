//! One real client: an unmodified `OlmMachine` with its outgoing requests, lookups, ceremonies, sends and reads.
//!
//! Queries that the client would make by itself are left unanswered, as by a slow network: it is told about a person
//! exactly when the model has it look that person up, by an explicit query.

use crate::failure::{Failure, Res};
use crate::server::Server;
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::types::requests::{
    AnyIncomingResponse, AnyOutgoingRequest, OutgoingVerificationRequest, ToDeviceRequest,
};
use matrix_sdk_crypto::{
    CollectStrategy, DecryptionSettings, EncryptionSettings, EncryptionSyncChanges, OlmError, OlmMachine,
    OtherUserIdentity, Sas, SessionRecipientCollectionError, TrustRequirement, UserIdentity,
};
use overhear::model::{Device, Person};
use ruma::api::client::keys::{get_keys, upload_signatures, upload_signing_keys};
use ruma::api::client::sync::sync_events::DeviceLists;
use ruma::api::client::to_device::send_event_to_device;
use ruma::events::AnyToDeviceEvent;
use ruma::serde::Raw;
use ruma::{OwnedDeviceId, OwnedUserId, RoomId, TransactionId, UserId, room_id};
use serde_json::json;
use serde_json::value::to_raw_value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs a replay. Its clock stands still whenever nothing else happens: a client that waits for the answer to a query
/// which nobody serves gives up at once, not after five seconds.
pub fn run<F: Future>(replay: F) -> Result<F::Output, std::io::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(replay))
}

/// A message to devices that is still to be delivered.
pub type Message = ToDeviceRequest;

/// One room is enough: the model has no other.
pub fn room() -> &'static RoomId {
    room_id!("!room:replay.example")
}

const READ: DecryptionSettings = DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };

/// A client in the hands of its person, or of the adversary.
pub struct Client {
    /// Which device of the model it is; for a machine that only signs, the one it signs with.
    pub device: Device,
    /// Whose account it is on.
    pub person: Person,
    /// The real thing.
    pub machine: OlmMachine,
}

/// What a send came to on the sender's side.
pub enum Sent {
    /// The messages that carry the key or withhold it, and the encrypted event.
    Messages(Vec<Arc<Message>>, Raw<EncryptedEvent>),
    /// The client refuses to send.
    Refused(SessionRecipientCollectionError),
}

impl Client {
    /// Makes keys for a new session on the account of `user`, under the device id `id`.
    pub async fn new(device: Device, person: Person, user: &UserId, id: &OwnedDeviceId) -> Self {
        Self { device, person, machine: OlmMachine::new(user, id).await }
    }
    /// Serves uploads, and returns what is to be delivered to other devices.
    pub async fn pump(&self, server: &mut Server) -> Res<Vec<Message>> {
        let mut messages = Vec::new();
        for request in self.machine.outgoing_requests().await? {
            let id = request.request_id();
            match request.request() {
                AnyOutgoingRequest::KeysUpload(r) => {
                    let whose = (self.machine.user_id(), self.machine.device_id().to_owned());
                    let response = server.upload_keys(self.device, whose, r)?;
                    self.machine.mark_request_as_sent(id, &response).await?;
                }
                AnyOutgoingRequest::SignatureUpload(r) => {
                    server.upload_signatures(r)?;
                    self.machine.mark_request_as_sent(id, &upload_signatures::v3::Response::new()).await?;
                }
                AnyOutgoingRequest::ToDeviceRequest(r) => {
                    messages.push(r.clone());
                    self.sent(id).await?;
                }
                // Answered only when the model looks somebody up.
                AnyOutgoingRequest::KeysQuery(_) => {}
                other => return Err(Failure::Broken(format!("an outgoing request that nobody serves: {other:?}"))),
            }
        }
        Ok(messages)
    }
    /// Tells the client that a message to devices was delivered to the server.
    pub async fn sent(&self, id: &TransactionId) -> Res<()> {
        Ok(self.machine.mark_request_as_sent(id, &send_event_to_device::v3::Response::new()).await?)
    }
    /// The client asks about one person and is told `response`.
    pub async fn told(&self, user: &UserId, response: &get_keys::v3::Response) -> Res<()> {
        let (id, _) = self.machine.query_keys_for_users([user]);
        Ok(self.machine.mark_request_as_sent(&id, response).await?)
    }
    /// The client syncs, and finds `events` for its device.
    pub async fn receive(&self, events: Vec<Raw<AnyToDeviceEvent>>) -> Res<()> {
        let changes = EncryptionSyncChanges {
            to_device_events: events,
            changed_devices: &DeviceLists::new(),
            one_time_keys_counts: &BTreeMap::from([(ruma::OneTimeKeyAlgorithm::SignedCurve25519, ruma::uint!(50))]),
            unused_fallback_keys: None,
            next_batch_token: None,
        };
        self.machine.receive_sync_changes(changes, &READ).await?;
        Ok(())
    }
    /// Makes an identity, or a new one, and returns what is to be published.
    pub async fn make_identity(
        &self,
        server: &mut Server,
        reset: bool,
    ) -> Res<matrix_sdk_crypto::CrossSigningBootstrapRequests> {
        self.pump(server).await?;
        let made = self.machine.bootstrap_cross_signing(reset).await?;
        let nothing = TransactionId::new();
        let response = upload_signing_keys::v3::Response::default();
        self.machine.mark_request_as_sent(&nothing, AnyIncomingResponse::SigningKeysUpload(&response)).await?;
        Ok(made)
    }
    /// What the client knows of the identity of `user`.
    pub async fn identity(&self, user: &UserId) -> Res<Option<UserIdentity>> {
        Ok(self.machine.get_identity(user, None).await?)
    }
    /// The same for somebody else's identity.
    pub async fn other_identity(&self, user: &UserId) -> Res<Option<OtherUserIdentity>> {
        Ok(self.identity(user).await?.and_then(UserIdentity::other))
    }
    /// What the client knows of the device `id` of `user`.
    pub async fn knows(&self, user: &UserId, id: &OwnedDeviceId) -> Res<Option<matrix_sdk_crypto::Device>> {
        Ok(self.machine.get_device(user, id, None).await?)
    }
    /// Signs the device `id` of the client's own account with the identity whose secret the client holds.
    pub async fn sign(&self, id: &OwnedDeviceId) -> Res<upload_signatures::v3::Request> {
        let device = self.knows(self.machine.user_id(), id).await?;
        let device = device.ok_or(Failure::wrong("a machine signs a device that it does not know"))?;
        Ok(device.verify().await?)
    }
    /// Shares a room key with `users` by `strategy`, and encrypts one message with it.
    pub async fn send(&self, users: &[OwnedUserId], strategy: CollectStrategy) -> Res<Sent> {
        let settings = EncryptionSettings { sharing_strategy: strategy, ..Default::default() };
        let shared = self.machine.share_room_key(room(), users.iter().map(AsRef::as_ref), settings).await;
        let messages = match shared {
            Ok(messages) => messages,
            Err(OlmError::SessionRecipientCollectionError(why)) => {
                // As the application does (matrix-sdk src/room/mod.rs, preshare_room_key). Without it the machine would
                // use the session later without ever storing its own copy of the key.
                self.machine.discard_room_key(room()).await?;
                return Ok(Sent::Refused(why));
            }
            Err(other) => return Err(other.into()),
        };
        for message in &messages {
            self.sent(&message.txn_id).await?;
        }
        let content = Raw::from_json(to_raw_value(&json!({ "msgtype": "m.text", "body": "a secret" }))?);
        let encrypted = self.machine.encrypt_room_event_raw(room(), "m.room.message", &content).await?;
        let event = json!({
            "type": "m.room.encrypted",
            "event_id": format!("${}", TransactionId::new()),
            "sender": self.machine.user_id(),
            "origin_server_ts": 0,
            "room_id": room(),
            "content": encrypted.content,
        });
        Ok(Sent::Messages(messages, Raw::from_json(to_raw_value(&event)?)))
    }
    /// Whether the client can decrypt `event`.
    pub async fn reads(&self, event: &Raw<EncryptedEvent>) -> bool {
        self.machine.decrypt_room_event(event, room(), &READ).await.is_ok()
    }
    /// The messages to devices by which the client asks its other devices for the key of `event`.
    pub async fn request_key(&self, event: &Raw<EncryptedEvent>) -> Res<Vec<Message>> {
        let (cancel, request) = self.machine.request_room_key(event, room()).await?;
        let mut messages = Vec::new();
        for request in cancel.into_iter().chain([request]) {
            if let AnyOutgoingRequest::ToDeviceRequest(r) = request.request() {
                messages.push(r.clone());
            }
            self.sent(request.request_id()).await?;
        }
        Ok(messages)
    }
}

/// The events by which `message`, sent by `sender`, reaches one device, wherever it was addressed to.
pub fn events(sender: &UserId, message: &Message) -> Res<Vec<Raw<AnyToDeviceEvent>>> {
    let contents = message.messages.values().flat_map(BTreeMap::values);
    contents
        .map(|content| {
            let event = json!({ "type": message.event_type, "sender": sender, "content": content });
            Ok(Raw::from_json(to_raw_value(&event)?))
        })
        .collect()
}

/// Two people, or one with two devices, compare short strings (SAS), and both say yes if they are equal.
///
/// Returns whether both clients came to an end that they call done. The clients exchange real messages; nothing but the
/// comparison and the two yesses is ours.
pub async fn ceremony(server: &mut Server, a: &Client, b: &Client, id_of_b: &OwnedDeviceId) -> Res<bool> {
    // A client cancels a ceremony while an older one with the same person lies about; a sync clears those away.
    for client in [a, b] {
        client.receive(Vec::new()).await?;
    }
    let Some(device) = a.knows(b.machine.user_id(), id_of_b).await? else { return Ok(false) };
    let (of_a, start) = device.start_verification().await?;
    b.receive(events(a.machine.user_id(), &start)?).await?;
    let flow = of_a.flow_id().as_str().to_owned();
    let found = b.machine.get_verification(a.machine.user_id(), &flow).and_then(|v| v.sas_v1());
    let Some(of_b) = found else { return Ok(false) };
    deliver(a, b, of_b.accept()).await?;
    exchange(server, a, b).await?;
    if !of_a.can_be_presented() || !of_b.can_be_presented() || of_a.emoji_index() != of_b.emoji_index() {
        return Ok(false);
    }
    confirm(server, &of_a, a, b).await?;
    confirm(server, &of_b, b, a).await?;
    exchange(server, a, b).await?;
    Ok(of_a.is_done() && of_b.is_done())
}

async fn confirm(server: &mut Server, sas: &Sas, from: &Client, to: &Client) -> Res<()> {
    let (requests, signatures) = sas.confirm().await?;
    deliver(to, from, requests).await?;
    if let Some(request) = signatures {
        server.upload_signatures(&request)?;
    }
    Ok(())
}

/// Delivers what `from` has to say in a ceremony to `to`.
async fn deliver(to: &Client, from: &Client, said: impl IntoIterator<Item = OutgoingVerificationRequest>) -> Res<()> {
    for request in said {
        if let OutgoingVerificationRequest::ToDevice(r) = request {
            to.receive(events(from.machine.user_id(), &r)?).await?;
        }
    }
    Ok(())
}

/// Delivers what two clients have for each other until neither has anything left.
pub async fn exchange(server: &mut Server, a: &Client, b: &Client) -> Res<()> {
    // Four rounds: a ceremony has at most three messages each way.
    for _ in 0..4 {
        for (from, to) in [(a, b), (b, a)] {
            for message in from.pump(server).await? {
                if message.event_type.to_string().starts_with("m.key.verification") {
                    to.receive(events(from.machine.user_id(), &message)?).await?;
                }
            }
        }
    }
    Ok(())
}

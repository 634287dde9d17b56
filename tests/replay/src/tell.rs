//! What happened in reality in one step, in the scenario's names.

use crate::drive::{Cast, label};
use crate::failure::Res;
use crate::replay::Outcome;
use crate::server::{Told, Wire};
use overhear::model::{Device, Identity, Person, Set};
use overhear::story::{capital, list};

/// One line for each thing that passed the server, and for what the clients who asked now think.
pub async fn step(cast: &Cast<'_>, outcome: &Outcome) -> Res<Vec<String>> {
    let mut lines: Vec<String> = outcome.wire.iter().map(|passed| wire(cast, passed)).collect();
    for passed in &outcome.wire {
        if let Wire::Answered(v, p, _) = passed {
            lines.push(view(cast, *v, *p).await?);
        }
    }
    match &cast.last_send {
        Some(Ok(_)) => {
            let letter = cast.letters.last().map(|l| &l.event);
            let mut readers = Set::EMPTY;
            for (d, client) in &cast.clients {
                if let Some(event) = letter
                    && client.reads(event).await
                {
                    readers = readers.with(*d);
                }
            }
            lines.push(format!("the message is decrypted by {}", devices(cast, readers)));
        }
        Some(Err(why)) => lines.push(format!("the client refuses to send: {why}")),
        None => {}
    }
    Ok(lines)
}

fn devices(cast: &Cast, devices: Set<Device>) -> String {
    list(&devices.iter().map(|d| cast.names.device(d).to_string()).collect::<Vec<_>>())
}

fn identity(i: Identity) -> &'static str {
    match i {
        Identity::None => "no identity",
        Identity::True => "the true identity",
        Identity::Old => "an old identity",
        Identity::Forged => "a forged identity",
    }
}

fn wire(cast: &Cast, passed: &Wire) -> String {
    let d = |x: &Device| cast.names.device(*x).to_string();
    match passed {
        Wire::Answered(v, p, told) => {
            let Told { key, devices: listed, .. } = told;
            let who = capital(cast.names.person(*p));
            format!("{} asks about {who}: {}, and {}", d(v), identity(label(*key)), devices(cast, *listed))
        }
        Wire::Claimed(v, x) => format!("{} claims a one-time key of {}", d(v), d(x)),
        Wire::Encrypted(v, x) => format!("{} sends {} a room key", d(v), d(x)),
        Wire::Withheld(v, x, code) => format!("{} withholds the room key from {}: {code}", d(v), d(x)),
    }
}

/// What `v` now thinks of `p`.
async fn view(cast: &Cast<'_>, v: Device, p: Person) -> Res<String> {
    let known = label(cast.known_key(v, p).await?);
    let mut words = vec![identity(known).to_string()];
    if let Some(i) = cast.client(v)?.identity(cast.server.user(p)).await? {
        let marks = [
            (i.is_verified(), "verified"),
            (i.has_verification_violation(), "changed since it was verified"),
            (cast.notices.contains(&(v, p)), "its person is told of a change"),
        ];
        words.extend(marks.into_iter().filter(|m| m.0).map(|m| m.1.to_string()));
    }
    let known = cast.client(v)?.machine.get_user_devices(cast.server.user(p), None).await?;
    let (mut signed, mut unsigned) = (Set::EMPTY, Set::EMPTY);
    for device in known.devices() {
        let key = device.ed25519_key().map(|k| k.to_base64()).unwrap_or_default();
        let Some(d) = cast.device_with(&key) else { continue };
        match device.is_cross_signed_by_owner() {
            true => signed = signed.with(d),
            false => unsigned = unsigned.with(d),
        }
    }
    let who = capital(cast.names.person(p));
    let knows = format!("signed {}, unsigned {}", devices(cast, signed), devices(cast, unsigned));
    Ok(format!("{} now sees {who} with {}; {knows}", cast.names.device(v), words.join(", ")))
}

//! Who can take whose place: the renumberings of devices and people under which a world stays what it is.
//!
//! The rules know no names and no order, so whatever follows a state follows, renumbered, the renumbered state, and a
//! property that falls in the one falls in the other. A search needs one state of each such family.

use super::bits::{DEVICES_MAX, Device, Identities, Index, PEOPLE_MAX, Pair, Person, Rel, Set, VIEWERS_MAX};
use super::state::{Among, OfDevices, OfPeople, State};
use super::world::{Powers, World};

/// A renumbering of devices and people: for each, who takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbering {
    devices: [Device; DEVICES_MAX],
    people: [Person; PEOPLE_MAX],
    /// The image of each set of the first devices, and of each set of the last ones: two lookups make an image.
    halves: [[u16; HALF]; 2],
}

const HALF_BITS: usize = DEVICES_MAX / 2;
const HALF: usize = 1 << HALF_BITS;

/// Everything that a [`Renumbering`] can be applied to.
trait Renumbered {
    fn by(self, g: &Renumbering) -> Self;
}

impl Renumbered for Set<Device> {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        let bits = self.bits() as usize;
        Self::from_bits(g.halves[0][bits % HALF] | g.halves[1][bits >> HALF_BITS])
    }
}

impl Renumbered for Set<Person> {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        self.iter().map(|p| g.people[p.index()]).collect()
    }
}

impl Renumbered for Set<Pair> {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        self.iter().map(|Pair(p, q)| Pair(g.people[p.index()], g.people[q.index()])).collect()
    }
}

impl Renumbered for OfDevices {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        g.rows(self)
    }
}

impl Renumbered for OfPeople {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        g.rows(self)
    }
}

impl Renumbered for Among {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        let rows = (0..PEOPLE_MAX).map(Person::at);
        rows.fold(Self::default(), |all, p| all.with_row(g.people[p.index()], self.row(p).by(g)))
    }
}

impl Renumbered for Identities {
    #[inline]
    fn by(self, g: &Renumbering) -> Self {
        self.renumbered(|v| g.devices[v.index()], |p| g.people[p.index()])
    }
}

impl Renumbering {
    fn new(devices: [Device; DEVICES_MAX], people: [Person; PEOPLE_MAX]) -> Self {
        let image = |bits: usize| {
            let set = Set::<Device>::from_bits(bits as u16);
            set.iter().map(|d| devices[d.index()]).collect::<Set<Device>>().bits()
        };
        Self { devices, people, halves: [0, HALF_BITS].map(|shift| std::array::from_fn(|half| image(half << shift))) }
    }
    /// Whether everybody keeps their own number.
    pub fn keeps_people(&self) -> bool {
        self.people.iter().enumerate().all(|(i, p)| p.index() == i)
    }
    #[inline]
    fn rows<B: Index>(&self, rel: Rel<Device, B, VIEWERS_MAX>) -> Rel<Device, B, VIEWERS_MAX>
    where
        Set<B>: Renumbered,
    {
        let mut rows = Rel::default();
        for v in (0..VIEWERS_MAX).map(Device::at) {
            rows.set_row(self.devices[v.index()], rel.row(v).by(self));
        }
        rows
    }

    /// The state that is like `s` with everybody in the place of somebody else.
    pub fn state(&self, s: &State) -> State {
        let g = self;
        State {
            registered: s.registered.by(g),
            primary: s.primary.by(g),
            removed: s.removed.by(g),
            signed: s.signed.by(g),
            signed_old: s.signed_old.by(g),
            born: s.born.by(g),
            published: s.published.by(g),
            replaced: s.replaced.by(g),
            stealthy: s.stealthy.by(g),
            has_old: s.has_old.by(g),
            members: s.members.by(g),
            active: s.active,
            passwords: s.passwords.by(g),
            passwords_stolen: s.passwords_stolen.by(g),
            secrets: s.secrets.by(g),
            recovery: s.recovery.by(g),
            stolen: s.stolen.by(g),
            existed: s.existed.by(g),
            backed_past: s.backed_past.by(g),
            backed_current: s.backed_current.by(g),
            signed_in: s.signed_in.by(g),
            evicted: s.evicted.by(g),
            renamed: s.renamed.by(g),
            contacted: s.contacted.by(g),
            shown: s.shown.by(g),
            shown_verified: s.shown_verified.by(g),
            warned: s.warned.by(g),
            vouched: s.vouched.by(g),
            vouched_old: s.vouched_old.by(g),
            pinned: s.pinned.by(g),
            offered: s.offered.by(g),
            verified: s.verified.by(g),
            latched: s.latched.by(g),
            seen: s.seen.by(g),
            accepted: s.accepted.by(g),
            trusted: s.trusted.by(g),
            blocked: s.blocked.by(g),
            given: s.given.by(g),
            stored: s.stored.by(g),
            stored_signed: s.stored_signed.by(g),
            looked: s.looked.by(g),
            forked: s.forked.by(g),
            past: s.past.by(g),
            current: s.current.by(g),
            after: s.after.by(g),
            overheard: s.overheard.by(g),
            ghosts: s.ghosts.by(g),
            all_read: s.all_read,
            entered: s.entered.by(g),
            vouched_forged: s.vouched_forged.by(g),
            room: s.room,
        }
    }

    /// The world that is like `w` with everybody in the place of somebody else.
    fn world(&self, w: &World) -> World {
        let g = self;
        let mut to = *w;
        for d in w.all_devices() {
            let at = g.devices[d.index()].index();
            to.owner[at] = g.people[w.owner(d).index()];
            to.reuses[at] = w.reuses(d).map(|h| g.devices[h.index()]);
        }
        for p in w.all_people() {
            let at = g.people[p.index()].index();
            to.devices_of[at] = w.of(p).by(g);
            to.server[at] = w.server[p.index()];
            to.policy[at] = *w.policy(p);
        }
        let Powers { control_server, add_member, .. } = w.powers;
        World {
            honest: w.honest.by(g),
            rogue: w.rogue.by(g),
            uninvited_devices: w.uninvited_devices.by(g),
            reused: w.reused.by(g),
            dehydrated: w.dehydrated.by(g),
            uninvited: w.uninvited.by(g),
            senders: w.senders.by(g),
            members: w.members.by(g),
            hurried: w.hurried.by(g),
            inattentive: w.inattentive.by(g),
            powers: Powers {
                steal_password: w.powers.steal_password.by(g),
                break_tls: w.powers.break_tls.by(g),
                control_server,
                hijack_number: w.powers.hijack_number.by(g),
                steal_recovery: w.powers.steal_recovery.by(g),
                steal_device: w.powers.steal_device.by(g),
                phish_link: w.powers.phish_link.by(g),
                add_member,
            },
            ..to
        }
    }
    /// Whether `w` stays what it is, but for the numbers of its servers.
    fn keeps(&self, w: &World) -> bool {
        let to = self.world(w);
        let same_servers = w.all_people().all(|p| {
            let together = |w: &World, q: Person| w.server[p.index()] == w.server[q.index()];
            to.controls(p) == w.controls(p) && w.all_people().all(|q| together(&to, q) == together(w, q))
        });
        same_servers && World { server: w.server, ..to } == *w
    }
}

/// Every renumbering under which `w` stays what it is, but for the one that changes nothing.
pub fn symmetries(w: &World) -> Vec<Renumbering> {
    let mut all = Vec::new();
    let alike = |p: usize, q: usize| w.policy[p] == w.policy[q];
    for people in orders(w.people, &alike) {
        let fits = |d: usize, e: usize| {
            let (d, e) = (Device::at(d), Device::at(e));
            people[w.owner(d).index()] == w.owner(e).index() && w.honest.has(d) == w.honest.has(e)
        };
        for devices in orders(w.devices, &fits) {
            let at = |order: &[usize], i: usize| order.get(i).copied().unwrap_or(i);
            let device = |i| Device::at(at(&devices, i));
            let g = Renumbering::new(std::array::from_fn(device), std::array::from_fn(|i| Person::at(at(&people, i))));
            all.extend(Some(g).filter(|g| g.keeps(w)));
        }
    }
    let changes = |g: &Renumbering| !g.keeps_people() || g.devices.iter().enumerate().any(|(i, d)| d.index() != i);
    all.retain(changes);
    all
}

/// Every order of the first `n` numbers in which each stands where it fits.
fn orders(n: usize, fits: &dyn Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for at in 0..n {
        let longer = |order: Vec<usize>| {
            let next = (0..n).filter(|i| !order.contains(i) && fits(at, *i)).collect::<Vec<_>>();
            next.into_iter().map(move |i| [&order[..], &[i]].concat())
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders
}

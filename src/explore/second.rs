//! The second engine: the same model behind `stateright::Model`, searched by stateright's own checker.
//!
//! stateright does not expand a state once every property is decided, and its traces are not shortest when several
//! properties share a run; so a property that nothing decides is added, and its traces are not used.

use crate::model::{Action, Facts, Needs, Property, Reduced, Reductions, State, World, property};
use stateright::{Checker, Model};

/// One world as a stateright model.
pub struct Second {
    reduced: Reduced,
    tried: Vec<(Needs, Action)>,
    properties: Vec<Property>,
    count: bool,
}

impl Second {
    /// The model of `world` that checks `properties`, and reaches every state if all are to be counted.
    pub fn new(world: &World, properties: &[Property], reductions: Reductions, count: bool) -> Self {
        let reduced = Reduced::new(world, properties, reductions);
        Self { tried: reduced.with_needs(), reduced, properties: properties.to_vec(), count }
    }
}

impl Model for Second {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.reduced.initial()]
    }

    fn actions(&self, s: &State, actions: &mut Vec<Action>) {
        let facts = Facts::of(s);
        actions.extend(self.tried.iter().filter(|(needs, _)| needs.met(facts)).map(|(_, action)| *action));
    }

    fn next_state(&self, s: &State, a: Action) -> Option<State> {
        self.reduced.step(s, a)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let never = stateright::Property::sometimes("nothing decides this", |_: &Self, _: &State| false);
        self.properties.iter().map(|&p| as_stateright(p)).chain(self.count.then_some(never)).collect()
    }
}

/// A model of stateright's whose states are those of a world.
pub trait OfWorld: Model {
    /// The world.
    fn world(&self) -> &World;
    /// The state of the world that a state of the model is.
    fn plain(s: &Self::State) -> &State;
}

impl OfWorld for Second {
    fn world(&self) -> &World {
        &self.reduced.world
    }
    fn plain(s: &State) -> &State {
        s
    }
}

/// One of our properties as one of theirs. Theirs takes a function without captures, hence one arm each.
pub fn as_stateright<M: OfWorld>(p: Property) -> stateright::Property<M> {
    macro_rules! always {
        ($($name:ident),+) => { match p {
            $(Property::$name => stateright::Property::always(stringify!($name), |m: &M, s: &M::State| {
                property::condition(m.world(), *M::plain(s), Property::$name)
            }),)+
            Property::EverybodyReads => stateright::Property::sometimes("EverybodyReads", |m: &M, s: &M::State| {
                property::condition(m.world(), *M::plain(s), Property::EverybodyReads)
            }),
        } };
    }
    always!(
        NoRogueKey,
        NoHiddenKey,
        NoSilentLeak,
        NoInvisibleListener,
        PastStaysPrivate,
        RemovalEndsAccess,
        NeverShownAsVerified,
        NoUninvitedReader,
        NoUnseenReader,
        NoUnnoticedLeak,
        NoBlockedRoom,
        NoLockOut
    )
}

/// The number of states of `world` if all are to be counted, and which of `properties` some state decides, according to
/// stateright. Without `count` the search ends as soon as every property is decided.
pub fn search(world: &World, properties: &[Property], reductions: Reductions, count: bool) -> (usize, Vec<bool>) {
    let checker = Second::new(world, properties, reductions, count).checker().spawn_bfs().join();
    let decided = |p: &Property| checker.discovery(as_stateright::<Second>(*p).name).is_some();
    (checker.unique_state_count(), properties.iter().map(decided).collect())
}

//! The second engine: the same model behind `stateright::Model`, searched by stateright's own checker.
//!
//! stateright does not expand a state once every property is decided, and its traces are not shortest when several
//! properties share a run; so a property that nothing decides is added, and its traces are not used.

use crate::model::action::possible;
use crate::model::{Action, Property, State, World, property, step};
use stateright::{Checker, Model};

/// One world as a stateright model.
pub struct Second {
    pub world: World,
    actions: Vec<Action>,
    properties: Vec<Property>,
}

impl Second {
    /// The model of `world` that checks `properties`.
    pub fn new(world: &World, properties: &[Property]) -> Self {
        Self { world: *world, actions: possible(world), properties: properties.to_vec() }
    }
}

impl Model for Second {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.world.initial()]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        actions.extend_from_slice(&self.actions);
    }

    fn next_state(&self, s: &State, a: Action) -> Option<State> {
        step(&self.world, *s, a).ok()
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let never = stateright::Property::sometimes("nothing decides this", |_: &Self, _: &State| false);
        self.properties.iter().map(|&p| as_stateright(p)).chain([never]).collect()
    }
}

/// One of our properties as one of theirs. Theirs takes a function without captures, hence one arm each.
fn as_stateright(p: Property) -> stateright::Property<Second> {
    macro_rules! always {
        ($($name:ident),+) => { match p {
            $(Property::$name => stateright::Property::always(stringify!($name), |m: &Second, s: &State| {
                property::condition(&m.world, *s, Property::$name)
            }),)+
            Property::EverybodyReads => stateright::Property::sometimes("EverybodyReads", |m: &Second, s: &State| {
                property::condition(&m.world, *s, Property::EverybodyReads)
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
        NoLockOut
    )
}

/// The number of states of `world`, and which of `properties` some state decides, according to stateright.
pub fn search(world: &World, properties: &[Property]) -> (usize, Vec<bool>) {
    let checker = Second::new(world, properties).checker().spawn_bfs().join();
    let decided = |p: &Property| checker.discovery(as_stateright(*p).name).is_some();
    (checker.unique_state_count(), properties.iter().map(decided).collect())
}

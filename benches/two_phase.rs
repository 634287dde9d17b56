//! Two-Phase Commit (Lamport, "TwoPhase", tlaplus/Examples), packed into 64 bits: the state space on which engines are
//! compared.

use overhear::explore::breadth::{Expanded, Space};
use stateright::{Model, Property};

/// One transaction manager and so many resource managers, at most 12.
#[derive(Clone, Copy)]
pub struct TwoPhase {
    pub managers: u32,
}

/// A state: two bits for each resource manager, two for the transaction manager, one for each manager whose vote
/// arrived, one for each vote that was sent, and one for each of the two orders.
pub type State = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    ReceiveVote(u32),
    OrderCommit,
    OrderAbort,
    Prepare(u32),
    ChooseToAbort(u32),
    ReceiveCommit(u32),
    ReceiveAbort(u32),
}

const WORKING: u64 = 0;
const PREPARED: u64 = 1;
const COMMITTED: u64 = 2;
const ABORTED: u64 = 3;

impl TwoPhase {
    fn manager(self, s: State, rm: u32) -> u64 {
        s >> (2 * rm) & 3
    }
    fn with_manager(self, s: State, rm: u32, state: u64) -> State {
        s & !(3 << (2 * rm)) | state << (2 * rm)
    }
    /// The lowest bit of the transaction manager, whose states are those of a resource manager.
    fn coordinator(self) -> u32 {
        2 * self.managers
    }
    fn arrived(self, rm: u32) -> u64 {
        1 << (2 * self.managers + 2 + rm)
    }
    fn voted(self, rm: u32) -> u64 {
        1 << (3 * self.managers + 2 + rm)
    }
    fn commit_ordered(self) -> u64 {
        1 << (4 * self.managers + 2)
    }
    fn abort_ordered(self) -> u64 {
        1 << (4 * self.managers + 3)
    }
    fn decided(self, s: State) -> u64 {
        s >> self.coordinator() & 3
    }

    /// Calls `try_it` with each action that is possible in `s`.
    #[inline]
    pub fn enabled(self, s: State, mut try_it: impl FnMut(Action)) {
        let undecided = self.decided(s) == WORKING;
        if undecided {
            if (0..self.managers).all(|rm| s & self.arrived(rm) != 0) {
                try_it(Action::OrderCommit);
            }
            try_it(Action::OrderAbort);
        }
        for rm in 0..self.managers {
            if undecided && s & self.voted(rm) != 0 {
                try_it(Action::ReceiveVote(rm));
            }
            if self.manager(s, rm) == WORKING {
                try_it(Action::Prepare(rm));
                try_it(Action::ChooseToAbort(rm));
            }
            if s & self.commit_ordered() != 0 {
                try_it(Action::ReceiveCommit(rm));
            }
            if s & self.abort_ordered() != 0 {
                try_it(Action::ReceiveAbort(rm));
            }
        }
    }

    /// The state after an action that is possible in `s`.
    #[inline]
    pub fn follow(self, s: State, action: Action) -> State {
        match action {
            Action::ReceiveVote(rm) => s | self.arrived(rm),
            Action::OrderCommit => s | COMMITTED << self.coordinator() | self.commit_ordered(),
            Action::OrderAbort => s | ABORTED << self.coordinator() | self.abort_ordered(),
            Action::Prepare(rm) => self.with_manager(s, rm, PREPARED) | self.voted(rm),
            Action::ChooseToAbort(rm) | Action::ReceiveAbort(rm) => self.with_manager(s, rm, ABORTED),
            Action::ReceiveCommit(rm) => self.with_manager(s, rm, COMMITTED),
        }
    }

    /// Whether some manager has committed and another aborted.
    pub fn torn(self, s: State) -> bool {
        let any = |state| (0..self.managers).any(|rm| self.manager(s, rm) == state);
        any(COMMITTED) && any(ABORTED)
    }
}

impl Model for TwoPhase {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![0]
    }
    fn actions(&self, s: &State, actions: &mut Vec<Action>) {
        self.enabled(*s, |action| actions.push(action));
    }
    fn next_state(&self, s: &State, action: Action) -> Option<State> {
        Some(self.follow(*s, action))
    }
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("consistent", |m: &Self, s: &State| !m.torn(*s))]
    }
}

impl Space for TwoPhase {
    type Scratch = ();

    fn words(&self) -> usize {
        2
    }
    fn initial(&self, packed: &mut [u32]) {
        packed.fill(0);
    }
    fn expand(&self, from: &[u32], (): &mut (), mut reach: impl FnMut(&[u32])) -> Expanded {
        let s = u64::from(from[0]) | u64::from(from[1]) << 32;
        let mut transitions = 0;
        self.enabled(s, |action| {
            let next = self.follow(s, action);
            transitions += 1;
            if next != s {
                reach(&[next as u32, (next >> 32) as u32]);
            }
        });
        Expanded { transitions, events: 0 }
    }
    fn marks(&self, packed: &[u32]) -> u32 {
        u32::from(self.torn(u64::from(packed[0]) | u64::from(packed[1]) << 32))
    }
}

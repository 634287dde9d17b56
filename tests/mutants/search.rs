//! One cell searched with every guard, and, wherever a guard alone stops something, on from there without it.
//!
//! Neither the masks of the exact search nor the list of possible actions is used: both repeat guards. Removing a guard
//! only adds steps. So the guard matters in a cell only if some step that it stops leads to a state that is not reached
//! as soon with it; and it is seen to matter if from there a property is decided in fewer steps than before.

use crate::cells::Cell;
use overhear::model::mutants::{Guard, blocked_by, without};
use overhear::model::{Action, Blocked, Property, Reduced, Reductions, State, step};
use overhear::trace;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How far a cell is searched.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// States with every guard.
    pub with_all: usize,
    /// States beyond those, without one.
    pub without_one: usize,
    /// Steps that one guard stops and that are followed up.
    pub stopped: usize,
    /// The reductions by which states are told apart.
    pub reductions: Reductions,
}

/// What a cell has to say of a guard.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Without it the property is decided in so many steps.
    Decided(Property, usize),
    /// Without it the adversary, who has no move with it, has one.
    Moves,
    /// Without it there are other states, which decide nothing sooner within the bounds.
    Differs,
    /// It stops something, but whatever it stops comes to one of these.
    Blocks(BTreeSet<Idle>),
}

/// What a stopped step comes to where the guard is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Idle {
    /// Without the guard it would change nothing.
    NoChange,
    /// Without the guard it would lead where other steps lead as soon.
    Known,
    /// Without the guard it would be stopped as well, and with this name.
    Stopped(Blocked),
}

/// A state, and the first way to it.
struct Node {
    state: State,
    depth: usize,
    from: usize,
    action: Action,
}

/// A step that one guard alone stops: from where, what, to where.
type Stopped = (usize, Action, State);

struct Search<'a> {
    cell: &'a Cell,
    bounds: Bounds,
    reduced: Reduced,
    actions: &'a [Action],
    /// Whether the search with every guard tries the action of that index.
    taken: Vec<bool>,
    nodes: Vec<Node>,
    places: HashMap<State, usize>,
    stopped: BTreeMap<usize, Vec<Stopped>>,
    /// The states to which the steps in `stopped` lead.
    known: BTreeMap<usize, HashSet<State>>,
    blocks: BTreeMap<usize, BTreeSet<Idle>>,
}

/// What `cell` has to say of the guards that are `asked` about.
pub fn examine(cell: &Cell, actions: &[Action], bounds: Bounds, asked: &[&'static Guard]) -> Vec<(usize, Seen)> {
    let reductions = Reductions { decided_properties: false, ..bounds.reductions };
    let reduced = Reduced::new(&cell.world, &cell.properties, reductions);
    let of_reduced: HashSet<Action> = reduced.actions.iter().copied().collect();
    let initial = reduced.initial();
    let mut search = Search {
        cell,
        bounds,
        taken: actions.iter().map(|a| of_reduced.contains(a)).collect(),
        reduced,
        actions,
        nodes: vec![Node { state: initial, depth: 0, from: 0, action: Action::Arrive }],
        places: HashMap::from([(initial, 0)]),
        stopped: BTreeMap::new(),
        known: BTreeMap::new(),
        blocks: BTreeMap::new(),
    };
    search.with_all(asked);
    let novel: Vec<(usize, Vec<Stopped>)> = std::mem::take(&mut search.stopped).into_iter().collect();
    let blocks = std::mem::take(&mut search.blocks);
    let mut seen: BTreeMap<usize, Seen> = blocks.into_iter().map(|(g, idle)| (g, Seen::Blocks(idle))).collect();
    for (g, stopped) in novel {
        let novel: Vec<Stopped> = stopped.into_iter().filter(|s| search.is_novel(s)).collect();
        if !novel.is_empty() {
            seen.insert(g, search.without(asked[g], &novel));
        }
    }
    seen.into_iter().collect()
}

impl Search<'_> {
    /// The number of steps from which on nothing can be decided sooner than it was.
    fn depth_max(&self) -> usize {
        let undecided = self.cell.outcome.lengths.iter().any(Option::is_none);
        if undecided { usize::MAX } else { self.cell.outcome.lengths.iter().flatten().copied().max().unwrap_or(0) }
    }

    /// Searches breadth first with every guard, and notes what each of those asked about stops.
    fn with_all(&mut self, asked: &[&'static Guard]) {
        let number: HashMap<usize, usize> =
            asked.iter().enumerate().map(|(i, g)| (std::ptr::from_ref(*g) as usize, i)).collect();
        let mut next = 0;
        while next < self.nodes.len() && self.nodes[next].depth < self.depth_max() {
            let s = self.nodes[next].state;
            for (i, &action) in self.actions.iter().enumerate() {
                let (after, guard) = blocked_by(|| match self.taken[i] {
                    true => self.reduced.step(&s, action),
                    false => step(&self.cell.world, s, action).ok(),
                });
                match (after, guard) {
                    (Some(after), _) if self.taken[i] => self.reach(after, next, action),
                    (Some(_), _) | (None, None) => {}
                    (None, Some(guard)) => {
                        if let Some(&g) = number.get(&(std::ptr::from_ref(guard) as usize)) {
                            self.note(g, guard, next, action);
                        }
                    }
                }
            }
            next += 1;
        }
    }

    fn reach(&mut self, state: State, from: usize, action: Action) {
        if self.nodes.len() >= self.bounds.with_all || self.places.contains_key(&state) {
            return;
        }
        self.places.insert(state, self.nodes.len());
        self.nodes.push(Node { state, depth: self.nodes[from].depth + 1, from, action });
    }

    /// Notes where `action` leads if nothing but `guard` stops it.
    fn note(&mut self, g: usize, guard: &'static Guard, from: usize, action: Action) {
        let (w, s) = (&self.cell.world, self.nodes[from].state);
        let idle = match without(guard, u64::MAX, || step(w, s, action)).expect("fuel without end") {
            Err(blocked) => Idle::Stopped(blocked),
            Ok(after) => {
                let after = self.reduced.kept(&after);
                let stopped = self.stopped.entry(g).or_default();
                let open = after != s && stopped.len() < self.bounds.stopped && !self.places.contains_key(&after);
                if open && self.known.entry(g).or_default().insert(after) {
                    stopped.push((from, action, after));
                }
                if after == s { Idle::NoChange } else { Idle::Known }
            }
        };
        self.blocks.entry(g).or_default().insert(idle);
    }

    /// Whether the stopped step leads where the search with every guard does not get as soon.
    fn is_novel(&self, (from, _, after): &Stopped) -> bool {
        self.places.get(after).is_none_or(|&at| self.nodes[at].depth > self.nodes[*from].depth + 1)
    }

    /// Goes on from where the guard's absence leads.
    fn without(&self, guard: &'static Guard, stopped: &[Stopped]) -> Seen {
        let found = without(guard, u64::MAX, || self.decided_sooner(stopped)).flatten();
        let no_move = self.cell.arrives.is_some() && !self.cell.outcome.moves;
        let moves = |a: Action| a.is_adversarial() && a != Action::Arrive;
        match found {
            Some((property, length)) => Seen::Decided(property, length),
            None if no_move && stopped.iter().any(|s| moves(s.1)) => Seen::Moves,
            None => Seen::Differs,
        }
    }

    /// A property that is decided sooner from one of the states that the guard's absence leads to, and in how many
    /// steps.
    fn decided_sooner(&self, stopped: &[Stopped]) -> Option<(Property, usize)> {
        let mut nodes: Vec<Node> = Vec::new();
        let mut places: HashSet<State> = HashSet::new();
        let mut waiting = stopped.iter().peekable();
        let (mut next, mut depth) = (0, 0);
        while depth < self.depth_max() && nodes.len() < self.bounds.without_one {
            depth += 1;
            let level_end = nodes.len();
            let begins_here = |s: &&Stopped| self.nodes[s.0].depth < depth;
            while let Some(&(from, action, state)) = waiting.next_if(begins_here) {
                // Places beyond those of the search with every guard are places of this one.
                self.add(&mut nodes, &mut places, Node { state, depth, from, action });
            }
            while next < level_end {
                let s = nodes[next].state;
                for &action in &self.reduced.actions {
                    let Some(state) = self.reduced.step(&s, action) else { continue };
                    if self.places.get(&state).is_none_or(|&at| self.nodes[at].depth > depth) {
                        let from = self.nodes.len() + next;
                        self.add(&mut nodes, &mut places, Node { state, depth, from, action });
                    }
                }
                next += 1;
            }
            if let Some(found) = (level_end..nodes.len()).find_map(|at| self.decides(&nodes, at)) {
                return Some(found);
            }
            if level_end == nodes.len() && waiting.peek().is_none() {
                return None;
            }
        }
        None
    }

    fn add(&self, nodes: &mut Vec<Node>, places: &mut HashSet<State>, node: Node) {
        if nodes.len() < self.bounds.without_one && places.insert(node.state) {
            nodes.push(node);
        }
    }

    /// The property that is decided here and was not as soon, if the way here can be gone by the plain rules.
    fn decides(&self, nodes: &[Node], at: usize) -> Option<(Property, usize)> {
        let Node { state, depth, .. } = nodes[at];
        let before = self.cell.properties.iter().zip(&self.cell.outcome.lengths);
        let sooner = before.filter(|(_, length)| length.is_none_or(|length| depth < length)).map(|(p, _)| *p);
        let w = &self.cell.world;
        let mut decided = sooner.filter(|&p| overhear::model::property::condition(w, state, p) != p.is_safety());
        decided.find(|&p| trace::ends_with(w, &self.way(nodes, at), p, !p.is_safety())).map(|p| (p, depth))
    }

    fn way(&self, nodes: &[Node], at: usize) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut place = self.nodes.len() + at;
        while place != 0 {
            let node = place.checked_sub(self.nodes.len()).map_or_else(|| &self.nodes[place], |beyond| &nodes[beyond]);
            actions.push(node.action);
            place = node.from;
        }
        actions.reverse();
        actions
    }
}

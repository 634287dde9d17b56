//! The best that an adversary can do against people who behave so: at each moment the move and the answer that make it
//! most likely that a property falls in time.
//!
//! Value iteration over every state that any of its choices leads to (Puterman, *Markov Decision Processes*, 1994,
//! chapters 5 and 11). Time ends at a rate of one in so many days, so that what is best does not depend on the day; the
//! adversary knows how people behave on the whole, not who of them holds ceremonies.

use super::habits::{Habit, Habits};
use super::occasion::{Occasion, People, looks, occasions, rates};
use super::{Far, Unsolved, Working};
use crate::model::{Action, PEOPLE_MAX, Property, Set, State, World, property, step};
use std::collections::HashMap;

/// A change of value that no longer counts.
const SMALL: f64 = 1e-10;
/// The most rounds over all states.
const ROUNDS_MAX: usize = 100_000;

/// What the adversary does in each state that it can come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// How many states were looked at.
    states: usize,
    /// What it does at once; nothing if it waits.
    at_once: HashMap<State, Action>,
    /// What it turns an honest action into; those that it leaves as they are are not in it.
    answers: HashMap<(State, Action), Action>,
}

/// A state, and what can come of it.
struct Node {
    state: State,
    fallen: bool,
    /// What the adversary can do at once, and where it leads.
    own: Vec<(Action, usize)>,
    honest: Vec<Occurs>,
}

/// What people do: how often a day, the honest action, and what it can turn into and where that leads.
type Occurs = (f64, Action, Vec<(Action, usize)>);

impl Table {
    /// What is best to make `property` fall within about `days`, where no more than `states_max` states can be come to.
    pub fn of(
        w: &World,
        property: Property,
        habits: &[Habits; PEOPLE_MAX],
        days: f64,
        states_max: usize,
        watch: &dyn Working,
    ) -> Result<Self, Unsolved> {
        let on_the_whole = habits.map(|h| {
            let ceremonies = h.get(Habit::Ceremonies) * h.get(Habit::Verifies);
            h.with(Habit::Ceremonies, ceremonies).expect("a share of a rate is a rate")
        });
        let people = People { habits: on_the_whole, verifying: Set::first(w.people) };
        let nodes = explore(w, property, &people, states_max, watch)?;
        let (values, moves) = values(&nodes, 1.0 / days, watch)?;
        let mut table = Self { states: nodes.len(), at_once: HashMap::new(), answers: HashMap::new() };
        for (node, moves) in nodes.iter().zip(moves) {
            table.at_once.extend(moves.map(|i| (node.state, node.own[i].0)));
            for (_, honest, turns) in &node.honest {
                let best = best_turn(turns, &values);
                table.answers.extend(best.filter(|a| a != honest).map(|answer| ((node.state, *honest), answer)));
            }
        }
        Ok(table)
    }
    /// What the adversary does at once in `s`; none if it waits.
    pub fn at_once(&self, s: &State) -> Option<Action> {
        self.at_once.get(s).copied()
    }
    /// How many states it can come to.
    pub fn len(&self) -> usize {
        self.states
    }
    /// Whether no state was looked at, which is never so.
    pub fn is_empty(&self) -> bool {
        self.states == 0
    }
    /// What it turns `honest` into in `s`.
    pub fn answer(&self, s: &State, honest: Action) -> Action {
        self.answers.get(&(*s, honest)).copied().unwrap_or(honest)
    }
}

/// Every state that any choice leads to.
fn explore(
    w: &World,
    p: Property,
    people: &People,
    states_max: usize,
    watch: &dyn Working,
) -> Result<Vec<Node>, Unsolved> {
    let (occasions, own) = occasions(w);
    let mut numbers: HashMap<State, usize> = HashMap::from([(w.initial(), 0)]);
    let mut found = vec![w.initial()];
    let mut nodes = Vec::new();
    let mut often = Vec::new();
    while let Some(&state) = found.get(nodes.len()) {
        let fallen = property::condition(w, state, p) != p.is_safety();
        let mut leads = |action: &Action| {
            let next = step(w, state, *action).ok()?;
            let number = *numbers.entry(next).or_insert_with(|| {
                found.push(next);
                found.len() - 1
            });
            Some((*action, number))
        };
        let mut node = Node { state, fallen, own: Vec::new(), honest: Vec::new() };
        if !fallen {
            node.own = own.iter().filter_map(&mut leads).filter(|(_, to)| *to != nodes.len()).collect();
            rates(w, &state, people, &occasions, &mut often);
            for (o, &rate) in occasions.iter().zip(&often).filter(|(_, rate)| **rate > 0.0) {
                node.honest.push((rate, o.honest, o.turns.iter().filter_map(&mut leads).collect()));
            }
            refused(&mut node, nodes.len(), &occasions, &mut leads);
        }
        nodes.push(node);
        if found.len() > states_max {
            return Err(Unsolved::TooLarge);
        }
        if nodes.len().is_multiple_of(1024) && !watch.far(Far::Found(found.len())) {
            return Err(Unsolved::Stopped);
        }
    }
    Ok(nodes)
}

/// A message that is refused if it is honestly answered can be left at that. It comes with looks, as in the chain; that
/// they come whatever is answered is taken for granted.
fn refused(
    node: &mut Node,
    number: usize,
    occasions: &[Occasion],
    leads: &mut impl FnMut(&Action) -> Option<(Action, usize)>,
) {
    let mut come_with = Vec::new();
    for (rate, honest, turns) in &mut node.honest {
        if let Action::Send(v, _) = *honest
            && !turns.iter().any(|(action, _)| action == honest)
        {
            turns.insert(0, (*honest, number));
            come_with.push((*rate, v));
        }
    }
    for (rate, v) in come_with {
        let look = |o: &Occasion| (rate, o.honest, o.turns.iter().filter_map(&mut *leads).collect());
        node.honest.extend(looks(occasions, v).map(look));
    }
}

/// The value of each state, and which of its own moves the adversary makes at once in it.
// Values only grow, from nothing, and a move is noted when it raises one: whatever it leads to had that value before,
// so no two moves lead back to each other.
fn values(nodes: &[Node], ends: f64, watch: &dyn Working) -> Result<(Vec<f64>, Vec<Option<usize>>), Unsolved> {
    let mut values: Vec<f64> = nodes.iter().map(|node| f64::from(u8::from(node.fallen))).collect();
    let mut moves = vec![None; nodes.len()];
    for _ in 0..ROUNDS_MAX {
        let mut grew = 0.0_f64;
        for n in (0..nodes.len()).rev().filter(|&n| !nodes[n].fallen) {
            let waiting = waiting(&nodes[n].honest, n, &values, ends);
            let own = nodes[n].own.iter().map(|(_, to)| values[*to]).enumerate();
            let (best, moved) = own.fold((waiting, None), |(best, moved), (i, value)| match value > best + SMALL {
                true => (value, Some(i)),
                false => (best, moved),
            });
            if best > values[n] + SMALL {
                grew = grew.max(best - values[n]);
                (values[n], moves[n]) = (best, moved);
            }
        }
        if grew < SMALL {
            return Ok((values, moves));
        }
        if !watch.far(Far::Settling(nodes.len(), grew)) {
            return Err(Unsolved::Stopped);
        }
    }
    Err(Unsolved::TooLarge)
}

/// The value of waiting in state `n` for what people do next.
// Where an answer can leave everything as it was, the adversary gives another only if that is better than to go on
// waiting; the best are taken first.
fn waiting(honest: &[Occurs], n: usize, values: &[f64], ends: f64) -> f64 {
    let (mut often, mut sum) = (ends, 0.0);
    let mut optional = Vec::new();
    for (rate, _, turns) in honest {
        let others = turns.iter().filter(|(_, to)| *to != n).map(|(_, to)| values[*to]);
        let Some(best) = others.reduce(f64::max) else { continue };
        match turns.iter().any(|(_, to)| *to == n) {
            true => optional.push((best, rate)),
            false => (often, sum) = (often + rate, sum + rate * best),
        }
    }
    optional.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (best, rate) in optional {
        if best <= sum / often {
            break;
        }
        (often, sum) = (often + rate, sum + rate * best);
    }
    sum / often
}

/// What is best of what an honest action can turn into: the first of the best, which is the least lie.
fn best_turn(turns: &[(Action, usize)], values: &[f64]) -> Option<Action> {
    let best = turns.iter().map(|(_, to)| values[*to]).fold(f64::NEG_INFINITY, f64::max);
    turns.iter().find(|(_, to)| values[*to] >= best - SMALL).map(|(action, _)| *action)
}

//! A Markov chain in continuous time, worked out where it is walked: each state with what can follow it, and how often.
//!
//! Under one strategy what follows a state depends on that state and on how many moves the adversary has made, so it is
//! worked out once. What leads to the same state is no event: it is only counted.

use super::occasion::{Occasion, People, looks, occasions, rates};
use super::strategy::{Made, Strategy};
use super::tally::{Sent, Tally, event, message, sent};
use crate::model::bits::Index;
use crate::model::{Action, Device, Property, State, VIEWERS_MAX, World, property, step};
use std::collections::HashMap;

/// A node's number.
pub type Number = u32;

/// What a chain is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The world.
    pub world: World,
    /// The properties that are watched: at most 16.
    pub properties: Vec<Property>,
    /// How the adversary plays.
    pub strategy: Strategy,
    /// Everything that people can do.
    occasions: Vec<Occasion>,
    /// Everything that the adversary can do on its own.
    own: Vec<Action>,
}

impl Setting {
    /// All that can happen in `world`. Whoever is `hurried` there may click through a question.
    pub fn new(world: World, properties: Vec<Property>, strategy: Strategy) -> Self {
        assert!(properties.len() <= 16, "a bit for each property");
        let (occasions, own) = occasions(&world);
        Self { world, properties, strategy, occasions, own }
    }
}

/// A state of the chain.
pub struct Node {
    /// The state of the world.
    pub state: State,
    /// How many moves of its attack the adversary has made.
    made: Made,
    /// Which of the watched properties do not hold in it, as bits.
    pub fallen: u16,
    /// Whether no rogue device exists, so that messages belong to the past.
    pub is_past: bool,
    row: Option<Row>,
}

/// What can follow a node.
struct Row {
    /// How many events come about in a day.
    total: f64,
    events: Vec<Event>,
    /// What is counted in a day without anything happening.
    a_day: Tally,
}

/// Something that changes the state.
struct Event {
    /// The rates of all events up to this one, together.
    up_to: f64,
    action: Action,
    /// Where it leads, once it has happened.
    leads: Option<(Number, Tally)>,
}

/// How many messages of each client are refused in a day.
#[derive(Default)]
struct Refused([f64; VIEWERS_MAX]);

impl Refused {
    fn note(&mut self, v: Device, sent: Sent, rate: f64) {
        self.0[v.index()] += if sent == Sent::Refused { rate } else { 0.0 };
    }
    fn a_day(&self, v: Device) -> f64 {
        self.0[v.index()]
    }
}

/// The part of the chain that was worked out.
pub struct Chain<'a> {
    setting: &'a Setting,
    people: People,
    nodes: Vec<Node>,
    numbers: HashMap<(State, Made), Number>,
    /// Used again for node after node.
    rates: Vec<f64>,
    chosen: Vec<(Action, f64)>,
}

/// Where every walk begins.
pub const FIRST: Number = 0;

impl<'a> Chain<'a> {
    /// The chain with its first node alone.
    pub fn new(setting: &'a Setting, people: People) -> Self {
        let (nodes, numbers) = (Vec::new(), HashMap::new());
        let mut chain = Self { setting, people, nodes, numbers, rates: Vec::new(), chosen: Vec::new() };
        let (state, made) = chain.settle(setting.world.initial(), 0, |_, _, _| {});
        chain.number(state, made);
        chain
    }
    /// How many nodes are known.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Whether no node is known, which is never so.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
    /// A node that is known.
    #[inline]
    pub fn node(&self, number: Number) -> &Node {
        &self.nodes[number as usize]
    }
    /// How many events come about in a day at `number`, and what is counted in a day until one does.
    #[inline]
    pub fn pace(&mut self, number: Number) -> (f64, Tally) {
        self.expand(number);
        let row = self.row(number);
        (row.total, row.a_day)
    }
    /// The event at `number` for a point between 0 and all rates together: its action, where it leads and what it adds.
    #[inline]
    pub fn follow(&mut self, number: Number, point: f64) -> (Action, Number, Tally) {
        let row = self.row(number);
        // Rounding may put a point beyond the last event.
        let i = row.events.partition_point(|e| e.up_to <= point).min(row.events.len() - 1);
        let Event { action, leads, .. } = &row.events[i];
        let action = *action;
        if let Some((target, tally)) = *leads {
            return (action, target, tally);
        }
        let (target, tally) = self.lead(number, action);
        let row = self.nodes[number as usize].row.as_mut().expect("it was just read");
        row.events[i].leads = Some((target, tally));
        (action, target, tally)
    }
    /// Every event at `number`: how often a day it comes about, and where it leads.
    pub fn all_events(&mut self, number: Number) -> Vec<(f64, Number)> {
        self.expand(number);
        let ends: Vec<f64> = self.row(number).events.iter().map(|e| e.up_to).collect();
        let mut before = 0.0;
        let mut of = |end: f64| {
            let middle = (before + end) / 2.0;
            let rate = end - before;
            before = end;
            (rate, self.follow(number, middle).1)
        };
        ends.into_iter().map(&mut of).collect()
    }
    /// The actions that an event comes to, what the adversary does at once included.
    pub fn actions(&self, number: Number, action: Action) -> Vec<Action> {
        let mut all = vec![action];
        let Node { state, made, .. } = self.node(number);
        let next = step(&self.setting.world, *state, action).expect("an event can happen");
        self.settle(next, self.setting.strategy.made(*made, action), |action, _, _| all.push(action));
        all
    }
    /// What the adversary does at once before anything happens.
    pub fn first_actions(&self) -> Vec<Action> {
        let mut all = Vec::new();
        self.settle(self.setting.world.initial(), 0, |action, _, _| all.push(action));
        all
    }

    fn row(&self, number: Number) -> &Row {
        self.nodes[number as usize].row.as_ref().expect("a node is expanded before it is left")
    }
    /// The adversary does whatever it does at once; `did` is told each action with the states around it.
    fn settle(&self, s: State, made: Made, mut did: impl FnMut(Action, &State, &State)) -> (State, Made) {
        let (mut s, mut made) = (s, made);
        while let Some((action, next)) = self.setting.strategy.at_once(&self.setting.world, &s, made) {
            did(action, &s, &next);
            (s, made) = (next, self.setting.strategy.made(made, action));
        }
        (s, made)
    }
    /// Where `action` leads from `number`, and what is counted on the way.
    fn lead(&mut self, number: Number, action: Action) -> (Number, Tally) {
        let w = &self.setting.world;
        let Node { state: before, made, .. } = *self.node(number);
        let after = step(w, before, action).expect("an event can happen");
        let mut tally = event(w, &before, &after, action);
        let made = self.setting.strategy.made(made, action);
        let (state, made) = self.settle(after, made, |action, from, to| tally += event(w, from, to, action));
        (self.number(state, made), tally)
    }
    fn number(&mut self, state: State, made: Made) -> Number {
        let Self { setting, nodes, numbers, .. } = self;
        *numbers.entry((state, made)).or_insert_with(|| {
            let fallen = |(i, p): (usize, &Property)| match property::condition(&setting.world, state, *p) {
                holds if holds == p.is_safety() => 0,
                _ => 1u16 << i,
            };
            let fallen = setting.properties.iter().enumerate().map(fallen).fold(0, |all, bit| all | bit);
            nodes.push(Node { state, made, fallen, is_past: state.existed.is_empty(), row: None });
            (nodes.len() - 1) as Number
        })
    }
    #[inline]
    fn expand(&mut self, number: Number) {
        if self.nodes[number as usize].row.is_none() {
            self.work_out(number);
        }
    }
    fn work_out(&mut self, number: Number) {
        let Self { setting, people, rates: often, chosen, .. } = self;
        let (w, strategy) = (&setting.world, &setting.strategy);
        let Node { state: s, made, .. } = self.nodes[number as usize];
        let mut row = Row { total: 0.0, events: Vec::new(), a_day: Tally::default() };
        let add = |row: &mut Row, action: Action, rate: f64| {
            // Nothing happens where nothing changes, unless the adversary was waiting for just this.
            let counts = strategy.made(made, action) != made;
            if counts || step(w, s, action).is_ok_and(|next| next != s) {
                row.total += rate;
                row.events.push(Event { up_to: row.total, action, leads: None });
            }
        };
        rates(w, &s, people, &setting.occasions, often);
        let mut refused = Refused::default();
        for (o, &rate) in setting.occasions.iter().zip(&*often).filter(|(_, rate)| **rate > 0.0) {
            strategy.answer(w, &s, made, &o.turns, chosen);
            for &(action, probability) in &*chosen {
                if let Action::Send(v, _) = action {
                    let sent = sent(w, &s, action);
                    row.a_day += message(w, &s, sent) * (rate * probability);
                    refused.note(v, sent, rate * probability);
                }
                add(&mut row, action, rate * probability);
            }
        }
        for v in w.honest.iter().filter(|&v| refused.a_day(v) > 0.0) {
            for o in looks(&setting.occasions, v) {
                strategy.answer(w, &s, made, &o.turns, chosen);
                let add = |&(action, probability)| add(&mut row, action, refused.a_day(v) * probability);
                chosen.iter().for_each(add);
            }
        }
        if let Strategy::Opportunist(pace) = strategy {
            let moves = |a: &&Action| **a != Action::Arrive && step(w, s, **a).is_ok_and(|next| next != s);
            let moves: Vec<Action> = setting.own.iter().filter(moves).copied().collect();
            moves.iter().for_each(|&action| add(&mut row, action, pace / moves.len() as f64));
        }
        self.nodes[number as usize].row = Some(row);
    }
}

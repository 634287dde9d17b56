//! What the adversary does with the moves that the rules leave it.

use super::best::Table;
use super::occasion::honest_form;
use crate::model::{Action, Property, State, World, step};

/// How the adversary chooses among its moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// It follows one attack, a shortest one that the checker found on this property: each move in its turn, as soon as
    /// it can be made. What it has once answered in an attack it answers again from then on.
    Attack(Property, Vec<Action>),
    /// It makes any of its moves at random, so many a day, and gives any answer that it can give, each as likely as
    /// another. It arrives as soon as it may.
    Opportunist(f64),
    /// It does whatever makes it most likely that the property falls in time.
    Best(Property, Box<Table>),
}

/// How many moves of its attack the adversary has made.
pub type Made = u8;

impl Strategy {
    /// The strategy that follows what the adversary does in `trace`, an attack on `property`.
    pub fn attack(property: Property, trace: &[Action]) -> Self {
        Self::Attack(property, trace.iter().copied().filter(|a| a.is_adversarial()).collect())
    }

    /// What the adversary does at once in `s`, after it has made `made` moves; none if it waits.
    pub fn at_once(&self, w: &World, s: &State, made: Made) -> Option<(Action, State)> {
        let action = match self {
            Self::Attack(_, moves) => *moves.get(made as usize)?,
            Self::Opportunist(_) => Action::Arrive,
            Self::Best(_, table) => table.at_once(s)?,
        };
        // An answer waits until somebody asks.
        let waits = honest_form(action) != action;
        step(w, *s, action).ok().filter(|_| !waits).map(|next| (action, next))
    }

    /// What an honest action turns into in `s`, with the probability of each; `turns` is all that it can turn into. If
    /// nothing that it can turn into is possible, it is tried as it is.
    pub fn answer(&self, w: &World, s: &State, made: Made, turns: &[Action], chosen: &mut Vec<(Action, f64)>) {
        chosen.clear();
        let can = |action: &&Action| step(w, *s, **action).is_ok();
        match self {
            Self::Attack(_, moves) => {
                // The last lie of this kind that is due, or the truth.
                let due = moves.iter().take(made as usize + 1).rev();
                let lie = due.filter(|lie| turns.contains(lie)).find(can);
                let honest = honest_form(turns[0]);
                chosen.push((*lie.unwrap_or(&honest), 1.0));
            }
            Self::Opportunist(_) => {
                chosen.extend(turns.iter().filter(can).map(|&turn| (turn, 1.0)));
                if chosen.is_empty() {
                    chosen.push((honest_form(turns[0]), 1.0));
                }
                let ways = chosen.len() as f64;
                chosen.iter_mut().for_each(|(_, probability)| *probability /= ways);
            }
            Self::Best(_, table) => chosen.push((table.answer(s, honest_form(turns[0])), 1.0)),
        }
    }

    /// How many moves are made once `action` is.
    pub fn made(&self, made: Made, action: Action) -> Made {
        match self {
            Self::Attack(_, moves) if moves.get(made as usize) == Some(&action) => made + 1,
            _ => made,
        }
    }
}

//! A trace, step by step, on both sides.

use crate::compare::{Comparison, Difference, beyond, successor};
use crate::drive::Cast;
use crate::failure::{Failure, Res};
use crate::known::{Known, known};
use crate::server::Wire;
use matrix_sdk_crypto::CollectStrategy;
use overhear::model::{Action, Device, Set, State, World};
use overhear::trace::{self, Names};
use std::collections::BTreeSet;
use std::fmt;

/// What one step came to.
pub struct Outcome {
    /// What passed the server.
    pub wire: Vec<Wire>,
    /// On what model and reality disagree, and which of it is known.
    pub differences: Vec<(Difference, Option<Known>)>,
}

/// Model and reality, as far as they have come together.
pub struct Replay<'w> {
    /// The real side.
    pub cast: Cast<'w>,
    /// The model's side.
    pub state: State,
}

impl<'w> Replay<'w> {
    /// Both sides before anything has happened.
    pub async fn new(world: &'w World, names: &'w Names, strategy: CollectStrategy) -> Res<Self> {
        Ok(Self { cast: Cast::new(world, names, strategy).await?, state: world.initial() })
    }
    /// Takes one step on both sides and compares them.
    pub async fn step(&mut self, action: Action) -> Res<Outcome> {
        let (after, refused) = successor(self.cast.world, self.state, action).map_err(Failure::Blocked)?;
        let (before, passed) = (self.state, self.cast.server.log.len());
        let sent = self.cast.letters.len();
        self.cast.act(before, action).await?;
        for letter in &mut self.cast.letters[sent..] {
            letter.past = after.existed.is_empty();
        }
        self.state = after;
        let found = Comparison::of(&self.cast, (before, after), action, refused).await?;
        let mut differences = Vec::new();
        for difference in &found {
            differences.push((difference.clone(), known(&self.cast, action, &found, difference).await?));
        }
        Ok(Outcome { wire: self.cast.server.log[passed..].to_vec(), differences })
    }
}

/// What became of a replay.
#[derive(Debug, Default)]
pub struct Course {
    /// The number of steps taken on both sides.
    pub steps: usize,
    /// The known differences that came up.
    pub known: BTreeSet<Known>,
    /// Where it stopped at something new.
    pub stop: Option<Stop>,
    /// The adversary's devices that could decrypt at the end what the model says they cannot.
    pub beyond: Set<Device>,
}

impl Course {
    /// Whether the adversary reads more than the model says because a session that was forwarded to it lived on.
    pub fn is_beyond_by_forwarding(&self) -> bool {
        !self.beyond.is_empty() && self.known.contains(&Known::ForwardedSessionLivesOn)
    }
}

/// Where a replay stopped at something new.
#[derive(Debug)]
pub struct Stop {
    /// The step, counted from 1.
    pub step: usize,
    /// What was to happen in it, as text.
    pub action: String,
    /// What was found: differences, or why the step could not be taken.
    pub found: Result<Vec<Difference>, Failure>,
}

impl Stop {
    /// What the disagreement is about, for telling one from another.
    pub fn topics(&self) -> String {
        match &self.found {
            Ok(differences) => {
                let topics: BTreeSet<String> = differences.iter().map(|d| format!("{:?}", d.topic)).collect();
                topics.into_iter().collect::<Vec<_>>().join(" ")
            }
            Err(failure) => failure.to_string(),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} `{}`", self.step, self.action)?;
        match &self.found {
            Ok(differences) => differences.iter().try_for_each(|d| write!(f, "\n  {d}")),
            Err(failure) => write!(f, "\n  {failure}"),
        }
    }
}

/// Replays `actions` until the two sides part ways for a known reason, or disagree for a new one.
pub async fn replay(world: &World, names: &Names, strategy: CollectStrategy, actions: &[Action]) -> Course {
    let mut course = Course::default();
    let mut both = match Replay::new(world, names, strategy).await {
        Ok(both) => both,
        Err(failure) => {
            course.stop = Some(Stop { step: 0, action: "the start".to_string(), found: Err(failure) });
            return course;
        }
    };
    for &action in actions {
        course.steps += 1;
        let stop = |found| Some(Stop { step: course.steps, action: trace::text(world, names, action), found });
        match both.step(action).await {
            Ok(outcome) => {
                let (old, new): (Vec<_>, Vec<_>) = outcome.differences.into_iter().partition(|d| d.1.is_some());
                if !new.is_empty() {
                    course.stop = stop(Ok(new.into_iter().map(|d| d.0).collect()));
                    return course;
                }
                course.known.extend(old.iter().filter_map(|d| d.1));
                if old.iter().filter_map(|d| d.1).any(Known::parts_ways) {
                    course.beyond = beyond(&both.cast, both.state).await;
                    return course;
                }
            }
            Err(failure) => {
                course.stop = stop(Err(failure));
                return course;
            }
        }
    }
    course.beyond = beyond(&both.cast, both.state).await;
    match Comparison::at_the_end(&both.cast, both.state).await {
        Ok(found) if found.is_empty() => {}
        found => course.stop = Some(Stop { step: course.steps, action: "the end".to_string(), found }),
    }
    course
}

//! What is known, or assumed, of how people behave: one number each.

/// A number about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Habit {
    /// Messages that a person sends.
    Messages,
    /// Sign-ins of somebody who has no device on the account: the first time, and after all were lost.
    SignsIn,
    /// Sign-ins of each further device, as long as it is not on the account.
    NewDevices,
    /// New identities that a person makes.
    Resets,
    /// Log-outs of each device.
    LogOuts,
    /// Changes of the account's password.
    PasswordChanges,
    /// Invitations of each person who is not in the room.
    Invitations,
    /// Looks at the list of one's own devices.
    OwnLooks,
    /// Looks at what a client shows of a contact, besides those for messages.
    ContactLooks,
    /// Comparisons of a client's log with the auditors'.
    LogComparisons,
    /// Ceremonies with each contact, of somebody who holds any.
    Ceremonies,
    /// Answers to each open question of a client.
    Answers,
    /// What a client does by itself about each thing that is to be done.
    ClientSteps,
    /// Whether somebody ever holds a ceremony with a contact.
    Verifies,
    /// Whether a question is clicked through, each time it is answered.
    ClicksThrough,
    /// Whether a strange device is taken off the account, each time the list is looked at.
    TakesOff,
    /// Whether a comparison of equal keys is taken for a failure, each time.
    Miscompares,
    /// Whether a comparison of different keys is taken for a success, each time.
    Overlooks,
}

impl Habit {
    /// Every habit, rates first.
    pub const ALL: [Self; 18] = [
        Self::Messages,
        Self::SignsIn,
        Self::NewDevices,
        Self::Resets,
        Self::LogOuts,
        Self::PasswordChanges,
        Self::Invitations,
        Self::OwnLooks,
        Self::ContactLooks,
        Self::LogComparisons,
        Self::Ceremonies,
        Self::Answers,
        Self::ClientSteps,
        Self::Verifies,
        Self::ClicksThrough,
        Self::TakesOff,
        Self::Miscompares,
        Self::Overlooks,
    ];

    /// Whether the number is a probability; otherwise it is a rate.
    pub fn is_probability(self) -> bool {
        matches!(self, Self::Verifies | Self::ClicksThrough | Self::TakesOff | Self::Miscompares | Self::Overlooks)
    }
}

/// One number for each [`Habit`]: events a day, or a probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habits([f64; Habit::ALL.len()]);

/// The most often that anything can happen: once a second.
pub const RATE_MAX: f64 = 86_400.0;

/// Why a number is no habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no number, or infinite.
    NotFinite,
    /// It is less than nothing.
    Negative,
    /// A probability is more than 1.
    OverOne,
    /// A rate is more than [`RATE_MAX`] a day.
    TooOften,
}

impl Habits {
    /// Nobody does anything.
    pub const NONE: Self = Self([0.0; Habit::ALL.len()]);

    /// The number for `habit`: events a day, or a probability.
    #[inline]
    pub fn get(&self, habit: Habit) -> f64 {
        self.0[habit as usize]
    }
    /// The same people with another number for `habit`, if it is fit for it.
    pub fn with(mut self, habit: Habit, number: f64) -> Result<Self, Unfit> {
        match number {
            _ if !number.is_finite() => return Err(Unfit::NotFinite),
            _ if number < 0.0 => return Err(Unfit::Negative),
            _ if habit.is_probability() && number > 1.0 => return Err(Unfit::OverOne),
            _ if !habit.is_probability() && number > RATE_MAX => return Err(Unfit::TooOften),
            _ => self.0[habit as usize] = number,
        }
        Ok(self)
    }
    /// Whether the checker's word for these people is "hurried": they may click through a question.
    pub fn is_hurried(&self) -> bool {
        self.get(Habit::ClicksThrough) > 0.0
    }
    /// Whether the checker's word for these people is "inattentive": they may overlook that keys differ.
    pub fn is_inattentive(&self) -> bool {
        self.get(Habit::Overlooks) > 0.0
    }
}

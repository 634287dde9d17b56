//! What a policy asks of people, as far as it tells rules apart.

use overhear::explore::cost::{Cost, Event, EventCost, cast, cheapest, event};
use overhear::policy::Policy;

/// What is asked in each small cast, and what each event costs.
pub type Asked = (Vec<Option<Cost>>, Vec<Option<EventCost>>);

/// What the policy asks of two small casts, careful or hurried, and what it costs when something happens to them.
pub fn asked(policy: &Policy) -> Asked {
    let cost = |(devices, hurried)| {
        let w = cast(policy, devices, hurried, [false; 5]);
        cheapest(&w, w.initial(), w.honest).map(|found| found.cost)
    };
    let casts = [[1, 2], [2, 1]];
    let both = casts.iter().flat_map(|c| [(c.as_slice(), false), (c.as_slice(), true)]);
    let all = Event::ALL.into_iter().flat_map(|e| [(e, false), (e, true)]);
    (both.map(cost).collect(), all.map(|(e, hurried)| event(policy, hurried, e)).collect())
}

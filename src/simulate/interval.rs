//! Intervals in which what was estimated lies, so many times in a hundred.

use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

/// The share of cases in which an interval holds what it is about: 95 %.
pub const CONFIDENCE: f64 = 0.95;
/// How many batches runs are divided into for a mean.
pub const BATCHES: usize = 30;

/// An estimate, and the interval about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// The probability of something that happened in `some` of `all` runs (Clopper and Pearson, Biometrika 26, 1934).
///
/// # Panics
/// If `all` is 0 or less than `some`.
pub fn proportion(some: u64, all: u64) -> Estimate {
    assert!(0 < all && some <= all, "{some} of {all}");
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let quantile =
        |a: u64, b: u64, at: f64| Beta::new(a as f64, b as f64).expect("both are at least 1").inverse_cdf(at);
    Estimate {
        value: some as f64 / all as f64,
        low: if some == 0 { 0.0 } else { quantile(some, all - some + 1, tail) },
        high: if some == all { 1.0 } else { quantile(some + 1, all - some, 1.0 - tail) },
    }
}

/// The mean of what was counted in each run, by the means of batches of runs. The interval is infinite if there are
/// fewer than two runs, or if all came to the same: that nothing was seen to vary says nothing of how much it does.
///
/// # Panics
/// If there are no runs.
pub fn mean(runs: &[f64]) -> Estimate {
    let value = average(runs);
    let batches = BATCHES.min(runs.len());
    if batches < 2 || runs.iter().all(|run| *run == runs[0]) {
        return Estimate { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    // What does not fill the batches is left out of the spread, not of the mean.
    let means: Vec<f64> = runs.chunks_exact(runs.len() / batches).take(batches).map(average).collect();
    let middle = average(&means);
    let variance = means.iter().map(|m| (m - middle).powi(2)).sum::<f64>() / (batches - 1) as f64;
    let t = StudentsT::new(0.0, 1.0, (batches - 1) as f64).expect("there are degrees of freedom");
    let half = t.inverse_cdf((1.0 + CONFIDENCE) / 2.0) * libm::sqrt(variance / batches as f64);
    Estimate { value, low: value - half, high: value + half }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

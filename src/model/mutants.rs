//! For tests alone, under the feature of this name: any one guard can be switched off on the thread that asks for it.
//!
//! Who searches with a guard switched off has to do without [`super::needs`], without [`super::action::possible`] and
//! on one thread: the first two repeat guards, and other threads do not see the switch.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One `guard!` of the source text.
pub struct Guard {
    /// The file that it stands in, from the package's folder.
    pub file: &'static str,
    /// The line in which it begins, from 1.
    pub line: u32,
    /// The column in which it begins, from 1.
    pub column: u32,
    /// What is to hold, as text whose spaces mean nothing.
    pub holds: &'static str,
    met: AtomicBool,
}

/// Every guard that was evaluated since the program began.
static MET: Mutex<Vec<&'static Guard>> = Mutex::new(Vec::new());

thread_local! {
    static OFF: Cell<Option<&'static Guard>> = const { Cell::new(None) };
    static BLOCKED_BY: Cell<Option<&'static Guard>> = const { Cell::new(None) };
    static FUEL: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// What a run that is out of fuel unwinds with.
struct OutOfFuel;

impl Guard {
    /// The guard that begins there.
    pub const fn new(file: &'static str, line: u32, column: u32, holds: &'static str) -> Self {
        Self { file, line, column, holds, met: AtomicBool::new(false) }
    }

    /// Whether the guard lets an action pass: if what it guards holds, or if it is switched off.
    #[inline]
    pub fn passes(&'static self, holds: bool) -> bool {
        if !self.met.load(Ordering::Relaxed) && !self.met.swap(true, Ordering::Relaxed) {
            MET.lock().expect("nobody panics while holding the list").push(self);
        }
        if holds {
            return true;
        }
        burn();
        let off = OFF.get().is_some_and(|off| std::ptr::eq(off, self));
        if !off {
            BLOCKED_BY.set(Some(self));
        }
        off
    }
}

/// Uses fuel, and unwinds if there is none left.
fn burn() {
    match FUEL.get().checked_sub(1) {
        Some(left) => FUEL.set(left),
        None => resume_unwind(Box::new(OutOfFuel)),
    }
}

/// Every guard that was evaluated so far, in the order of the source text.
pub fn met() -> Vec<&'static Guard> {
    let mut all = MET.lock().expect("nobody panics while holding the list").clone();
    all.sort_unstable_by_key(|g| (g.file, g.line, g.column));
    all
}

/// What `run` returns, and the last guard that blocked something in it.
pub fn blocked_by<T>(run: impl FnOnce() -> T) -> (T, Option<&'static Guard>) {
    BLOCKED_BY.set(None);
    (run(), BLOCKED_BY.get())
}

/// What `run` returns with `guard` switched off on this thread; `None` if guards fail more than `fuel_max` times in it.
pub fn without<T>(guard: &'static Guard, fuel_max: u64, run: impl FnOnce() -> T) -> Option<T> {
    OFF.set(Some(guard));
    FUEL.set(fuel_max);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    OFF.set(None);
    FUEL.set(u64::MAX);
    match outcome {
        Ok(value) => Some(value),
        Err(panic) if panic.is::<OutOfFuel>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

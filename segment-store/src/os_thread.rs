//! A thread, as the operating system sees it: what it has used of the CPU, and how soon it gets a core.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The system knows no nicer one.
const NICEST: i32 = 19;
/// How long a thread keeps its core from others that wait for it. Linux from 6.12 on lets a thread that wakes up on a core
/// at once where its own slice is the shorter one; others keep to their 1 to 3 ms.
const SHORT_SLICE: Duration = Duration::from_micros(500);
/// Of a thread that goes later, or has stepped back.
const LONG_SLICE: Duration = Duration::from_millis(4);

/// The calling thread, where the system takes a number.
const CALLER: u32 = 0;

thread_local! {
    static RANK: Cell<Rank> = const { Cell::new(Rank::First) };
}

/// Who goes before whom, by how nice threads are. For what Linux gives to one of the first rank it gives a half to one of the
/// second, a third of the third, and a sixth of the fourth (sched_prio_to_weight in kernel/sched/core.c).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    First,
    /// Of queries that are known to be no light ones.
    Second,
    /// Of what nobody waits for.
    Third,
    /// Of long queries.
    Fourth,
}

impl Rank {
    /// How nice threads of this rank are where those of the first one are so nice.
    pub fn niceness(self, of_first: i32) -> i32 {
        let nicer = match self {
            Self::First => 0,
            Self::Second => 3,
            Self::Third => 5,
            Self::Fourth => 8,
        };
        (of_first + nicer).min(NICEST)
    }
}

/// A thread of this process by the system's number, which another one may have once it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadId(#[cfg_attr(not(target_os = "linux"), allow(dead_code))] u32);

impl ThreadId {
    /// The calling thread's; `None` where a thread can only ask for itself.
    pub fn of_caller() -> Option<Self> {
        #[cfg(target_os = "linux")]
        return Some(Self(nix::unistd::gettid().as_raw() as u32));
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// What it has used of the CPU.
    pub fn cpu_time(self) -> Duration {
        // How Linux makes the number of a clock of a thread's CPU time: include/linux/posix-timers_types.h.
        const OF_A_THREAD: i32 = 0b100;
        const SCHEDULED: i32 = 0b010;
        let clock = (!(self.0 as i32) << 3) | OF_A_THREAD | SCHEDULED;
        clock_gettime(ClockId::from_raw(clock)).map_or(Duration::ZERO, Duration::from)
    }

    /// Like [`go_first`].
    pub fn let_go_first(self) {
        #[cfg(target_os = "linux")]
        slice::set(self.0, SHORT_SLICE);
    }

    /// Lets it wait for a core until those that go first have used theirs, with no less of the time altogether.
    pub fn let_go_later(self) {
        #[cfg(target_os = "linux")]
        slice::set(self.0, LONG_SLICE);
    }

    /// Lets it step back like [`step_back`].
    pub fn put_back(self, rank: Rank) {
        put_back(self.0, rank);
        self.let_go_later();
    }
}

/// What the calling thread has used of the CPU.
pub fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Lets the calling thread on a core as soon as it has something to do, until it steps back.
pub fn go_first() {
    #[cfg(target_os = "linux")]
    slice::set(CALLER, SHORT_SLICE);
}

/// For a thread that has just started.
pub fn start_in(rank: Rank) {
    match rank {
        Rank::First => go_first(),
        _ => step_back(rank),
    }
}

/// Lets threads of the ranks before go before the calling one from now on, and for good: most processes may not take that
/// back. Threads that it starts from now on do the same. Where it has stepped back as far already, nothing happens.
pub fn step_back(rank: Rank) {
    // Elsewhere a priority belongs to the whole process.
    if !cfg!(target_os = "linux") || rank <= RANK.get() {
        return;
    }
    RANK.set(rank);
    put_back(CALLER, rank);
    #[cfg(target_os = "linux")]
    slice::set(CALLER, LONG_SLICE);
}

/// Elsewhere a priority belongs to the whole process.
fn put_back(thread: u32, rank: Rank) {
    if !cfg!(target_os = "linux") {
        return;
    }
    // SAFETY: numbers in and out; the process's own number is its first thread, which stays as it was started. Where the
    // system refuses, the thread goes on as it is.
    unsafe {
        let ordinary = libc::getpriority(libc::PRIO_PROCESS, std::process::id());
        libc::setpriority(libc::PRIO_PROCESS, thread, rank.niceness(ordinary));
    }
}

/// That of the calling thread.
#[cfg(any(test, feature = "test-support"))]
pub fn niceness() -> i32 {
    // SAFETY: numbers in and out.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, CALLER) }
}

#[cfg(target_os = "linux")]
mod slice {
    use std::mem::MaybeUninit;
    use std::time::Duration;

    const BYTES: u32 = size_of::<libc::sched_attr>() as u32;

    /// Where the system refuses or knows no slices, the thread goes on as it is.
    pub fn set(thread: u32, slice: Duration) {
        let Some(mut attributes) = get(thread) else { return };
        attributes.sched_runtime = slice.as_nanos() as u64;
        // SAFETY: the attributes live until the call is over, and say their size.
        unsafe { libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0) };
    }

    pub fn get(thread: u32) -> Option<libc::sched_attr> {
        let mut attributes = MaybeUninit::<libc::sched_attr>::zeroed();
        // SAFETY: the system writes at most so many bytes; all of them are numbers, which may be zero.
        unsafe {
            let refused = libc::syscall(libc::SYS_sched_getattr, thread, attributes.as_mut_ptr(), BYTES, 0);
            (refused == 0).then(|| attributes.assume_init())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_steps_back_with_those_that_it_starts_and_no_others_and_never_forth() {
        let before = niceness();
        let stepped_back = std::thread::spawn(move || {
            step_back(Rank::Third);
            let own = niceness();
            let started = std::thread::spawn(|| {
                step_back(Rank::Third);
                niceness()
            });
            let of_started = started.join().unwrap();
            step_back(Rank::Fourth);
            step_back(Rank::Second);
            (own, of_started, niceness())
        });
        let (third, fourth) = (Rank::Third.niceness(before), Rank::Fourth.niceness(before));
        assert!(before < third && third < fourth || before >= NICEST - 5, "{before} {third} {fourth}");
        assert_eq!(stepped_back.join().unwrap(), (third, third, fourth));
        assert_eq!(niceness(), before);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_has_short_slices_until_it_steps_back() {
        let slice = || slice::get(CALLER).map(|attributes| (attributes.sched_policy, attributes.sched_runtime));
        // Earlier systems tell none.
        if slice().is_none_or(|(_, nanos)| nanos == 0) {
            return;
        }
        let (before, after) = std::thread::spawn(move || {
            go_first();
            let before = slice();
            step_back(Rank::Second);
            (before, slice())
        })
        .join()
        .unwrap();
        assert_eq!((before, after), (Some((0, 500_000)), Some((0, 4_000_000))));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_is_watched_and_put_back_by_another_one() {
        let (tell, told) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let worker = std::thread::spawn(move || {
            while cpu_time() < Duration::from_millis(2) {
                std::hint::spin_loop();
            }
            tell.send((ThreadId::of_caller().unwrap(), cpu_time())).unwrap();
            wait.recv().unwrap();
            (niceness(), cpu_time())
        });
        let before = niceness();
        let (id, used) = told.recv().unwrap();
        let seen = id.cpu_time();
        id.put_back(Rank::Fourth);
        go_on.send(()).unwrap();
        let (own, used_at_last) = worker.join().unwrap();
        assert!(used <= seen && seen <= used_at_last, "{used:?} {seen:?} {used_at_last:?}");
        assert_eq!((own, niceness()), (Rank::Fourth.niceness(before), before));
    }

    #[test]
    fn a_thread_that_works_uses_the_cpu() {
        let start = cpu_time();
        while cpu_time() == start {
            std::hint::spin_loop();
        }
        assert!(cpu_time() > start);
    }
}

//! Who is next when a thread is free.
//!
//! A query is light until it has used [`LIGHT_MAX`] of the CPU, or it is known that it will, then short until [`SHORT_MAX`],
//! and long from then on. Each class runs before the next. Light and short queries do not even wait until a morsel of
//! another class is over: each class may keep as many threads busy as there are cores, whatever else runs. Long ones may
//! do so while no other one is there, and leave one core free where the next light or short one is expected; they have a
//! claim to a third of the time all the same, so that others that come one after another without end cannot starve them.
//! Within a class the time is shared evenly: the query that has used the least runs next, where one that has just come,
//! or had nothing to run, counts as having used as much as the others.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use henge_segment_store::os_thread::Rank;

/// Look-ups and small dashboards stay below.
const LIGHT_MAX: Duration = Duration::from_millis(2);

/// Dashboards stay below, scans of a year do not.
const SHORT_MAX: Duration = Duration::from_millis(50);

/// How long short queries may keep long ones waiting before those are given their third: a burst goes through unhindered.
const BURST_MAX: Duration = Duration::from_millis(20);

/// What queries use after the end of a short one until no other is expected: dashboards are asked in turn by their panels,
/// and a query that has just begun has used more by the time that it is long.
const EXPECTED: Duration = Duration::from_millis(20);

/// What a morsel that has not ended yet is taken to use, so that the threads do not all turn to the same query.
const RUNNING: Duration = Duration::from_millis(1);

/// Identifies an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AccountId(u64);

/// A morsel that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    account: AccountId,
    /// As it was when the morsel started.
    pub class: Class,
}

/// The queries and what they have in line. Time enters as a value.
#[derive(Debug)]
pub(super) struct Schedule<J> {
    /// Morsels of one class that may run at once.
    threads: usize,
    /// Morsels of each class that run now.
    running: [usize; CLASSES],
    accounts: BTreeMap<AccountId, Account<J>>,
    accounts_opened: u64,
    turns: u64,
    /// Where those that come to a class begin.
    start: [Duration; CLASSES],
    /// What long queries may claim for the time that short ones kept them waiting.
    claim: Duration,
    /// What all queries have used since one ended that had not become long.
    since_short: Duration,
}

#[derive(Debug)]
struct Account<J> {
    /// By all morsels, and by threads that need no turn, as far as they have counted it.
    used: Duration,
    /// By all of its threads, as somebody saw who watches them.
    seen: Duration,
    /// What it will use at the least.
    expected: Duration,
    /// What counts against others of its class.
    level: Duration,
    running: u32,
    /// When it was last served; among equals the one that waits longest is next.
    turn: u64,
    is_closed: bool,
    waiting: VecDeque<J>,
}

/// As an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Light,
    Short,
    Long,
}

pub(super) const CLASSES: usize = 3;

impl Class {
    /// Of the threads that work for queries of this class.
    pub fn rank(self) -> Rank {
        match self {
            Self::Light => Rank::First,
            Self::Short => Rank::Second,
            Self::Long => Rank::Fourth,
        }
    }
}

impl<J> Account<J> {
    fn class(&self) -> Class {
        match self.used().max(self.expected) {
            used if used <= LIGHT_MAX => Class::Light,
            used if used < SHORT_MAX => Class::Short,
            _ => Class::Long,
        }
    }

    fn used(&self) -> Duration {
        self.used.max(self.seen)
    }

    fn is_active(&self) -> bool {
        self.running > 0 || !self.waiting.is_empty()
    }

    fn add(&mut self, took: Duration, start: &[Duration; CLASSES]) {
        let before = self.class();
        self.level += took;
        self.used += took;
        self.changed(before, start);
    }

    /// Adds to what it will use.
    fn expect(&mut self, more: Duration, start: &[Duration; CLASSES]) {
        let before = self.class();
        self.expected += more;
        self.changed(before, start);
    }

    fn has_used(&mut self, altogether: Duration, start: &[Duration; CLASSES]) {
        let before = self.class();
        self.seen = self.seen.max(altogether);
        self.changed(before, start);
    }

    /// One that comes to another class begins where those do.
    fn changed(&mut self, before: Class, start: &[Duration; CLASSES]) {
        if self.class() != before {
            self.level = start[self.class() as usize];
        }
    }
}

impl<J> Schedule<J> {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            running: [0; CLASSES],
            accounts: BTreeMap::new(),
            accounts_opened: 0,
            turns: 0,
            start: [Duration::ZERO; CLASSES],
            claim: Duration::ZERO,
            since_short: EXPECTED,
        }
    }

    pub fn open(&mut self) -> AccountId {
        self.accounts_opened += 1;
        let id = AccountId(self.accounts_opened);
        let zero = Duration::ZERO;
        let waiting = VecDeque::new();
        let account = Account {
            used: zero,
            seen: zero,
            expected: zero,
            level: zero,
            running: 0,
            turn: 0,
            is_closed: false,
            waiting,
        };
        self.accounts.insert(id, account);
        id
    }

    /// Forgets an account once none of its morsels runs any more; those that wait go first, with
    /// [`discard`](Self::discard).
    pub fn close(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        debug_assert!(account.waiting.is_empty(), "what waits is discarded before");
        account.is_closed = true;
        if account.class() != Class::Long {
            self.since_short = Duration::ZERO;
        }
        if account.running == 0 {
            self.accounts.remove(&id);
        }
    }

    /// Puts a morsel in line.
    pub fn push(&mut self, id: AccountId, job: J) {
        let account = self.accounts.get_mut(&id).expect("a query has an account until it ends");
        if !account.is_active() {
            account.level = account.level.max(self.start[account.class() as usize]);
        }
        account.waiting.push_back(job);
    }

    /// Takes the next morsel, if one may start; [`ended`](Self::ended) must follow.
    pub fn next(&mut self) -> Option<(Running, J)> {
        let class = self.next_class()?;
        let of_class = self.accounts.iter_mut().filter(|(_, a)| !a.waiting.is_empty() && a.class() == class);
        let (&id, account) = of_class.min_by_key(|(_, a)| (a.level + RUNNING * a.running, a.turn))?;
        let job = account.waiting.pop_front()?;
        self.turns += 1;
        account.running += 1;
        account.turn = self.turns;
        let start = &mut self.start[class as usize];
        *start = account.level.max(*start);
        self.running[class as usize] += 1;
        Some((Running { account: id, class }, job))
    }

    fn next_class(&self) -> Option<Class> {
        let [light, short, long] = self.running;
        let has_claim = self.claim > BURST_MAX;
        let may_long = self.has_waiting(Class::Long)
            && long < self.long_max()
            && (has_claim || light + short + long < self.threads);
        if may_long && has_claim {
            return Some(Class::Long);
        }
        if self.has_waiting(Class::Light) && light < self.threads {
            return Some(Class::Light);
        }
        if self.has_waiting(Class::Short) && short < self.threads {
            return Some(Class::Short);
        }
        may_long.then_some(Class::Long)
    }

    /// Morsels of long queries that may run at once.
    fn long_max(&self) -> usize {
        let is_short_expected = self.since_short < EXPECTED;
        if is_short_expected { (self.threads - 1).max(1) } else { self.threads }
    }

    /// A morsel is over and has used so much of the CPU.
    pub fn ended(&mut self, running: Running, took: Duration) {
        let id = running.account;
        self.running[running.class as usize] -= 1;
        let keeps_others_waiting = self.has_waiting(Class::Long);
        let account = self.accounts.get_mut(&id).expect("an account outlives its morsels");
        account.running -= 1;
        self.since_short += took;
        account.add(took, &self.start);
        let class = account.class();
        if account.is_closed && account.running == 0 {
            self.accounts.remove(&id);
        }
        match class {
            Class::Long => self.claim = self.claim.saturating_sub(took),
            _ if keeps_others_waiting => self.claim += took / 2,
            _ => {}
        }
    }

    /// Adds what an account has used on threads that need no turn.
    pub fn charge(&mut self, id: AccountId, took: Duration) {
        self.since_short += took;
        let account = self.accounts.get_mut(&id).expect("a query has an account until it ends");
        account.add(took, &self.start);
    }

    /// Says that an account will use so much more, at the least.
    pub fn expect(&mut self, id: AccountId, more: Duration) {
        let account = self.accounts.get_mut(&id).expect("a query has an account until it ends");
        account.expect(more, &self.start);
    }

    /// Says what all threads of an account have used together, part of which may have been charged or have ended before.
    pub fn has_used(&mut self, id: AccountId, altogether: Duration) {
        let account = self.accounts.get_mut(&id).expect("a query has an account until it ends");
        account.has_used(altogether, &self.start);
    }

    /// What an open account has used by now, as far as is known.
    pub fn used_of(&self, id: AccountId) -> Duration {
        self.accounts.get(&id).expect("a query has an account until it ends").used()
    }

    /// What an open account is by now.
    pub fn class_of(&self, id: AccountId) -> Class {
        self.accounts.get(&id).expect("a query has an account until it ends").class()
    }

    /// Takes out of the line what the account has there.
    pub fn discard(&mut self, id: AccountId) -> VecDeque<J> {
        self.accounts.get_mut(&id).map(|account| std::mem::take(&mut account.waiting)).unwrap_or_default()
    }

    /// Empties the line.
    pub fn discard_all(&mut self) -> Vec<J> {
        self.accounts.values_mut().flat_map(|account| std::mem::take(&mut account.waiting)).collect()
    }

    /// Morsels in line.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.accounts.values().map(|account| account.waiting.len()).sum()
    }

    fn has_waiting(&self, class: Class) -> bool {
        self.accounts.values().any(|account| !account.waiting.is_empty() && account.class() == class)
    }
}

#[cfg(test)]
mod tests;

//! How much the operators of a query may hold.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

use crate::error::SAVE_MEMORY;

/// What the engine holds, by who holds it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFigures {
    /// The operators of all queries, and answers on their way.
    pub operators: usize,
    /// Optimised plans.
    pub plans: usize,
    /// Numbers for the strings of columns, kept for later aggregations.
    pub text_numbers: usize,
    /// What was found of published segments.
    pub results: usize,
}

/// One query's share of the memory of all queries.
#[derive(Debug)]
pub(crate) struct QueryMemory {
    all_queries: Arc<dyn MemoryPool>,
    bytes: AtomicUsize,
    /// Operators that can go to disk. They leave half to those that cannot, such as scans that feed them, and share the
    /// other half evenly: one that waits with little would have nothing to put on disk when another holds it all.
    spillable: AtomicUsize,
    bytes_max: usize,
}

impl QueryMemory {
    pub fn new(all_queries: Arc<dyn MemoryPool>, bytes_max: usize) -> Self {
        Self { all_queries, bytes: AtomicUsize::new(0), spillable: AtomicUsize::new(0), bytes_max }
    }

    /// Whether more would be held than may be, now that `additional` is counted.
    fn is_over(&self, reservation: &MemoryReservation, additional: usize) -> bool {
        let share = self.bytes_max / 2 / self.spillable.load(Ordering::Relaxed).max(1);
        let is_over_share = reservation.consumer().can_spill() && reservation.size() + additional > share;
        additional > self.bytes_max || self.reserved() > self.bytes_max || is_over_share
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "query memory of at most {} bytes", self.bytes_max)
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.spillable.fetch_add(consumer.can_spill().into(), Ordering::Relaxed);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.spillable.fetch_sub(consumer.can_spill().into(), Ordering::Relaxed);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.bytes.fetch_add(additional, Ordering::Relaxed);
        self.all_queries.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.bytes.fetch_sub(shrink, Ordering::Relaxed);
        self.all_queries.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.bytes.fetch_add(additional, Ordering::Relaxed);
        let refused = if self.is_over(reservation, additional) {
            Some(format!("this query needs more than {} bytes (`query_memory`)", self.bytes_max))
        } else {
            let all = self.all_queries.try_grow(reservation, additional);
            all.err().map(|_| {
                "all running queries together need more memory than they may use (`queries_memory`)".to_owned()
            })
        };
        let Some(refused) = refused else { return Ok(()) };
        self.bytes.fetch_sub(additional, Ordering::Relaxed);
        let operator = reservation.consumer().name();
        // DataFusion's operators go to disk where they are told so in this form.
        Err(DataFusionError::ResourcesExhausted(format!("{refused} (in {operator}): {SAVE_MEMORY}")))
    }

    fn reserved(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}

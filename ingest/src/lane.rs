//! A thread that reads some of a datasource's partitions and appends to open segments of its own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;

use crate::appender::Appender;
use crate::kafka::event::StreamEvent;
use crate::kafka::reader::{Arrival, Arrivals, StreamReader};

/// Records of one batch; a larger one only delays what can be asked, and a cut.
const BATCH_RECORDS: usize = 4_096;
/// How long a lane waits for the first record, and so how long its end takes at the most.
const POLL_MAX: Duration = Duration::from_millis(50);

/// Whether lanes read; one for all lanes of a session.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    mode: Mode,
    /// How often the session has looked at what its datasource holds.
    looks: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Open,
    Closed,
    Ended,
}

impl Gate {
    /// The session has looked: lanes read on, or wait after the batch at hand.
    pub fn set_open(&self, is_open: bool) {
        self.change(|state| {
            state.mode = if is_open { Mode::Open } else { Mode::Closed };
            state.looks += 1;
        });
    }

    /// Lets lanes end.
    pub fn end(&self) {
        self.change(|state| state.mode = Mode::Ended);
    }

    fn change(&self, change: impl FnOnce(&mut GateState)) {
        change(&mut self.state.lock().expect(NO_PANIC));
        self.changed.notify_all();
    }

    fn looks(&self) -> u64 {
        self.state.lock().expect(NO_PANIC).looks
    }

    /// Waits until lanes read and the session has looked so often; `false` when lanes are to end.
    fn pass(&self, looks: u64) -> bool {
        let is_shut = |state: &mut GateState| match state.mode {
            Mode::Open => state.looks < looks,
            Mode::Closed => true,
            Mode::Ended => false,
        };
        let state = self.changed.wait_while(self.state.lock().expect(NO_PANIC), is_shut).expect(NO_PANIC);
        state.mode == Mode::Open
    }
}

const NO_PANIC: &str = "no code panics while it holds a gate";

/// What a lane reads and what it made of that. Locked for a batch at a time.
pub struct LaneState {
    pub reader: StreamReader,
    pub appender: Appender,
    /// What happened beside records and is not looked at yet.
    pub events: Vec<StreamEvent>,
    /// Topics that may be other ones than before: nothing more of them is taken until the session has looked.
    pub suspects: Vec<Arc<str>>,
    /// Whether something has arrived since the session looked.
    pub has_read: bool,
}

impl LaneState {
    fn take(&mut self, arrival: &Arrival<'_>, now: TimestampMs) {
        let Self { reader, appender, suspects, .. } = self;
        let event = reader.take(arrival, |partition, record| {
            if appender.is_suspect(partition, &record) {
                suspects.push(partition.topic.clone());
            }
            if !suspects.contains(&partition.topic) {
                appender.take(partition, &record, now);
            }
        });
        match event {
            None => self.has_read = true,
            Some(StreamEvent::EndReached { partition, next }) => {
                self.has_read = true;
                if !self.suspects.contains(&partition.topic) {
                    self.appender.pass(&partition, next);
                }
            }
            Some(event) => self.events.push(event),
        }
    }
}

/// A lane at work.
pub struct Lane {
    state: Arc<Mutex<LaneState>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    /// Begins at once. `session` is woken after every so many records, so that it can see to cuts and memory.
    pub fn start(name: String, state: LaneState, arrivals: Arrivals, gate: Arc<Gate>, session: Thread) -> Self {
        let state = Arc::new(Mutex::new(state));
        let own = state.clone();
        let thread = std::thread::Builder::new().name(name).spawn(move || work(arrivals, &own, &gate, &session));
        Self { state, thread: Some(thread.expect("the system can start a thread")) }
    }

    /// What the lane has, between two batches.
    pub fn state(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().expect("a lane does not panic")
    }

    /// Waits for the end that the gate asks for. What the lane has stays.
    pub fn join(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a lane panicked; what it had not published is read again");
        }
    }
}

fn work(mut arrivals: Arrivals, state: &Mutex<LaneState>, gate: &Gate, session: &Thread) {
    // Of the records before the last `unseen` ones the session has seen what they take (invariant B1).
    let (mut unseen, mut looks) = (0, 0);
    while gate.pass(looks) {
        // The lock is taken when a batch is here: nobody waits for it while this waits for records.
        let mut batch: Option<(MutexGuard<'_, LaneState>, TimestampMs)> = None;
        unseen += arrivals.take(BATCH_RECORDS, POLL_MAX, |arrival| {
            let (state, now) = batch.get_or_insert_with(|| {
                let mut state = state.lock().expect("a session does not panic while it holds a lane");
                state.reader.begin_batch();
                (state, clock::now())
            });
            state.take(&arrival, *now);
        });
        if let Some((mut state, _)) = batch {
            state.appender.flush();
        }
        if unseen >= BATCH_RECORDS {
            (unseen, looks) = (0, gate.looks() + 1);
            session.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_gate_lets_pass_when_it_is_open_and_was_looked_after_and_says_when_all_is_over() {
        let gate = Arc::new(Gate::default());
        assert!(gate.pass(0), "open from the start");
        gate.set_open(false);
        let (passed, passes) = channel();
        let waiting = gate.clone();
        let lane = std::thread::spawn(move || {
            for looks in [0, 3, 4, 0] {
                passed.send((looks, waiting.pass(looks), waiting.looks())).expect("the test listens");
            }
        });
        // One look was before; each of these lets one more pass.
        for (looks, is_reading) in [(2, true), (3, true), (4, true)] {
            gate.set_open(true);
            let (wanted, answer, seen) = passes.recv().expect("the lane gets on");
            assert_eq!((answer, seen), (is_reading, looks), "it wanted {wanted} looks");
        }
        gate.end();
        lane.join().expect("the lane ends");
        assert!(!gate.pass(100), "nobody waits any more");
    }
}

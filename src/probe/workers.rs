//! Many questions side by side: few threads while answers come quickly, more when they do not, none
//! when none can be had. Knows nothing of questions and answers. Must not panic for want of threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, Scope};
use std::time::Duration;

/// Enough for healthy services: more only cost.
const FEW: usize = 16;

/// http runs in 16 KiB.
const STACK: usize = 128 * 1024;

/// How long to wait for progress before the workers are doubled.
const PATIENCE: Duration = Duration::from_millis(25);

/// In the order of the questions, at most `widest` at once. `ask` must not panic; `None` if it did.
pub(super) fn side_by_side<Q: Sync, A: Send + Sync>(
    questions: &[Q],
    widest: usize,
    ask: impl Fn(&Q) -> A + Sync,
) -> Vec<Option<A>> {
    let round = Round {
        questions,
        widest,
        ask: &ask,
        next: AtomicUsize::new(0),
        answers: questions.iter().map(|_| OnceLock::new()).collect(),
        answered: Mutex::new(0),
        all_in: Condvar::new(),
    };
    if questions.len() > 1 && widest > 1 {
        thread::scope(|scope| round.supervise_workers(scope));
    }
    // One question, or not a single thread to be had: this thread does the work.
    round.run_worker();
    round.answers.into_iter().map(OnceLock::into_inner).collect()
}

struct Round<'a, Q, A, F> {
    questions: &'a [Q],
    widest: usize,
    ask: &'a F,
    next: AtomicUsize,
    answers: Vec<OnceLock<A>>,
    answered: Mutex<usize>,
    all_in: Condvar,
}

impl<Q: Sync, A: Send + Sync, F: Fn(&Q) -> A + Sync> Round<'_, Q, A, F> {
    /// Takes one question after another until none is left.
    fn run_worker(&self) {
        while let Some((question, slot)) = self.next_question() {
            let _ = slot.set((self.ask)(question)); // each is taken once
            let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
            *answered += 1;
            if *answered == self.questions.len() {
                self.all_in.notify_all();
            }
        }
    }

    fn next_question(&self) -> Option<(&Q, &OnceLock<A>)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.questions.get(at).zip(self.answers.get(at))
    }

    fn waiting_count(&self) -> usize {
        self.questions.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }

    /// Starts few workers; doubles them each time that fewer questions were answered in `PATIENCE`
    /// than there are workers. A thousand hung services thus have a thread each after 6 steps.
    fn supervise_workers<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let mut workers = self.hire_workers(scope, FEW.min(self.questions.len()).min(self.widest));
        let mut before = 0;
        while let Some(some) = NonZeroUsize::new(workers)
            && let Some(answered) = self.wait_for_answers()
        {
            if answered - before < some.get() && self.waiting_count() > 0 {
                let more = some.get().min(self.waiting_count()).min(self.widest.saturating_sub(workers));
                workers += self.hire_workers(scope, more);
            }
            before = answered;
        }
    }

    /// Returns how many could be started: at `RLIMIT_NPROC`, `TasksMax` or out of memory, fewer or none.
    fn hire_workers<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, wanted: usize) -> usize {
        let start = |_: &usize| {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || self.run_worker()).is_ok()
        };
        (0..wanted).take_while(start).count()
    }

    /// `None` once all are answered, else how many after `PATIENCE`.
    fn wait_for_answers(&self) -> Option<usize> {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let short = |answered: &mut usize| *answered < self.questions.len();
        let waited = self.all_in.wait_timeout_while(answered, PATIENCE, short);
        let (answered, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        timeout.timed_out().then_some(*answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn every_question_is_answered_in_its_place() {
        for n in [0, 1, 2, 15, 16, 17, 1000] {
            for widest in [0, 1, 64] {
                let questions: Vec<usize> = (0..n).collect();
                let answers = side_by_side(&questions, widest, |q| q * 2);
                assert_eq!(answers, questions.iter().map(|q| Some(q * 2)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_question_needs_no_thread() {
        let here = thread::current().id();
        assert_eq!(side_by_side(&[()], 64, |()| thread::current().id()), [Some(here)]);
        assert_eq!(side_by_side(&[(), ()], 1, |()| thread::current().id()), [Some(here); 2]);
    }

    #[test]
    fn never_wider_than_allowed() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        side_by_side(&[(); 60], 20, |()| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(60));
            now.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 20);
    }

    #[test]
    fn a_thousand_hung_services_take_little_longer_than_one() {
        let started = Instant::now();
        side_by_side(&[(); 1000], 1000, |()| thread::sleep(Duration::from_secs(1)));
        let took = started.elapsed();
        // Few threads alone would take a minute; a busy test machine takes some of this.
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

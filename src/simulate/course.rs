//! The world that the pattern makes: one unit, one clock, and the state that runs would keep. What follows
//! from it `core` decides, by the same functions that a run calls.

use std::time::Duration;

use unhang_core::{
    ActiveState, AfterExit, Cause, Counts, Doubt, Facts, HealthRecord, HostFacts, LoadState, Moment,
    Observation, Outcome, Outlook, PauseState, Phase, Reason, ReloadSupport, RestartResult, State, StepKind,
    UnitFacts, UnitResult, UnitSnapshot, Verdict, decide, decide_second_look, record_end, record_intent,
    restart_outlook, restarts_without_effect,
};

use super::script::{Script, Sign};
use crate::plan::{HostSettings, Service, Shows};

/// When the pattern begins, the host and the unit have been up for longer than any grace.
const INITIAL_UPTIME: Duration = Duration::from_secs(2 * 365 * 86_400);

/// A run needs a moment before it acts, so that what it does is younger than itself.
const RUN_DURATION: Duration = Duration::from_secs(1);

/// Between two probes of a service that was restarted.
const VERIFY_PROBE_EVERY: Duration = Duration::from_secs(1);

/// What a run finds of a service that fails.
const CAUSE: Cause = Cause::TimedOut(Phase::FirstByte);

#[derive(Debug)]
pub(super) struct Engine<'a> {
    script: &'a Script,
    service: &'a Service,
    deadline: Duration,
    host: HostFacts,
    state: State,
    /// Since the pattern began: of the run that comes next.
    at: Duration,
    life: u32,
    /// When this life of the unit began, since the host did.
    born: Duration,
    is_stopped: bool,
}

/// What one run met, and what it made of that.
#[derive(Debug)]
pub(super) struct SimulatedRun {
    pub(super) at: Duration,
    pub(super) sign: Sign,
    /// Healthy by the pattern, were it not still starting.
    pub(super) is_starting: bool,
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    pub(super) streak: u32,
    pub(super) restart: Option<SimulatedRestart>,
    /// What came of a restart whose run could not see its end.
    pub(super) earlier: Option<Outcome>,
    /// It begins to flap: so many of the last runs failed.
    pub(super) flaps: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedRestart {
    pub(super) act: StepKind,
    pub(super) ended: RestartResult,
    /// Of the budget, with this one.
    pub(super) spent: usize,
    /// How long the run waits for health.
    pub(super) patience: Duration,
    /// It would answer, if it were waited for longer.
    pub(super) too_slow: bool,
    /// Not this one and not the one before: from now on the wait is the longest.
    pub(super) of_no_help: bool,
}

impl<'a> Engine<'a> {
    pub(super) fn begin_course(script: &'a Script, service: &'a Service, deadline: Duration) -> Self {
        Self {
            script,
            service,
            deadline,
            host: HostFacts { stopping: false, starting: None, time_left: deadline, pressure: None },
            // All was well before.
            state: State {
                counts: Counts {
                    healthy_since: Some(moment_at(Duration::ZERO)),
                    evidence: HealthRecord::WasHealthy,
                    ..Counts::default()
                },
                ..State::default()
            },
            at: Duration::ZERO,
            life: 1,
            born: Duration::ZERO,
            is_stopped: false,
        }
    }

    /// `next`: what the run after this one meets, and so what a restart in this one brings forth.
    pub(super) fn run(&mut self, sign: Sign, next: Sign) -> SimulatedRun {
        self.somebody_acts(sign);
        let (at, now) = (self.at, self.now());
        let is_starting = sign == Sign::Healthy && !self.has_started();
        let (seen, unit) = (self.observation_of(sign), self.unit());
        let case = Facts {
            now: &now,
            host: &self.host,
            policy: &self.service.policy,
            before: &self.state.counts,
            seen: &seen,
            unit: &unit,
            pause: &PauseState::None,
            upstream: None,
            common_cause: None,
        };
        let first = decide(&case, &self.state.account);
        let earlier = first.earlier;
        // The second look right before a restart finds what the first one found.
        let decision = if matches!(first.verdict, Verdict::Restart(_)) {
            decide_second_look(&first, &case, &self.state.account)
        } else {
            first
        };
        let streak = decision.next.counts.streak;
        let begins_to_flap = decision.next.counts.flapping && !self.state.counts.flapping;
        let flaps = begins_to_flap.then(|| decision.next.counts.recent.count_failures());
        let restart = match decision.verdict {
            Verdict::Restart(_) => Some(self.play_restart(&decision.next, &unit, next)),
            Verdict::Healthy
            | Verdict::Recovering { .. }
            | Verdict::Recovered { .. }
            | Verdict::Failing(_)
            | Verdict::Held(_)
            | Verdict::Unknown(_) => {
                self.state = decision.next;
                None
            }
        };
        self.at = self.at.saturating_add(self.script.every);
        let (verdict, reason) = (decision.verdict, decision.reason);
        SimulatedRun { at, sign, is_starting, verdict, reason, streak, restart, earlier, flaps }
    }

    /// If it fails from here on.
    pub(super) fn outlook(&self) -> Outlook {
        restart_outlook(&self.state.counts, &self.service.policy, &self.now())
    }

    fn now(&self) -> Moment {
        moment_at(INITIAL_UPTIME.saturating_add(self.at))
    }

    /// Between the last run and this one.
    fn somebody_acts(&mut self, sign: Sign) {
        match sign {
            Sign::Stopped => self.is_stopped = true,
            Sign::Restarted => self.begin_life(self.now().since_boot.saturating_sub(RUN_DURATION)),
            Sign::Healthy | Sign::Fails | Sign::Unknown if self.is_stopped => {
                let last_run = self.now().since_boot.saturating_sub(self.script.every);
                self.begin_life(last_run.saturating_add(RUN_DURATION));
            }
            Sign::Healthy | Sign::Fails | Sign::Unknown => {}
        }
    }

    fn begin_life(&mut self, at: Duration) {
        self.life = self.life.saturating_add(1);
        self.born = at;
        self.is_stopped = false;
    }

    fn age(&self) -> Duration {
        self.now().since_boot.saturating_sub(self.born)
    }

    fn has_started(&self) -> bool {
        self.age() >= self.script.start_takes
    }

    fn observation_of(&self, sign: Sign) -> Observation {
        match sign {
            Sign::Healthy if self.has_started() => Observation::Healthy,
            Sign::Unknown => Observation::Unknown(Doubt::NoRoute),
            Sign::Healthy | Sign::Fails | Sign::Stopped | Sign::Restarted => Observation::Unhealthy(CAUSE),
        }
    }

    /// Of a restart command unhang sees no more than that it has ended.
    fn unit(&self) -> UnitFacts {
        match self.service.restarter.shows() {
            Shows::Life => UnitFacts::Known(self.life()),
            Shows::Process => UnitFacts::Command { running: false },
            Shows::Nothing => UnitFacts::ProbeOnly,
        }
    }

    fn life(&self) -> UnitSnapshot {
        // A stop job: systemd leaves `active` before the main process ends.
        let (left, ended) = if self.is_stopped {
            (self.born, self.born.saturating_add(RUN_DURATION))
        } else {
            Default::default()
        };
        UnitSnapshot {
            load: LoadState::Loaded,
            active: if self.is_stopped { ActiveState::Inactive } else { ActiveState::Active },
            result: UnitResult::Success,
            incarnation: Some(self.life.to_string()),
            own_restarts: 0,
            disabled: false,
            condition_unmet: false,
            inactive_exit: self.born,
            active_enter: self.born,
            active_exit: left,
            main_exit: Some(ended),
            reload: ReloadSupport::Supported,
            after_exit: AfterExit::StaysDown,
            runtime_limited: false,
            age: (!self.is_stopped).then(|| self.age()),
            neighbours: Vec::new(),
        }
    }

    fn play_restart(&mut self, counted: &State, unit: &UnitFacts, next: Sign) -> SimulatedRestart {
        let (tick, policy) = (self.now(), &self.service.policy);
        let asked = tick.plus(RUN_DURATION);
        let intended = record_intent(&counted.counts, &CAUSE, policy, unit, &tick, &asked);
        let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
        let begins = act.starts_incarnation() == Some(true);
        if begins {
            self.begin_life(asked.since_boot);
        }
        let patience = self.patience();
        let starts = if begins { self.script.start_takes } else { Duration::ZERO };
        let answers = starts.saturating_add(self.proof_takes());
        let too_slow = next == Sign::Healthy && answers > patience;
        let (ended, after) = if next == Sign::Healthy && !too_slow {
            (RestartResult::Healed, answers)
        } else if patience < self.next_sign() {
            (RestartResult::StillRunning, patience)
        } else {
            (RestartResult::NotHealed, patience)
        };
        self.state = record_end(counted, &intended, ended, &self.unit(), &asked.plus(after));
        let of_no_help =
            restarts_without_effect(&self.state.counts) && !restarts_without_effect(&counted.counts);
        let spent = restart_outlook(&self.state.counts, policy, &asked).spent;
        SimulatedRestart { act, ended, spent, patience, too_slow, of_no_help }
    }

    /// From its first healthy answer to its last one.
    fn proof_takes(&self) -> Duration {
        VERIFY_PROBE_EVERY.saturating_mul(self.service.policy.min_successes.saturating_sub(1))
    }

    fn next_sign(&self) -> Duration {
        self.service.verify.max(self.service.policy.grace)
    }

    fn patience(&self) -> Duration {
        self.next_sign()
            .min(self.deadline.saturating_sub(RUN_DURATION).saturating_sub(HostSettings::TIME_TO_FINISH))
    }
}

/// Both clocks go alike. The boot has no name: then nothing of it is copied and compared, dozens of times for
/// each run, and the wall clock counts.
fn moment_at(since_boot: Duration) -> Moment {
    Moment { boot: None, since_boot, wall: since_boot }
}

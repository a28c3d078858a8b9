//! The world that the pattern makes: one unit, one clock, and the state that runs would keep. What follows
//! from it `core` decides, by the same functions that a run calls.

use std::time::Duration;

use unhang_core::{
    Act, Active, AfterExit, Case, Cause, Counts, Doubt, Ended, Evidence, Host, Life, Load, Moment,
    Observation, Outcome, Outlook, Pause, Phase, Reason, Reload, State, Unit, UnitResult, Verdict, decide,
    does_not_help, intend, look_again, outlook, settle,
};

use super::script::{Script, Sign};
use crate::plan::{HostPlan, Service, Shows};

/// When the pattern begins, the host and the unit have been up for longer than any grace.
const UPTIME: Duration = Duration::from_secs(2 * 365 * 86_400);

/// A run needs a moment before it acts, so that what it does is younger than itself.
const WORK: Duration = Duration::from_secs(1);

/// Between two probes of a service that was restarted.
const PACE: Duration = Duration::from_secs(1);

/// What a run finds of a service that fails.
const CAUSE: Cause = Cause::TimedOut(Phase::Wait);

#[derive(Debug)]
pub(super) struct Course<'a> {
    script: &'a Script,
    service: &'a Service,
    deadline: Duration,
    host: Host,
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
pub(super) struct Turn {
    pub(super) at: Duration,
    pub(super) sign: Sign,
    /// Healthy by the pattern, were it not still starting.
    pub(super) is_starting: bool,
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    pub(super) streak: u32,
    pub(super) restart: Option<Restarted>,
    /// What came of a restart whose run could not see its end.
    pub(super) earlier: Option<Outcome>,
    /// It begins to flap: so many of the last runs failed.
    pub(super) flaps: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Restarted {
    pub(super) act: Act,
    pub(super) ended: Ended,
    /// Of the budget, with this one.
    pub(super) spent: usize,
    /// How long the run waits for health.
    pub(super) patience: Duration,
    /// It would answer, if it were waited for longer.
    pub(super) too_slow: bool,
    /// Not this one and not the one before: from now on the wait is the longest.
    pub(super) of_no_help: bool,
}

impl<'a> Course<'a> {
    pub(super) fn begin(script: &'a Script, service: &'a Service, deadline: Duration) -> Self {
        Self {
            script,
            service,
            deadline,
            host: Host { stopping: false, starting: None, time_left: deadline, pressure: None },
            // All was well before.
            state: State {
                counts: Counts {
                    healthy_since: Some(moment(Duration::ZERO)),
                    evidence: Evidence::Healthy,
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
    pub(super) fn run(&mut self, sign: Sign, next: Sign) -> Turn {
        self.somebody_acts(sign);
        let (at, now) = (self.at, self.now());
        let is_starting = sign == Sign::Healthy && !self.has_started();
        let (seen, unit) = (self.seen(sign), self.unit());
        let case = Case {
            now: &now,
            host: &self.host,
            policy: &self.service.policy,
            before: &self.state.counts,
            seen: &seen,
            unit: &unit,
            pause: &Pause::None,
            upstream: None,
            common_cause: None,
        };
        let first = decide(&case, &self.state.account);
        let earlier = first.earlier;
        // The second look right before a restart finds what the first one found.
        let decision = if matches!(first.verdict, Verdict::Restart(_)) {
            look_again(&first, &case, &self.state.account)
        } else {
            first
        };
        let streak = decision.next.counts.streak;
        let begins_to_flap = decision.next.counts.flapping && !self.state.counts.flapping;
        let flaps = begins_to_flap.then(|| decision.next.counts.recent.failures());
        let restart = match decision.verdict {
            Verdict::Restart(_) => Some(self.restart(&decision.next, &unit, next)),
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
        Turn { at, sign, is_starting, verdict, reason, streak, restart, earlier, flaps }
    }

    /// If it fails from here on.
    pub(super) fn outlook(&self) -> Outlook {
        outlook(&self.state.counts, &self.service.policy, &self.now())
    }

    fn now(&self) -> Moment {
        moment(UPTIME.saturating_add(self.at))
    }

    /// Between the last run and this one.
    fn somebody_acts(&mut self, sign: Sign) {
        match sign {
            Sign::Stopped => self.is_stopped = true,
            Sign::Restarted => self.begin_life(self.now().since_boot.saturating_sub(WORK)),
            Sign::Healthy | Sign::Fails | Sign::Unknown if self.is_stopped => {
                let last_run = self.now().since_boot.saturating_sub(self.script.every);
                self.begin_life(last_run.saturating_add(WORK));
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

    fn seen(&self, sign: Sign) -> Observation {
        match sign {
            Sign::Healthy if self.has_started() => Observation::Healthy,
            Sign::Unknown => Observation::Unknown(Doubt::NoRoute),
            Sign::Healthy | Sign::Fails | Sign::Stopped | Sign::Restarted => Observation::Unhealthy(CAUSE),
        }
    }

    /// Of a restart command unhang sees no more than that it has ended.
    fn unit(&self) -> Unit {
        match self.service.restarter.shows() {
            Shows::Life => Unit::Seen(self.life()),
            Shows::Process => Unit::Command { running: false },
            Shows::Nothing => Unit::ProbeOnly,
        }
    }

    fn life(&self) -> Life {
        // A stop job: systemd leaves `active` before the main process ends.
        let (left, ended) =
            if self.is_stopped { (self.born, self.born.saturating_add(WORK)) } else { Default::default() };
        Life {
            load: Load::Loaded,
            active: if self.is_stopped { Active::Inactive } else { Active::Active },
            result: UnitResult::Success,
            incarnation: Some(self.life.to_string()),
            own_restarts: 0,
            disabled: false,
            condition_unmet: false,
            inactive_exit: self.born,
            active_enter: self.born,
            active_exit: left,
            main_exit: Some(ended),
            reload: Reload::Possible,
            after_exit: AfterExit::StaysDown,
            runtime_limited: false,
            age: (!self.is_stopped).then(|| self.age()),
            neighbours: Vec::new(),
        }
    }

    fn restart(&mut self, counted: &State, unit: &Unit, next: Sign) -> Restarted {
        let (tick, policy) = (self.now(), &self.service.policy);
        let asked = tick.later(WORK);
        let intended = intend(&counted.counts, &CAUSE, policy, unit, &tick, &asked);
        let act = intended.last_restart().map(|restart| restart.act).unwrap_or_default();
        let begins = act.begins_a_life() == Some(true);
        if begins {
            self.begin_life(asked.since_boot);
        }
        let patience = self.patience();
        let starts = if begins { self.script.start_takes } else { Duration::ZERO };
        let answers = starts.saturating_add(self.proof_takes());
        let too_slow = next == Sign::Healthy && answers > patience;
        let (ended, after) = if next == Sign::Healthy && !too_slow {
            (Ended::Healed, answers)
        } else if patience < self.wanted() {
            (Ended::Open, patience)
        } else {
            (Ended::NotHealed, patience)
        };
        self.state = settle(counted, &intended, ended, &self.unit(), &asked.later(after));
        let of_no_help = does_not_help(&self.state.counts) && !does_not_help(&counted.counts);
        let spent = outlook(&self.state.counts, policy, &asked).spent;
        Restarted { act, ended, spent, patience, too_slow, of_no_help }
    }

    /// From its first healthy answer to its last one.
    fn proof_takes(&self) -> Duration {
        PACE.saturating_mul(self.service.policy.min_successes.saturating_sub(1))
    }

    fn wanted(&self) -> Duration {
        self.service.verify.max(self.service.policy.grace)
    }

    fn patience(&self) -> Duration {
        self.wanted().min(self.deadline.saturating_sub(WORK).saturating_sub(HostPlan::TO_FINISH))
    }
}

/// Both clocks go alike. The boot has no name: then nothing of it is copied and compared, dozens of times for
/// each run, and the wall clock counts.
fn moment(since_boot: Duration) -> Moment {
    Moment { boot: None, since_boot, wall: since_boot }
}

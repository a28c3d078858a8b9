//! What stands below the help of each command: examples, and how it ends.

pub(super) const ALL: &str = "\
Examples:
  unhang demo                 see it work, in a folder of its own
  unhang config check         is /etc/unhang/unhang.toml right?
  unhang check                is each service healthy now?
  unhang run --dry-run        what would one run do now?
  unhang status               how is each service, and does cron run?
  unhang why shop             why was it (not) restarted, and when can it be?
  unhang run                  one run; in root's crontab:  */2 * * * * /usr/local/bin/unhang run";

pub(super) const RUN: &str = "\
Each flag of the second list but --header is also an environment variable: UNHANG_MAX_FAILURES is
--max-failures. A flag beats its variable, and both beat the file.

Examples:
  unhang run
  unhang run --dry-run --only shop
  unhang run --mode observe -v
  unhang run --unit shop --url http://localhost:8000/health/
  unhang run --name shop --restart-command 'docker restart shop' --url http://localhost:8000/

Exit status: 0 all healthy; 1 some service is not, or was restarted without being healed;
2 usage or configuration; 3 some state unusable; 75 another run held every lock";

pub(super) const CHECK: &str = "\
Examples:
  unhang check                            every service, in one line
  unhang check shop -v                    with times, the unit, and what the next run would do
  unhang check http://localhost:8000/health/
  unhang check unix:/run/gunicorn.sock:/health/ --timeout 2s
  if unhang check shop; then echo fine; fi

Exit status: 0 OK; 1 WARNING, healthy, but no run came for long; 2 CRITICAL, not healthy;
3 UNKNOWN, it could not be told, or usage or configuration";

pub(super) const COMPLETIONS: &str = "\
Examples:
  unhang completions bash | sudo tee /usr/share/bash-completion/completions/unhang >/dev/null
  unhang completions zsh | sudo tee /usr/local/share/zsh/site-functions/_unhang >/dev/null
  unhang completions fish >~/.config/fish/completions/unhang.fish";

pub(super) const STATUS: &str = "\
Examples:
  unhang status
  unhang status shop --json
  watch unhang status

Next: `unhang why NAME` says what holds a service, and when it can be restarted.

Exit status: 0; 2 usage or configuration";

pub(super) const WHY: &str = "\
Examples:
  unhang why                  every service, four lines each
  unhang why shop --json

Next: the log has each act (`unhang config show shop` names the file); `unhang check -v shop` probes now.

Exit status: 0; 2 usage or configuration";

pub(super) const SIMULATE: &str = "\
Examples:
  unhang simulate shop --pattern xxxxxxxxxxxxxxxxxxxx            it hangs, and no restart helps
  unhang simulate shop --pattern 'xx.......' --repeat 50         it hangs again and again
  unhang simulate shop --pattern 'xx....' --start-takes 90s      are grace and verify long enough?
  unhang simulate shop --pattern 'xxxxxxs?r.' --max-failures 3   with another setting

A run that restarts looks whether that helped: it sees the sign of the next run, once --start-takes is
over. The pattern goes on as it is written, whatever was restarted.

Exit status: 0 played; 2 usage or configuration";

pub(super) const RESET: &str = "\
Examples:
  sudo unhang reset shop      after it was mended: a full count, and the whole budget again

Exit status: 0 cleared; 2 usage or configuration; 3 some state unusable; 75 a run has it locked, try again";

pub(super) const PAUSE: &str = "\
Examples:
  sudo unhang pause shop --for 30m --reason 'new disk'
  sudo unhang pause --all --for 2h

A run that is under way is waited for: when this returns, nothing is being restarted.

Next: `unhang resume NAME` ends it before its time; `unhang status` shows it.

Exit status: 0 paused; 1 a run that is under way may still restart; 2 usage or configuration;
3 it could not be written";

pub(super) const RESUME: &str = "\
Examples:
  sudo unhang resume shop
  sudo unhang resume --all

Exit status: 0 not paused any more; 1 still paused by a command of `unhang paused`; 2 usage or
configuration; 3 it could not be written";

pub(super) const PAUSED: &str = "\
Examples:
  sudo unhang paused shop -- ./deploy.sh
  sudo unhang paused shop shop-worker --for 20m --reason release -- systemctl restart shop shop-worker

Signals sent to unhang reach the command. The pause ends with the command, with unhang, however that
ends, and by its time.

Exit status: that of the command; 125 if there could be no pause, and the command was not begun;
126 it cannot be executed; 127 there is no such command";

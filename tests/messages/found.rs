//! What probes find, in the words that stand in log lines, in `why` and in `check`. `*` is what differs.

use super::Row;

const LOOK: &str = "Look at the service: its own log, systemctl status UNIT.";
const NONE: &str = "None.";
const MEND: &str =
    "Nothing is held against the service. Mend the probe or its place: the service is not judged meanwhile.";

#[rustfmt::skip]
pub(crate) const FOUND: &[Row] = &[
    // A url
    Row("the body has no \"*\"", "body.contains wants it.", LOOK),
    Row("the body has \"*\" in it", "body.lacks forbids it.", LOOK),
    Row("the body does not match *", "body.regex wants it.", LOOK),
    Row("the body is longer than * KiB", "json reads a body as a whole, and no more of it.", "Have the service say its health in less."),
    Row("the body says nothing of health", "json found no status in it.", "Is url right?"),
    Row("answered in * (* *)", "It took as long as latency.warn or latency.fail says, or longer.", LOOK),
    Row("it says *", "The status that the body tells of the whole.", LOOK),
    Row("no word of health: \"*\"", "json knows no such word, and so not whether it is good.", "Have the service use a word that the manual lists, or json.ignore the component."),
    Row("*: no word of health: \"*\"", "Likewise, of a component.", "Have the service use a word that the manual lists, or json.ignore the component."),
    Row("says nothing", "A component has an empty status.", LOOK),
    Row("no status", "A component is an object without one.", LOOK),
    Row("no text", "The status of a component is a list or an object.", LOOK),
    // tcp
    Row("connected, and greeted", "tcp: it takes connections, and greets as it should.", NONE),
    Row("it greets with \"*\", not with \"*\"", "tcp: another program may listen there.", LOOK),
    // command
    Row("exit status 0", "command: it ended well, and said nothing.", NONE),
    Row("not ended within **", "command: it was killed then, with its whole process group.", LOOK),
    Row("killed by a signal*", "command: it did not end by itself.", LOOK),
    Row("its output has no \"*\": *", "command: contains wants it. The first line of the output stands behind.", LOOK),
    Row("there is no command", "command: its list is empty.", MEND),
    // disk
    Row("*: its file system has no size", "disk: such as /proc.", "Name a folder on a disk."),
    Row("*% of * used", "disk: as df says.", "Make room."),
    Row("*% of the inodes of * used", "disk: as df -i says.", "Remove files."),
    // file
    Row("* old*, **: *", "file: how old it is, how large, and which; (age.warn *) and the like say which bound it passed.", "Look at what should write it."),
    Row("there is no *", "file: neither the file nor, with *, its folder.", "Look at what should write it."),
    Row("no file is called *", "file: no name in the folder matches.", "Look at what should write it."),
    Row("not a regular file: *", "file: a folder, a pipe or a device.", "Correct file."),
    Row("the folder holds more than * names", "file: it would take too long to look at them all.", "Have old files removed, or name one file."),
    // certificate
    Row("ends in *", "certificate: so much time is left.", "Renew it, and have the server load it."),
    Row("expired * ago", "certificate: it has ended.", "Renew it, and have the server load it."),
    Row("not valid yet, only in *", "certificate: its time begins later. Is the clock of this host right?", "Look at the certificate, and at the clock."),
    Row("the certificate says no validity that can be read", "certificate: it is damaged, or none at all.", MEND),
    Row("* shows no certificate", "certificate: the server took the connection and showed none.", MEND),
    Row("what answers at * is not TLS", "certificate: a plain server, or one that begins with STARTTLS, which unhang does not speak.", MEND),
    // container
    Row("running (healthy)", "container: it runs, and its health check passes.", NONE),
    Row("running (health: starting)", "container: it runs, and its health check has not passed yet.", "Wait."),
    Row("running (unhealthy)", "container: its health check fails.", "Look at docker inspect, under Health."),
    Row("* containers run", "container: of a service of compose, all of them.", NONE),
    Row("* (*, out of memory)", "container: it was killed because it needed more memory than it may have.", "Give it more, or find out what needs it."),
    Row("no such container", "container: nobody has that name.", "Is the name right? Else start it."),
    Row("no container of the service", "container: compose knows the service, and it has no container.", "Start it with docker compose up -d."),
    Row("running, and its health is \"*\"", "container: unhang knows no such word.", MEND),
    Row("running, and its health is not said", "container: unhang knows no such answer.", MEND),
    Row("its state is \"*\"", "container: unhang knows no such word.", MEND),
    Row("its state contradicts itself", "container: running, and not running.", MEND),
    Row("the answer is not understood", "container: docker or podman said something else than its JSON.", MEND),
    Row("* did not answer within *", "container: docker or podman was killed then.", MEND),
    Row("* was killed by a signal", "container: docker or podman was.", MEND),
    Row("docker compose: docker has no compose here", "container: the plugin is missing.", "Install docker compose."),
    // log
    Row("read from here on", "log: the first run, for which all that was logged is old.", NONE),
    Row("no new line*", "log: since the last run.", NONE),
    Row("1 new line, and it does not match*", "log: since the last run.", NONE),
    Row("* new lines, and none matches*", "log: since the last run.", NONE),
    Row("1 line matches \"*\": **", "log: fail or warn asks for it.", LOOK),
    Row("* lines match \"*\": **", "log: fail or warn asks for them. The first of them stands behind.", LOOK),
    Row("* lines match, the first \"*\": **", "log: more than one pattern could have matched. The first line stands behind.", LOOK),
    Row("*; the * KiB before them were not read", "log: of more than 1 MiB the newest is read.", "Look into the log for what was left out; run unhang more often, or have less logged."),
    Row("*; what came before them was not read", "log: more came into the journal than is read in one run; the newest was read.", "Look into the journal for what was left out."),
    Row("its new lines could not all be matched within *", "log: the next run goes on behind them.", "Make the patterns simpler, or timeout longer."),
    Row("*: is a link of somebody else's", "log: whoever may write the folder could have anything read to him.", "Name the file itself, or have the link belong to root or to the owner of the file."),
    Row("* is what unhang itself logs of this service", "log: no evidence of anything.", "Name the log that the service writes."),
    Row("journalctl has not ended within *", "log: it was killed then. The next run goes on behind what it has said.", MEND),
    Row("journalctl cannot be started: *", "log: it is not in PATH, or may not be executed.", MEND),
    Row("journalctl: *", "log: what it said when it failed.", MEND),
    Row("journalctl failed, and did not say why", "log: it ended with another status than 0.", MEND),
    Row("the journal has no entry", "log: there is no journald here, or no journal that may be read.", MEND),
    Row("the user that unhang runs as may not read the journal (group systemd-journal)", "log: what journalctl shows then is not all.", "Add the user to the group that the line names."),
    Row("the answer of journalctl is not understood: *", "log: another journalctl than that of systemd?", MEND),
    // Any
    Row("the file system does not answer", "The path lies on a network file system that is away.", MEND),
    Row("no such kind of probe", "A fault of unhang's own.", "Report it."),
    // Who restarts it, and was asked in vain: unit_unknown, and ⏳ and ❌ of a restart
    Row("what it says of the container is not understood", "Another version of docker or podman.", "Report it with the output of docker container inspect."),
    Row("no * in PATH, or no folder *", "docker compose cannot be started.", "Install it, or correct project; cron's PATH is short."),
    Row("no supervisorctl in PATH", "It cannot be asked.", "Install it; cron's PATH is short."),
    Row("no * in PATH", "docker, podman or supervisorctl cannot be started.", "Install it; cron's PATH is short."),
    Row("supervisorctl status: *", "Its answer is none of those it is known to give.", "Look at supervisord."),
    Row("supervisorctl cannot be started: *", "The system says why.", "Do as it says."),
    Row("it says nothing", "supervisorctl status is empty.", "Look at supervisord."),
    Row("no good answer to * pings", "wake: it is down rather than asleep.", LOOK),
    Row("the hook was not asked: *", "It could not be told whether it is there.", "Look at the network of this host."),
    Row("the hook was not carried out: *", "It answered otherwise than with 2xx, or not at all.", "Look at the URL and the headers in its file."),
    Row("*: others may read it (chmod 600)", "The file of restart.hook holds a secret.", "Do as the line says."),
    Row("*: it is not UTF-8", "The file of restart.hook.", "Write it anew."),
    Row("*: it must hold a URL, and below it headers such as Authorization: Bearer ...", "The file of restart.hook.", "Write it so."),
];

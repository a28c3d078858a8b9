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

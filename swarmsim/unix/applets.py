"""Names of busybox's programs, whether or not they are modelled."""

LINKS = (
    *("cat", "date", "df", "echo", "env", "false", "hostname", "httpd", "id", "ifconfig", "ip", "ls", "mkdir", "mount"),
    *("nc", "nslookup", "ping", "ps", "rm", "sh", "sleep", "test", "touch", "true", "wget"),
)
"""What the recorded clusters' image has of busybox (tests/records/asked/shells.txt)."""
APPLETS = (
    *("[", "[[", "arp", "ash", "awk", "base64", "basename", "bc", "bunzip2", "bzip2", "cal", "cat", "chgrp", "chmod"),
    *("chown", "chroot", "clear", "cmp", "comm", "cp", "cpio", "crond", "crontab", "cut", "date", "dc", "dd", "df"),
    *("diff", "dirname", "dmesg", "dos2unix", "du", "echo", "ed", "egrep", "env", "expand", "expr", "factor", "false"),
    *("fgrep", "find", "fold", "free", "fsync", "fuser", "getopt", "grep", "groups", "gunzip", "gzip", "head"),
    *("hexdump", "hostid", "hostname", "id", "ifconfig", "install", "ionice", "iostat", "ip", "ipcalc", "kill"),
    *("killall", "less", "link", "ln", "logger", "login", "ls", "lsof", "md5sum", "mkdir", "mkfifo", "mknod", "mktemp"),
    *("more", "mount", "mpstat", "mv", "nc", "netstat", "nice", "nl", "nohup", "nproc", "nsenter", "nslookup", "ntpd"),
    *(
        "od",
        "passwd",
        "paste",
        "pgrep",
        "pidof",
        "ping",
        "ping6",
        "pkill",
        "pmap",
        "printenv",
        "printf",
        "ps",
        "pstree",
    ),
    *("pwd", "readlink", "realpath", "renice", "reset", "rev", "rm", "rmdir", "route", "run-parts", "sed", "seq"),
    *("setsid", "sh", "sha1sum", "sha256sum", "sha512sum", "shred", "shuf", "sleep", "sort", "split", "stat"),
    *("strings", "stty", "su", "sum", "sync", "sysctl", "tac", "tail", "tar", "tee", "test", "time", "timeout", "top"),
    *("touch", "tr", "traceroute", "tree", "true", "truncate", "tty", "umount", "uname", "uniq", "unlink", "unxz"),
    *(
        "unzip",
        "uptime",
        "usleep",
        "vi",
        "watch",
        "wc",
        "wget",
        "which",
        "who",
        "whoami",
        "xargs",
        "xxd",
        "yes",
        "zcat",
    ),
)
"""What there is in alpine 3.20 of busybox, most of it."""

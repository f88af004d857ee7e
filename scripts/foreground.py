"""Run a command as the terminal's own foreground group, so that Ctrl-C reaches it and not `make` around it.

make ends with an error at Ctrl-C, however cleanly the command ended; unless it never hears of it. Without a terminal the
command simply takes this process's place.
"""

import os
import signal
import subprocess
import sys


def main(command: list[str]) -> int:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        before = os.tcgetpgrp(terminal)
        ours = before == os.getpgrp()
    except OSError:
        ours = False
    if not ours:
        os.execv(command[0], command)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else giving the terminal away stops us
    restore = lambda: signal.signal(signal.SIGTTOU, signal.SIG_DFL)  # noqa: E731 - one line, used once
    child = subprocess.Popen(command, process_group=0, preexec_fn=restore)  # noqa: PLW1509 - one thread here
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: child.send_signal(received))
    os.tcsetpgrp(terminal, child.pid)
    try:
        return child.wait()
    finally:
        os.tcsetpgrp(terminal, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

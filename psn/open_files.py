"""How many files a process may have open: each connection is one."""

from __future__ import annotations

import contextlib
import resource


def as_many_as_may_be() -> int:
    """Let this process open as many as the system allows it, and say how many that is.

    A shell gives few of those that it might. Connections that ask nothing, which anyone can make by
    the thousand, then leave room for others.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

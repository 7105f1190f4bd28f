"""Giving a finished file its place: what is there keeps being what it is. Links are followed, devices written into."""

from __future__ import annotations

import os
import stat
from errno import EXDEV

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from octogram_agentd.procedures.context import Context


async def put_in_place(context: Context, draft: str, path: str) -> None:
    """Rename a draft to a path, or write it into what is there and is no plain file. Raises OSError or ProcedureFailed.

    The draft is gone afterwards. Whoever reads a pipe is waited for as long as the job may take.
    """
    target = os.path.realpath(path)
    if not is_special(target):
        try:
            mode = stat.S_IMODE(os.stat(draft).st_mode)
            adopt(draft, target)
            os.chmod(draft, mode)  # an access list has brought its own
            os.replace(draft, target)
        except OSError as error:
            if error.errno != EXDEV:
                raise
            await context.command(["mv", "-f", "--", draft, target], log=False)
        return
    await context.command(["cp", "--", draft, target], log=False)
    os.unlink(draft)


def is_special(path: Union[str, bytes]) -> bool:
    """Tell whether something is there that a rename would replace by a file: a device, a pipe, a socket."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def adopt(draft: Union[int, str], place: Union[str, bytes]) -> None:
    """Give a draft the owner and the access list of the file that it is to replace, as far as that is allowed."""
    try:
        found = os.stat(place)
        own = os.stat(draft)
        if (found.st_uid, found.st_gid) != (own.st_uid, own.st_gid):
            os.chown(draft, found.st_uid, found.st_gid)
    except OSError:
        pass
    copy_attributes(place, draft)


def copy_attributes(place: Union[str, bytes], draft: Union[int, str]) -> None:
    """Copy extended attributes, access lists among them; those of the system's own security stay as they come."""
    try:
        for name in os.listxattr(place):
            if not name.startswith("security."):
                os.setxattr(draft, name, os.getxattr(place, name))
    except OSError:
        pass  # there is nothing, or its file system has none

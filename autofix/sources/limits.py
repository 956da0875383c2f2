"""How large a file may become when it is opened."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

from autofix.errors import AutofixError, FixYourData

# A configuration is text; that of a model of thousands of layers takes a few MiB.
MOST_TEXT_BYTES = 2**26
# Deflate makes at most 1,032 bytes of one, of zeros alone. Weights and measured data shrink by less than 10.
MOST_RATIO = 200
# Below this size a ratio says nothing: a few zeros shrink well.
RATIO_COUNTS_FROM = 2**26
# More members than any archive of arrays or of a model has.
MOST_MEMBERS = 100_000


def memory_bytes() -> int:
    """Returns the memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check_fits(what: str, size: int) -> None:
    """Checks that something fits into the memory of this machine.

    Args:
        what: What it is to the user.
        size: What it takes, in bytes.

    Raises:
        FixYourData: If it does not.
    """
    if size > memory_bytes():
        raise FixYourData(
            f"{what} must fit into the memory of this machine ({memory_bytes():,} bytes). Received: {size:,} bytes. "
            "Pass a part of it."
        )


def check_archive(path: Path, what: str, error: type[AutofixError]) -> list[str]:
    """Looks through a zip archive without unpacking anything.

    Args:
        path: The file.
        what: What it is to the user.
        error: What to raise.

    Returns:
        The names of its members.

    Raises:
        AutofixError: If it is no archive, a member would be written outside of the folder it is unpacked to or is a
            link, or what is in it would not fit into memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, UnicodeDecodeError) as reason:
        raise error(f"{what} {str(path)!r} is damaged or not what its name says ({reason}). Save it again.") from reason
    if len(members) > MOST_MEMBERS:
        raise error(f"{what} {str(path)!r} must not hold {len(members):,} members. Save it again from its source.")
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/"))
        leaves = parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name
        if leaves or stat.S_ISLNK(member.external_attr >> 16):
            raise error(
                f"{what} {str(path)!r} holds a member that leads out of the archive: {name!r}. It was made to write "
                "elsewhere: do not use it, and get the file from somebody you trust."
            )
        if member.file_size > RATIO_COUNTS_FROM and member.file_size > MOST_RATIO * max(1, member.compress_size):
            raise _too_large(path, what, error, f"{name!r} would grow to {member.file_size:,} bytes")
    total = sum(member.file_size for member in members)
    if total > memory_bytes():
        raise _too_large(path, what, error, f"all of it takes {total:,} bytes")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise error(f"{what} {str(path)!r} holds two members of one name. Save it again from its source.")
    return names


def _too_large(path: Path, what: str, error: type[AutofixError], why: str) -> AutofixError:
    return error(
        f"{what} {str(path)!r} must fit into the memory of this machine ({memory_bytes():,} bytes) and must not be "
        f"packed more than {MOST_RATIO} times. Received: {why}. Save it again from its source."
    )

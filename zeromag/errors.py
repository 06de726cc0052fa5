"""What can go wrong while running; the message is always one sentence for the user.

Wrong arguments in code raise the built-in `ValueError` or `TypeError`; these classes are for what
only shows at run time, and the command line turns each into exit code 1.
"""


class ZeromagError(Exception):
    """The work failed; the message says what was wanted, what was found and what to do."""


class InputError(ZeromagError):
    """A file or stream given as input cannot be used."""


class SourceLostError(ZeromagError):
    """A source stopped giving samples."""


class LinkError(ZeromagError):
    """A connection between processes cannot be made, is refused or broke."""


class StorageError(ZeromagError):
    """What should be kept cannot be written: disk full, folder read-only."""

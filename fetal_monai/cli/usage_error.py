"""The error of a command that cannot be carried out as given."""


class UsageError(Exception):
    """A command cannot be carried out as given; the message says why and how to fix it. The exit code is 2."""

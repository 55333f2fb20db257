"""The errors that users can meet, and the exit code that each ends in."""


class LandfastError(Exception):
    """Something went wrong that a user can read in one sentence."""

    exit_code = 1


class BadInput(LandfastError):
    """What was asked for, or the host it was asked on, cannot work: what, where, what to do.

    It is raised before anything changes on a cluster. A command ends with exit code 4.
    """

    exit_code = 4


class Refused(LandfastError):
    """A server understood a request and refused it."""


class Unreachable(LandfastError):
    """A server does not answer: no connection, a connection that broke, or no answer in time."""

"""The errors that users meet, and the exit code each ends in."""


class LandfastError(Exception):
    """Something went wrong that the user can read in one sentence."""

    exit_code = 1


class BadInput(LandfastError):
    """What was asked for, or the host it was asked on, cannot work: what, where, what to do.

    Raised before anything is changed on a cluster. Ends a command with exit code 4.
    """

    exit_code = 4

"""What can go wrong between a face and the rooms, with messages that can be shown as they are."""

from __future__ import annotations

__all__ = ["CannotConnect", "CannotRead", "InputError", "NotVerified", "RunRefused", "ServiceError"]


class ServiceError(Exception):
    """Base: ``str()`` says what happened, where, what it means for the database, and what to do next."""


class InputError(ServiceError):
    """A file or an argument cannot be used; nothing was read from or sent to a database."""


class CannotConnect(ServiceError):
    """No session could be opened: unreachable server, wrong password, unknown database, too many clients."""


class CannotRead(ServiceError):
    """A session was opened, but the catalog could not be read: it was locked, or the role may not see it."""


class NotVerified(ServiceError):
    """A run has ended, but it could not be proven that the database matches its schema."""


class RunRefused(ServiceError):
    """What was asked of a run cannot be: there is no such run, it is under way, or it is over. Nothing was changed."""

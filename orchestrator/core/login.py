"""What is kept of a person who logged in to the screen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    """A login without its secret: neither the cookie nor the token can be had from it."""

    binding: str
    """Of the cookie to the API token with which it was made; whoever holds the cookie can check it against a token."""
    created_at: float
    """Unix seconds of the store's clock."""

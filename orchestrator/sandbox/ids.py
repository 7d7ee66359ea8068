"""LiveKit's ids, drawn from a random source of their own: faults and loads do not change them."""

import random
from typing import Final

_ID_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LETTERS_AND_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Ids:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def new(self, prefix: str) -> str:
        """Twelve letters behind LiveKit's prefix for this kind of thing: RM_, PA_, AD_, AJ_, AW_, EV_."""
        return prefix + "".join(self._chance.choices(_ID_LETTERS, k=12))

    def turn_password(self) -> str:
        return "".join(self._chance.choices(_LETTERS_AND_DIGITS, k=43))

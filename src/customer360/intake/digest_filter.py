"""Is a digest certainly new? A Bloom filter in memory, so that most signals need no look into a large table."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_BITS_EACH: Final = 16
"""With five probes one new digest in a thousand is taken for a known one, and costs a look."""
_PROBES: Final = 5
_LEAST_BITS: Final = 1 << 20
_MOST_BITS: Final = 1 << 30
"""128 MiB, for 64 million signals; beyond that more and more digests cost a look."""


class DigestFilter:
    """Remembers digests of 16 random bytes: "new" is always true, "known" only nearly always.

    `capacity`: how many it is made for; `count` tells how many it was given.
    """

    def __init__(self, capacity: int) -> None:
        bits = 1 << (capacity * _BITS_EACH - 1).bit_length()
        bits = min(max(bits, _LEAST_BITS), _MOST_BITS)
        self.capacity = max(capacity, bits // _BITS_EACH)
        self.count = 0
        self._mask = np.uint64(bits - 1)
        self._bytes = np.zeros(bits // 8, np.uint8)

    def add(self, digests: bytes) -> None:
        """Remember digests, one after the other in one string of bytes."""
        self.count += len(digests) // 16
        for places, bits in self._probes(digests):
            np.bitwise_or.at(self._bytes, places, bits)

    def may_have(self, digests: bytes) -> NDArray[np.bool_]:
        """For each of the digests in one string of bytes: was it added, perhaps?"""
        found = np.ones(len(digests) // 16, np.bool_)
        for places, bits in self._probes(digests):
            found &= (self._bytes[places] & bits) != 0
        return found

    def _probes(self, digests: bytes) -> list[tuple[NDArray[np.uint64], NDArray[np.uint8]]]:
        """Per probe the byte and the bit of each digest, both taken from its own randomness."""
        halves = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        first, step = halves[:, 0], halves[:, 1] | np.uint64(1)
        probes = []
        for number in range(_PROBES):
            at = (first + np.uint64(number) * step) & self._mask
            bits = np.left_shift(np.uint8(1), (at & np.uint64(7)).astype(np.uint8))
            probes.append((at >> np.uint64(3), bits))
        return probes

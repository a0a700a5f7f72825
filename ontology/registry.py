"""The one registry pattern: a name, a factory, and an error that lists the names there are."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Registered = TypeVar("Registered")


class UnknownNameError(KeyError):
    """A name that the registry does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Generic[Entry]):
    """Named entries of one kind, in order of registration.

    Example:
        >>> KERNELS: Registry[Callable] = Registry("kernel")
        >>> @KERNELS.register("hop")
        ... def hop(graph): ...
        >>> KERNELS["hop"]
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def register(self, name: str) -> Callable[[Registered], Registered]:
        """Decorate a function or class so that it is found by name.

        Raises:
            ValueError: If the name is taken.
        """

        def decorate(entry: Registered) -> Registered:
            self.add(name, entry)  # type: ignore[arg-type]  # a class stands for the protocol it builds
            return entry

        return decorate

    def add(self, name: str, entry: Entry) -> None:
        """Register an object that is not defined with `def` or `class`."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._entries, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise UnknownNameError(f"no {self.kind} named {name!r}{hint}; there are: {', '.join(self)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

"""How long work says how far it is: functions that it calls, each of which may raise to stop it."""

from collections.abc import Callable

OnPart = Callable[[], None]
"""Called after every part, often enough for Cancel to be heard."""
OnCount = Callable[[int], None]
"""Called with a number: how many more are done, or so far, as is said where it is given."""
OnShare = Callable[[int, int], None]
"""Called with how many are done and how many there are."""
Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done and how many there are."""

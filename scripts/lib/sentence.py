"""What a ValueError says, which is one sentence."""

import pytest


def sentence(call, *arguments, **inputs) -> str:
    """Of the error that a call raises, without its full stop, which whoever shows it adds."""
    with pytest.raises(ValueError) as error:
        call(*arguments, **inputs)
    text = str(error.value)
    assert "\n" not in text and not text.endswith(".")
    return text


def sentence_shown(call, *arguments, **inputs) -> str:
    """Of the error that a node shows."""
    with pytest.raises(ValueError) as error:
        call(*arguments, **inputs)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and not text.endswith("..")
    return text

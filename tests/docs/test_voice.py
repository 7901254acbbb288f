"""The check of the voice finds the phrases of STYLE.md in docstrings, comments and documents."""

import pytest

from tests.tools.check_voice import faults, paragraphs, texts


@pytest.mark.parametrize(
    "words",
    [
        "What is none is no route: a 404.",
        "Whether it may be repeated.",
        "Read the row. Whose it is does not matter.",
        "The user is told by mail.",
        "Removes what has had its time.",
        "It is on its way.",
        "Seen by whoever sees the task.",
        "The table has the figures for who cannot see it.",
    ],
)
def test_phrase_is_found(words: str) -> None:
    assert list(faults(words))


@pytest.mark.parametrize(
    "words",
    [
        "Delete expired rows.",
        "Who may read the task?",
        "Return what the caller sent.",
        "The text `What next` is quoted.",
    ],
)
def test_plain_sentence_is_not_found(words: str) -> None:
    assert list(faults(words)) == []


def test_docstrings_and_comments_are_read_and_code_is_not() -> None:
    source = '''"""Of the module."""

name = "What a text"  # behind code


def act():
    """Of the function,
    over two lines."""
    # One comment
    # over two lines.
    return "Whose text"
'''
    assert [text.words for text in texts(source) if text.words] == [
        "Of the module.",
        "behind code",
        "Of the function, over two lines.",
        "One comment over two lines.",
    ]


def test_paragraphs_items_and_cells_of_a_document_are_read_and_code_is_not() -> None:
    source = """# Heading

One sentence
over two lines.
- An item
1. Another item

```sh
What a command
```
| a cell | another |
"""
    assert [text.words for text in paragraphs(source) if text.words] == [
        "Heading",
        "One sentence over two lines.",
        "An item",
        "Another item",
        "a cell",
        "another",
    ]

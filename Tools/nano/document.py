"""What the model is trained on: texts in pieces, each with or without loss on it."""

from dataclasses import dataclass

END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
THINK, END_THINK = "<think>", "</think>"
SPECIAL_TOKENS = [END_OF_TEXT, IM_START, IM_END, THINK, END_THINK]

CUE = "**Final Answer**\n\\boxed{"
"""Opens the answer; budget forcing puts it where the thought is cut."""


@dataclass(frozen=True)
class Piece:
    """A run of text that is tokenized on its own; pieces end where tokens end."""

    text: str
    loss: bool


@dataclass(frozen=True)
class Document:
    """Pieces the model reads one after the other."""

    pieces: list[Piece]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def prompt(message: str) -> str:
    """One user message and the opening of the reply, as the chat template renders them."""
    return f"{IM_START}user\n{message}{IM_END}\n{IM_START}assistant\n"


def finished(message: str, thought: str, answer: str) -> Document:
    """A reply that ends by itself, all of it to be learned."""
    reply = f"{THINK}\n{thought}{END_THINK}\n\n{CUE}{answer}}}{IM_END}"
    return Document([Piece(prompt(message), False), Piece(reply, True)])


def forced(message: str, thought: str, answer: str) -> Document:
    """A reply whose thought was prolonged by `Wait` and cut short by the cue.

    Neither is the model's own doing, so neither carries loss.
    """
    pieces = [Piece(prompt(message), False), Piece(f"{THINK}\n", True)]
    for number, part in enumerate(thought.split("Wait")):
        if number > 0:
            pieces.append(Piece("Wait", False))
        if part:
            pieces.append(Piece(part, True))
    pieces += [Piece(CUE, False), Piece(f"{answer}}}{IM_END}", True)]
    return Document(pieces)

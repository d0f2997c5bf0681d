"""Reads pages and papers back, with programs that know nothing of how they were made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdf

VOID = {"meta", "img", "input", "br", "link"}


@dataclass
class Page(HTMLParser):
    """An HTML file: its tags with attributes, its text, and scripts by their kind."""

    path: Path
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._kind = ""
        self.source = self.path.read_text("utf-8")
        self.feed(self.source)
        self.close()
        assert self._open == ["html"] or not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self._kind = dict(attrs).get("type") or "code"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts[self._kind] = data
        elif self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def motion(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.scripts["application/json"])
        return told

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def paper(path: Path) -> list[str]:
    """Text of each page of a PDF."""
    with path.open("rb") as file:
        return [
            " ".join((page.extract_text() or "").split()) for page in pypdf.PdfReader(file).pages
        ]

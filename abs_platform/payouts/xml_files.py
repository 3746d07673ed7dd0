# SPDX-License-Identifier: EUPL-1.2
"""XML of banks, read without trust: no document type, no entities, nothing outside the file, and only so much of it."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MOST_BYTES = 10_000_000
_MOST_ELEMENTS = 600_000
_DEEPEST = 60


class UnreadableXml(ValueError):
    """This is no XML that we read; the sentence is for the log."""


@dataclass(frozen=True, slots=True)
class XmlFile:
    """A document. Its elements have their local name; those of another namespace keep "namespace}" before it."""

    namespace: str
    root: Element


@dataclass(slots=True)
class _Builder:
    """Takes what expat reads, counts it, and refuses what no bank sends."""

    tree: TreeBuilder
    namespace: str = ""
    depth: int = 0
    count: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > _DEEPEST or self.count > _MOST_ELEMENTS:
            raise UnreadableXml("too deep, or too many elements")
        if self.depth == 1:
            self.namespace = tag.rpartition("}")[0]
        self.tree.start(self._local(tag), attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.tree.end(self._local(tag))

    def _local(self, tag: str) -> str:
        namespace, _, name = tag.rpartition("}")
        return name if namespace == self.namespace else tag


def read_xml(content: bytes) -> XmlFile:
    """Read a document. Raises: UnreadableXml for anything else, and for all that can be used to do harm."""
    if len(content) > MOST_BYTES:
        raise UnreadableXml("too large")
    builder = _Builder(TreeBuilder())
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.tree.data
    try:
        parser.Parse(content, True)
        return XmlFile(builder.namespace, builder.tree.close())
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise UnreadableXml("not well-formed") from error


def text_of(element: Element | None, path: str) -> str:
    """What stands in the first element on a path, trimmed; "" when it is not there."""
    return "" if element is None else (element.findtext(path) or "").strip()


def _refuse(*_declared: object) -> None:
    raise UnreadableXml("a document type or an entity")

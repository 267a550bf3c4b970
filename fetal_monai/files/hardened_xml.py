"""Parse untrusted XML: no document type, no entities, no external references, no deep nesting."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # holds the elements; defusedxml parses
from io import BytesIO
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser


class XmlError(ValueError):
    """XML content that is rejected.

    Attributes:
        line: The line where parsing stopped.
        reason: What is wrong and how to fix it.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class XmlElement(ET.Element):
    """An element with the line of its start tag, in an attribute named as in lxml."""

    sourceline: int


def parse_xml(content: bytes, deepest_level: int) -> XmlElement:
    """Parse XML without ever opening another file or expanding an entity.

    Args:
        content: Content of the whole file. The caller limits its size.
        deepest_level: Number of levels of elements that are allowed; the root is level 1.

    Returns:
        The root; tags and attributes with a namespace are named `{namespace}name`.

    Raises:
        XmlError: The content is not well-formed, has a document type, or is nested too deeply.
    """
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setFeature(feature_namespaces, True)
    builder = _Builder(deepest_level)
    parser.setContentHandler(builder)
    try:
        parser.parse(BytesIO(content))
    except XmlError:
        raise
    except DefusedXmlException as error:
        reason = "has a document type (DOCTYPE), where entities and references to other files could hide; delete it"
        raise XmlError(parser.getLineNumber(), reason) from error
    except SAXException as error:
        raise XmlError(parser.getLineNumber(), f"is not well-formed XML ({error.getMessage()})") from error
    # Python's codecs raise these for a wrong or unknown encoding.
    except (ValueError, LookupError) as error:
        raise XmlError(parser.getLineNumber(), f"cannot be decoded as XML ({error})") from error
    return builder.root()


class _Builder(ContentHandler):
    """Builds the tree of elements with their lines."""

    def __init__(self, deepest_level: int) -> None:
        super().__init__()
        self._tree = ET.TreeBuilder(element_factory=self._element)
        self._deepest_level = deepest_level
        self._level = 0

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802
        self._place = locator

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: N802
        self._level += 1
        if self._level > self._deepest_level:
            raise XmlError(self._line(), f"has more than {self._deepest_level} levels of elements")
        self._tree.start(_tag(name), {_tag(key): value for key, value in attrs.items()})

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        self._level -= 1
        self._tree.end(_tag(name))

    def characters(self, content: str) -> None:
        self._tree.data(content)

    def root(self) -> XmlElement:
        """The tree, once the parser is done."""
        root = self._tree.close()
        assert isinstance(root, XmlElement)
        return root

    def _element(self, tag: str, attributes: dict[str, str]) -> XmlElement:
        element = XmlElement(tag, attributes)
        element.sourceline = self._line()
        return element

    def _line(self) -> int:
        return self._place.getLineNumber() or 0


def _tag(name: tuple[str | None, str]) -> str:
    namespace, local_name = name
    return f"{{{namespace}}}{local_name}" if namespace else local_name

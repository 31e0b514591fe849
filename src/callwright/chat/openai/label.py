"""How messages name an endpoint and its settings."""

from dataclasses import dataclass

_NAMES_WITHOUT_SECTION = {"base_url": "the address", "model": "the model's name"}


@dataclass(frozen=True, slots=True)
class EndpointLabel:
    """How messages name an endpoint, such as the teacher's, and where its settings are.

    Args:
        section: the endpoint's section of params.yaml; empty: it has none.

    >>> teacher, other = EndpointLabel("teacher"), EndpointLabel()
    >>> teacher.at("http://h/v1"), teacher.setting("base_url")
    ('teacher at http://h/v1', 'teacher.base_url')
    >>> other.at("http://h/v1"), other.setting("base_url"), other.setting("request")
    ('the model at http://h/v1', 'the address', 'request')
    """

    section: str = ""

    @property
    def subject(self) -> str:
        """The model with its article, for the middle of a sentence: `the teacher`, `the model`."""
        return f"the {self.section.rpartition('.')[2] or 'model'}"

    def at(self, url: str) -> str:
        """The model at an address, for the beginning of a line."""
        return f"{self.subject.removeprefix('the ') if self.section else self.subject} at {url}"

    def setting(self, name: str) -> str:
        """A field of the endpoint's params, as the user knows it."""
        return f"{self.section}.{name}" if self.section else _NAMES_WITHOUT_SECTION.get(name, name)


NO_SECTION = EndpointLabel()

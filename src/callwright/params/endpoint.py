"""Where a model is served, and how it is asked."""

from typing import Self

from pydantic import Field, model_validator

from callwright.params.address import ORACLE, BaseUrl, KeyVariable, RequestFields, is_address
from callwright.params.section import Section

DEFAULT_KEY_VARIABLE = "TEACHER_API_KEY"  # holds the key of a server that no params describe


class EndpointParams(Section):
    """A model and the server that is asked for it: the teacher, or a model that is evaluated at an endpoint.

    `base_url` may be any text that `open_chat` knows, such as an address; fields that only servers need are ignored by
    other backends.
    """

    base_url: BaseUrl
    base_urls: list[BaseUrl] = Field(default=[])
    model: str = Field(min_length=1)
    api_key_env: KeyVariable
    request: RequestFields = Field(default={})
    timeout_s: float = Field(default=120, gt=0)
    max_retries: int = Field(default=4, ge=0)

    @model_validator(mode="after")
    def _check_base_urls(self) -> Self:
        urls = [self.base_url, *self.base_urls]
        without_address = next((url for url in urls if not is_address(url)), None)
        if self.base_urls and without_address is not None:
            name = "the oracle" if without_address == ORACLE else without_address
            raise ValueError(f"{name} takes no further endpoints: set base_urls to [], or base_url to an endpoint")
        if len(set(urls)) < len(urls):
            raise ValueError("base_urls contains a duplicate, or base_url")
        return self

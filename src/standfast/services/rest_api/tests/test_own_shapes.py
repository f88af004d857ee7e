"""The document's shapes: of two classes with one name only one would be in it, and the other's operations would lie."""

from collections import defaultdict
from collections.abc import Iterator

from pydantic import BaseModel

from standfast.services.rest_api import mounted


def shapes(base: type) -> Iterator[type]:
    for one in base.__subclasses__():
        yield one
        yield from shapes(one)


def test_no_two_shapes_have_one_name():
    assert mounted
    modules = defaultdict(set)
    for one in shapes(BaseModel):
        if one.__module__.startswith(("standfast.components.", "standfast.platform.", "standfast.services.rest_api.")):
            modules[one.__name__].add(one.__module__)
    assert modules["ContactOut"]
    assert not {name: where for name, where in modules.items() if len(where) > 1}

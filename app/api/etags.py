"""`ETag`, `If-Match`, `If-None-Match`: nobody overwrites what they have not seen, and nobody is
sent what they have.

A tag is `"<revision>.<digest>"`. The digest is of the whole answer, so that two answers with one
tag are the same, whatever shows in them: alerts that join an incident and people who change their
name raise no revision. `If-Match` looks at the revision alone, which every edit raises: an alert
that joins must not refuse somebody's edit. It is compared under the lock of the row.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import AfterValidator, BaseModel, WithJsonSchema

from app.core.errors import ChangedMeanwhileError
from app.db.session import WriteSession

REVISION = "revision"
TAG = re.compile(r'(?:W/)?"([!#-~\x80-\xff]*)"')
TAGS = re.compile(rf"{TAG.pattern}(?:[ \t]*,[ \t]*{TAG.pattern})*")
_TAG = r"([0-9]{1,18})(?:\.[0-9a-f]+)?"
OURS = re.compile(_TAG)
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is still as `If-None-Match` says; no body."}
}


def tag_of(revision: int, body: bytes) -> str:
    """The entity tag of an answer."""
    return f'"{revision}.{hashlib.blake2s(body, digest_size=8).hexdigest()}"'


def read_tags(sent: str) -> str:
    """One or several tags, each with its quotes; a bare one is meant with them."""
    if OURS.fullmatch(sent):
        return f'"{sent}"'
    if sent != "*" and TAGS.fullmatch(sent) is None:
        raise ValueError(
            "must be `*`, or the ETag of what you have seen, with its quotes, such as"
            ' `"7.0d1f5c2a9e34b768"`, or its revision, such as `"7"`'
        )
    return sent


@dataclass(frozen=True)
class Edited:
    """A resource that people edit: how its row is held, and how it is shown."""

    lock: Callable[..., Awaitable[Any]]
    shown: Callable[..., Awaitable[Any]]
    schema: type[BaseModel]


@dataclass(frozen=True)
class Expected:
    """What an editor believes to be there."""

    revisions: frozenset[int] | None = None  # None: anything

    async def hold(self, edited: Edited, session: WriteSession, *key: Any) -> None:
        """Refuse if something else is there. From here on the row is held until the commit.

        What is not there at all is left to whoever looks for it.
        """
        if self.revisions is None:
            return
        row = await edited.lock(session, *key)
        revision = 0 if row is None else row.revision
        if revision in self.revisions:
            return
        current = edited.schema.model_validate(await edited.shown(session, *key))
        raise ChangedMeanwhileError(
            "Somebody changed it since you read it: look at `details.current`, and send your"
            " change again with `details.etag` in If-Match.",
            etag=tag_of(revision, current.model_dump_json().encode()),
            current=current.model_dump(mode="json"),
        )


async def _expected(
    sent: Annotated[
        str | None,
        AfterValidator(lambda sent: sent if sent is None else read_tags(sent)),
        WithJsonSchema({"type": "string", "pattern": f'^({_TAG}|"{_TAG}"|\\*)$'}),
        Header(
            alias="If-Match",
            description="The `ETag` of what you have seen; or its `revision`. If"
            " somebody changed it since, nothing is written and the answer is 412. Without it"
            " the last write of a field wins.",
            examples=['"7"'],
        ),
    ] = None,
) -> Expected:
    if sent is None or sent == "*":  # that it is there is found out anyway
        return Expected()
    ours = (OURS.fullmatch(tag) for tag in TAG.findall(sent))
    return Expected(frozenset(int(found[1]) for found in ours if found))


IfMatch = Annotated[Expected, Depends(_expected)]


async def _if_none_match(
    _: Annotated[
        str | None,
        WithJsonSchema({"type": "string"}),
        Header(
            alias="If-None-Match",
            description="The `ETag` of what you have: if that is what there is, the answer is 304.",
            examples=['"7.0d1f5c2a9e34b768"'],
        ),
    ] = None,
) -> None:
    """For the OpenAPI document; the route reads it."""


CONDITIONAL = [Depends(_if_none_match)]


def marked(request: Request, response: Response) -> Response:
    """The answer with its tag, if it shows one thing that has a revision; or 304 in its place."""
    tag = tag_of(json.loads(bytes(response.body))[REVISION], bytes(response.body))
    response.headers["ETag"] = tag
    offered = request.headers.get("if-none-match", "")
    if request.method == "GET" and (offered == "*" or tag[1:-1] in TAG.findall(offered)):
        return Response(status_code=304, headers={"ETag": tag})
    return response

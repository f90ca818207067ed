"""The addresses a person is reached at. What is secret in them comes in and never goes out."""

from typing import Annotated, Any, Literal

from pydantic import Field, Secret, StringConstraints, computed_field

from app.domain.chat import LONGEST_URL
from app.domain.contact_method import Given
from app.domain.notification import Channel
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null, revision_of
from app.schemas.types import EmailAddress, Flag, HttpUrl, Name, Phone, Storable

LONGEST_PUSH_KEY = 200

Label = Annotated[Name, Field(description="What its owner calls it.", examples=["my phone"])]
ChatUrl = Annotated[
    Secret[Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL), Storable]],
    Field(
        json_schema_extra={"format": "password", "writeOnly": True},
        description="An Apprise URL, such as slack://…, ntfys://host/topic or tgram://….",
        examples=["ntfys://ntfy.example.org/ana-pages"],
    ),
]
PushKey = Annotated[
    Secret[Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PUSH_KEY), Storable]],
    Field(json_schema_extra={"format": "password", "writeOnly": True}),
]


class _MethodCreate(WriteSchema):
    label: Label | None = None
    wants_updates: Flag = Field(
        default=False,
        description="Also told what became of what it was paged for: acknowledged, resolved,"
        " assigned.",
    )


class EmailMethodCreate(_MethodCreate):
    channel: Literal[Channel.EMAIL]
    address: EmailAddress

    @property
    def given(self) -> Given:
        return self.address


class SmsMethodCreate(_MethodCreate):
    channel: Literal[Channel.SMS]
    phone: Annotated[Phone, Field(min_length=1)] = Field(
        description="With + and country code; blanks and dashes are left out.",
        examples=["+49 30 1234567"],
    )

    @property
    def given(self) -> Given:
        return self.phone


class WebhookMethodCreate(_MethodCreate):
    channel: Literal[Channel.WEBHOOK]
    url: HttpUrl

    @property
    def given(self) -> Given:
        return self.url


class ChatMethodCreate(_MethodCreate):
    """A chat. Its URL is kept encrypted, and only a label of it is shown."""

    channel: Literal[Channel.CHAT]
    url: ChatUrl

    @property
    def given(self) -> Given:
        return self.url.get_secret_value()


class PushKeys(WriteSchema):
    p256dh: PushKey
    auth: PushKey


class PushSubscription(WriteSchema):
    """What `PushSubscription.toJSON()` gives in the browser."""

    endpoint: HttpUrl
    keys: PushKeys
    expiration_time: float | None = Field(None, alias="expirationTime", description="Not used.")


class PushMethodCreate(_MethodCreate):
    channel: Literal[Channel.PUSH]
    subscription: PushSubscription

    @property
    def given(self) -> Given:
        keys = self.subscription.keys
        return {
            "endpoint": self.subscription.endpoint,
            "keys": {
                "p256dh": keys.p256dh.get_secret_value(),
                "auth": keys.auth.get_secret_value(),
            },
        }


ContactMethodCreate = Annotated[
    EmailMethodCreate | SmsMethodCreate | WebhookMethodCreate | ChatMethodCreate | PushMethodCreate,
    Field(discriminator="channel"),
]
EXAMPLE_CREATE: dict[str, Any] = {
    "channel": "email",
    "address": "ana.private@example.org",
    "label": "at home",
}


class ContactMethodUpdate(WriteSchema):
    """Only the named fields are written. An address cannot be changed: add the other one."""

    label: Label | None = None
    wants_updates: Flag | None = None

    _kept = not_null("wants_updates")


class CodeWrite(WriteSchema):
    code: str = Field(
        pattern="^[0-9]{6}$", description="The six digits that were sent.", examples=["042137"]
    )


class ContactMethodRead(ReadSchema):
    id: int
    channel: Channel
    address: str = Field(
        description="Of a chat only a label: the rest is secret.", examples=["ana@example.org"]
    )
    label: str | None
    verified_at: Instant | None = Field(description="Null until its code was entered.")
    wants_updates: bool
    created_at: Instant
    updated_at: Instant

    @computed_field(description="Another number for another state; for `If-Match`.")  # type: ignore[prop-decorator]
    @property
    def revision(self) -> int:
        return revision_of(self.id, self.label, self.wants_updates, self.verified_at)


class CodeSentRead(ReadSchema):
    message: str = Field(
        examples=["A code is on its way to ana@example.org; enter it within 15 minutes."]
    )
    expires_at: Instant = Field(description="When the code is good for nothing any more.")


class ContactMethodCreated(ContactMethodRead):
    code_sent: CodeSentRead | None = Field(
        description="Null for a browser that subscribed: nobody else can have done that for it."
    )


class ContactMethodsRead(ReadSchema):
    items: list[ContactMethodRead]


class TestSentRead(ReadSchema):
    notification_id: int = Field(description="What became of it is told under this id.")
    message: str = Field(examples=["A test message is on its way to ana@example.org."])


class PushKeyRead(ReadSchema):
    application_server_key: str = Field(
        description="For `PushManager.subscribe`: a P-256 point, uncompressed, base64url.",
        examples=[
            "BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U"
        ],
    )

"""Logging in, staying logged in, signing up, and coming back after a forgotten password."""

from typing import Annotated

from pydantic import Field

from app.domain.auth import SessionEnd
from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.types import (
    EmailAddress,
    Flag,
    GivenPassword,
    LoginName,
    LongName,
    Password,
    TimeZone,
    Token,
)


class Credentials(WriteSchema):
    username: LoginName = Field(description="The mail address of the account.")
    password: GivenPassword


class TokenRead(ReadSchema):
    access_token: str
    token_type: str = Field(examples=["bearer"])
    expires_in: int = Field(description="Seconds until the access token ends.", examples=[3600])
    refresh_token: str = Field(
        description="Good once, for the next pair. Using it twice ends the login.",
        examples=["trt_Vb2n…"],
    )
    refresh_expires_in: int = Field(
        description="Seconds until the refresh token ends.", examples=[2_592_000]
    )


class RefreshRequest(WriteSchema):
    refresh_token: Token = Field(examples=["trt_Vb2n…"])


class LogoutRequest(WriteSchema):
    everywhere: Annotated[
        Flag, Field(description="End every login of this account, not only this.", examples=[True])
    ] = False


class SignupRequest(WriteSchema):
    email: EmailAddress
    password: Password = Field(examples=["correct horse battery"])
    full_name: LongName | None = Field(None, examples=["Ana Díaz"])
    time_zone: TimeZone = "UTC"


class LinkRequest(WriteSchema):
    token: Token = Field(
        description="The last part of the link in the mail.", examples=["tlk_8Zq1…"]
    )


class RecoveryRequest(WriteSchema):
    email: EmailAddress


class ResetRequest(LinkRequest):
    new_password: Password = Field(examples=["correct horse battery"])


class PasswordChange(WriteSchema):
    current_password: GivenPassword = Field(examples=["the old one"])
    new_password: Password = Field(examples=["correct horse battery"])


class SentRead(ReadSchema):
    message: str = Field(examples=["If there is an account for this address, a mail is coming."])


class SessionRead(ReadSchema):
    id: int
    is_current: bool = Field(description="Whether this is the login that asks.")
    address: str | None = Field(description="Where it came from.", examples=["203.0.113.7"])
    user_agent: str | None
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    end_reason: SessionEnd | None

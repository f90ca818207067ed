"""Logging in."""

from pydantic import Field

from app.schemas.base import ReadSchema, WriteSchema
from app.schemas.types import GivenPassword, LoginName


class Credentials(WriteSchema):
    username: LoginName = Field(description="The mail address of the account.")
    password: GivenPassword


class TokenRead(ReadSchema):
    access_token: str
    token_type: str = Field(examples=["bearer"])
    expires_in: int = Field(description="Seconds until the token ends.", examples=[3600])

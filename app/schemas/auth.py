"""Logging in."""

from pydantic import Field, SecretStr

from app.schemas.base import ReadSchema, WriteSchema
from app.schemas.types import Text


class Credentials(WriteSchema):
    username: Text = Field(max_length=255, description="The mail address of the account.")
    password: SecretStr = Field(max_length=1000)


class TokenRead(ReadSchema):
    access_token: str
    token_type: str = Field(examples=["bearer"])
    expires_in: int = Field(description="Seconds until the token ends.", examples=[3600])

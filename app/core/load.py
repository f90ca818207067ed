"""The settings of this process, read and checked as a whole.

Here stands what is wrong only together, or only in production.
"""

from collections.abc import Callable

from pydantic import ValidationError

from app.core import addresses, guessable
from app.core.config import Settings
from app.core.errors import SetupError

Rule = tuple[Callable[[Settings], object], str]

CONTRADICTIONS: tuple[Rule, ...] = (
    (
        lambda s: 0 < sum(map(bool, _twilio(s))) < 3,
        "TOCSIN_TWILIO_ACCOUNT_SID, TOCSIN_TWILIO_AUTH_TOKEN and TOCSIN_TWILIO_FROM belong"
        " together; set all three or none.",
    ),
    (
        lambda s: s.smtp_backup_url and not s.smtp_url,
        "TOCSIN_SMTP_BACKUP_URL means nothing alone; set TOCSIN_SMTP_URL, too.",
    ),
    (
        lambda s: (
            not s.sms_gateway_url
            and (s.sms_gateway_token or s.sms_gateway_body or s.sms_gateway_status_url)
        ),
        "TOCSIN_SMS_GATEWAY_TOKEN, TOCSIN_SMS_GATEWAY_BODY and TOCSIN_SMS_GATEWAY_STATUS_URL"
        " mean nothing alone; set TOCSIN_SMS_GATEWAY_URL, too.",
    ),
)
MAKE_A_KEY = "make one with `openssl rand -base64 48`"
UNSAFE_IN_PRODUCTION: tuple[Rule, ...] = (
    (
        lambda s: s.public_url is None,
        "TOCSIN_PUBLIC_URL is not set; set it to the https:// address where people reach Tocsin,"
        " for every link in a message begins with it.",
    ),
    (
        lambda s: s.public_url is not None and not s.public_url.startswith("https://"),
        "TOCSIN_PUBLIC_URL is not https, so passwords would cross the network in the clear; put"
        " Tocsin behind a proxy that does TLS and set its https:// address.",
    ),
    (
        lambda s: s.secret_key is None and s.database_url is not None,
        "TOCSIN_SECRET_KEY is not set, so another replica on the same DATABASE_URL would refuse"
        f" this one’s tokens and links; {MAKE_A_KEY} and set it on all of them.",
    ),
    (
        lambda s: s.secret_key and guessable.is_guessable_key(s.secret_key.get_secret_value()),
        f"TOCSIN_SECRET_KEY can be guessed; {MAKE_A_KEY}.",
    ),
    (
        lambda s: s.password_rounds < 10,
        "TOCSIN_PASSWORD_ROUNDS is below 10, which makes stolen password hashes cheap to break;"
        " set it to 12, or leave it out.",
    ),
    (
        lambda s: (password := _first_password(s)) and len(password) < 12,
        "TOCSIN_FIRST_ADMIN_PASSWORD has fewer than 12 characters; set a longer one, or none and"
        " Tocsin makes and prints one.",
    ),
    (
        lambda s: (password := _first_password(s)) and guessable.is_guessable_password(password),
        "TOCSIN_FIRST_ADMIN_PASSWORD is among the first that anybody would try; set another, or"
        " none and Tocsin makes and prints one.",
    ),
    (
        lambda s: s.smtp_url is None,
        "TOCSIN_SMTP_URL is not set, so no page and no link to a new password could leave by"
        " mail; set it to your mail server, such as smtp://user:password@mail.example.org:587.",
    ),
    (
        lambda s: addresses.is_of_this_machine(s.mail_from),
        "TOCSIN_MAIL_FROM is an address of this machine, which mail servers refuse; set it to one"
        " of your domain, such as Tocsin <tocsin@example.org>.",
    ),
    (
        lambda s: addresses.ANY in s.allowed_origins,
        "TOCSIN_CORS_ORIGINS lets in every website; list the origins that may call the API.",
    ),
    (
        lambda s: addresses.covers_everything(s.trusted_proxies),
        "TOCSIN_TRUSTED_PROXIES trusts everybody, so anybody could pretend to come from any"
        " address; list the addresses of your proxies.",
    ),
    (
        lambda s: addresses.covers_everything(s.allow_private_targets),
        "TOCSIN_ALLOW_PRIVATE_TARGETS allows every network, so a webhook could reach whatever"
        " this machine can; list the networks that webhooks are for.",
    ),
    (
        lambda s: s.log_level == "debug",
        "TOCSIN_LOG_LEVEL is debug, which logs what nobody should keep; set it to info, or leave"
        " it out.",
    ),
)


def _twilio(settings: Settings) -> tuple[object, object, object]:
    return settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from


def _first_password(settings: Settings) -> str:
    given = settings.first_admin_password
    return given.get_secret_value() if given else ""


def load_settings(**overrides: object) -> Settings:
    """The settings of this process, or a SetupError that tells what is wrong with them."""
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # keyword overrides by name
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        name = name if name.startswith("TOCSIN_") else f"TOCSIN_{name}"
        why = str(first["msg"]).removeprefix("Value error, ")
        raise SetupError(f"The setting {name} is wrong: {why}.") from None
    rules = CONTRADICTIONS + (UNSAFE_IN_PRODUCTION if settings.is_production else ())
    faults = [sentence for is_broken, sentence in rules if is_broken(settings)]
    if len(faults) > 1:
        shown = "".join(f"\n  - {fault}" for fault in faults)
        raise SetupError(f"{len(faults)} things must change before Tocsin can start:{shown}")
    if faults:
        raise SetupError(faults[0])
    return settings

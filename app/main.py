"""The composition root: everything is built here, once, from the settings."""

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import SecretStr

from app.api import errors, health, ingest, limited, metrics, middleware, statuspage
from app.api.limits import Limits
from app.api.listening import LISTEN_EVERY, LISTENING, Listening
from app.api.state import NoLoops, Pulse, Service
from app.api.v1.api import router as v1
from app.api.watch import Watch
from app.channels.base import Sender
from app.channels.calendar import CalendarFetcher
from app.channels.chat import ChatSender
from app.channels.email import SmtpSender, parse_smtp_url
from app.channels.fallback import Fallback
from app.channels.outbox import OutboxSender
from app.channels.push import PushSender
from app.channels.push_seal import vapid_public_key
from app.channels.sms_gateway import SmsGatewaySender
from app.channels.subscriber import SubscriberSender
from app.channels.targets import objection_to, parse_networks
from app.channels.twilio import TwilioSender
from app.channels.unconfigured import UnconfiguredSender
from app.channels.webhook import WebhookSender
from app.core.config import Settings
from app.core.errors import SetupError
from app.core.metrics import Metrics
from app.core.security import Passwords, Signer, Vault
from app.core.version import VERSION
from app.db.listen import Bell
from app.db.redis import SharedStore
from app.db.session import Database
from app.domain.bundle import PageLimit
from app.domain.notification import Channel
from app.services import audit_log
from app.services.subscriber_keys import Keys
from app.web import router as web
from app.web.exporting import Exporting
from app.worker import Worker
from app.worker.calendars import Calendars
from app.worker.compose import composer
from app.worker.loop import Loop
from app.worker.runner import Monitor
from app.worker.telling import Telling
from app.worker.webhooks import Webhooks

DESCRIPTION = """
Alerts come in, one problem opens one incident, the right person is paged, until somebody answers.

Log in with *Authorize* (mail address and password). Monitoring tools use an integration's key
instead. Every error has the same shape: `code`, `message`, `request_id`, `details`.
"""


PAGING_POOL = 5  # connections, besides those that requests share
CALENDAR_POOL = 2  # likewise, for the calendars that schedules follow
WEBHOOK_POOL = 3  # likewise, for what goes to webhook subscriptions


@dataclass(frozen=True)
class Setup:
    """The settings, with everything resolved that they left open."""

    settings: Settings
    database_url: str
    data_dir: Path
    secret_key: str
    public_url: str


def build_senders(settings: Settings, data_dir: Path, signer: Signer) -> list[Sender]:
    """One sender a channel, as far as this installation can; the rest say that they cannot."""
    private = parse_networks(settings.allow_private_targets)
    timeout = _send_timeout(settings)
    built: dict[Channel, Sender] = {
        Channel.EMAIL: _email_sender(settings, data_dir),
        Channel.SMS: _sms_sender(settings) or UnconfiguredSender(Channel.SMS),
        Channel.PUSH: PushSender(
            push_key(signer), subject=_push_contact(settings), allowed=private, timeout=timeout
        ),
        Channel.CHAT: ChatSender(allowed=private, timeout=timeout),
        Channel.WEBHOOK: WebhookSender(
            webhook_secret(settings, signer), VERSION, allowed=private, timeout=timeout
        ),
    }
    return [built[channel] for channel in Channel]


def _send_timeout(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.send_timeout_seconds)


def _email_sender(settings: Settings, data_dir: Path) -> Sender:
    outbox = OutboxSender(data_dir / "outbox", settings.mail_from)
    if settings.smtp_url is None:
        return outbox
    first = _smtp_sender(settings, settings.smtp_url, "TOCSIN_SMTP_URL", outbox)
    if settings.smtp_backup_url is None:
        return first
    second = _smtp_sender(settings, settings.smtp_backup_url, "TOCSIN_SMTP_BACKUP_URL", outbox)
    return Fallback(first, second)


def _smtp_sender(settings: Settings, url: SecretStr, name: str, aside: Sender) -> SmtpSender:
    try:
        server = parse_smtp_url(url.get_secret_value())
    except SetupError as error:
        raise SetupError(str(error).replace("TOCSIN_SMTP_URL", name)) from None
    return SmtpSender(server, settings.mail_from, timeout=_send_timeout(settings), aside=aside)


def _sms_sender(settings: Settings) -> Sender | None:
    """The gateway before Twilio, where both are set."""
    gateway, twilio = _sms_gateway(settings), _twilio(settings)
    if gateway is not None and twilio is not None:
        return Fallback(gateway, twilio)
    return gateway or twilio


def _sms_gateway(settings: Settings) -> Sender | None:
    if settings.sms_gateway_url is None:
        return None
    token, status_url = settings.sms_gateway_token, settings.sms_gateway_status_url
    return SmsGatewaySender(
        settings.sms_gateway_url.get_secret_value(),
        token=token.get_secret_value() if token else None,
        body=settings.sms_gateway_body,
        id_field=settings.sms_gateway_id_field,
        status_url=status_url.get_secret_value() if status_url else None,
        timeout=_send_timeout(settings),
    )


def _twilio(settings: Settings) -> Sender | None:
    sid, token, number = (
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        settings.twilio_from,
    )
    if sid is None or token is None or number is None:
        return None
    return TwilioSender(
        sid,
        token.get_secret_value(),
        number,
        api_url=settings.twilio_api_url,
        timeout=_send_timeout(settings),
    )


def push_key(signer: Signer) -> bytes:
    """What this installation signs its pushes with: browsers subscribe to its public half."""
    return signer.derive("push")


def _push_contact(settings: Settings) -> str:
    """Whom a push service may write to about us."""
    return settings.push_contact or f"mailto:{parseaddr(settings.mail_from)[1]}"


def webhook_secret(settings: Settings, signer: Signer) -> str:
    """What signs our calls: the setting, or one of this installation's own."""
    if settings.webhook_secret is not None:
        return settings.webhook_secret.get_secret_value()
    return "whsec_" + base64.b64encode(signer.derive("webhook signatures")).decode()


def build_vault(signer: Signer) -> Vault:
    """Where this installation keeps what it must be able to send again."""
    return Vault(signer.derive("vault"))


def build_database(setup: Setup) -> Database:
    return Database(setup.database_url, pool_size=setup.settings.database_pool)


def build_store(settings: Settings) -> SharedStore | None:
    """What replicas share besides the database, if there is anything."""
    if settings.redis_url is None:
        return None
    return SharedStore(settings.redis_url.get_secret_value())


def build_subscriber_sender(settings: Settings) -> SubscriberSender:
    """The way to the endpoints of webhook subscriptions."""
    private = parse_networks(settings.allow_private_targets)
    return SubscriberSender(VERSION, allowed=private, timeout=_send_timeout(settings))


def build_webhooks(
    settings: Settings, database: Database, signer: Signer, counted: Metrics | None
) -> Webhooks:
    """What tells subscriptions of events; it keeps no page waiting for a connection."""
    return Webhooks(
        database.beside(pool_size=WEBHOOK_POOL),
        build_subscriber_sender(settings),
        build_vault(signer),
        metrics=counted,
        margin=timedelta(seconds=settings.lease_margin_seconds),
    )


def build_calendars(settings: Settings, database: Database) -> Calendars:
    """What fetches the calendars that schedules follow."""
    private = parse_networks(settings.allow_private_targets)
    fetcher = CalendarFetcher(VERSION, allowed=private, timeout=_send_timeout(settings))
    period = timedelta(minutes=settings.calendar_minutes)
    return Calendars(database.beside(pool_size=CALENDAR_POOL), fetcher, period=period)


def build_monitor(settings: Settings) -> Monitor | None:
    """Whoever wants to hear that we live."""
    if settings.heartbeat_url is None:
        return None
    every = timedelta(seconds=settings.heartbeat_seconds)
    return Monitor(settings.heartbeat_url.get_secret_value(), every)


def build_worker(
    setup: Setup,
    database: Database,
    signer: Signer,
    senders: list[Sender],
    counted: Metrics | None = None,
) -> Worker:
    settings = setup.settings
    return Worker(
        database,
        senders,
        composer(signer, setup.public_url, build_vault(signer)),
        safety_tick=settings.safety_tick,
        fallback_email=settings.fallback_email,
        limit=PageLimit(settings.page_limit, settings.page_window),
        service_limit=settings.storm_limit,
        lease_margin=timedelta(seconds=settings.lease_margin_seconds),
        bodies_kept=timedelta(days=settings.raw_bodies_days),
        events_kept=timedelta(days=settings.events_kept_days),
        audit_kept_days=settings.audit_kept_days,
        drain=timedelta(seconds=settings.drain_seconds),
        monitor=build_monitor(settings),
        metrics=counted,
        webhooks=build_webhooks(settings, database, signer, counted),
        calendars=build_calendars(settings, database),
        telling=Telling(
            database,
            build_senders(settings, setup.data_dir, signer),
            build_subscriber_sender(settings),
            Keys(signer, build_vault(signer)),
            settings,
            setup.public_url,
        ),
    )


def create_app(
    setup: Setup,
    *,
    with_worker: bool = True,
    with_doors: bool = True,
    database: Database | None = None,
) -> FastAPI:
    """The service, with its loops unless they run in processes of their own; without doors it
    serves nothing but what its watchers ask for."""
    settings = setup.settings
    audit_log.listen()
    database = database or build_database(setup)
    signer = Signer(setup.secret_key)
    senders = build_senders(settings, setup.data_dir, signer)
    counted = Metrics()
    # Paging has its own way to the database: no flood of requests keeps a page waiting for one.
    paging = database.beside(pool_size=PAGING_POOL) if with_worker and with_doors else database
    worker = build_worker(setup, paging, signer, senders, counted) if with_worker else None
    pulse: Pulse = worker or NoLoops()
    tester = build_subscriber_sender(settings)
    store = build_store(settings)
    limits = Limits(settings, signer, store)
    listening = Loop(LISTENING, Listening(database).round, longest_sleep=LISTEN_EVERY)
    exports = settings.status_export_dir if with_worker else None
    exporting = Exporting(database, exports, setup.public_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        feed = app.state.service.feed

        def ring(loop: str) -> None:
            feed.ring(loop)
            exporting.ring(loop)
            if worker is not None:
                worker.ring(loop)

        bell = Bell(database, ring)
        bell.start()
        if with_doors:
            listening.start()
        if worker is not None:
            worker.start()
        exporting.start()
        try:
            yield
        finally:
            feed.close()
            await exporting.stop()
            await listening.stop()
            if worker is not None:
                await worker.stop()
            await bell.stop()
            await tester.close()
            if store is not None:
                await store.close()
            await paging.close()
            await database.close()

    app = FastAPI(
        title="Tocsin",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/openapi.json" if with_doors else None,
        docs_url=None,  # our own page serves Swagger UI from our own files
        redoc_url=None,
        redirect_slashes=False,  # the middleware reads both spellings as one
        # Spans only if `telemetry` was started, which sees to it that they tell no secret.
        telemetry={"auto_configure": False, "metrics": False, "logs": False},
    )
    app.state.service = Service(
        settings=settings,
        database=database,
        signer=signer,
        passwords=Passwords(settings.password_rounds),
        vault=build_vault(signer),
        pulse=pulse,
        metrics=counted,
        watch=Watch(),
        started=time.monotonic(),
        limits=limits,
        push_public_key=vapid_public_key(push_key(signer)),
        channel_states=lambda: {str(sender.channel): sender.state() for sender in senders},
        objection=partial(objection_to, allowed=parse_networks(settings.allow_private_targets)),
        send_hook=tester.send,
    )
    errors.install(app)
    if with_doors:
        app.include_router(v1)
        app.include_router(statuspage.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    if with_doors:
        web.install(app)
    middleware.install(
        app,
        metrics=counted,
        limits=limits,
        with_doors=with_doors,
        origins=settings.allowed_origins,
        is_https=setup.public_url.startswith("https://"),
        failure_page=web.failure,
    )
    _describe_keys(app)
    return app


def describe() -> dict[str, Any]:
    """The OpenAPI document, which is the same whatever is set, and needs no database."""
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    unset = Settings.model_construct()
    setup = Setup(unset, nowhere, Path(), "a key that nothing is signed with", "http://localhost")
    return create_app(setup, with_worker=False).openapi()


def _describe_keys(app: FastAPI) -> None:
    """Tell the OpenAPI document how tools send their keys; no dependency of ours reads them."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            document["components"]["securitySchemes"].update(ingest.SECURITY_SCHEMES)
            limited.describe(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it

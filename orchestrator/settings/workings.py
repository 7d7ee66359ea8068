"""How the service works inside: times, sizes and bounds that hardly anybody needs to change."""

from typing import Literal

from pydantic import Field

from orchestrator.configuration.entries import Entry
from orchestrator.configuration.values import Bytes, PerSecond, Seconds, SomeSeconds


class Workings(Entry):
    """A part of `Configuration`."""

    # --- webhooks ---
    webhook_body_limit: Bytes = Field(256 * 1024, description="Bytes of a webhook; LiveKit's have a few KiB.")
    webhook_body_timeout: SomeSeconds = Field(
        5.0, description="To send a webhook's body: the web server itself waits for ever."
    )
    webhook_token_lifetime: SomeSeconds = Field(
        360.0, description="From a webhook token's nbf to its exp; LiveKit signs for 5 min."
    )
    webhook_leeway: Seconds = Field(60.0, le=60, description="How far LiveKit's clock and ours may be apart.")
    webhooks_kept: int = Field(
        1_000,
        ge=0,
        le=10_000,
        description="Webhooks that the screen's inbox shows, and a fifth of as many that were refused; without secrets and"
        " the values of metadata. 0: none.",
    )
    late_webhooks: Seconds = Field(
        5.0,
        description="A webhook so old says that LiveKit's queue of that room is behind: attempts look by listing.",
    )
    late_webhooks_look: SomeSeconds = Field(2.0, description="Between those looks.")

    # --- the store ---
    dedupe_memory: SomeSeconds = Field(
        86_400.0, description="How long an event id is remembered: retries may come a day later."
    )
    session_memory: SomeSeconds = Field(86_400.0, description="How long a finished session is kept.")
    transcript_memory: SomeSeconds = Field(
        86_400.0, description="How long a transcript is kept after the last that was said; agents send none unless told to."
    )
    metadata_warning: Bytes = Field(4 * 1024, description="Bytes of a dispatch's metadata above which the check warns.")
    metadata_limit: Bytes = Field(
        64 * 1024, description="Bytes of a dispatch's metadata that are refused; LiveKit takes 512 KiB."
    )

    # --- the pulse ---
    pulse_period: Seconds = Field(
        3.0,
        description="Between two questions to a verified agent: a killed one is noticed in 7 to 10 s, where LiveKit"
        " needs 21 s. A question costs the server about 1 ms of CPU. 30s on LiveKit Cloud. 0s: each is asked only when it"
        " has joined.",
    )
    pulse_timeout: SomeSeconds = Field(1.5, description="For the answer, which takes 2 to 4 ms of a healthy agent.")
    pulse_silences: int = Field(3, ge=1, description="Unanswered questions in a row before an agent may count as silent.")
    pulse_patience: Seconds = Field(
        7.0, description="From the first unanswered question until an agent may count as silent: short freezes pass."
    )

    # --- the reconciler ---
    reconcile_period: Seconds = Field(
        15.0,
        description="Between two comparisons with LiveKit's listings: no webhooks, yet verified in 30 s. 0s: none.",
    )
    reconcile_jitter: float = Field(
        0.2, ge=0, lt=1, description="The part of the period by which it varies, so that replicas spread."
    )
    adopt: Literal["observe", "dispatch"] = Field(
        "observe",
        description="What becomes of rooms that lived before the first start: observe leaves those whose agent does not"
        " answer to an operator, dispatch treats them as all others.",
    )

    # --- pacing: a burst is what LiveKit loses ---
    slots_start: int = Field(4, ge=1, description="Dispatches under way per agent name at first.")
    slots_floor: int = Field(2, ge=1, description="The fewest, however many were lost.")
    slots_ceiling: int = Field(64, ge=1, description="The most, however many joined.")

    # --- the budget of API calls ---
    api_timeout: SomeSeconds = Field(5.0, description="For a call to LiveKit's API; a pulse has its own timeout.")
    api_budget: PerSecond = Field(
        200.0, description="Calls a second of all replicas together. 10/s on LiveKit Cloud, whose quotas are small."
    )

    # --- ownership ---
    lease_ttl: SomeSeconds = Field(10.0, description="A replica that has not renewed for so long is dead; others take over.")
    lease_renewal: SomeSeconds = Field(2.5, description="Between renewals: three may fail.")
    lease_fence: SomeSeconds = Field(
        6.5,
        description="From when the last renewal was sent until a replica stops by itself, before others take over.",
    )

"""Try the alert channels."""

from datetime import datetime

import click

from claims_assets.alert_settings import AlertSettings
from claims_assets.automation.alerts.channels import NotDelivered, Patience, channels_for, deliver
from claims_assets.automation.alerts.conditions import stamp
from claims_assets.automation.alerts.messages import trial
from claims_assets.cli.errors import NotDone


def send_test(settings: AlertSettings, now: datetime, patience: Patience) -> None:
    """Send one message to each configured channel and say what came of it.

    Raises:
        NotDone: no channel is configured, or one did not take the message.
    """
    channels = channels_for(settings)
    if not channels:
        raise NotDone("No alert channel is configured: set for example CLAIMS_ALERTS_WEBHOOK (docs/alerts.md).")
    failed = []
    for channel in channels:
        try:
            deliver(channel, trial(stamp(now), settings.ui_url), patience)
            click.echo(f"{channel.name:<10} delivered")
        except NotDelivered as why:
            failed.append(channel.name)
            click.echo(f"{channel.name:<10} not delivered: {why}")
    if failed:
        raise NotDone(f"Not delivered: {', '.join(failed)}. See docs/alerts.md on how to configure the channel.")

"""A DICOM node: it receives images, measures them, and sends the reports to a PACS."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fetal_monai.measurement import HeadMeasurer
from fetal_monai.node.health import LOOPBACK, HealthPage
from fetal_monai.node.listener import Listener
from fetal_monai.node.measuring import Measuring
from fetal_monai.node.object_table import State
from fetal_monai.node.sending import Sending
from fetal_monai.node.settings import NodeSettings
from fetal_monai.node.spool import Spool
from fetal_monai.node.steps import StepThread

logger = logging.getLogger(__name__)

_REASONS_SHOWN = 50
_STOP_TIMEOUT_S = 60.0


class Node:
    """Works from the moment it is made until `stop`.

    Args:
        settings: How it listens.
        measurer: Measures the images.
        kinds: Reports to make, see `fetal_monai.dicom_report.build_reports`.
        store: Stores reports in the PACS, see `fetal_monai.node.sending.Sending`.

    Raises:
        OSError: A port is in use, or the folder of the queue cannot be written to.
        sqlite3.Error: Another node uses the folder, or its table is damaged.
    """

    def __init__(
        self,
        settings: NodeSettings,
        measurer: HeadMeasurer,
        kinds: Collection[str],
        store: Callable[[Sequence[Path]], None],
    ) -> None:
        self._spool = spool = Spool(settings.folder)
        self._steps = [
            StepThread(spool, State.RECEIVED, Measuring(spool, measurer, kinds)),
            StepThread(spool, State.REPORTED, Sending(spool, store)),
        ]
        self._listener = Listener(settings, spool)
        self._health = HealthPage(settings.health_port, self.state)
        for step in self._steps:
            step.start()
        host, port = self._listener.address
        logger.info("%s listens at %s:%d", settings.ae_title, host, port)
        if not (settings.accept or ipaddress.ip_address(host).is_loopback):
            logger.warning("everyone who reaches this port is accepted; --accept names those who may call")
        logger.info("health: http://%s:%d/health", LOOPBACK, self._health.port)

    @property
    def is_working(self) -> bool:
        """Whether every part of it is; it does not go on by itself where one is not."""
        return all(step.is_alive() for step in self._steps)

    def state(self) -> dict[str, Any]:
        """Return the counters, and the last objects that have a reason for where they are."""
        counts = self._spool.table.counts()
        counters = {
            "received": sum(counts.values()),
            "waiting": counts[State.RECEIVED] + counts[State.REPORTED],
            "measured": counts[State.REPORTED] + counts[State.SENT] + counts[State.UNREPORTED],
            "sent": counts[State.SENT],
            "unreported": counts[State.UNREPORTED],
            "failed": counts[State.FAILED],
            "rejected": self._listener.rejected,
        }
        entries = self._spool.table.with_reason(_REASONS_SHOWN)
        return {"working": self.is_working, **counters, "reasons": [asdict(entry) for entry in entries]}

    def stop(self) -> None:
        """Stop; the object in hand is finished, and the others wait on the disk."""
        self._listener.stop()
        for step in self._steps:
            step.stop()
        for step in self._steps:
            step.join(_STOP_TIMEOUT_S)
        self._health.stop()
        self._spool.close()
        logger.info("stopped")

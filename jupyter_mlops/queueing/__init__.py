"""Who may run when: `quotas` say what anybody may use, `admission` decides (purely), `queue` keeps what waits in
the catalog and lets whoever wants to run take part in admission."""

from .admission import Admission, Decision, Going, Waiting
from .queue import Queue
from .quotas import Limits, Quotas

__all__ = ["Admission", "Decision", "Going", "Limits", "Queue", "Quotas", "Waiting"]

"""Questions about all customers over time, each a file of its own.

Adding one is a file with its `REPORT` and a line here: page, JSON and CSV follow.
"""

from customer360.reports import (
    acquisition,
    activity,
    cohort_retention,
    customer_base,
    funnel,
    messaging,
    purchase_journey,
    rfm,
    stages,
    tiers,
)
from customer360.reports.model import Report

REPORTS: tuple[Report, ...] = (
    activity.REPORT,
    cohort_retention.REPORT,
    purchase_journey.REPORT,
    funnel.REPORT,
    acquisition.REPORT,
    tiers.REPORT,
    stages.REPORT,
    rfm.REPORT,
    customer_base.REPORT,
    messaging.REPORT,
)
"""Every report, in the order of the navigation."""

"""Campaigns, for programs: the part of /api/v1 that belongs to campaigns."""

from ninja import Router

from standfast.components.campaigns.endpoints import campaigns, sending

router = Router()
router.add_router("", campaigns.router)
router.add_router("", sending.router)

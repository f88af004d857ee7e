"""Contents and images, for programs: the part of /api/v1 that belongs to content."""

from ninja import Router

from standfast.components.content.endpoints import contents, images

router = Router()
router.add_router("", contents.router)
router.add_router("", images.router)

"""DRC for ComfyUI: personalised pictures from disentangled representations."""

from .nodes import DRCExtension

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> DRCExtension:
    return DRCExtension()

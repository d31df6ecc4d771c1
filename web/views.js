// The view that our templates are laid out for. Newer pages fit every template into the window, whatever its view is,
// and so draw a wide one too small to be read, on the canvas as boxes without words. Here they open ours in its view,
// as they open any other workflow, and as older pages open all.
import { app } from "../../scripts/app.js"

const load = app.loadGraphData

app.loadGraphData = function (workflow, clean, view, name, options) {
    const ours = workflow?.nodes?.some?.(node => String(node?.type).startsWith("DRC_"))
    const own = ours && options?.openSource === "template" ? { openSource: undefined } : {}
    return load.call(this, workflow, clean, view, name, { ...options, ...own })
}

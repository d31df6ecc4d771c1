// Labels of our settings, read whole. Where nodes are not drawn on the canvas, page 1.32.9 gives each of them 80 pixels
// and cuts what is longer. Here the column of a node is as wide as its longest one, in any language.
import { app } from "../../scripts/app.js"

const LEAST = 80, MOST = 130 // pixels; beyond it nothing would be left for values
const SHOWN = ["number", "text", "toggle", "combo"] // kinds of settings that stand beside their label
const pen = document.createElement("canvas").getContext("2d")
const rules = new CSSStyleSheet()
const known = new Set()

app.registerExtension({
    name: "DRC.Labels",
    setup() {
        document.adoptedStyleSheets.push(rules)
    },
    nodeCreated(node) {
        const kind = node.comfyClass ?? ""
        if (!kind.startsWith("DRC_") || known.has(kind)) return
        known.add(kind)
        pen.font = `12px ${getComputedStyle(document.body).fontFamily}`
        const shown = (node.widgets ?? []).filter(one => SHOWN.includes(one.type) && !one.options?.canvasOnly)
        const widest = Math.max(...shown.map(({ label, name }) => pen.measureText(label || name).width))
        const width = Math.min(Math.ceil(widest) + 1, MOST)
        if (width <= LEAST) return
        rules.insertRule(`.lg-node-widgets:has([node-type="${kind}"]) .w-20 { width: ${width}px }`)
    },
})

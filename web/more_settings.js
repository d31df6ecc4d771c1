// The many settings of a training that a beginner does not need, behind a button. Newer pages fold what schemas call
// advanced by themselves, but not on the canvas; there every page can, and marks nothing to be folded.
import { app } from "../../scripts/app.js"

const ALL = "Comfy.Node.AlwaysShowAdvancedWidgets" // a setting of pages that fold
const MANY = 4
const page = document.querySelector("#vue-app")?.__vue_app__
const messages = page?._context?.provides?.[page.__VUE_I18N_SYMBOL__]?.global

function show(node, more, button) {
    const text = node.showAdvanced ? "drc.fewerSettings" : "drc.moreSettings"
    if (messages?.te(text)) button.name = button.label = messages.t(text) // each way shows another one
    if (button.options.canvasOnly) return
    for (const widget of more) widget.options.hidden = !node.showAdvanced // for the other way to draw nodes
    node.widgets.push(node.widgets.pop()) // so that the page looks at all of them again
}

app.registerExtension({
    name: "DRC.MoreSettings",
    nodeCreated(node) {
        const ours = node.comfyClass?.startsWith("DRC_") ? node.widgets ?? [] : []
        const more = ours.filter(one => one.options?.advanced)
        const { setting } = app.extensionManager, canvasOnly = ALL in setting.settings
        if (more.length < MANY || (canvasOnly && setting.get(ALL))) return
        const computeSize = { get: () => (node.showAdvanced ? undefined : () => [0, -4]) } // no room on the canvas
        for (const one of more) Object.defineProperty(one, "computeSize", computeSize).advanced = true
        const press = () => {
            node.showAdvanced = !node.showAdvanced
            show(node, more, button)
            if (!LiteGraph.vueNodesMode) node.setSize([node.size[0], node.computeSize()[1]])
            node.setDirtyCanvas(true, true)
        }
        const button = node.addWidget("button", "more settings", null, press, { serialize: false, canvasOnly })
        button.serialize = false // nor in files
        const configured = node.onConfigure
        node.onConfigure = (...given) => (configured?.apply(node, given), show(node, more, button)) // as it was saved
        show(node, more, button)
    },
})

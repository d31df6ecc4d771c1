// What our nodes said, kept on them. Page 1.58 takes it off when a run ends, as it does with mere progress; of ours it
// is the report of a set, or where a file was saved. Here it is said again, until the node runs another time.
import { api } from "../../scripts/api.js"
import { app } from "../../scripts/app.js"

const ENDS = ["execution_success", "execution_error", "execution_interrupted"]
const SHOWN = "$$node-text-preview" // the page's name of the widget
const said = new Map() // node -> what it said last

const nodeOf = id => (id ? app.canvas?.graph?.getNodeById(id) : undefined)

function again() {
    for (const [node, detail] of said) {
        if (!node.graph) said.delete(node)
        else if (node.graph === app.canvas.graph && !node.widgets?.some(one => one.name === SHOWN))
            api.dispatchCustomEvent("progress_text", { nodeId: detail.nodeId, text: detail.text })
    }
}

api.addEventListener("executing", ({ detail }) => said.delete(nodeOf(detail)))
api.addEventListener("progress_text", ({ detail }) => {
    const node = nodeOf(detail?.nodeId)
    if (node?.comfyClass?.startsWith("DRC_")) said.set(node, detail)
})
for (const end of ENDS) api.addEventListener(end, () => setTimeout(again))

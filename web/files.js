// Many files in one list, on My Pictures. Where nodes are drawn on the canvas, a page takes what is chosen in a list
// for a text, and stops drawing at several (`_displayValue` of its ComboWidget), unless the list words them. Where they
// are drawn otherwise it shows one that is in the list, or the words that stand for none, and the button for files
// takes one: here it takes many, as if they were dropped.
import { app } from "../../scripts/app.js"

app.registerExtension({
    name: "DRC.Files",
    nodeCreated(node) {
        const files = node.comfyClass === "DRC_MyPictures" && node.widgets?.find(one => one.name === "files")
        if (!files) return
        const several = () => (Array.isArray(files.value) ? files.value.join(", ") : "")
        const isOne = name => typeof name === "string" && name && !name.includes(",")
        files.options.getOptionLabel = name => (isOne(name) ? name : several() || name || "")
        Object.defineProperty(files.options, "placeholder", { get: () => several() || undefined, enumerable: true })
    },
})

function owner({ target }) {
    const place = target.type === "file" && target.closest("[data-node-id]")
    const node = place && app.canvas.graph.getNodeById(place.dataset.nodeId)
    return node?.comfyClass === "DRC_MyPictures" ? node : undefined
}

document.addEventListener("click", event => owner(event) && (event.target.multiple = true), true)
document.addEventListener("change", event => {
    const node = owner(event)
    if (!node) return
    event.stopImmediatePropagation()
    node.pasteFiles([...event.target.files])
    event.target.value = "" // so that the same ones can be chosen again
}, true)

// Many files in one list, on My Pictures. Where nodes are drawn on the canvas, page 1.32.9 takes what is chosen in a
// list for a text, and stops drawing at several (`_displayValue` of its ComboWidget), unless the list words them. Where
// they are drawn otherwise it shows one that is in the list, or the words that stand for none.
import { app } from "../../scripts/app.js"

app.registerExtension({
    name: "DRC.Files",
    nodeCreated(node) {
        const files = node.comfyClass === "DRC_MyPictures" && node.widgets?.find(one => one.name === "files")
        if (!files) return
        const several = () => (Array.isArray(files.value) ? files.value.join(", ") : "")
        files.options.getOptionLabel = name => (name && !name.includes(",") ? name : several() || name || "")
        Object.defineProperty(files.options, "placeholder", { get: () => several() || undefined, enumerable: true })
    },
})

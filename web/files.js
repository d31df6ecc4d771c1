// Many files in one list, on My Pictures. Where nodes are drawn on the canvas, page 1.32.9 takes what is chosen in a
// list for a text, and stops drawing at several (`_displayValue` of its ComboWidget), unless the list words them.
import { app } from "../../scripts/app.js"

app.registerExtension({
    name: "DRC.Files",
    nodeCreated(node) {
        const files = node.comfyClass === "DRC_MyPictures" && node.widgets?.find(one => one.name === "files")
        if (files) files.options.getOptionLabel = names => names ?? ""
    },
})

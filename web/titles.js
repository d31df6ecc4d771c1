// *My Pictures* in templates: its name ends in words for the search, which are too long for a title that stands beside
// others. A template calls it by the rest; here that is in the language of the page.
import { app } from "../../scripts/app.js"

app.registerExtension({
    name: "DRC.Titles",
    loadedGraphNode(node) {
        if (node.comfyClass !== "DRC_MyPictures" || node.title !== "My Pictures") return
        node.title = node.constructor.title.split(/ ?[(\uff08]/)[0]
    },
})

// The files on My Pictures as pictures, before a run shows them. Page 1.58 asks for one picture that is called by all
// their names; here it is told that they are several, as older pages know.
const stores = document.querySelector("#vue-app")?.__vue_app__?.config?.globalProperties?.$pinia

function filesOf(node) {
    const files = node?.comfyClass === "DRC_MyPictures" && node.widgets?.find(one => one.name === "files")?.value
    return Array.isArray(files) && files.length ? files : undefined
}

function watch(store) {
    if (store?.$id !== "nodeOutput") return
    store.$onAction(({ name, args }) => {
        if (name === "setNodeOutputs") args[1] = filesOf(args[0]) ?? args[1]
    }, true)
}

if (stores) {
    watch(stores._s?.get("nodeOutput"))
    stores.use(({ store }) => watch(store))
}

// Our cards in the template browser. Of templates of packs the page knows the names of their files and no more.
// Here they get title, sentence, tags and order; the texts stand in locales/*/main.json, as the page has its own.
const ORDER = [
    ...["complete_my_set", "personalise", "from_words", "style_card", "look_closer", "evaluate"],
    ...["train_disentanglement", "train_personalisation", "janus_words", "janus_personalise"],
    ...["lavit_reconstruct", "lavit_personalise"],
]
// The page sorts by a date and puts what has none last; files have that of their download. So it is this version's.
const SAME = { tags: ["DRC", "Style", "Icons, emoji"], date: "2026-11-30" }
const PACK = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-2))
const page = document.querySelector("#vue-app")?.__vue_app__
const messages = page?._context?.provides?.[page.__VUE_I18N_SYMBOL__]?.global
const stores = page?.config?.globalProperties?.$pinia

function describe(templates) {
    const ours = templates.filter(one => one.sourceModule === PACK)
    const places = ours.map(one => templates.indexOf(one))
    for (const one of ours) {
        const text = kind => messages.t(`templateWorkflows.${kind}.drc-personalize.${one.name}`)
        Object.assign(one, SAME, { title: `DRC: ${text("template")}`, description: text("templateDescription") })
    }
    ours.sort((one, other) => ORDER.indexOf(one.name) - ORDER.indexOf(other.name))
    places.forEach((place, number) => (templates[place] = ours[number]))
}

function watch(store) {
    if (store?.$id !== "workflowTemplates") return
    store.$onAction(({ name, after }) => {
        if (name === "loadWorkflowTemplates") after(() => describe(store.enhancedTemplates))
    })
}

if (messages && stores) {
    watch(stores._s?.get("workflowTemplates"))
    stores.use(({ store }) => watch(store))
}

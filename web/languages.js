// Our texts in the languages of the page. Page 1.32.9 reads a language of its own after it got the texts of packs, and
// forgets them over it; here they are laid over it again whenever it reads one. Newer pages do so themselves.
import { api } from "../../scripts/api.js"

const page = document.querySelector("#vue-app")?.__vue_app__
const messages = page?._context?.provides?.[page.__VUE_I18N_SYMBOL__]?.global

if (messages?.mergeLocaleMessage && messages.setLocaleMessage) {
    const ours = await (await api.fetchApi("/i18n")).json()
    const layOver = language => ours[language] && messages.mergeLocaleMessage(language, ours[language])
    const set = messages.setLocaleMessage
    messages.setLocaleMessage = (language, texts) => {
        set(language, texts)
        layOver(language)
    }
    messages.availableLocales.forEach(layOver)
}

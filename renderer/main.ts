// The window's start: one Vue app, one store room, one book of words. What it can ask of the station came in through the
// preload as `window.slotwright`; nothing else of the machine is reachable from here.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import './looks/tokens.css'
import './looks/base.css'
import './looks/controls.css'
import { words } from './words/words.ts'

createApp(App).use(createPinia()).use(words).mount('#app')

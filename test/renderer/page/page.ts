// The window in a plain browser over the fake station: `npx vite test/renderer/page`, then ?state=mixed&bays=64&names=long.
import { fakeApi } from '../fake.ts'

const query = new URLSearchParams(location.search)
window.slotwright = fakeApi({
  bays: Number(query.get('bays') ?? 8), state: query.get('state') ?? 'attached', names: query.get('names') ?? 'short', start: query.get('start') ?? 'ok',
  ...(query.has('map') ? { map: true } : {}), ...(query.has('question') ? { question: query.get('question') ?? '' } : {}),
})
await import('../../../renderer/main.ts')

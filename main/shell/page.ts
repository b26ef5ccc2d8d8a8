// The window's page, served by a scheme of its own out of the built renderer. Only files that were there at start are
// served, looked up in a table, so no path from the window is ever joined to one on disk. Every answer carries the policy.
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

export const pageScheme = 'app'
export const pageOrigin = `${pageScheme}://slotwright`
export const pageUrl = `${pageOrigin}/index.html`

/** No inline script or style, no connection, no frame, no form: the page shows and asks, and the bridge does. */
export const contentPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'none'", "base-uri 'none'",
  "form-action 'none'", "object-src 'none'", "frame-src 'none'", "frame-ancestors 'none'", "worker-src 'none'",
].join('; ')

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2',
}
const filesMax = 500
const noBody: Readonly<Record<string, string>> = { 'Content-Security-Policy': contentPolicy, 'X-Content-Type-Options': 'nosniff' }

/** Answers requests for the page's files under `folder`; everything else is 404, every method but GET 405. */
export function makePage(folder: string): (request: Request) => Response {
  const files = new Map<string, string>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || files.size >= filesMax) continue
    const path = join(entry.parentPath, entry.name)
    files.set(path.slice(folder.length).replaceAll('\\', '/').replace(/^\/?/, '/'), path)
  }
  return (request) => {
    const url = new URL(request.url)
    if (request.method !== 'GET') return new Response(null, { status: 405, headers: noBody })
    const path = `${url.protocol}//${url.host}` === pageOrigin ? files.get(url.pathname) : undefined
    const type = path === undefined ? undefined : types[extname(path)]
    if (path === undefined || type === undefined) return new Response(null, { status: 404, headers: noBody })
    return new Response(new Uint8Array(readFileSync(path)), { headers: { ...noBody, 'Content-Type': type, 'Cache-Control': 'no-store', 'Cross-Origin-Opener-Policy': 'same-origin' } })
  }
}

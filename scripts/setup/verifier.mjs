// Builds the stand-alone verifier into out/verify: slotwright-verify.js for plain Node, and verify.html for any browser,
// each one file with everything in it. `npm run build` does this after the app. The program is CommonJS,
// so that a copy of the file alone runs in every Node from version 20 on.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'

const root = join(import.meta.dirname, '..', '..')

async function bundled(entry, node) {
  const made = await build({
    configFile: false,
    root,
    logLevel: 'error',
    build: {
      write: false,
      target: node ? 'node20' : 'es2022',
      minify: !node,
      lib: { entry: join(root, 'main', 'verifier', entry), formats: [node ? 'cjs' : 'iife'], name: 'slotwright', fileName: 'program' },
      rolldownOptions: { external: node ? [/^node:/] : [], output: { codeSplitting: false } },
    },
  })
  const outputs = [made].flat().flatMap(({ output }) => output)
  if (outputs.length !== 1) throw new Error(`the verifier must be one file, and ${outputs.length} came out`)
  return outputs[0].code
}

/** Writes both files; `outDir` is out/verify unless told. */
export async function buildVerifier(outDir = join(root, 'out', 'verify')) {
  const program = await bundled('slotwright-verify.ts', true)
  const page = await bundled('page.ts', false)
  rmSync(outDir, { recursive: true, force: true })
  mkdirSync(outDir, { recursive: true })
  writeFileSync(join(outDir, 'package.json'), '{ "type": "commonjs" }\n')
  writeFileSync(join(outDir, 'slotwright-verify.js'), `#!/usr/bin/env node\n${program}`, { mode: 0o755 })
  const html = readFileSync(join(root, 'main', 'verifier', 'page.html'), 'utf8')
  // A closing tag inside a string of the program would end the script.
  writeFileSync(join(outDir, 'verify.html'), html.replace('/*program*/', () => page.replaceAll('</script', '<\\/script')))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildVerifier()

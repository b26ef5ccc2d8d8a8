// Sources as electronegativity can read them. Its parsers are of 2021: types, private fields and Vue's files would each be
// an error, and a file that is not read has no findings. So TypeScript is made into the JavaScript of 2017, a Vue file into
// its script and its template, and what was built is brought down to the same language.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import ts from 'typescript'
import { parse } from 'vue/compiler-sfc'

const filesMax = 5_000
const options = { target: ts.ScriptTarget.ES2017, module: ts.ModuleKind.ESNext, allowJs: true, removeComments: false }
const plainScript = (text, fileName) => ts.transpileModule(text, { compilerOptions: options, fileName, reportDiagnostics: false }).outputText

function filesBelow(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  if (found.length > filesMax) throw new Error(`${folder} has more than ${filesMax} files`)
  return found
}

/** Writes what lies in `folders` of `root` into `to`, readable; gives how many files that are, by ending. */
export function writePlain(root, folders, to) {
  const counts = {}
  const put = (name, text) => {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    writeFileSync(join(to, name), text)
  }
  for (const path of folders.filter((name) => existsSync(join(root, name))).flatMap((name) => filesBelow(join(root, name)))) {
    const name = relative(root, path).replaceAll('\\', '/')
    const end = extname(path)
    if (!['.ts', '.js', '.cjs', '.mjs', '.vue', '.html'].includes(end) || name.endsWith('.d.ts')) continue
    counts[end] = (counts[end] ?? 0) + 1
    const text = readFileSync(path, 'utf8')
    if (end === '.html') put(name, text)
    else if (end === '.vue') {
      const { descriptor } = parse(text, { sourceMap: false })
      const script = [descriptor.script?.content, descriptor.scriptSetup?.content].filter(Boolean).join('\n')
      put(`${name}.js`, plainScript(script, 'view.ts'))
      put(`${name}.html`, descriptor.template?.content ?? '')
    } else put(name.replace(/\.(ts|cjs|mjs)$/, '.js'), plainScript(text, end === '.ts' ? 'file.ts' : 'file.js'))
  }
  cpSync(join(root, 'package.json'), join(to, 'package.json'))
  return counts
}

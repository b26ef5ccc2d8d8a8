// Which PKCS#11 modules a machine has: the places their makers install them to, and what p11-kit was told of (its *.module
// files, p11-kit(8)). Nothing is loaded here: loading is running a vendor's code, and happens in a process of its own.
import { readFile, readdir, stat } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import { Failure } from '../base/failure.ts'

export type KnownModule = Readonly<{ name: string; path: string }>

const modulesMax = 64
const configBytesMax = 16 * 1024

const lib = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
const linux: readonly KnownModule[] = [
  ...lib.map((folder) => ({ name: 'SoftHSM', path: `${folder}/softhsm/libsofthsm2.so` })),
  ...lib.flatMap((folder) => [
    { name: 'OpenSC', path: `${folder}/opensc-pkcs11.so` },
    { name: 'YubiKey PIV', path: `${folder}/libykcs11.so` },
    { name: 'YubiHSM', path: `${folder}/pkcs11/yubihsm_pkcs11.so` },
    { name: 'TPM 2.0', path: `${folder}/libtpm2_pkcs11.so` },
    { name: 'Nitrokey HSM (sc-hsm-embedded)', path: `${folder}/libsc-hsm-pkcs11.so` },
    { name: 'Nitrokey NetHSM', path: `${folder}/nethsm/libnethsm_pkcs11.so` },
  ]),
  { name: 'AWS CloudHSM', path: '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so' },
  { name: 'Thales Luna', path: '/usr/safenet/lunaclient/lib/libCryptoki2_64.so' },
  { name: 'Entrust nShield', path: '/opt/nfast/toolkits/pkcs11/libcknfast.so' },
  { name: 'Utimaco', path: '/opt/utimaco/lib/libcs_pkcs11_R3.so' },
  { name: 'Securosys Primus', path: '/usr/local/primus/lib/libprimusP11.so' },
]
const mac: readonly KnownModule[] = [
  { name: 'SoftHSM', path: '/opt/homebrew/lib/softhsm/libsofthsm2.so' },
  { name: 'SoftHSM', path: '/usr/local/lib/softhsm/libsofthsm2.so' },
  { name: 'OpenSC', path: '/Library/OpenSC/lib/opensc-pkcs11.so' },
  { name: 'YubiKey PIV', path: '/opt/homebrew/lib/libykcs11.dylib' },
  { name: 'YubiKey PIV', path: '/usr/local/lib/libykcs11.dylib' },
]
const windows: readonly KnownModule[] = [
  { name: 'SoftHSM', path: 'C:\\SoftHSM2\\lib\\softhsm2-x64.dll' },
  { name: 'OpenSC', path: 'C:\\Program Files\\OpenSC Project\\OpenSC\\pkcs11\\opensc-pkcs11.dll' },
  { name: 'YubiKey PIV', path: 'C:\\Program Files\\Yubico\\Yubico PIV Tool\\bin\\libykcs11.dll' },
]
const p11KitFolders = ['/usr/share/p11-kit/modules', '/etc/pkcs11/modules']
const p11KitLibraries = ['/usr/lib/x86_64-linux-gnu/pkcs11', '/usr/lib/aarch64-linux-gnu/pkcs11', '/usr/lib64/pkcs11', '/usr/lib/pkcs11']
/** Modules that show certificates of the system or other modules, and hold no key of their own. */
const withoutKeys = /p11-kit-(trust|proxy|client)/

/** Modules that are installed here, each path once. */
export async function installedModules(platform: NodeJS.Platform = process.platform): Promise<KnownModule[]> {
  const usual = platform === 'win32' ? windows : platform === 'darwin' ? mac : linux
  const told = platform === 'linux' ? await p11KitModules() : []
  const found: KnownModule[] = []
  for (const module of [...usual, ...told]) {
    if (found.length === modulesMax) break
    if (withoutKeys.test(module.path) || found.some((one) => basename(one.path) === basename(module.path))) continue
    if ((await stat(module.path).catch(() => null))?.isFile() === true) found.push(module)
  }
  return found
}

async function p11KitModules(): Promise<KnownModule[]> {
  const modules: KnownModule[] = []
  for (const folder of p11KitFolders) {
    for (const file of (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.module')).sort().slice(0, modulesMax)) {
      const path = join(folder, file)
      if (((await stat(path).catch(() => null))?.size ?? Infinity) > configBytesMax) continue
      const line = /^\s*module\s*:\s*(\S.*?)\s*$/m.exec(await readFile(path, 'utf8').catch(() => ''))?.[1]
      if (line === undefined) continue
      const name = file.replace(/\.module$/, '')
      modules.push(...(isAbsolute(line) ? [{ name, path: line }] : p11KitLibraries.map((library) => ({ name, path: join(library, line) }))))
    }
  }
  return modules
}

/** The module of that path, or of RFC 7512's `module-name` (file name without "lib" and ending). Kind `module-not-found`. */
export async function findModule(wish: Readonly<{ path?: string; name?: string }>, known: readonly KnownModule[]): Promise<KnownModule | Failure> {
  const { path, name } = wish
  if (path !== undefined) {
    const file = isAbsolute(path) ? await stat(path).catch(() => null) : null
    if (file?.isFile() === true) return { name: known.find((one) => one.path === path)?.name ?? basename(path), path }
    return new Failure('module-not-found', `There is no PKCS#11 module at ${path}${isAbsolute(path) ? '' : ' (give its whole path)'}. Install the token's software, or correct the path.`, { path })
  }
  const module = known.find((one) => shortName(one.path) === name || one.name === name)
  return module ?? new Failure('module-not-found', `No PKCS#11 module called "${name ?? ''}" is installed. Known here: ${known.map((one) => shortName(one.path)).join(', ') || 'none'}.`, { name: name ?? '' })
}

function shortName(path: string): string {
  return basename(path).replace(/^lib/, '').replace(/\.(so|dylib|dll)$/i, '')
}

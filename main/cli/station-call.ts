// The station for one call of the command line: opened on the home and the ports the person named, and closed whatever
// happens, so that runs end as stopped and the log gets its last word.
import { version } from '../../package.json'
import { toHex } from '../base/bytes.ts'
import { pause, realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { installedHere } from '../station/installation.ts'
import { openStation } from '../station/station.ts'
import type { Station, StationOptions } from '../station/station.ts'
import type { Answer, Call } from './call.ts'
import { homeFolder } from './home.ts'
import { publicKeyNamed } from './keys.ts'
import { rememberKey } from './known.ts'
import { knownKeysOf } from './ring.ts'
import { runtimeHere } from './runtime.ts'

const logWaitMs = 3_000
const logLookMs = 50

export type CalledStation = Station & Readonly<{
  /** Fingerprints of the keys named on the command line. */
  namedKeys: readonly string[]
  /** Size and root of the log as it stands. */
  logHead(): Readonly<{ size: number; root: string }> | null
}>

export type StationNeeds = Readonly<{
  /** What `--ports` said; null for every port of the system, an empty list for none. */
  ports: string | readonly string[] | null
  /** Of every port of the system, only those that may become bays by themselves. */
  usbOnly?: true
  /** Keys the image may be signed with: names, fingerprints or PEM files. */
  keys: readonly string[]
  /** Line rate of real ports; the station's own default where nobody says. */
  baudRate?: number | undefined
}>

/** Opens the station, does the work, closes it. Kinds: of `openStation`, of the keys named, of the work. */
export async function withStation(call: Call, needs: StationNeeds, work: (station: CalledStation) => Promise<Answer | Failure>): Promise<Answer | Failure> {
  const namedKeys: string[] = []
  for (const text of needs.keys) {
    const key = await publicKeyNamed(call, text)
    if (failed(key)) return key
    const known = key.name === null ? await rememberKey(knownKeysOf(call), key) : null
    if (failed(known)) return known
    namedKeys.push(key.fingerprint)
  }
  const { ports } = needs
  const station = await openWhenFree(call, {
    home: homeFolder(call), version, installed: installedHere(), runtime: runtimeHere(), tokenEntry: call.tokenEntry, ports: ports === null ? (needs.usbOnly === true ? 'usb' : 'system') : typeof ports === 'string' ? [ports] : ports,
    ...(needs.baudRate === undefined ? {} : { baudRate: needs.baudRate }),
  })
  if (failed(station)) return station
  if (station.closedRuns > 0) call.tell(`An earlier station was stopped in the middle of ${station.closedRuns} runs; the log now says where each stood.\n`)
  const refused = await signedIn(call, station)
  if (failed(refused)) {
    await station.close()
    return refused
  }
  const called: CalledStation = Object.assign(Object.create(null) as object, station, {
    namedKeys,
    logHead() {
      const head = station.audit.head()
      return failed(head) ? null : { size: head.size, root: toHex(head.root) }
    },
  })
  try {
    return await work(called)
  } finally {
    await station.close()
  }
}

/** In an open station nobody signs in; otherwise whoever `--as` names. Kinds: `needs-person`, those of signing in. */
async function signedIn(call: Call, station: Station): Promise<null | Failure> {
  const session = await station.session({})
  if (failed(session)) return session
  if (session.open) return null
  if (call.as === null) return new Failure('needs-person', 'People have accounts at this station: say who you are with --as NAME (and --as-pin-file FILE where there is no terminal).')
  const entered = await station.signIn({ name: call.as.name, pin: call.as.pin })
  return failed(entered) ? entered : null
}

/** Another call may hold the log for a moment (a signature, a practice line that starts); a station or window for longer. */
async function openWhenFree(call: Call, options: StationOptions): Promise<Station | Failure> {
  const until = realClock.monotonicMs() + logWaitMs
  for (;;) {
    const station = await openStation(options)
    if (!failed(station) || station.kind !== 'database-locked' || realClock.monotonicMs() >= until || call.signal.aborted) return station
    await pause(realClock, logLookMs, call.signal)
  }
}
